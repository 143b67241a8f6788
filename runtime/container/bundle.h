/* A bundle: the directory with config.json and the root file system. */
#pragma once

#include "base/error.h"
#include "oci-specs/config.h"

struct bundle {
    char *path; /* absolute, links resolved */
    int fd;     /* O_PATH */
    struct oci_config *config;
    char *config_text; /* the bytes that were parsed: the store keeps a copy (contract item 12) */
    size_t config_length;
    char *rootfs; /* absolute host path of root.path */
};

/* `path` NULL: the current directory. `config_name` NULL: "config.json"; else --config FILE (relative to the
 * cwd). */
int bundle_open(const char *path, const char *config_name, struct bundle *bundle, struct error *err);
/* A bundle that is no directory: a config made by the runtime, whose paths are absolute. It is taken over, also on failure. */
int bundle_from_config(struct oci_config *config, struct bundle *bundle, struct error *err);
void bundle_close(struct bundle *bundle);
