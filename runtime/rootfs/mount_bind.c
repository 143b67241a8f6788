/*
 * Bind mounts: open_tree, mount_setattr, move_mount. The source is a host path: it is opened before
 * pivot_root, in init, or in the runtime when init could not reach it (sources.c). A tree that was opened is
 * mounted or the operation fails: there is no second look-up by path (crun#2262).
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PROC_ROOT_INODE 1

/* The source, or a descriptor in its place (then *path is empty): no part of it may have become a link. */
static int open_source(const struct mount_op *op, const char **path, unsigned *flags)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };

    *path = op->source;
    if (!(op->options.special & OPTION_SOURCE_NO_LINKS))
        return AT_FDCWD;
    *path = "";
    *flags |= AT_EMPTY_PATH;
    return sys_openat2(AT_FDCWD, op->source, &how);
}

int mount_open_tree(struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    unsigned flags = 0;
    auto_close int tree = -1, at = -1;
    const char *path;

    if (op->options.special & OPTION_RECURSIVE)
        flags |= AT_RECURSIVE;
    if (op->options.special & OPTION_SOURCE_NOFOLLOW)
        flags |= AT_SYMLINK_NOFOLLOW;
    at = open_source(op, &path, &flags);
    if (at != -1)
        tree = mount_clone_with(plan, at, path, flags);
    if (tree < 0 && errno == EINVAL && plan->user_namespace && !(flags & AT_RECURSIVE)) {
        fail_errno(err, "source %s", op->source);
        return fail_hint(err, "it has mounts below it that a user namespace must not uncover: use rbind");
    }
    if (tree < 0)
        return fail_errno(err, "source %s", op->source);
    return take_fd(&tree);
}

/* What rootfs_prepare() has made of the source; in the runtime nothing has happened yet (sources.c). */
static unsigned propagation_of_sources(const struct rootfs_plan *plan)
{
    return plan->host == HOST_CUT_OFF ? SET_UP_PRIVATE : plan->host == HOST_SEEN_BY_SOME ? SET_UP_SLAVE : 0;
}

/* /proc must be a whole procfs, or masks and labels would go to files of someone's choice (item 119). */
static int check_proc_source(const struct mount_op *op, int tree, const struct stat *status,
                             struct error *err)
{
    struct statfs filesystem;

    if (strcmp(op->destination, "/proc") != 0)
        return 0;
    if (fstatfs(tree, &filesystem) < 0)
        return fail_errno(err, "source %s", op->source);
    if (filesystem.f_type != PROC_SUPER_MAGIC || status->st_ino != PROC_ROOT_INODE)
        return fail(err, EPERM, "source %s: not a procfs, only that can be mounted on /proc", op->source);
    return 0;
}

/* copy-symlink: 1 when the source was a link that now exists at the destination too. */
static int copy_symlink(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    char target[PATH_MAX], existing[PATH_MAX];
    ssize_t length = readlink(op->source, target, sizeof target - 1), existing_length;
    auto_close int parent = -1;
    const char *name;

    if (length < 0)
        return errno == EINVAL ? 0 : fail_errno(err, "source %s", op->source);
    target[length] = '\0';
    parent = destination_open_parent(plan->root, op->destination, &name);
    if (parent < 0)
        return fail_errno(err, "destination");
    if (symlinkat(target, parent, name) == 0)
        return 1;
    if (errno != EEXIST)
        return fail_errno(err, "make symbolic link");
    existing_length = readlinkat(parent, name, existing, sizeof existing);
    if (existing_length == length && memcmp(existing, target, (size_t)length) == 0)
        return 1;
    return fail(err, EEXIST, "destination: exists, and is not a symbolic link to '%s'", target);
}

int mount_bind(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    auto_close int tree = take_fd(&op->tree);
    auto_close int destination = -1;
    bool prepared = tree >= 0;
    struct stat status;

    if (op->options.special & OPTION_COPY_SYMLINK) {
        int copied = copy_symlink(plan, op, err);

        if (copied != 0)
            return copied < 0 ? -1 : 0;
    }
    if (!prepared)
        tree = mount_open_tree(plan, op, err);
    if (tree < 0)
        return -1;
    if (fstat(tree, &status) < 0)
        return fail_errno(err, "source %s", op->source);
    if (check_proc_source(op, tree, &status, err) < 0)
        return -1;
    destination = destination_open(
        plan, op, S_ISDIR(status.st_mode) ? DESTINATION_DIRECTORY : DESTINATION_FILE, NULL, err);
    if (destination < 0)
        return -1;
    if (prepared)
        return mount_attach(plan, tree, destination, err);
    return mount_place(plan, op, tree, propagation_of_sources(plan), destination, err);
}
