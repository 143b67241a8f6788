/*
 * The properties of a unit as data: what our limits are called by systemd, and the annotations that set
 * others. Pure.
 */
#pragma once

#include "base/error.h"
#include "cgroup/rows.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stddef.h>

struct unit_property {
    char *name;
    char *value;    /* as systemd_value.h reads it */
    char *property; /* the JSON path that asked for it, or "" */
    bool optional;  /* also written to the files of the cgroup: a systemd that does not know it may do without
                     */
    bool seconds;   /* the value is in seconds, the property in microseconds */
    bool list;      /* systemd adds to what is there, unless an empty list comes first */
};

struct unit_properties {
    struct unit_property *items;
    size_t count;
};

void unit_properties_free(struct unit_properties *properties);

/* What every container's unit has (item 207). */
void unit_properties_base(const char *id, const char *slice, bool unified,
                          struct unit_properties *properties);

/* Rows for files of v1 or v2, those of `unified` among them, that have a property (items 208, 209). */
void unit_properties_limits(const struct cgroup_rows *rows, struct unit_properties *properties);

/*
 * The rows for v1's device files, which systemd writes again on every reload: ENOTSUP for what its properties
 * cannot say, because that would be undone then. (On v2 the BPF program is ours, and systemd leaves it
 * alone.)
 */
int unit_properties_devices(const struct cgroup_rows *rows, struct unit_properties *properties,
                            struct error *err);

/* "org.systemd.property.NAME": VALUE (items 211, 212). They come last and replace what was there. */
int unit_properties_annotations(const struct string_map *annotations, struct unit_properties *properties,
                                struct error *err);
