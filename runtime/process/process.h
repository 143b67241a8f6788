/*
 * The process of the container: what process.* of config.json asks for, as plain data (process_plan_make,
 * pure), and the steps that give it to the calling process. Shared by init (create) and exec.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct process_rlimit {
    int resource;
    struct rlimit limit;
};

struct process_plan {
    /* Borrowed from the config, which outlives the plan. */
    const struct oci_process *process;
    const char *what; /* what errors call it; borrowed, a string literal */
    struct process_rlimit *rlimits;
    size_t rlimit_count;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
    bool keep_groups; /* run.oci.keep_original_groups, or setgroups is denied */
    mode_t umask;     /* 0022 when the config has none; the launcher sets it */
    uint64_t cap_bounding, cap_effective, cap_inheritable, cap_permitted,
        cap_ambient; /* bit N: capability N */
    char **env;      /* NULL-terminated; duplicates resolved, last wins */
    size_t env_count;
    char **env_owned; /* the strings of env that are not the config's */
    size_t env_owned_count;
};

/* Warnings (unknown capability, item 62) go to the log. `what` names the object in errors ("process"). */
int process_plan_make(const struct oci_config *config, const struct oci_process *process, const char *what,
                      struct process_plan *plan, struct error *err);
void process_plan_free(struct process_plan *plan);

/* Sets NAME=VALUE in plan->env unless the config did (replace: even then). */
void process_plan_set_env(struct process_plan *plan, const char *name, const char *value, bool replace);

/* The value of NAME in plan->env, or NULL. */
const char *process_plan_get_env(const struct process_plan *plan, const char *name);

/*
 * In a user namespace whose /proc/self/setgroups says "deny" nobody may call setgroups: sets keep_groups
 * then, or fails when the config asks for groups that would be missing. Call it in the namespace, before
 * process_apply_ids.
 */
int process_plan_check_setgroups(struct process_plan *plan, int procfs, struct error *err);

/* In the process itself, in the order in which they must be called. procfs: an O_PATH fd of a verified /proc.
 */
int process_apply_oom_score(const struct process_plan *plan, int procfs, struct error *err);
int process_apply_rlimits(const struct process_plan *plan, struct error *err);
int process_apply_scheduler(const struct process_plan *plan, struct error *err); /* scheduler, ioPriority */
int process_apply_memory_policy(const struct oci_config *config, struct error *err);
int process_apply_personality(const struct oci_config *config, struct error *err);

/*
 * CPU affinity of an exec'd process (item 76). A list is "0-3,7"; the caller names the property in front of
 * the error. Reset: every CPU that the cpuset allows, whatever mask the engine's process had (item 77).
 */
int process_apply_affinity(const char *list, struct error *err);
int process_reset_affinity(struct error *err);

/* HOME from the container's /etc/passwd when the config has none (item 55); never blocks on a FIFO, capped
 * size. */
int process_set_home(struct process_plan *plan, int root_fd, struct error *err);

/* setgroups, setgid, setuid, keeping the permitted capabilities for the next step (the effective ones are
 * gone). */
int process_apply_ids(const struct process_plan *plan, struct error *err);
/*
 * chdir, made 0755 if missing (item 54); refused when getcwd() says it is outside the root (CVE-2024-21626).
 * To be called before the ids change, so that a directory of root's works for every user as it does with crun
 * and runc; when that fails with EACCES (root squashed on a network file system), once more afterwards.
 */
int process_apply_cwd(const struct process_plan *plan, struct error *err);

/*
 * Finds args[0] with the container's PATH, as execvp would, before start: *path is owned. Errors name it
 * (contract E4, E5): exec: "x": executable file not found in $PATH: no such file or directory
 */
int process_find_executable(const struct process_plan *plan, char **path, struct error *err);
/* execve; returns only on failure. */
int process_execute(const struct process_plan *plan, const char *path, struct error *err);
