/*
 * A procfs for the runtime alone. Security rule 4: labels, sysctls and oom_score_adj are written through a
 * mount that no one else can reach, so that nothing the image or another container does to /proc can redirect
 * them (CVE-2019-16884, CVE-2025-52881). Runs in init before pivot_root.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PROC_ROOT_INODE 1

int procfs_verify(int fd, struct error *err)
{
    struct statfs filesystem;
    struct stat status;

    if (fstatfs(fd, &filesystem) < 0 || fstat(fd, &status) < 0)
        return fail_errno(err, "procfs");
    if (filesystem.f_type != PROC_SUPER_MAGIC || status.st_ino != PROC_ROOT_INODE)
        return fail(err, EPERM, "procfs: /proc of the container is not a procfs");
    return 0;
}

static int open_container_proc(const struct rootfs_plan *plan, struct error *err)
{
    auto_close int fd = file_open_beneath(plan->root, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? -1 : procfs_verify(fd, err) < 0 ? -1 : take_fd(&fd);
}

/* A clone of the /proc that config.json asked for: cheaper than a superblock of our own, and without what is
 * mounted in it. */
static int clone_container_proc(struct rootfs_plan *plan)
{
    static const struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
    auto_close int clone = -1;
    struct error ignored;

    if (plan->container_proc < 0 && plan->plain_proc)
        plan->container_proc = open_container_proc(plan, &ignored);
    if (plan->container_proc < 0 || stage_is_used(plan))
        return -1;
    clone = mount_clone(plan, plan->container_proc, "", false);
    if (clone < 0 || sys_mount_setattr(clone, "", AT_EMPTY_PATH, &writable) < 0)
        return -1;
    return take_fd(&clone);
}

bool rootfs_can_mount_procfs_of(int pid_namespace)
{
    auto_close int context = sys_fsopen("proc", FSOPEN_CLOEXEC);

    return context >= 0 && sys_fsconfig(context, FSCONFIG_SET_FD, "pidns", NULL, pid_namespace) == 0;
}

int rootfs_procfs(struct rootfs_plan *plan, struct error *err)
{
    auto_close int fd = -1;

    if (plan->procfs >= 0)
        return plan->procfs;
    fd = clone_container_proc(plan);
    if (fd < 0)
        fd = mount_make_detached(plan, "proc", "proc", NULL, 0,
                                 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
    if (fd < 0) /* the last resort, where the kernel lets us mount no procfs */
        fd = open_container_proc(plan, err);
    if (fd < 0)
        return fail_in(err, "procfs for the runtime");
    if (procfs_verify(fd, err) < 0)
        return -1;
    plan->procfs = take_fd(&fd);
    return plan->procfs;
}
