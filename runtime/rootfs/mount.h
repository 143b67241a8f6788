/* The parts of mounting, shared by the files of this folder. Everything works on descriptors. */
#pragma once

#include "base/sys.h"
#include "rootfs/plan.h"

/*
 * Changes a mount through its fd, detached or not: mount_setattr(2). Where the kernel has none, mount(2) does
 * the same for attached mounts; a detached one fails with ENOSYS. 0, or -1 with errno.
 */
int mount_set_attributes(struct rootfs_plan *plan, int mount, const struct option_attributes *attributes,
                         bool recursive);
int mount_set_propagation(struct rootfs_plan *plan, int mount,
                          unsigned long propagation); /* MS_* [| MS_REC] */

/*
 * The attributes, the id mapping and the propagation that the options ask for. `done` says what the mount has
 * already: attributes; a propagation that is private; or that of a slave, which becomes private unless an
 * option asks for something.
 */
enum { SET_UP_ATTRIBUTES = 1, SET_UP_PRIVATE = 2, SET_UP_SLAVE = 4 };
int mount_set_up(struct rootfs_plan *plan, const struct mount_op *op, int mount, unsigned done,
                 struct error *err);

/* Sets a detached mount up and puts it on its destination. */
int mount_place(struct rootfs_plan *plan, const struct mount_op *op, int tree, unsigned done, int destination,
                struct error *err);
int mount_place_with(struct rootfs_plan *plan, const struct option_attributes *attributes, int tree,
                     int destination, struct error *err);

/* Puts a detached mount on its destination as it is. */
int mount_attach(struct rootfs_plan *plan, int tree, int destination, struct error *err);

/* A mount of a file system nobody can see yet. `attributes` are MOUNT_ATTR_*. */
int mount_make_detached(struct rootfs_plan *plan, const char *type, const char *source,
                        const struct option_data *data, size_t data_count, uint64_t attributes,
                        struct error *err);

/* fail_errno() with what the file system itself has to say: "tmpfs: Unknown parameter 'foo'". */
int mount_fail_with_log(int context, int code, struct error *err, const char *what);

/* A detached clone of part of a mounted file system, or -1 with errno. It is a peer of what it was cloned
 * from. */
int mount_clone(struct rootfs_plan *plan, int dirfd, const char *path, bool recursive);

/* The same with AT_* flags. */
int mount_clone_with(struct rootfs_plan *plan, int dirfd, const char *path, unsigned flags);

/* The same of something of the host's that the runtime adds by itself: a peer of nobody, whatever
 * rootfsPropagation says. */
int mount_clone_host(struct rootfs_plan *plan, const char *path, bool recursive);

/* One operation each. */
int mount_new(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_bind(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_cgroup(struct rootfs_plan *plan, struct mount_op *op, struct error *err);
int mount_remount(struct rootfs_plan *plan, struct mount_op *op, struct error *err);

/* A detached clone of the source of a bind mount, as it is. */
int mount_open_tree(struct rootfs_plan *plan, const struct mount_op *op, struct error *err);

/* Copies what is in a directory into another one (tmpcopyup). */
int copy_up(int from, int to, struct error *err);

/* What to say about ENOSYS where nothing else will do. */
#define MOUNT_NEEDS_API "this needs the mount API of Linux 5.2, which the kernel or a seccomp filter lacks"
#define MOUNT_NEEDS_SETATTR                                                                                  \
    "this needs the mount API of Linux 5.12, which the kernel or a seccomp filter lacks"

/* A user namespace fd with the mapping of the operation. */
int idmap_open(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err);

/* apart.c: the mount that `make` returns, made in a mount namespace that ends with it. */
typedef int mount_maker(struct rootfs_plan *plan, struct error *err);
int apart_mount(struct rootfs_plan *plan, mount_maker *make, struct error *err);

/* no_pivot.c: leaves no whole proc or sysfs of the host in the mount namespace. */
int no_pivot_hide_host(const struct rootfs_plan *plan, struct error *err);

/* Is SELinux on? Asked once. */
bool rootfs_has_selinux(struct rootfs_plan *plan);

/* mount_legacy.c: mount(2) on descriptors, for what the new calls cannot do here. 0, or -1 with errno. */
int legacy_set_attributes(struct rootfs_plan *plan, int mount, const struct option_attributes *attributes,
                          bool recursive);
int legacy_set_propagation(struct rootfs_plan *plan, int mount, unsigned long propagation);
bool legacy_is_needed(const struct mount_op *op, const struct option_data *data, size_t count);
int legacy_mount_new(struct rootfs_plan *plan, const struct mount_op *op, const struct option_data *data,
                     size_t count, int destination, struct error *err);

int legacy_reconfigure(struct rootfs_plan *plan, const struct mount_options *options, int destination);

/*
 * stage.c: detached mounts for kernels that have none (before Linux 5.2), and under seccomp filters that know
 * none. stage_begin() after a call has failed: true when the kernel lacks it and mount(2) is to do the same
 * from now on, with descriptors as before; else errno is left alone.
 */
bool stage_begin(struct rootfs_plan *plan);
bool stage_is_used(const struct rootfs_plan *plan);
int stage_clone(struct rootfs_plan *plan, int dirfd, const char *path, unsigned open_tree_flags);
int stage_make(struct rootfs_plan *plan, const char *type, const char *source, const struct option_data *data,
               size_t data_count, uint64_t attributes, struct error *err);
int stage_attach(struct rootfs_plan *plan, int tree, int destination);
int stage_end(struct rootfs_plan *plan, struct error *err); /* after the last mount */

/* procfs.c: 0 when the fd is the root of a procfs. */
int procfs_verify(int fd, struct error *err);

/* mount(2) onto a descriptor, from a procfs that is verified. `from` >= 0: another descriptor is the source.
 */
int mount_on_fd(struct rootfs_plan *plan, int from, const char *source, int target, const char *type,
                unsigned long mount_flags, const char *data);

/* The text and the MS_* flags that mount(2) takes for the same options. */
int legacy_join(const struct option_data *data, size_t count, struct buffer *text, unsigned long *mount_flags,
                struct error *err);
unsigned long legacy_attribute_flags(uint64_t attributes);

#define auto_umask auto_cleanup(umask_restore)
void umask_restore(const mode_t *saved);
