/*
 * The container's file system. plan.c turns config.json into an ordered list of mount operations without
 * touching the system; the rest executes them on file descriptors (security rules 1-4 of the design: one
 * O_PATH fd for the root, every destination resolved once with openat2, then only fds).
 *
 * Who calls what:
 *     runtime  rootfs_plan_make, rootfs_open_sources
 *     init     rootfs_prepare … rootfs_finish, in the order of the table in launch/init.c
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>

struct rootfs_plan;
struct overlay_request;

struct rootfs_context { /* what the plan needs to know beside config.json */
    const char *bundle; /* absolute */
    const char *rootfs; /* absolute */
    int procfs_of;      /* fd of the one that a new procfs is to show, for a process that is not in it; 0 or
                               -1: its own */
    bool no_pivot;
    const struct overlay_request *overlay; /* the root that aril puts together (overlay.h), or NULL */
    bool rootless;       /* without the privileges of the host's root: no mknod, no device cgroup, … */
    const char *cgroups; /* a /proc/PID/cgroup, whoever's: it names the hierarchies; NULL: not known */
    const struct policy_guards *guards; /* borrowed; paths that the sandbox policy guards, or NULL */
};

struct rootfs_plan *rootfs_plan_make(const struct oci_config *config, const struct rootfs_context *context,
                                     struct error *err);
void rootfs_plan_free(struct rootfs_plan *plan);
void rootfs_plan_describe(const struct rootfs_plan *plan,
                          struct buffer *out); /* JSON array, for `aril plan` */

/*
 * In the runtime, before clone: opens (detached, with open_tree) the mount sources that init could not reach
 * from its user namespace. The fds are O_CLOEXEC and are inherited by the clone.
 */
int rootfs_open_sources(struct rootfs_plan *plan, struct error *err);

/*
 * For a container that runs (`mounts`): instead of rootfs_open_sources() in the runtime, and instead of
 * rootfs_prepare() in a process that has joined the container; then rootfs_mount_all() or the last one, which
 * unmounts the destinations in reverse order.
 */
int rootfs_open_live_sources(struct rootfs_plan *plan, struct error *err);
int rootfs_enter_live(struct rootfs_plan *plan, struct error *err);
int rootfs_remove_mounts(struct rootfs_plan *plan, struct error *err);

/* In init, inside the new mount namespace. */
int rootfs_prepare(struct rootfs_plan *plan,
                   struct error *err); /* propagation, root bind, root fd, procfs fd */
int rootfs_mount_all(struct rootfs_plan *plan, struct error *err); /* config.mounts in order */
int rootfs_make_devices(struct rootfs_plan *plan,
                        struct error *err); /* default and config devices, /dev symlinks */
int rootfs_set_console(struct rootfs_plan *plan, int terminal_fd,
                       struct error *err); /* pty slave on /dev/console */
int rootfs_pivot(struct rootfs_plan *plan,
                 struct error *err); /* pivot_root, or move + chroot; cwd is "/" after */
int rootfs_finish(struct rootfs_plan *plan,
                  struct error *err); /* read-only and masked paths, readonly root, propagation */

/* Can this kernel mount the procfs of a pid namespace that we are not in? */
bool rootfs_can_mount_procfs_of(int pid_namespace);

/* A verified procfs that belongs to init's pid namespace, private to the runtime: for sysctl, labels, oom
 * (rule 4). O_PATH fd. */
int rootfs_procfs(struct rootfs_plan *plan, struct error *err);

/* Opens a path of the container after or before pivot, through the root fd. */
int rootfs_root_fd(const struct rootfs_plan *plan);

/* mount options for `features`, NULL-terminated. */
const char *const *rootfs_known_mount_options(void);
