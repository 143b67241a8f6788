/*
 * Runs the list of mount operations, and the small steps they share. Runs in init, in the container's mount
 * namespace, before pivot_root. A mount is made detached, gets all its attributes, and is then moved to its
 * destination: nobody ever sees it half done.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef SELINUX_MAGIC
#define SELINUX_MAGIC 0xf97cff8c
#endif

static int set_attributes(int mount, const struct option_attributes *attributes, bool recursive)
{
    const struct mount_attr change = { .attr_set = attributes->set, .attr_clr = attributes->clear };

    if (!attributes->set && !attributes->clear)
        return 0;
    return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &change);
}

int mount_set_attributes(struct rootfs_plan *plan, int mount, const struct option_attributes *attributes,
                         bool recursive)
{
    int result = set_attributes(mount, attributes, recursive);

    return result < 0 && errno == ENOSYS && plan->in_init
               ? legacy_set_attributes(plan, mount, attributes, recursive)
               : result;
}

int mount_set_propagation(struct rootfs_plan *plan, int mount, unsigned long propagation)
{
    const struct mount_attr change = { .propagation = propagation & ~(unsigned long)MS_REC };
    int result =
        sys_mount_setattr(mount, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &change);

    return result < 0 && errno == ENOSYS && plan->in_init ? legacy_set_propagation(plan, mount, propagation)
                                                          : result;
}

static int set_idmap(int mount, int user_namespace, bool recursive)
{
    const struct mount_attr change = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace };

    return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &change);
}

/* "private" alone has nothing to change on a tree that is private already. */
static bool is_redundant(const struct mount_options *options, bool tree_is_private)
{
    return tree_is_private && options->propagation_count == 1 &&
           (options->propagation[0] & ~(unsigned long)MS_REC) == MS_PRIVATE;
}

static int change_attributes(struct rootfs_plan *plan, const struct mount_op *op, int tree, struct error *err)
{
    const struct mount_options *options = &op->options;
    int code;

    if (mount_set_attributes(plan, tree, &options->attributes, false) == 0 &&
        mount_set_attributes(plan, tree, &options->recursive, true) == 0)
        return 0;
    code = errno;
    fail_errno(err, "set mount attributes");
    if (code == ENOTSUP)
        return fail_hint(err,
                         "recursive ones need mount_setattr of Linux 5.12, which a seccomp filter can hide");
    if (code == EPERM && (options->attributes.clear || options->recursive.clear)) /* item 109 */
        fail_hint(err,
                  "flags such as ro, nosuid or nodev of the source cannot be cleared in a user namespace");
    return -1;
}

int mount_set_up(struct rootfs_plan *plan, const struct mount_op *op, int tree, unsigned done,
                 struct error *err)
{
    const struct mount_options *options = &op->options;

    if (!(done & SET_UP_ATTRIBUTES) && change_attributes(plan, op, tree, err) < 0)
        return -1;
    if (op->idmap >= 0 && set_idmap(tree, op->idmap, options->special & OPTION_IDMAP_RECURSIVE) < 0) {
        fail_errno(err, "map ids of the mount");
        return fail_hint(err, "the kernel or the file system may lack idmapped mounts");
    }
    if (is_redundant(options, done & SET_UP_PRIVATE))
        return 0;
    if (done & SET_UP_SLAVE && options->propagation_count == 0 &&
        mount_set_propagation(plan, tree, MS_PRIVATE | MS_REC) < 0)
        return fail_errno(err, "set mount propagation");
    for (size_t i = 0; i < options->propagation_count; i++)
        if (mount_set_propagation(plan, tree, options->propagation[i]) < 0)
            return fail_errno(err, "set mount propagation");
    return 0;
}

/* The kernel says "invalid argument" for a file on a directory and the other way round. */
static int explain_attach(int tree, int destination, struct error *err)
{
    int code = errno;
    struct stat source, target;

    if (code == EINVAL && fstat(tree, &source) == 0 && fstat(destination, &target) == 0 &&
        S_ISDIR(source.st_mode) != S_ISDIR(target.st_mode))
        return fail(err, ENOTDIR, "cannot mount %s: not a directory",
                    S_ISDIR(source.st_mode) ? "a directory on a file" : "a file on a directory");
    errno = code;
    return fail_errno(err, "move_mount");
}

int mount_attach(struct rootfs_plan *plan, int tree, int destination, struct error *err)
{
    const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    int result = stage_is_used(plan) ? stage_attach(plan, tree, destination)
                                     : sys_move_mount(tree, "", destination, "", flags);

    return result < 0 ? explain_attach(tree, destination, err) : 0;
}

/* Where the kernel has no mount_setattr, attributes can only be changed once the mount is attached; nobody
 * looks yet. */
int mount_place(struct rootfs_plan *plan, const struct mount_op *op, int tree, unsigned done, int destination,
                struct error *err)
{
    int result = mount_set_up(plan, op, tree, done, err);

    if (result < 0 && (err->code != ENOSYS || op->idmap >= 0))
        return -1;
    if (mount_attach(plan, tree, destination, err) < 0)
        return op->source && err->code == ENOTDIR ? fail_in(err, "source %s", op->source) : -1;
    return result < 0 ? mount_set_up(plan, op, tree, done, err) : 0;
}

int mount_place_with(struct rootfs_plan *plan, const struct option_attributes *attributes, int tree,
                     int destination, struct error *err)
{
    int result = set_attributes(tree, attributes, false);

    if (result < 0 && errno != ENOSYS)
        return fail_errno(err, "set mount attributes");
    if (mount_attach(plan, tree, destination, err) < 0)
        return -1;
    if (result < 0 && mount_set_attributes(plan, tree, attributes, false) < 0)
        return fail_errno(err, "set mount attributes");
    return 0;
}

int mount_clone_with(struct rootfs_plan *plan, int dirfd, const char *path, unsigned flags)
{
    int tree;

    if (stage_is_used(plan))
        return stage_clone(plan, dirfd, path, flags);
    tree = sys_open_tree(dirfd, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return tree < 0 && stage_begin(plan) ? stage_clone(plan, dirfd, path, flags) : tree;
}

int mount_clone(struct rootfs_plan *plan, int dirfd, const char *path, bool recursive)
{
    return mount_clone_with(plan, dirfd, path, (recursive ? AT_RECURSIVE : 0) | (*path ? 0 : AT_EMPTY_PATH));
}

int mount_clone_host(struct rootfs_plan *plan, const char *path, bool recursive)
{
    auto_close int tree = mount_clone(plan, AT_FDCWD, path, recursive);

    if (tree < 0)
        return -1;
    /* Otherwise a mount that the payload makes over its /dev/null would cover the host's. */
    if (plan->host != HOST_CUT_OFF && mount_set_propagation(plan, tree, MS_PRIVATE | MS_REC) < 0 &&
        (errno != ENOSYS || plan->host == HOST_SHARED)) /* a slave reaches nobody either */
        return -1;
    return take_fd(&tree);
}

bool rootfs_has_selinux(struct rootfs_plan *plan)
{
    struct statfs status;

    if (plan->selinux < 0)
        plan->selinux = statfs("/sys/fs/selinux", &status) == 0 && (unsigned)status.f_type == SELINUX_MAGIC;
    return plan->selinux;
}

void umask_restore(const mode_t *saved)
{
    umask(*saved);
}

static int mount_one(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    if (op->options.special & OPTION_RELABEL && rootfs_has_selinux(plan)) /* item 127 */
        return fail(err, ENOTSUP, "options: z and Z (SELinux relabelling) are the engine's job");
    switch (op->kind) {
    case MOUNT_NEW:
        return mount_new(plan, op, err);
    case MOUNT_BIND:
        return mount_bind(plan, op, err);
    case MOUNT_CGROUP:
        return mount_cgroup(plan, op, err);
    case MOUNT_REMOUNT:
        return mount_remount(plan, op, err);
    }
    return fail(err, EINVAL, "unknown kind of mount");
}

static int mount_each(struct rootfs_plan *plan, struct error *err)
{
    auto_umask mode_t saved = umask(0); /* of directories that are made */

    (void)saved;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (mount_one(plan, &plan->mounts[i], err) < 0)
            return mount_fail_in(&plan->mounts[i], err);
    return 0;
}

/* Mounts are also made by a name in the working directory (mount_new.c, mount_cgroup.c). */
int rootfs_mount_all(struct rootfs_plan *plan, struct error *err)
{
    auto_close int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (before < 0)
        return fail_errno(err, "open the working directory");
    if (mount_each(plan, err) < 0)
        return -1;
    return fchdir(before) < 0 ? fail_errno(err, "return to the working directory") : 0;
}
