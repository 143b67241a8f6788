/* config.json as a whole: read, cross-field checks, and the default that `spec` writes. */
#pragma once

#include "oci-specs/schema.h"

/* Reads, checks and validates `path` below dirfd. NULL on error. Owned: oci_config_free(). */
struct oci_config *oci_config_read_at(int dirfd, const char *path, struct error *err);
struct oci_config *oci_config_parse(const char *name, const char *text, size_t length, struct error *err);

/* The rules that concern more than one property (validate.c), with the JSON path of the first one broken. */
int oci_config_validate(const struct oci_config *config, struct error *err);

/* The same for a process object that exec brings (`what` names it in errors: "process"). */
int oci_process_validate(const struct oci_process *process, const char *what, struct error *err);

/*
 * The same for linux.resources alone, as update brings it: from flags, or as a document. `prefix` comes
 * before the paths in errors: "linux.resources." or "". Owned: schema_free().
 */
int oci_resources_validate(const struct oci_resources *resources, const char *prefix, struct error *err);
struct oci_resources *oci_resources_parse(const char *name, const char *text, size_t length,
                                          struct error *err);

/* What `aril spec` writes (contract O8); rootless: user namespace with the caller's ids. Owned. */
struct oci_config *oci_config_default(bool rootless);

void oci_config_free(struct oci_config *config);
static inline void oci_config_cleanup(struct oci_config **config)
{
    oci_config_free(*config);
}

/* linux.namespaces: the entry of a type, or NULL. A path of "" is normalised to NULL by the reader. */
const struct oci_namespace *oci_config_namespace(const struct oci_config *config,
                                                 enum oci_namespace_type type);
/* Is a new namespace of this type to be made (listed without a path)? */
bool oci_config_new_namespace(const struct oci_config *config, enum oci_namespace_type type);
