/*
 * Mounts of a container that already runs (item 285): the same operations as at create, but the sources of
 * binds are always opened in the runtime, because the process that mounts has only the container's view.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

static int check_op(const struct mount_op *op, struct error *err)
{
    if (op->kind != MOUNT_BIND && op->kind != MOUNT_NEW)
        return fail(err, ENOTSUP, "a running container can only be given bind mounts and new file systems");
    if (op->options.special & OPTION_COPY_SYMLINK)
        return fail(err, ENOTSUP, "options: copy-symlink is only possible at create");
    return 0;
}

int rootfs_open_live_sources(struct rootfs_plan *plan, struct error *err)
{
    plan->live = true;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (check_op(&plan->mounts[i], err) < 0)
            return mount_fail_in(&plan->mounts[i], err);
    return rootfs_open_sources(plan, err);
}

int rootfs_enter_live(struct rootfs_plan *plan, struct error *err)
{
    plan->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return plan->root < 0 ? fail_errno(err, "open the container's root") : 0;
}

/* By the name in its directory: without the container's /proc there is no way to name a descriptor. */
static int unmount(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    auto_close int there = file_open_in_root(plan->root, op->destination, O_PATH | O_NOFOLLOW, 0);
    auto_close int parent = -1;
    const char *name;

    if (there < 0)
        return fail_errno(err, "open");
    parent = destination_open_parent(plan->root, op->destination, &name);
    if (parent < 0 || fchdir(parent) < 0)
        return fail_errno(err, "open the directory");
    if (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
        return errno == EINVAL ? fail(err, EINVAL, "is not a mount") : fail_errno(err, "unmount");
    return 0;
}

int rootfs_remove_mounts(struct rootfs_plan *plan, struct error *err)
{
    for (size_t i = plan->mount_count; i-- > 0;)
        if (unmount(plan, &plan->mounts[i], err) < 0)
            return mount_fail_in(&plan->mounts[i], err);
    return 0;
}
