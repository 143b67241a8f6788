/* Namespaces: which to make, which to join, id maps, sysctls, host name. plan.c is pure. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NAMESPACE_KINDS 8

struct namespace_join {
    const char *path; /* borrowed from the config */
    int flag;         /* CLONE_NEW* */
    int fd;           /* opened by namespaces_open() */
};

struct namespace_plan {
    uint64_t new_flags; /* CLONE_NEW* of the namespaces to make, all kinds */
    uint64_t join_flags;
    struct namespace_join joins[NAMESPACE_KINDS]; /* user first: its capabilities are what opens the others */
    size_t join_count;
    const struct oci_time_offsets *time_offsets; /* NULL: none to set */
    char *uid_map, *gid_map; /* text for /proc/PID/{u,g}id_map; NULL without a new user namespace */
    bool maps_root;          /* id 0 exists in the new user namespace */
    /*
     * A stage process between runtime and init: where a user namespace must be entered (or made) before init
     * can be cloned with its other namespaces, because they must be owned by it (a joined one) or because the
     * kernel puts only children into a joined pid namespace or a new time namespace; and for exec where the
     * payload could look at the host through a process that has not left it yet.
     */
    bool needs_stage;
    bool borrowed; /* the fds of joins belong to somebody else */
};

/* Is `pid` in our user namespace? setns() refuses to enter that again. */
bool namespaces_share_user(pid_t pid);

int namespace_plan_make(const struct oci_config *config, struct namespace_plan *plan, struct error *err);
void namespace_plan_free(struct namespace_plan *plan);
void namespace_plan_describe(const struct namespace_plan *plan, struct buffer *out);

/*
 * For exec: everything that the container's config lists, through the pidfd of its init (setns takes a set of
 * flags at once). The pidfd stays the caller's.
 */
void namespace_plan_for_exec(const struct oci_config *config, pid_t init, int init_pidfd,
                             struct namespace_plan *plan);

/*
 * The same without setns() by pidfd, which the kernel takes for tracing: a member of the user namespace may
 * not trace an init that has not executed the payload yet. To be called after namespace_plan_for_exec().
 */
int namespaces_open_each(struct namespace_plan *plan, pid_t init, int init_pidfd, struct error *err);

/* Opens every path and checks that it is a namespace of the type it claims to be (item 133), before any side
 * effect. */
int namespaces_open(struct namespace_plan *plan, struct error *err);

/* In the runtime: id maps of a child that waits, with newuidmap/newgidmap when the kernel refuses us. */
int namespaces_write_id_maps(const struct namespace_plan *plan, pid_t pid, struct error *err);

/* The id that `uid` in the user namespace of `pid` has in ours, if it has one. */
bool namespaces_uid_outside(pid_t pid, uint32_t uid, uint32_t *outside);

/*
 * CLONE_NEW* of the namespaces that init makes itself with unshare(): the cgroup namespace, whose root is
 * where init is by then; with a user namespace the ipc namespace, whose mqueue file system belongs to its
 * maker, who must be that namespace's root.
 */
uint64_t namespaces_made_by_init(const struct namespace_plan *plan);

/* Enters the joined namespaces whose CLONE_NEW* is in `flags`; pid: for later children only. */
int namespaces_join(const struct namespace_plan *plan, uint64_t flags, struct error *err);
/*
 * After joining: does the mount namespace belong to our user namespace? An unprivileged init can make a user
 * namespace and in it mount what it likes over the container's programs; `procfs` is the host's.
 */
int namespaces_check_mount_owner(int procfs, struct error *err);

/* After a joined pid namespace got its child: children that come later (hooks) are in the caller's own again.
 */
int namespaces_leave_pid(const struct namespace_plan *plan, struct error *err);
/* unshare(CLONE_NEWTIME) and the offsets: from now on for children of the caller (item 141). */
int namespaces_new_time(const struct namespace_plan *plan, struct error *err);
/* In a user namespace that was just entered or made: uid, gid 0 and no groups, as far as they are mapped. */
int namespaces_become_root(const struct namespace_plan *plan, struct error *err);
int namespaces_bring_up_loopback(struct error *err);
int namespaces_set_names(const struct oci_config *config, struct error *err); /* hostname, domainname */
/* sysctl map: checked (pure) before anything runs, written through the verified procfs. */
int sysctl_check(const struct oci_config *config, struct error *err);
int sysctl_apply(const struct oci_config *config, int procfs, struct error *err);
/* netDevices: names and namespace, pure; net_devices_move() checks as well. */
int net_devices_check(const struct oci_config *config, struct error *err);
/* netDevices: moved into the network namespace of `pid` (items 155-161). */
int net_devices_move(const struct oci_config *config, pid_t pid, struct error *err);
