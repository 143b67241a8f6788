/*
 * What is to be done to make a container's file system: plain data, made by plan.c and executed by the other
 * files of this folder. Strings that are not changed are borrowed from the config, which must live as long as
 * the plan.
 */
#pragma once

#include "rootfs/options.h"
#include "rootfs/rootfs.h"

#include <stdint.h>
#include <sys/types.h>

enum mount_kind {
    MOUNT_NEW,     /* a file system of its own: fsopen, fsmount */
    MOUNT_BIND,    /* part of another one: open_tree */
    MOUNT_CGROUP,  /* cgroup or cgroup2: what that means depends on the host */
    MOUNT_REMOUNT, /* changes what is mounted there already */
};

/* What the runtime knows of a file-system type. */
enum filesystem_flags {
    FS_PROC = 1 << 0,
    FS_SYSFS = 1 << 1,
    FS_MQUEUE = 1 << 2,
    FS_TMPFS = 1 << 3,
    FS_CGROUP = 1 << 4,
    /* The kernel gives its files their SELinux labels. */
    FS_NO_LABEL = 1 << 5,
    /* "ro" only at the end: later mounts, devices and links need directories in it. */
    FS_READ_ONLY_LAST = 1 << 6,
    FS_DEVPTS = 1 << 7,
};

struct mount_op {
    size_t index; /* in config.mounts, for errors */
    enum mount_kind kind;
    unsigned filesystem; /* enum filesystem_flags */
    char *destination;   /* owned; absolute, without "//", "." and ".." */
    const char *type;    /* NULL for binds */
    char *source;        /* owned; absolute for binds */
    struct mount_options options;
    const struct oci_mount *config; /* for the id mappings */
    bool label;                     /* gets linux.mountLabel */

    int tree;  /* detached clone of the source, from rootfs_open_sources(); or -1 */
    int idmap; /* user namespace that holds the mapping; or -1 */
    int mount; /* the mount, while something is still to be done to it; or -1 */
};

struct device_op {
    size_t index;     /* in linux.devices; SIZE_MAX for a default device */
    const char *path; /* as configured */
    char *normal;     /* owned; normalised */
    mode_t type;      /* S_IFCHR, S_IFBLK or S_IFIFO */
    dev_t number;
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
};

/* How the mounts that are taken over from the host relate to it. */
enum host_relation {
    /* Private: neither side sees later mounts of the other. */
    HOST_CUT_OFF,
    /* The same, except for binds with the option slave or rslave: they see what the host mounts. */
    HOST_SEEN_BY_SOME,
    /* Slaves, because rootfsPropagation asks for it. */
    HOST_SEEN,
    /* Peers, for volumes that carry mounts both ways; never the root file system. */
    HOST_SHARED,
};

struct rootfs_plan {
    /* from the context */
    const char *bundle;
    const char *rootfs;
    const struct overlay_request *overlay; /* borrowed; NULL: the root is the directory */
    bool no_pivot;
    int procfs_of; /* borrowed fd; for new procfs mounts; 0 or -1: ours */
    bool rootless;
    const struct policy_guards *guards; /* borrowed; or NULL */
    const char *cgroups; /* borrowed; a /proc/PID/cgroup, or NULL */

    /* from the config */
    bool mount_namespace;  /* a new one; without it there are no mounts, only chroot */
    bool user_namespace;   /* new or joined, or the runtime is in one: no mknod */
    bool own_user;         /* new or joined: the runtime opens the sources */
    bool pid_namespace;    /* new or joined: the host's /proc would show other processes */
    bool cgroup_namespace; /* new or joined: a cgroup mount shows only our part */
    bool read_only;
    bool own_dev; /* /dev is not a bind mount: devices and links are made in it (item 152) */
    enum oci_propagation propagation; /* of the new root, in the end */
    enum host_relation host;
    const char *label;                    /* linux.mountLabel */
    const char *label_type;               /* context, fscontext, … */
    const struct oci_linux *linux_config; /* never NULL */

    struct mount_op *mounts;
    size_t mount_count;
    struct device_op *devices;
    size_t device_count;
    char **masked; /* normalised */
    size_t masked_count;
    char **read_only_paths;
    size_t read_only_count;

    /* while it is executed */
    bool live;        /* the container runs already: init cannot open sources (live.c) */
    bool in_init;     /* and no longer in the runtime */
    bool covers_root; /* the root is mounted on "/" until pivot_root */
    int root;         /* O_PATH fd of the container's root mount */
    int root_tree;    /* detached clone from rootfs_open_sources(); or -1 */
    int null_mount;   /* detached clone of the host's /dev/null, for masks */
    int procfs;
    int stage;        /* where mounts wait that this kernel cannot detach (stage.c); or -1 */
    int stage_procfs; /* the host's, to name descriptors for mount(2); or -1 */
    int stage_count;
    int old_root;       /* still to be unmounted, by stage_end(); or -1 */
    bool plain_proc;    /* the config's plain /proc is in place */
    int container_proc; /* mount of the config's plain /proc, of which procfs can be a clone */
    int selinux;        /* -1: not known yet */
};

/* "/a//b/../c/." → "/a/c". Owned. A relative path is taken from "/". */
char *path_normalise(const char *path);

/* "mounts[3] (/proc)" in front of the error. */
int mount_fail_in(const struct mount_op *op, struct error *err);
