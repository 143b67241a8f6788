/*
 * mount(2), for what the file-descriptor calls cannot do: kernels without mount_setattr (before 5.12), values
 * that are too long for fsconfig (255 bytes), the flag iversion. Runs in init. mount(2) takes paths: the only
 * ones used here are links to our own descriptors in a procfs that nobody else can reach, so that a path
 * never means anything but the descriptor.
 */
#include "rootfs/mount.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#define FSCONFIG_VALUE_MAX 255

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

static const struct {
    uint64_t attribute;
    unsigned long flag;    /* of mount(2) */
    unsigned long statvfs; /* of statvfs(3) */
} flags[] = {
    { MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY },    { MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID },
    { MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV },       { MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC },
    { MOUNT_ATTR_NOATIME, MS_NOATIME, ST_NOATIME }, { MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME },
    { MOUNT_ATTR_STRICTATIME, MS_STRICTATIME, 0 },  { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, 0x2000 },
};

/* mount(2) with "self/fd/N" as target, from inside the private procfs. */
static int mount_on_fd(struct rootfs_plan *plan, const char *source, int target, const char *type,
                       unsigned long mount_flags, const char *data)
{
    auto_close int saved = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct error err;
    int procfs = rootfs_procfs(plan, &err), result;
    char path[32];

    if (procfs < 0) {
        errno = err.code ? err.code : ENOSYS;
        return -1;
    }
    snprintf(path, sizeof path, "self/fd/%d", target);
    if (saved < 0 || fchdir(procfs) < 0)
        return -1;
    result = mount(source, path, type, mount_flags, data);

    int code = errno;

    if (fchdir(saved) < 0)
        return -1;
    errno = code;
    return result;
}

/* A detached mount cannot be changed like this: say what the new call said. */
static int as_missing(int result)
{
    if (result < 0 && errno == EINVAL)
        errno = ENOSYS;
    return result;
}

int legacy_set_attributes(struct rootfs_plan *plan, int mount, const struct option_attributes *attributes,
                          bool recursive)
{
    unsigned long mount_flags = MS_REMOUNT | MS_BIND;
    struct statvfs status;

    if (recursive) { /* mount(2) cannot */
        errno = ENOTSUP;
        return -1;
    }
    if (fstatvfs(mount, &status) < 0)
        return -1;
    for (size_t i = 0; i < array_length(flags); i++) {
        bool is_set = status.f_flag & flags[i].statvfs;

        if (attributes->set & flags[i].attribute || (is_set && !(attributes->clear & flags[i].attribute)))
            mount_flags |= flags[i].flag;
    }
    return as_missing(mount_on_fd(plan, NULL, mount, NULL, mount_flags, NULL));
}

int legacy_set_propagation(struct rootfs_plan *plan, int mount, unsigned long propagation)
{
    return as_missing(mount_on_fd(plan, NULL, mount, NULL, propagation, NULL));
}

/* ---- new file systems --------------------------------------------------------------------------------- */

bool legacy_is_needed(const struct mount_op *op, const struct option_data *data, size_t count)
{
    if (op->options.super_set & MS_I_VERSION || (op->source && strlen(op->source) > FSCONFIG_VALUE_MAX))
        return true;
    for (size_t i = 0; i < count; i++)
        if (data[i].value && strlen(data[i].value) > FSCONFIG_VALUE_MAX)
            return true;
    return false;
}

static int join(const struct option_data *data, size_t count, struct buffer *text, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = data[i].value;

        if (strcmp(data[i].key, "ro") == 0 && !value) /* a flag of mount(2) */
            continue;
        if (value && strchr(value, ','))
            return fail(err, ENOTSUP,
                        "option '%s': a value with a comma cannot go with one of more than %d bytes",
                        data[i].key, FSCONFIG_VALUE_MAX);
        buffer_add_format(text, "%s%s%s%s", text->length ? "," : "", data[i].key, value ? "=" : "",
                          value ? value : "");
    }
    return 0;
}

unsigned long legacy_flags(uint64_t attributes)
{
    unsigned long mount_flags = 0;

    for (size_t i = 0; i < array_length(flags); i++)
        if (attributes & flags[i].attribute)
            mount_flags |= flags[i].flag;
    return mount_flags;
}

static unsigned long new_flags(const struct mount_op *op)
{
    return op->options.super_set | legacy_flags(mount_options_attributes(&op->options));
}

int legacy_mount_new(struct rootfs_plan *plan, const struct mount_op *op, const struct option_data *data,
                     size_t count, int destination, struct error *err)
{
    auto_buffer struct buffer text = { 0 };

    if (op->idmap >= 0 || op->options.special & OPTION_COPY_UP || op->options.propagation_count > 0)
        return fail(
            err, ENOTSUP,
            "options: idmap, tmpcopyup and propagation cannot go with iversion or with a value of more than "
            "%d bytes",
            FSCONFIG_VALUE_MAX);
    if (join(data, count, &text, err) < 0)
        return -1;
    if (mount_on_fd(plan, op->source, destination, op->type, new_flags(op), text.data) < 0)
        return fail_errno(err, "mount %s", op->type);
    return 0;
}
