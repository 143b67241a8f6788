/*
 * The process that `exec` adds to a container: from a file (--process) or from the container's own process,
 * changed by flags. Pure, but for reading the file.
 */
#pragma once

#include "base/error.h"
#include "cli/options.h"
#include "oci-specs/config.h"

struct exec_flags {
    const char *process; /* a file */
    const char *cwd;
    const char *user; /* UID[:GID] */
    const char *apparmor;
    const char *process_label;
    struct option_values env;
    struct option_values additional_gids;
    struct option_values caps;
    enum option_switch tty;
    enum option_switch no_new_privs;
};

/* `args` are the words of the command, NULL-terminated. Owned: schema_free(&oci_process_schema, …). NULL on
 * error. */
struct oci_process *exec_process_make(const struct exec_flags *flags, const char *const *args,
                                      const struct oci_config *config, struct error *err);

/* "UID" or "UID:GID": both strict numbers, -1 refused (CVE-2026-30892). Without ":GID" the gid is left as it
 * is. */
int exec_parse_user(const char *text, struct oci_user *user, struct error *err);
