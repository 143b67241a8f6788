/* The plan as a JSON array, one object for each thing that is done, in order: for `aril plan` and golden
 * tests. Pure. */
#include "rootfs/overlay.h"

#include "base/memory.h"

#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
    uint64_t bit;
    const char *name;
} attribute_names[] = {
    { MOUNT_ATTR_RDONLY, "ro" },
    { MOUNT_ATTR_NOSUID, "nosuid" },
    { MOUNT_ATTR_NODEV, "nodev" },
    { MOUNT_ATTR_NOEXEC, "noexec" },
    { MOUNT_ATTR_NOATIME, "noatime" },
    { MOUNT_ATTR_STRICTATIME, "strictatime" },
    { MOUNT_ATTR_NODIRATIME, "nodiratime" },
    { 0x00200000 /* MOUNT_ATTR_NOSYMFOLLOW */, "nosymfollow" },
};

static const struct {
    unsigned long flag;
    const char *name;
} super_names[] = {
    { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },    { MS_MANDLOCK, "mand" },
    { MS_SILENT, "silent" },    { MS_I_VERSION, "iversion" }, { 1ul << 25 /* MS_LAZYTIME */, "lazytime" },
};

static const struct {
    unsigned long flag;
    const char *name;
} propagation_names[] = {
    { MS_SHARED, "shared" },
    { MS_SLAVE, "slave" },
    { MS_PRIVATE, "private" },
    { MS_UNBINDABLE, "unbindable" },
};

static const struct {
    unsigned bit;
    const char *name;
} special_names[] = {
    { OPTION_RECURSIVE, "recursive" },         { OPTION_IDMAP, "idmap" },
    { OPTION_IDMAP_RECURSIVE, "ridmap" },      { OPTION_COPY_UP, "tmpcopyup" },
    { OPTION_COPY_SYMLINK, "copy-symlink" },   { OPTION_SOURCE_NOFOLLOW, "src-nofollow" },
    { OPTION_DEST_NOFOLLOW, "dest-nofollow" }, { OPTION_SOURCE_NO_LINKS, "src-nolinks" },
};

static void add_string(struct buffer *out, const char *text)
{
    buffer_add_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            buffer_add_format(out, "\\%c", c);
        else if (c < 0x20)
            buffer_add_format(out, "\\u%04x", c);
        else
            buffer_add_char(out, (char)c);
    }
    buffer_add_char(out, '"');
}

static void add_member(struct buffer *out, const char *name, const char *value)
{
    if (!value)
        return;
    buffer_add_format(out, ",\"%s\":", name);
    add_string(out, value);
}

static void begin(struct buffer *out, const char *action, const char *path)
{
    buffer_add_format(out, "%s{\"do\":\"%s\"", out->data[out->length - 1] == '[' ? "\n" : ",\n", action);
    add_member(out, "path", path);
}

/* An array of names that is opened by its first element, and left out when it has none. */
static void add_name(struct buffer *out, const char *array, bool *open, const char *name)
{
    if (!*open)
        buffer_add_format(out, ",\"%s\":[", array);
    else
        buffer_add_char(out, ',');
    *open = true;
    add_string(out, name);
}

static void close_array(struct buffer *out, bool open)
{
    if (open)
        buffer_add_char(out, ']');
}

static void describe_bits(struct buffer *out, const char *array, uint64_t bits, bool atime_default)
{
    bool open = false;

    for (size_t i = 0; i < array_length(attribute_names); i++)
        if (bits & attribute_names[i].bit)
            add_name(out, array, &open, attribute_names[i].name);
    if (atime_default)
        add_name(out, array, &open, "relatime");
    close_array(out, open);
}

static void describe_attributes(struct buffer *out, const struct option_attributes *attributes,
                                const char *set, const char *clear)
{
    bool atime = attributes->clear & MOUNT_ATTR__ATIME;

    describe_bits(out, set, attributes->set, atime && !(attributes->set & MOUNT_ATTR__ATIME));
    describe_bits(out, clear, attributes->clear & ~(uint64_t)MOUNT_ATTR__ATIME, false);
}

static void describe_flags(struct buffer *out, const struct mount_options *options)
{
    bool open = false;

    for (size_t i = 0; i < array_length(super_names); i++)
        if (options->super_set & super_names[i].flag)
            add_name(out, "superblock", &open, super_names[i].name);
    close_array(out, open);
    open = false;
    for (size_t i = 0; i < array_length(special_names); i++)
        if (options->special & special_names[i].bit)
            add_name(out, "options", &open, special_names[i].name);
    close_array(out, open);
}

static void describe_propagation(struct buffer *out, const struct mount_options *options)
{
    bool open = false;

    for (size_t i = 0; i < options->propagation_count; i++)
        for (size_t j = 0; j < array_length(propagation_names); j++)
            if (options->propagation[i] & propagation_names[j].flag) {
                char name[16] = "r";

                strcat(name, propagation_names[j].name);
                add_name(out, "propagation", &open, options->propagation[i] & MS_REC ? name : name + 1);
            }
    close_array(out, open);
}

static void describe_data(struct buffer *out, const struct mount_options *options)
{
    if (options->data_count == 0)
        return;
    buffer_add_string(out, ",\"data\":{");
    for (size_t i = 0; i < options->data_count; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        add_string(out, options->data[i].key);
        buffer_add_char(out, ':');
        if (options->data[i].value)
            add_string(out, options->data[i].value);
        else
            buffer_add_string(out, "true");
    }
    buffer_add_char(out, '}');
}

static void describe_mount(struct buffer *out, const struct mount_op *op)
{
    static const char *const actions[] = {
        [MOUNT_NEW] = "mount",
        [MOUNT_BIND] = "bind",
        [MOUNT_CGROUP] = "mount-cgroup",
        [MOUNT_REMOUNT] = "remount",
    };

    begin(out, actions[op->kind], op->destination);
    add_member(out, "type", op->type);
    add_member(out, "source", op->source);
    describe_attributes(out, &op->options.attributes, "set", "clear");
    describe_attributes(out, &op->options.recursive, "setRecursive", "clearRecursive");
    describe_flags(out, &op->options);
    describe_propagation(out, &op->options);
    describe_data(out, &op->options);
    buffer_add_char(out, '}');
}

static void describe_device(const struct rootfs_plan *plan, struct buffer *out,
                            const struct device_op *device)
{
    char type = device->type == S_IFCHR ? 'c' : device->type == S_IFBLK ? 'b' : 'p';

    begin(out, plan->user_namespace && type != 'p' ? "bind-device" : "make-device", device->normal);
    buffer_add_format(out, ",\"type\":\"%c\"", type);
    if (type != 'p')
        buffer_add_format(out, ",\"number\":\"%u:%u\"", major(device->number), minor(device->number));
    buffer_add_format(out, ",\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u}", (unsigned)device->mode, device->uid,
                      device->gid);
}

static void describe_paths(struct buffer *out, const char *action, char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        begin(out, action, paths[i]);
        buffer_add_char(out, '}');
    }
}

static void describe_guards(const struct policy_guards *guards, struct buffer *out)
{
    for (size_t i = 0; guards && i < guards->items_count; i++) {
        begin(out, "guard", guards->items[i].path);
        add_member(out, "cover", policy_cover_name(guards->items[i].cover));
        add_member(out, "for", guards->items[i].label);
        buffer_add_char(out, '}');
    }
}

static void describe_root(const struct rootfs_plan *plan, struct buffer *out)
{
    const char *action = !plan->mount_namespace ? "chroot"
                         : plan->no_pivot       ? "move-and-chroot"
                                                : "pivot-root";

    begin(out, action, plan->rootfs);
    if (plan->propagation)
        add_member(out, "propagation", oci_propagation_name(plan->propagation));
    if (plan->read_only)
        buffer_add_string(out, ",\"readonly\":true");
    buffer_add_char(out, '}');
}

static void describe_overlay(const struct overlay_request *request, struct buffer *out)
{
    begin(out, "overlay", "/");
    buffer_add_string(out, ",\"lower\":[");
    for (size_t i = 0; i < request->lower_count; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        add_string(out, request->lowers[i]);
    }
    buffer_add_char(out, ']');
    add_member(out, "upper", request->upper);
    add_member(out, "work", request->work);
    if (!request->upper)
        buffer_add_format(
            out, ",\"size\":%llu",
            (unsigned long long)(request->tmpfs_size ? request->tmpfs_size : OVERLAY_DEFAULT_SIZE));
    if (request->idmap)
        buffer_add_string(out, ",\"idmap\":true");
    buffer_add_char(out, '}');
}

void rootfs_plan_describe(const struct rootfs_plan *plan, struct buffer *out)
{
    buffer_add_char(out, '[');
    if (plan->overlay)
        describe_overlay(plan->overlay, out);
    for (size_t i = 0; i < plan->mount_count; i++)
        describe_mount(out, &plan->mounts[i]);
    for (size_t i = 0; i < plan->device_count; i++)
        if (plan->own_dev || strncmp(plan->devices[i].normal, "/dev/", 5) != 0)
            describe_device(plan, out, &plan->devices[i]);
    describe_root(plan, out);
    describe_guards(plan->guards, out);
    describe_paths(out, "read-only", plan->read_only_paths, plan->read_only_count);
    describe_paths(out, "mask", plan->masked, plan->masked_count);
    buffer_add_string(out, "\n]");
}
