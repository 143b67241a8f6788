/*
 * Inside the validator: rules that concern more than one property, or that a table row cannot express. All
 * pure. Each check looks at one thing and fails with the JSON path of what breaks it; validate*.c list their
 * checks in a table.
 */
#pragma once

#include "oci-specs/config.h"

/* At most this many lines fit into /proc/PID/uid_map (user_namespaces(7)). */
#define ID_MAPPINGS_MAX 340

int validate_annotations(const struct oci_config *config, struct error *err);
int validate_linux(const struct oci_config *config, struct error *err);
int validate_mounts(const struct oci_config *config, struct error *err);
int validate_namespaces(const struct oci_config *config, struct error *err);
int validate_seccomp(const struct oci_seccomp *seccomp, const char *what, struct error *err);

/* One direction of an id map: sizes, ends and overlaps, on both sides. `what` is its path. */
int validate_id_mappings(const struct oci_id_mapping *mappings, size_t count, const char *what,
                         struct error *err);

/* A list of CPUs or NUMA nodes, "0-3, 7" (cpuset(7), "List format"); "" counts as absent. `what` is its path.
 */
int validate_number_list(const char *list, const char *what, struct error *err);

static inline bool is_set(const char *string) /* engines write "" for what they do not set */
{
    return string && *string;
}
