/*
 * Device nodes: the default ones and linux.devices (items 145-153). Made with mknod beneath a descriptor of
 * their directory; where that is not allowed (user namespaces) the host's node is bound. Runs in init after
 * the mounts, before pivot_root.
 */
#include "rootfs/devices.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_device(const struct stat *status, mode_t type, dev_t number)
{
    if ((status->st_mode & S_IFMT) != type)
        return false;
    return type == S_IFIFO || status->st_rdev == number;
}

int device_fd_check(int fd, mode_t type, dev_t number)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -1;
    if (is_device(&status, type, number))
        return 0;
    errno = ENODEV;
    return -1;
}

/* ---- mknod -------------------------------------------------------------------------------------------- */

/* 0: it is there. 1: there is something, an empty file perhaps, that a node can be bound on. */
static int check_existing(int parent, const char *name, const struct device_op *device, struct error *err)
{
    struct stat status;

    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "stat");
    if (is_device(&status, device->type, device->number))
        return 0;
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        return 1;
    return fail(err, EEXIST, "a file that is not this device exists there: %s",
                errno_text(EEXIST)); /* item 146 */
}

/* The node may have been exchanged since mknod: the owner is changed through a descriptor that is known to be
 * the node. */
static int set_owner(int parent, const char *name, const struct device_op *device, struct error *err)
{
    auto_close int fd = -1;

    if (device->uid == 0 && device->gid == 0)
        return 0;
    fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || device_fd_check(fd, device->type, device->number) < 0 ||
        fchownat(fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
        return fail_errno(err, "set owner");
    return 0;
}

/* ---- bind --------------------------------------------------------------------------------------------- */

/* Any name of the host will do, as long as it is that device. */
static int clone_host_node(struct rootfs_plan *plan, const struct device_op *device, struct error *err)
{
    auto_free char *by_number = memory_format("/dev/%s/%u:%u", device->type == S_IFBLK ? "block" : "char",
                                              major(device->number), minor(device->number));
    const char *const paths[] = { device->path, by_number };

    for (size_t i = 0; i < array_length(paths); i++) {
        auto_close int tree = mount_clone_host(plan, paths[i], false);

        if (tree < 0 || device_fd_check(tree, device->type, device->number) < 0)
            continue;
        return take_fd(&tree);
    }
    return fail(err, ENODEV, "the host has no such device node to bind (mknod is not allowed here)");
}

static int open_place(int parent, const char *name, const struct device_op *device, struct error *err)
{
    int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return fail_errno(err, "create");
    else if (check_existing(parent, name, device, err) < 0)
        return -1;
    fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail_errno(err, "open") : fd;
}

static int bind_node(struct rootfs_plan *plan, int parent, const char *name, const struct device_op *device,
                     struct error *err)
{
    static const struct option_attributes attributes = { .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
    auto_close int place = open_place(parent, name, device, err);
    auto_close int tree = -1;
    struct stat status;

    if (place < 0)
        return -1;
    if (device_fd_check(place, device->type, device->number) == 0)
        return 0; /* config.mounts has brought it */
    tree = clone_host_node(plan, device, err);
    if (tree < 0)
        return -1;
    if (device->index != SIZE_MAX && fstat(tree, &status) == 0 && (status.st_mode & 07777) != device->mode)
        log_info("linux.devices[%zu] (%s): bound from the host, its mode and owner stay", device->index,
                 device->path);
    return mount_place_with(plan, &attributes, tree, place, err);
}

/* ---- all of them -------------------------------------------------------------------------------------- */

static int make_device(struct rootfs_plan *plan, int parent, const char *name, const struct device_op *device,
                       struct error *err)
{
    bool bind = plan->user_namespace && device->type != S_IFIFO;

    if (!bind && mknodat(parent, name, device->type | device->mode, device->number) == 0)
        return set_owner(parent, name, device, err);
    if (!bind && errno == EEXIST)
        return check_existing(parent, name, device, err) == 0
                   ? 0
                   : fail(err, EEXIST, "a file that is not this device exists there: %s", errno_text(EEXIST));
    if (!bind && (errno != EPERM || device->type == S_IFIFO))
        return fail_errno(err, "mknod");
    return bind_node(plan, parent, name, device, err);
}

static int fail_device(const struct device_op *device, struct error *err)
{
    if (device->index == SIZE_MAX)
        return fail_in(err, "device %s", device->path);
    return fail_in(err, "linux.devices[%zu] (%s)", device->index, device->path);
}

/* Nearly all devices are in /dev: its descriptor is kept from one to the next. */
struct parent {
    int fd;
    const char *path; /* of a device in it */
    size_t length;
};

static void parent_free(struct parent *parent)
{
    if (parent->fd >= 0)
        close(parent->fd);
}

static int parent_open(const struct rootfs_plan *plan, struct parent *parent, const char *path,
                       const char **name, struct error *err)
{
    size_t length = (size_t)(strrchr(path, '/') - path);

    *name = path + length + 1;
    if (parent->fd >= 0 && length == parent->length && memcmp(parent->path, path, length) == 0)
        return 0;
    parent_free(parent);
    parent->fd = destination_open_parent(plan->root, path, name);
    parent->path = path;
    parent->length = length;
    return parent->fd < 0 ? fail_errno(err, "open its directory") : 0;
}

/* A /dev that is a bind mount is the host's, with all that it has (item 152). */
static bool is_ours(const struct rootfs_plan *plan, const struct device_op *device)
{
    return plan->own_dev || strncmp(device->normal, "/dev/", 5) != 0;
}

int rootfs_make_devices(struct rootfs_plan *plan, struct error *err)
{
    auto_umask mode_t saved = umask(0); /* the modes are exact (item 148) */
    auto_cleanup(parent_free) struct parent parent = { .fd = -1 };
    const char *name;

    (void)saved;
    for (size_t i = 0; i < plan->device_count; i++) {
        const struct device_op *device = &plan->devices[i];

        if (!is_ours(plan, device))
            continue;
        if (parent_open(plan, &parent, device->normal, &name, err) < 0 ||
            make_device(plan, parent.fd, name, device, err) < 0)
            return fail_device(device, err);
    }
    if (!plan->own_dev)
        return 0;
    return parent_open(plan, &parent, "/dev/fd", &name, err) < 0 ? -1 : links_make(plan, parent.fd, err);
}
