/*
 * The symbolic links of /dev (item 45), /dev/ptmx and /dev/console. Runs in init after the mounts, before
 * pivot_root. All names are single components below a descriptor of /dev, so that a /dev that is a link leads
 * nowhere (CVE-2026-41579).
 */
#include "rootfs/devices.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static const struct {
    const char *name, *target;
    const char *needed; /* only where this exists in the container */
} links[] = {
    { "fd", "/proc/self/fd", "/proc/self" },       { "stdin", "/proc/self/fd/0", "/proc/self" },
    { "stdout", "/proc/self/fd/1", "/proc/self" }, { "stderr", "/proc/self/fd/2", "/proc/self" },
    { "core", "/proc/kcore", "/proc/kcore" },
};

/* Whether the name is there: in the procfs of a joined pid namespace, "self" leads us nowhere. */
static bool exists(const struct rootfs_plan *plan, const char *path)
{
    auto_close int fd = file_open_in_root(plan->root, path, O_PATH | O_NOFOLLOW, 0);

    return fd >= 0;
}

/* What an image or a mount put there stays. */
static int make_plain_links(const struct rootfs_plan *plan, int dev, struct error *err)
{
    const char *checked = NULL;
    bool found = false;

    for (size_t i = 0; i < array_length(links); i++) {
        if (!checked || strcmp(checked, links[i].needed) != 0) {
            checked = links[i].needed;
            found = (plan->plain_proc && strcmp(checked, "/proc/self") == 0) || exists(plan, checked);
        }
        if (found && symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return fail_errno(err, "link /dev/%s", links[i].name);
    }
    return 0;
}

/* The container's own instance, not the node of the host's that an image may have. A mount there is left
 * alone. */
static int make_ptmx(int dev, struct error *err)
{
    if (symlinkat("pts/ptmx", dev, "ptmx") == 0)
        return 0;
    if (errno == EEXIST && unlinkat(dev, "ptmx", 0) < 0 && errno == EBUSY)
        return 0;
    if (symlinkat("pts/ptmx", dev, "ptmx") < 0)
        return fail_errno(err, "link /dev/ptmx");
    return 0;
}

int links_make(const struct rootfs_plan *plan, int dev, struct error *err)
{
    return make_plain_links(plan, dev, err) < 0 ? -1 : make_ptmx(dev, err);
}

/* ---- /dev/console ------------------------------------------------------------------------------------- */

static int check_terminal(int terminal, struct error *err)
{
    struct statfs filesystem;
    struct stat status;

    if (fstatfs(terminal, &filesystem) < 0 || fstat(terminal, &status) < 0)
        return fail_errno(err, "terminal");
    /* CVE-2025-52565: only a pty slave, and only from devpts. 136 to 143 are the kernel's majors for them. */
    if (filesystem.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(status.st_mode) || major(status.st_rdev) < 136 ||
        major(status.st_rdev) > 143)
        return fail(err, ENOTTY, "terminal: not a pseudo-terminal of devpts");
    return 0;
}

static int make_console(int dev, struct error *err)
{
    int fd = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST ? 0 : fail_errno(err, "create");
    close(fd);
    return 0;
}

static int open_console(const struct rootfs_plan *plan, int dev, struct error *err)
{
    auto_close int fd = -1;
    struct stat status;

    if (plan->own_dev && make_console(dev, err) < 0) /* nothing is made in a /dev that is the host's */
        return -1;
    fd = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail_errno(err, "open");
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        return fail(err, EEXIST, "neither a file nor a device is there");
    return take_fd(&fd);
}

static int mount_console(struct rootfs_plan *plan, int terminal, struct error *err)
{
    auto_close int dev = -1, console = -1, tree = -1;

    if (check_terminal(terminal, err) < 0)
        return -1;
    dev = file_open_in_root(plan->root, "/dev", O_PATH | O_DIRECTORY, 0);
    if (dev < 0)
        return fail_errno(err, "open /dev");
    console = open_console(plan, dev, err);
    if (console < 0)
        return !plan->own_dev && err->code == ENOENT ? 0 : -1;
    tree = mount_clone(plan, terminal, "", false);
    if (tree < 0)
        return fail_errno(err, "open_tree");
    return mount_attach(plan, tree, console, err);
}

int rootfs_set_console(struct rootfs_plan *plan, int terminal, struct error *err)
{
    if (!plan->mount_namespace)
        return 0;
    return mount_console(plan, terminal, err) < 0 ? fail_in(err, "/dev/console") : 0;
}
