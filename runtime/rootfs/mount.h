/* The parts of mounting, shared by the files of this folder. Everything works on descriptors. */
#pragma once

#include "base/sys.h"
#include "rootfs/plan.h"

/* mount_setattr(2) on a mount fd; falls back to mount(2) where the kernel has none. 0, or -1 with errno. */
int mount_set_attributes(int mount, const struct option_attributes *attributes, bool recursive);
int mount_set_propagation(int mount, unsigned long propagation); /* MS_* with or without MS_REC */
int mount_set_idmap(int mount, int user_namespace, bool recursive);

/* What the options ask of a mount, preferably of a detached one: first attributes, then id mapping and
 * propagation. */
int mount_change_attributes(const struct mount_op *op, int tree, struct error *err);
int mount_set_up_tree(const struct mount_op *op, int tree, bool tree_is_private, struct error *err);

/* Puts a detached mount on its destination. */
int mount_attach(int tree, int destination, struct error *err);

/* A mount of a file system nobody can see yet. `attributes` are MOUNT_ATTR_*. */
int mount_make_detached(const char *type, const char *source, const struct option_data *data,
                        size_t data_count, uint64_t attributes, struct error *err);

/* A detached clone of part of a mounted file system, or -1 with errno. */
int mount_clone(int dirfd, const char *path, bool recursive);

/* One operation each. */
int mount_new(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_bind(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_cgroup(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_remount(struct rootfs_plan *plan, struct mount_op *op, struct error *err);

/* A detached clone of the source of a bind mount, as it is. */
int mount_open_tree(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err);

/* Copies what is in a directory into another one (tmpcopyup). */
int copy_up(int from, int to, struct error *err);

/* A user namespace fd with the mapping of the operation. */
int idmap_open(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err);

/* Is SELinux on? Asked once. */
bool rootfs_has_selinux(struct rootfs_plan *plan);

#define auto_umask auto_cleanup(umask_restore)
void umask_restore(const mode_t *saved);
