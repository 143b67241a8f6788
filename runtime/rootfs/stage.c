/*
 * Mounts that nobody can see yet, on kernels without the mount API (before Linux 5.2) and under seccomp
 * filters that do not know it: they are made with mount(2) in a tmpfs of our own, the stage, and moved from
 * there. The stage lies below the container's root and goes away with the old root. The rest of this folder
 * does not notice: it holds descriptors of mounts all the same, and whatever mount(2) is told to work on is
 * the name of a descriptor in a procfs that is verified (security rules 1 and 2). Runs in init.
 */
#include "rootfs/mount.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

bool stage_is_used(const struct rootfs_plan *plan)
{
    return plan->stage >= 0;
}

/* The host's: nothing of the container is mounted yet. */
static int open_procfs(void)
{
    auto_close int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct error ignored;

    return fd >= 0 && procfs_verify(fd, &ignored) == 0 ? take_fd(&fd) : -1;
}

/*
 * Where the root is going to be mounted, so that the root hides it. Unbindable: the root's own recursive
 * bind, and those of volumes around it, must not bring a copy of it along.
 */
static int make_stage(struct rootfs_plan *plan)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    auto_close int place = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC), stage = -1;

    if (strcmp(plan->rootfs, "/") == 0) /* a path cannot lead to what is mounted there */
        return -1;
    plan->stage_procfs = open_procfs();
    if (place < 0 || plan->stage_procfs < 0 ||
        mount_on_fd(plan, -1, "aril-stage", place, "tmpfs", flags, "mode=0700") < 0)
        return -1;
    stage = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC); /* now that is the tmpfs */
    if (stage < 0 || mount_on_fd(plan, -1, NULL, stage, NULL, MS_UNBINDABLE, NULL) < 0)
        return -1;
    return take_fd(&stage);
}

/* Only before there is a root: later the stage would cover it. */
bool stage_begin(struct rootfs_plan *plan)
{
    int code = errno;

    if (code == ENOSYS && plan->in_init && plan->mount_namespace && plan->root < 0 && plan->stage < 0)
        plan->stage = make_stage(plan);
    errno = code;
    return plan->stage >= 0;
}

/* Unlike a detached mount one on the stage needs a place, of its own kind. */
static int make_slot(struct rootfs_plan *plan, bool directory, char *name, size_t size)
{
    int fd;

    snprintf(name, size, "%d", plan->stage_count++);
    if (directory && mkdirat(plan->stage, name, 0700) < 0)
        return -1;
    fd = openat(plan->stage, name, (directory ? O_DIRECTORY : O_CREAT | O_EXCL) | O_RDONLY | O_CLOEXEC, 0600);
    return fd;
}

static int open_slot(const struct rootfs_plan *plan, const char *name)
{
    return openat(plan->stage, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int stage_clone(struct rootfs_plan *plan, int dirfd, const char *path, unsigned open_tree_flags)
{
    int open_flags = O_PATH | O_CLOEXEC | (open_tree_flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    bool is_fd = open_tree_flags & AT_EMPTY_PATH;
    auto_close int opened = is_fd ? -1 : openat(dirfd, path, open_flags);
    int source = is_fd ? dirfd : opened;
    auto_close int slot = -1;
    struct stat status;
    char name[16];

    if (source < 0 || fstat(source, &status) < 0)
        return -1;
    slot = make_slot(plan, S_ISDIR(status.st_mode), name, sizeof name);
    if (slot < 0 || mount_on_fd(plan, source, NULL, slot, NULL,
                                MS_BIND | (open_tree_flags & AT_RECURSIVE ? MS_REC : 0), NULL) < 0)
        return -1;
    return open_slot(plan, name);
}

/* mount(2) cannot say which option it is that the file system does not take: name them all. */
static int fail_mount(struct error *err, const char *type, const struct buffer *text)
{
    return text->length ? fail_errno(err, "mount %s with '%s'", type, text->data)
                        : fail_errno(err, "mount %s", type);
}

int stage_make(struct rootfs_plan *plan, const char *type, const char *source, const struct option_data *data,
               size_t data_count, uint64_t attributes, struct error *err)
{
    /* "ro" of mount(2) would be the file system's as well, and that may be the host's. */
    const struct option_attributes read_only = { .set = attributes & MOUNT_ATTR_RDONLY };
    unsigned long flags = legacy_attribute_flags(attributes & ~(uint64_t)MOUNT_ATTR_RDONLY);
    auto_buffer struct buffer text = { 0 };
    auto_close int slot = -1, mount = -1;
    char name[16];

    if (legacy_join(data, data_count, &text, &flags, err) < 0)
        return -1;
    slot = make_slot(plan, true, name, sizeof name);
    if (slot < 0)
        return fail_errno(err, "make a place for %s", type);
    if (mount_on_fd(plan, -1, source && *source ? source : type, slot, type, flags, text.data) < 0)
        return fail_mount(err, type, &text);
    mount = open_slot(plan, name);
    if (mount < 0 || (read_only.set && mount_set_attributes(plan, mount, &read_only, false) < 0))
        return fail_errno(err, "set mount attributes");
    return take_fd(&mount);
}

int stage_attach(struct rootfs_plan *plan, int tree, int destination)
{
    return mount_on_fd(plan, tree, NULL, destination, NULL, MS_MOVE, NULL);
}

int stage_end(struct rootfs_plan *plan, struct error *err)
{
    if (plan->old_root < 0)
        return 0;
    if (fchdir(plan->old_root) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return fail_errno(err, "unmount the old root");
    return 0;
}
