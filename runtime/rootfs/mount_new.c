/* Mounts a file system of its own: fsopen, fsconfig, fsmount, move_mount. Runs in init before pivot_root. */
#include "rootfs/mount.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

int mount_fail_with_log(int context, int code, struct error *err, const char *what)
{
    char message[256];
    ssize_t length = read(context, message, sizeof message - 1);

    errno = code;
    fail_errno(err, "%s", what);
    if (length <= 2)
        return -1;
    message[length] = '\0';
    message[strcspn(message, "\n")] = '\0';
    return fail_hint(err, "%s", message[1] == ' ' ? message + 2 : message);
}

static int set_one(int context, const char *key, const char *value, struct error *err)
{
    unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    char what[300];

    if (sys_fsconfig(context, command, key, value, 0) == 0)
        return 0;

    int code = errno;

    snprintf(what, sizeof what, "option '%.100s%s%.150s'", key, value ? "=" : "", value ? value : "");
    return mount_fail_with_log(context, code, err, what);
}

/* fsopen() on a kernel that has it. */
static int configure(const struct rootfs_plan *plan, int context, const char *type, const char *source,
                     const struct option_data *data, size_t data_count, uint64_t attributes,
                     struct error *err)
{
    int mount;

    if (context < 0) {
        fail_errno(err, "fsopen %s", type);
        return err->code == ENODEV   ? fail_hint(err, "this kernel has no such file system")
               : err->code == ENOSYS ? fail_hint(err, MOUNT_NEEDS_API)
                                     : -1;
    }
    if (source && *source && set_one(context, "source", source, err) < 0)
        return -1;
    for (size_t i = 0; i < data_count; i++)
        if (set_one(context, data[i].key, data[i].value, err) < 0)
            return -1;
    if (plan->procfs_of > 0 && strcmp(type, "proc") == 0 &&
        sys_fsconfig(context, FSCONFIG_SET_FD, "pidns", NULL, plan->procfs_of) < 0)
        return mount_fail_with_log(context, errno, err, "proc of the joined pid namespace");
    if (sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return mount_fail_with_log(context, errno, err, type);
    mount = sys_fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
    return mount < 0 ? mount_fail_with_log(context, errno, err, type) : mount;
}

int mount_make_detached(struct rootfs_plan *plan, const char *type, const char *source,
                        const struct option_data *data, size_t data_count, uint64_t attributes,
                        struct error *err)
{
    auto_close int context = -1;

    if (!stage_is_used(plan)) {
        context = sys_fsopen(type, FSOPEN_CLOEXEC);
        if (context >= 0 || !stage_begin(plan))
            return configure(plan, context, type, source, data, data_count, attributes, err);
    }
    return stage_make(plan, type, source, data, data_count, attributes, err);
}

/* ---- the data of an operation ------------------------------------------------------------------------- */

static const struct {
    unsigned long flag;
    const char *key;
} super_flags[] = {
    /* not MS_SILENT: messages of fsopen() contexts go to their reader and not to the kernel log anyway */
    { MS_SYNCHRONOUS, "sync" },
    { MS_DIRSYNC, "dirsync" },
    { MS_MANDLOCK, "mand" },
    { MS_LAZYTIME, "lazytime" },
};

struct data_list { /* borrowed strings */
    struct option_data *items;
    size_t count;
};

static void data_list_free(struct data_list *list)
{
    free(list->items);
}

static void data_add(struct data_list *list, const char *key, const char *value)
{
    *array_grow(list->items, list->count) = (struct option_data){ (char *)key, (char *)value };
}

static void collect_data(struct rootfs_plan *plan, const struct mount_op *op, uint64_t attributes,
                         const char *mode, struct data_list *list)
{
    for (size_t i = 0; i < op->options.data_count; i++)
        data_add(list, op->options.data[i].key, op->options.data[i].value);
    for (size_t i = 0; i < array_length(super_flags); i++)
        if (op->options.super_set & super_flags[i].flag)
            data_add(list, super_flags[i].key, NULL);
    /* A device must not be written to; the superblock of a file system without one may be the host's as well.
     */
    if (attributes & MOUNT_ATTR_RDONLY && op->source && op->source[0] == '/')
        data_add(list, "ro", NULL);
    if (mode)
        data_add(list, "mode", mode);
    if (op->label && rootfs_has_selinux(plan)) /* item 126 */
        data_add(list, plan->label_type, plan->label);
}

static uint64_t new_attributes(const struct mount_op *op)
{
    uint64_t attributes = mount_options_attributes(&op->options);

    if (op->filesystem & FS_READ_ONLY_LAST || op->options.special & OPTION_COPY_UP)
        attributes &= ~(uint64_t)MOUNT_ATTR_RDONLY;
    return attributes;
}

static bool is_read_only(const struct mount_op *op)
{
    return mount_options_attributes(&op->options) & MOUNT_ATTR_RDONLY;
}

/* A tmpfs without mode= looks like the directory it covers; on a new one it has the kernel's default. */
static const char *tmpfs_mode(const struct mount_op *op, int destination, bool made, char *text, size_t size)
{
    struct stat status;

    if (!(op->filesystem & FS_TMPFS) || made || mount_options_data_get(&op->options, "mode") ||
        fstat(destination, &status) < 0)
        return NULL;
    snprintf(text, size, "%04o", (unsigned)status.st_mode & 07777);
    return text;
}

/* Nothing is to be done between making it and putting it in its place, nor with its descriptor afterwards. */
static bool is_plain(const struct rootfs_plan *plan, const struct mount_op *op)
{
    const unsigned known = FS_TMPFS | FS_DEVPTS | FS_MQUEUE | FS_SYSFS | FS_PROC;

    if (op->filesystem & FS_PROC && plan->procfs_of > 0) /* mount(2) knows no pid namespace but ours */
        return false;
    if (!plan->in_init || !(op->filesystem & known) || op->idmap >= 0 || op->options.propagation_count > 0 ||
        op->options.special & OPTION_COPY_UP)
        return false;
    if (op->filesystem & FS_PROC && strcmp(op->destination, "/proc") != 0)
        return false;
    /* As a flag of mount(2) it would be the superblock's as well. That of sysfs takes none from a mount. */
    return !is_read_only(op) || op->filesystem & FS_SYSFS;
}

/*
 * By two system calls instead of ten: mount(2) with the place as working directory, so that "." cannot mean
 * anything else. Where that fails the long way helps itself, or says what is wrong.
 */
static bool mount_plainly(const struct rootfs_plan *plan, const struct mount_op *op,
                          const struct data_list *list, int destination)
{
    unsigned long mount_flags = legacy_attribute_flags(mount_options_attributes(&op->options));
    const char *source = op->source && *op->source ? op->source : NULL;
    auto_buffer struct buffer text = { 0 };
    struct error ignored;

    return is_plain(plan, op) && legacy_join(list->items, list->count, &text, &mount_flags, &ignored) == 0 &&
           fchdir(destination) == 0 && mount(source, ".", op->type, mount_flags, text.data) == 0;
}

/* The runtime's own procfs can be a clone of a plain /proc: that saves making a superblock (procfs.c). */
static void remember_plain(struct rootfs_plan *plan, const struct mount_op *op)
{
    if (op->filesystem & FS_PROC && op->options.data_count == 0)
        plan->plain_proc = true;
}

/* *done: it is mounted already, and there is no fd of it. */
static int make_mount(struct rootfs_plan *plan, const struct mount_op *op, int destination, bool made,
                      bool *done, struct error *err)
{
    auto_cleanup(data_list_free) struct data_list list = { 0 };
    uint64_t attributes = new_attributes(op);
    char mode[8];

    collect_data(plan, op, attributes, tmpfs_mode(op, destination, made, mode, sizeof mode), &list);
    *done = mount_plainly(plan, op, &list, destination);
    if (*done) {
        remember_plain(plan, op);
        return 0;
    }
    *done = legacy_is_needed(op, list.items, list.count);
    if (*done)
        return legacy_mount_new(plan, op, list.items, list.count, destination, err);
    return mount_make_detached(plan, op->type, op->source, list.items, list.count, attributes, err);
}

/* ---- fallbacks ---------------------------------------------------------------------------------------- */

/*
 * Where the kernel refuses an instance of our own, the host's is bound instead: sysfs without a network
 * namespace of the user namespace's own (item 115), proc and mqueue likewise when these namespaces are the
 * host's (items 116, 118).
 */
static const char *host_instance(const struct rootfs_plan *plan, const struct mount_op *op)
{
    if (!plan->user_namespace)
        return NULL;
    if (op->filesystem & FS_SYSFS)
        return "/sys";
    if (op->filesystem & FS_PROC && !plan->pid_namespace)
        return "/proc";
    if (op->filesystem & FS_MQUEUE)
        return "/dev/mqueue";
    return NULL;
}

/* The kernel lets a user namespace have a proc of its own only if it sees all of one already. */
static int explain_proc(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    if (!(op->filesystem & FS_PROC) || !plan->user_namespace)
        return -1;
    return fail_hint(
        err, "parts of /proc are masked by a container around us: give that one an unmasked /proc (podman: "
             "--security-opt unmask=ALL), or this one no pid namespace of its own");
}

static int clone_host_instance(struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    const char *path = host_instance(plan, op);
    int tree;

    if (!path)
        return explain_proc(plan, op, err);
    tree = mount_clone_host(plan, path, true);
    return tree < 0 ? fail_in(err, "bind %s instead: %s", path, errno_text(errno)) : tree;
}

/* Whatever is mounted below is the host's too: ro and the like must reach it. */
static int place_host_instance(struct rootfs_plan *plan, const struct mount_op *op, int destination,
                               struct error *err)
{
    const struct option_attributes attributes = {
        .set = mount_options_attributes(&op->options) & ~(uint64_t)MOUNT_ATTR__ATIME,
    };
    auto_close int tree = clone_host_instance(plan, op, err);

    if (tree < 0)
        return -1;
    if (mount_set_attributes(plan, tree, &attributes, true) < 0)
        return fail_errno(err, "set mount attributes");
    return mount_place(plan, op, tree, SET_UP_ATTRIBUTES, destination, err);
}

/* ---- the operation ------------------------------------------------------------------------------------ */

/* "ro" of a tmpfs that is filled here; one that others fill waits until rootfs_finish(). */
static int finish_copy_up(struct rootfs_plan *plan, const struct mount_op *op, int mount, struct error *err)
{
    static const struct option_attributes read_only = { .set = MOUNT_ATTR_RDONLY };

    if (!is_read_only(op) || !(op->options.special & OPTION_COPY_UP) || op->filesystem & FS_READ_ONLY_LAST)
        return 0;
    return mount_set_attributes(plan, mount, &read_only, false) < 0 ? fail_errno(err, "make read-only") : 0;
}

/* The directory itself has its mode already (tmpfs_mode). */
static int fill(const struct mount_op *op, int tree, int destination, struct error *err)
{
    struct stat status;

    if (fstat(destination, &status) < 0)
        return fail_errno(err, "stat");
    if (!mount_options_data_get(&op->options, "uid") && !mount_options_data_get(&op->options, "gid") &&
        fchownat(tree, "", status.st_uid, status.st_gid, AT_EMPTY_PATH) < 0 && errno != EINVAL)
        return fail_errno(err, "set owner");
    return copy_up(destination, tree, err);
}

static int place_own(struct rootfs_plan *plan, struct mount_op *op, int *tree, int destination, bool made,
                     struct error *err)
{
    if (op->options.special & OPTION_COPY_UP && !made && fill(op, *tree, destination, err) < 0)
        return fail_in(err, "tmpcopyup");
    if (mount_place(plan, op, *tree, SET_UP_ATTRIBUTES | SET_UP_PRIVATE, destination, err) < 0 ||
        finish_copy_up(plan, op, *tree, err) < 0)
        return -1;
    if (is_read_only(op) && op->filesystem & FS_READ_ONLY_LAST)
        op->mount = take_fd(tree);
    else if (op->filesystem & FS_PROC && op->options.data_count == 0 && plan->container_proc < 0)
        plan->container_proc = take_fd(tree);
    return 0;
}

int mount_new(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    bool made = false, done = false;
    auto_close int destination = destination_open(plan, op, DESTINATION_DIRECTORY, &made, err);
    auto_close int tree = -1;
    int result;

    if (destination < 0)
        return -1;
    result = make_mount(plan, op, destination, made, &done, err);
    if (done) /* then it is no descriptor */
        return result;
    tree = result;
    if (tree < 0)
        return err->code == EPERM ? place_host_instance(plan, op, destination, err) : -1;
    return place_own(plan, op, &tree, destination, made, err);
}
