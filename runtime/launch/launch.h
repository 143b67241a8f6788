/*
 * The launch path: create, start, run and exec. One file per process: runtime.c, init.c, exec.c; each runs a
 * table of named steps. protocol.h draws the messages between them.
 */
#pragma once

#include "base/error.h"
#include "container/store.h"

#include <stdbool.h>

struct launch_options {
    const char *id;
    const char *bundle;         /* NULL: the current directory */
    const char *config;         /* --config: another file than config.json */
    const char *console_socket; /* NULL: none */
    const char *pidfd_socket;   /* NULL: none */
    const char *pid_file;       /* NULL: none */
    int preserve_fds;           /* fds 3 … 3+N-1 stay open for the payload */
    bool no_pivot;
    bool no_new_keyring;
    bool detach; /* run, exec: return when the payload runs */
    bool keep;   /* run: do not delete afterwards */
    enum cgroup_driver cgroup_driver;
    enum policy_profile profile; /* --profile, or the name that the program was called by */
    struct launch_limit {
        const char *seconds; /* run and exec in the foreground: as text; NULL: none */
        const char *signal;  /* what the payload gets first when they are over; NULL: TERM */
        int number;          /* of signal; 0 when it has none */
    } limit;
};

int launch_create(struct store *store, const struct launch_options *options, struct error *err);
int launch_start(struct store *store, const char *id, struct error *err);
/* Foreground: the payload's exit status (or 128 + signal); detached: 0. -1 with an error. */
int launch_run(struct store *store, const struct launch_options *options, struct error *err);

/*
 * Without a bundle, a record or a cgroup: a config whose paths are absolute, in the foreground. Ends with
 * this process, whatever happens to it. Of the options id, limit and no_new_keyring count. Config and record
 * (or NULL) are taken over. The payload's exit status; 126 or 127 (and a line in the log) when there is no
 * such program; -1 with an error.
 */
int launch_run_directly(struct oci_config *config, struct policy_record *policy,
                        const struct launch_options *options, struct error *err);

struct exec_options {
    const char *id;
    const struct oci_process
        *process; /* made by cli/exec.c from --process or from flags and the container's config */
    const char *console_socket;
    const char *pidfd_socket;
    const char *pid_file;
    const char *cgroup; /* --cgroup: a sub-cgroup, NULL: the container's */
    int preserve_fds;
    bool detach;
    bool ignore_paused;
    bool die_with_client;               /* it and all it has started end when we or our caller die */
    const struct policy_record *policy; /* read by the caller, NULL: none */
    struct launch_limit limit;
};
/*
 * Mounts for a container that is created or running, or their removal. The container and its saved config are
 * taken over and released.
 */
int launch_change_mounts(struct container *container, struct oci_config *config,
                         const struct oci_mount *mounts, size_t count, bool remove, struct error *err);
/* The container was loaded and its saved config read by the caller; both are taken over and released. */
int launch_exec(struct container *container, struct oci_config *config, const struct exec_options *options,
                struct error *err);
