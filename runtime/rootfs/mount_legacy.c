/*
 * mount(2), for what the file-descriptor calls cannot do: kernels without mount_setattr (before 5.12) or
 * without any of them (stage.c), values that are too long for fsconfig (255 bytes), the flag iversion. Runs
 * in init. mount(2) takes paths: the only ones used here are links to our own descriptors in a procfs that
 * nobody else can reach, so that a path never means anything but the descriptor.
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

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif
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

/* The stage has the host's procfs at hand; a private one would itself have to be staged. */
static int lookup_procfs(struct rootfs_plan *plan)
{
    struct error err;
    int procfs = plan->stage_procfs >= 0 ? plan->stage_procfs : rootfs_procfs(plan, &err);

    if (procfs < 0)
        errno = err.code ? err.code : ENOSYS;
    return procfs;
}

/* From inside the procfs: "self/fd/N" means the descriptor, and nothing that anybody could put in its way. */
int mount_on_fd(struct rootfs_plan *plan, int from, const char *source, int target, const char *type,
                unsigned long mount_flags, const char *data)
{
    auto_close int saved = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int procfs = lookup_procfs(plan), result, code;
    char path[32], from_path[32];

    if (procfs < 0)
        return -1;
    snprintf(path, sizeof path, "self/fd/%d", target);
    snprintf(from_path, sizeof from_path, "self/fd/%d", from);
    if (saved < 0 || fchdir(procfs) < 0)
        return -1;
    result = mount(from >= 0 ? from_path : source, path, type, mount_flags, data);
    code = errno;
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

/* What the mount has now, with the changes. */
static int changed_flags(int mount, const struct option_attributes *attributes, unsigned long *mount_flags)
{
    struct statvfs status;

    if (fstatvfs(mount, &status) < 0)
        return -1;
    for (size_t i = 0; i < array_length(flags); i++) {
        bool is_set = status.f_flag & flags[i].statvfs;

        if (attributes->set & flags[i].attribute || (is_set && !(attributes->clear & flags[i].attribute)))
            *mount_flags |= flags[i].flag;
    }
    return 0;
}

int legacy_set_attributes(struct rootfs_plan *plan, int mount, const struct option_attributes *attributes,
                          bool recursive)
{
    unsigned long mount_flags = MS_REMOUNT | MS_BIND;

    if (recursive) { /* mount(2) cannot */
        errno = ENOTSUP;
        return -1;
    }
    if (changed_flags(mount, attributes, &mount_flags) < 0)
        return -1;
    return as_missing(mount_on_fd(plan, -1, NULL, mount, NULL, mount_flags, NULL));
}

int legacy_set_propagation(struct rootfs_plan *plan, int mount, unsigned long propagation)
{
    return as_missing(mount_on_fd(plan, -1, NULL, mount, NULL, propagation, NULL));
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

/* Options of fsconfig() that are flags of mount(2). */
static const struct {
    const char *key;
    unsigned long set, clear;
} flag_options[] = {
    { "ro", MS_RDONLY, 0 },         { "rw", 0, MS_RDONLY },         { "sync", MS_SYNCHRONOUS, 0 },
    { "async", 0, MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC, 0 },   { "mand", MS_MANDLOCK, 0 },
    { "nomand", 0, MS_MANDLOCK },   { "lazytime", MS_LAZYTIME, 0 }, { "nolazytime", 0, MS_LAZYTIME },
};

static bool is_flag(const struct option_data *data, unsigned long *mount_flags)
{
    for (size_t i = 0; !data->value && i < array_length(flag_options); i++)
        if (strcmp(data->key, flag_options[i].key) == 0) {
            *mount_flags = (*mount_flags | flag_options[i].set) & ~flag_options[i].clear;
            return true;
        }
    return false;
}

/* SELinux takes quotes off again; its contexts have commas between their categories. */
static bool may_be_quoted(const struct option_data *data)
{
    size_t length = strlen(data->key);

    return length >= 7 && strcmp(data->key + length - 7, "context") == 0 && !strchr(data->value, '"');
}

int legacy_join(const struct option_data *data, size_t count, struct buffer *text, unsigned long *mount_flags,
                struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = data[i].value, *quote = "";

        if (is_flag(&data[i], mount_flags))
            continue;
        if (value && strchr(value, ',')) {
            if (!may_be_quoted(&data[i]))
                return fail(err, ENOTSUP,
                            "option '%s': mount(2), which is needed here, takes no value with a comma",
                            data[i].key);
            quote = "\"";
        }
        buffer_add_format(text, "%s%s%s%s%s%s", text->length ? "," : "", data[i].key, value ? "=" : "", quote,
                          value ? value : "", quote);
    }
    return 0;
}

unsigned long legacy_attribute_flags(uint64_t attributes)
{
    unsigned long mount_flags = 0;

    for (size_t i = 0; i < array_length(flags); i++)
        if (attributes & flags[i].attribute)
            mount_flags |= flags[i].flag;
    return mount_flags;
}

int legacy_mount_new(struct rootfs_plan *plan, const struct mount_op *op, const struct option_data *data,
                     size_t count, int destination, struct error *err)
{
    unsigned long mount_flags =
        op->options.super_set | legacy_attribute_flags(mount_options_attributes(&op->options));
    auto_buffer struct buffer text = { 0 };

    if (op->idmap >= 0 || op->options.special & OPTION_COPY_UP || op->options.propagation_count > 0)
        return fail(
            err, ENOTSUP,
            "options: idmap, tmpcopyup and propagation cannot go with iversion or with a value of more than "
            "%d bytes",
            FSCONFIG_VALUE_MAX);
    if (legacy_join(data, count, &text, &mount_flags, err) < 0)
        return -1;
    if (mount_on_fd(plan, -1, op->source, destination, op->type, mount_flags, text.data) < 0)
        return fail_errno(err, "mount %s", op->type);
    return 0;
}

/* A remount without "bind": of the file system itself, whose other flags stay. */
int legacy_reconfigure(struct rootfs_plan *plan, const struct mount_options *options, int destination)
{
    const struct option_attributes none = { 0 };
    unsigned long mount_flags = MS_REMOUNT;
    auto_buffer struct buffer text = { 0 };
    struct error err;

    if (changed_flags(destination, &none, &mount_flags) < 0)
        return -1;
    mount_flags = (mount_flags | options->super_set) & ~options->super_clear;
    if (options->attributes.set & MOUNT_ATTR_RDONLY)
        mount_flags |= MS_RDONLY;
    if (options->attributes.clear & MOUNT_ATTR_RDONLY)
        mount_flags &= ~(unsigned long)MS_RDONLY;
    if (legacy_join(options->data, options->data_count, &text, &mount_flags, &err) < 0) {
        errno = err.code;
        return -1;
    }
    return mount_on_fd(plan, -1, NULL, destination, NULL, mount_flags, text.data);
}
