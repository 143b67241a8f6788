/*
 * Everything about one launch in one struct. It is made by the runtime; stage and init see a copy of it after
 * the clone, so plans are never serialised. The members are grouped by who fills them.
 */
#pragma once

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "container/bundle.h"
#include "container/store.h"
#include "launch/launch.h"
#include "launch/listener.h"
#include "namespaces/namespaces.h"
#include "policy/policy.h"
#include "process/process.h"
#include "resctrl/resctrl.h"
#include "rootfs/rootfs.h"
#include "security/security.h"
#include "supervise/supervise.h"

#include <stdbool.h>
#include <sys/types.h>

struct message;

struct launch {
    /* the request */
    struct store *store;
    const struct launch_options *options;
    bool rootless;          /* without the privileges of the host's root (base/privilege.h) */
    bool in_user_namespace; /* the payload is going to be in one that is not the initial one */
    int preserve_fds;       /* --preserve-fds and LISTEN_FDS together */

    /* plans: made by the runtime, executed by either side */
    struct bundle bundle;
    struct namespace_plan namespaces;
    struct cgroup_plan *cgroup;
    struct rootfs_plan *rootfs;
    struct overlay_request *overlay; /* or NULL */
    struct process_plan process;
    struct seccomp_filter seccomp;
    struct policy_record *policy; /* NULL: none */
    struct landlock_plan landlock;
    struct resctrl_plan resctrl_plan;

    /* what the runtime made */
    void (*child_main)(struct launch *launch) __attribute__((noreturn));
    /* What a stage does before it enters the user namespace, and when it is in it; NULL: nothing. */
    int (*stage_leave)(struct launch *launch, struct error *err);
    int (*stage_join)(struct launch *launch, struct error *err);
    bool staged; /* in the child: these two have run */
    /* Init joins a pid namespace, where others may trace it, only when it holds nothing of the host any more.
     */
    bool enters_pid_late;
    struct container container;
    int procfs; /* the host's /proc, verified: "self" in it is whoever opens it (security rule 4) */
    uint64_t root_device,
        root_inode;     /* of the container's "/", as init said (create) or the record says (exec) */
    int container_root; /* exec: the root directory of init, in case the mount namespace has another; or -1 */
    int start_socket;   /* listening on start.sock; -1 for run */
    struct resctrl resctrl; /* its root is -1 without linux.intelRdt */
    int console_socket;     /* connected; -1: none */
    const struct cgroup_location *cgroup_location;
    int cgroup_fd;                /* for CLONE_INTO_CGROUP, or -1 */
    int socket;                   /* our end of the message pair, in whichever process this is */
    int peer_socket;              /* the other end, between socketpair and clone */
    pid_t pid;                    /* init, as the runtime sees it */
    int pidfd;                    /* of init */
    struct terminal_relay *relay; /* the terminal of run or exec in the foreground, or NULL */
    struct supervise_limit limit; /* --timeout */
    bool timed_out;               /* and it was reached */
    bool foreground;              /* run or exec without --detach */
    bool network_comes; /* the runtime makes the network namespace meanwhile, and sends it */
    bool direct;        /* no record and no gate: launch_run_directly() */
    bool by_start;      /* create: the gate is start.sock, not our socket */
    bool started;       /* the payload runs: a failure after that stops it, like any running container */

    /* init */
    bool removes_mounts;      /* `mounts remove` */
    bool landlock_degraded;   /* some rules of best effort could not be made (L-6) */
    int landlock_ruleset;     /* made while every path can be opened, enforced before seccomp; or -1 */
    char *executable;         /* found before READY, executed after START */
    uint64_t ignored_signals; /* which the payload must not inherit */
};

/* launch/clone.c: clones init (through a stage where the plan says so), which enters its cgroup; then its id
 * maps. */
int launch_clone_init(struct launch *launch, struct error *err);
int launch_place_init(struct launch *launch, struct error *err);

/* In a child of the runtime: it ends with it from here on, or fails where the runtime has ended. */
int launch_die_with_runtime(const struct launch *launch, struct error *err);

/* Init goes on in a child, which takes its place (MESSAGE_CHILD): only children are in a joined pid
 * namespace. */
int launch_continue_in_child(struct launch *launch, struct error *err);
int launch_take_child(struct launch *launch, const struct message *message,
                      struct error *err); /* the runtime */
/* In the runtime: the pid on record, for containers without a cgroup. */
int launch_note_init(struct launch *launch, struct error *err);

/* launch/init.c, launch/exec_child.c: what the cloned process runs (launch->child_main). */
void init_main(struct launch *launch) __attribute__((noreturn));
int init_confine(struct launch *launch, struct error *err); /* its steps before the program is looked for */
void exec_child_main(struct launch *launch) __attribute__((noreturn));
int exec_stage_leave(struct launch *launch, struct error *err);
int exec_stage_join(struct launch *launch, struct error *err);

/* What exec and `mounts` share: the runtime opens init's namespaces and root, the child joins and goes there.
 */
int exec_open_namespaces(struct launch *launch, int init_pidfd, struct error *err);
int exec_child_join(struct launch *launch, struct error *err);

/* launch/gate.c */
int gate_open_socket(struct launch *launch, struct error *err); /* runtime: start.sock */
int gate_wait(struct launch *launch, struct error *err);        /* init: until START */
int gate_start(int socket, const struct listener_peer *peer,
               struct error *err); /* START … the payload runs */
int gate_connect(const struct container *container,
                 struct error *err); /* start: connects and closes the gate */

/* launch/surroundings.c: fds, signals, keyring, pid file */
int stdio_give_to(uid_t uid, struct error *err); /* item 51 */
int descriptors_check(int preserve_fds, struct error *err);
int descriptors_hide(int preserve_fds,
                     struct error *err); /* everything above is close-on-exec from here on */
void descriptors_close(int preserve_fds, int kept, int other); /* for good, but for these two or -1 */
void environment_scrub(void); /* nobody who reads our memory finds the caller's secrets */
int procfs_open(struct error *err);
int keyring_join(const char *id, struct error *err);
int pid_file_write(const char *path, pid_t pid, struct error *err);
/* `what` asked for it, in errors; without a path there is nothing to do */
int pidfd_send(const char *what, const char *socket_path, int pidfd, struct error *err);

/* launch/hook_points.c: the six points of the lifecycle, with the state that each hook sees (item 252). A
 * hook that fails ends the life of the container, and its error has this code. */
#define HOOK_FAILED ECANCELED
int hooks_at_create_runtime(struct launch *launch, struct error *err);
int hooks_at_create_container(struct launch *launch, struct error *err);
int hooks_at_start_container(struct launch *launch, struct error *err);
int hooks_at_poststart(const struct oci_config *config, const struct container *container, struct error *err);
void hooks_at_poststop(const struct oci_config *config, const struct container *container);
