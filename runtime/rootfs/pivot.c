/*
 * Changes the root: pivot_root where it works, else move and chroot (item 112). Afterwards the working
 * directory is "/". Runs in init.
 */
#include "rootfs/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

/*
 * The old root lands on top of the new one and is thrown away, so that no directory for it is needed. It is
 * made a slave first: otherwise unmounting it would reach the host where mounts are still shared.
 */
static int pivot(struct error *err)
{
    if (sys_pivot_root(".", ".") < 0) {
        int code = errno;

        fail_errno(err, "pivot_root");
        return code == EINVAL ? fail_hint(err, "on an initramfs use --no-pivot") : -1;
    }
    return 0;
}

static int drop_old_root(const struct rootfs_plan *plan, struct error *err)
{
    if (!rootfs_is_private(plan) && mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return fail_errno(err, "make the old root a slave");
    if (umount2(".", MNT_DETACH) < 0)
        return fail_errno(err, "unmount the old root");
    return 0;
}

static int move_and_chroot(struct error *err)
{
    if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
        return fail_errno(err, "move the root file system to /");
    return chroot(".") < 0 ? fail_errno(err, "chroot") : 0;
}

static int change_root(struct rootfs_plan *plan, struct error *err)
{
    if (!plan->mount_namespace)
        return chroot(".") < 0 ? fail_errno(err, "chroot") : 0;
    if (plan->no_pivot)
        return move_and_chroot(err);
    return pivot(err) < 0 ? -1 : drop_old_root(plan, err);
}

int rootfs_pivot(struct rootfs_plan *plan, struct error *err)
{
    if (masks_open_sources(plan, err) < 0)
        return -1;
    if (fchdir(plan->root) < 0)
        return fail_errno(err, "enter the root file system");
    if (change_root(plan, err) < 0)
        return -1;
    return chdir("/") < 0 ? fail_errno(err, "chdir to /") : 0;
}
