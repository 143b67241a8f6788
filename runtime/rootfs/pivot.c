/*
 * Changes the root: pivot_root where it works, else move and chroot (item 112). Afterwards the working
 * directory is "/". Runs in init.
 */
#include "rootfs/devices.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* The old root lands on top of the new one and is thrown away: no directory for it is needed. */
static int pivot(struct rootfs_plan *plan, struct error *err)
{
    auto_close int old_root = -1;

    if (plan->host != HOST_CUT_OFF || stage_is_used(plan)) {
        old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (old_root < 0)
            return fail_errno(err, "open the old root");
    }
    if (sys_pivot_root(".", ".") < 0) {
        int code = errno;

        fail_errno(err, "pivot_root");
        return code == EINVAL ? fail_hint(err, "on an initramfs use --no-pivot") : -1;
    }
    /* Where mounts are shared with the host, unmounting must not reach it. Before, our own mounts were part
     * of it. */
    if (plan->host != HOST_CUT_OFF && mount_set_propagation(plan, old_root, MS_SLAVE | MS_REC) < 0)
        return fail_errno(err, "make the old root a slave");
    if (stage_is_used(plan)) { /* which is below it, and masks are still to come from there */
        plan->old_root = take_fd(&old_root);
        return 0;
    }
    return umount2(".", MNT_DETACH) < 0 ? fail_errno(err, "unmount the old root") : 0;
}

static int move_and_chroot(const struct rootfs_plan *plan, struct error *err)
{
    if (no_pivot_hide_host(plan, err) < 0)
        return -1;
    if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
        return fail_errno(err, "move the root file system to /");
    return chroot(".") < 0 ? fail_errno(err, "chroot") : 0;
}

static int change_root(struct rootfs_plan *plan, struct error *err)
{
    if (!plan->mount_namespace)
        return chroot(".") < 0 ? fail_errno(err, "chroot") : 0;
    if (plan->no_pivot)
        return move_and_chroot(plan, err);
    return pivot(plan, err);
}

static bool same_mount(int fd, const char *path)
{
    struct statx one = { 0 }, other = { 0 };

    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &one) == 0 &&
           statx(AT_FDCWD, path, 0, STATX_MNT_ID, &other) == 0 && one.stx_mask & STATX_MNT_ID &&
           one.stx_mnt_id == other.stx_mnt_id;
}

/*
 * Joining the mount namespace that we are in already leads to its real root. Where the new root is mounted on
 * that, as sandbox-exec's is, pivot_root wants to be below it.
 */
static int go_to_real_root(const struct rootfs_plan *plan, int namespace)
{
    auto_close int old_root = plan->covers_root ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

    if (sys_setns(namespace, CLONE_NEWNS) < 0)
        return -1;
    if (!plan->covers_root || !same_mount(plan->root, "/"))
        return 0;
    return fchdir(old_root) < 0 ? -1 : chroot(".");
}

/*
 * A runtime that somebody has put into a chroot would only change what is mounted there. Around it the rest
 * of the host would stay in the container's mount namespace, one setns() away for a payload with
 * CAP_SYS_ADMIN.
 */
static int leave_chroot(const struct rootfs_plan *plan, struct error *err)
{
    auto_close int namespace = -1;

    if (!plan->mount_namespace)
        return 0;
    namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (namespace < 0 || go_to_real_root(plan, namespace) < 0)
        return fail_errno(err, "go to the root of the mount namespace");
    return 0;
}

int rootfs_pivot(struct rootfs_plan *plan, struct error *err)
{
    if (masks_open_sources(plan, err) < 0 || leave_chroot(plan, err) < 0)
        return -1;
    if (fchdir(plan->root) < 0)
        return fail_errno(err, "enter the root file system");
    if (change_root(plan, err) < 0)
        return -1;
    return chdir("/") < 0 ? fail_errno(err, "chdir to /") : 0;
}
