/*
 * config.json → ordered list of mount operations, devices, masked and read-only paths (contract items 85-129,
 * 145-152). Runs in the runtime. Pure: looks at nothing but the config.
 */
#include "rootfs/plan.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "rootfs/overlay.h"

#include <linux/mount.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct {
    const char *type;
    unsigned flags;
} filesystems[] = {
    { "proc", FS_PROC | FS_NO_LABEL },
    { "sysfs", FS_SYSFS | FS_NO_LABEL },
    { "tmpfs", FS_TMPFS | FS_READ_ONLY_LAST },
    { "mqueue", FS_MQUEUE | FS_NO_LABEL },
    { "devpts", FS_DEVPTS },
    { "cgroup", FS_CGROUP | FS_NO_LABEL },
    { "cgroup2", FS_CGROUP | FS_NO_LABEL },
};

static const struct {
    const char *path;
    unsigned major, minor;
} default_devices[] = {
    /* item 150 */
    { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
    { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

char *path_normalise(const char *path)
{
    char *normal = memory_new(strlen(path) + 2);
    size_t length = 0;

    while (*path) {
        size_t part = strcspn(path, "/");

        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length > 0 && normal[--length] != '/')
                continue;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            normal[length++] = '/';
            memcpy(normal + length, path, part);
            length += part;
        }
        path += part + (path[part] == '/');
    }
    if (length == 0)
        normal[length++] = '/';
    normal[length] = '\0';
    return normal;
}

int mount_fail_in(const struct mount_op *op, struct error *err)
{
    return fail_in(err, "mounts[%zu] (%s)", op->index, op->config->destination);
}

/* ---- mounts ------------------------------------------------------------------------------------------- */

static unsigned filesystem_flags(const char *type)
{
    for (size_t i = 0; i < array_length(filesystems); i++)
        if (type && strcmp(filesystems[i].type, type) == 0)
            return filesystems[i].flags;
    return 0;
}

static enum mount_kind kind_of(const struct oci_mount *mount, const struct mount_op *op)
{
    if (op->options.special & OPTION_REMOUNT)
        return MOUNT_REMOUNT;
    if (op->options.special & OPTION_BIND || (mount->type && strcmp(mount->type, "bind") == 0))
        return MOUNT_BIND;
    return filesystem_flags(mount->type) & FS_CGROUP ? MOUNT_CGROUP : MOUNT_NEW;
}

static int check_destination(const struct oci_mount *mount, const struct mount_op *op, struct error *err)
{
    if (mount->destination[0] != '/')
        log_warning("mounts[%zu].destination: '%s' is relative, taken from / (deprecated)", op->index,
                    mount->destination);
    if (strcmp(op->destination, "/") == 0 && op->kind != MOUNT_REMOUNT)
        return fail(err, EINVAL, "destination: a mount on '/' would hide the root file system");
    /* CVE-2019-16884: masks, labels and sysctls would go to a file of the image's choice. */
    if (strcmp(op->destination, "/proc") == 0 && !(op->filesystem & FS_PROC) &&
        (op->kind == MOUNT_NEW || op->kind == MOUNT_CGROUP))
        return fail(err, EINVAL, "type: '%s' cannot be mounted on /proc, only proc", mount->type);
    return 0;
}

static int check_idmap(const struct mount_op *op, bool have_user, struct error *err)
{
    const struct oci_mount *mount = op->config;
    bool mapped = mount->uid_mappings_count || mount->gid_mappings_count;

    if (!mount->uid_mappings_count != !mount->gid_mappings_count)
        return fail(err, EINVAL, "%s: missing, uidMappings and gidMappings go together",
                    mount->uid_mappings_count ? "gidMappings" : "uidMappings"); /* item 103 */
    if (!(op->options.special & OPTION_IDMAP))
        return 0;
    if (!mapped && !op->options.idmap && !have_user) /* item 102 */
        return fail(err, EINVAL, "options: idmap needs uidMappings and gidMappings, or a user namespace");
    if (mapped && op->options.idmap)
        return fail(err, EINVAL, "options: 'idmap=' beside uidMappings");
    if (op->kind != MOUNT_BIND && op->kind != MOUNT_NEW)
        return fail(err, EINVAL, "options: idmap is not possible on a %s",
                    op->kind == MOUNT_CGROUP ? "cgroup mount" : "remount");
    return 0;
}

#define SUPER_OPTIONS "sync, dirsync, mand, lazytime and iversion"

static int check_bind(const struct mount_op *op, struct error *err)
{
    const struct mount_options *options = &op->options;

    if (!op->config->source || !*op->config->source)
        return fail(err, EINVAL, "source: missing, a bind mount needs one");
    if (options->data_count > 0)
        return fail(err, EINVAL, "options: '%s' is not an option of a bind mount", options->data[0].key);
    if (options->super_set & ~(unsigned long)MS_SILENT)
        return fail(err, EINVAL, "options: " SUPER_OPTIONS " belong to a file system, not to a bind mount");
    return 0;
}

/*
 * CVE-2023-25809: without a cgroup namespace of its own a user namespace must not write to cgroups. Engines
 * ask for the mount without "ro" all the same (buildah does): it becomes read-only, as with runc.
 */
static void restrict_cgroup_mount(struct mount_op *op, const struct rootfs_plan *plan)
{
    if (op->kind == MOUNT_CGROUP && plan->user_namespace && !plan->cgroup_namespace)
        op->options.recursive.set |= MOUNT_ATTR_RDONLY;
}

static int check_mount(const struct mount_op *op, bool have_user, struct error *err)
{
    const struct mount_options *options = &op->options;

    if (check_destination(op->config, op, err) < 0 || check_idmap(op, have_user, err) < 0)
        return -1;
    if (op->kind == MOUNT_BIND && check_bind(op, err) < 0)
        return -1;
    if (op->kind == MOUNT_CGROUP && options->super_set & ~(unsigned long)MS_SILENT)
        return fail(err, EINVAL, "options: " SUPER_OPTIONS " are not possible on a cgroup mount");
    if (op->kind == MOUNT_NEW && (!op->type || !*op->type))
        return fail(err, EINVAL, "type: missing");
    if (options->special & OPTION_COPY_UP && op->kind != MOUNT_NEW)
        return fail(err, EINVAL, "options: tmpcopyup needs a file system of its own");
    if (options->special & (OPTION_COPY_SYMLINK | OPTION_SOURCE_NOFOLLOW | OPTION_SOURCE_NO_LINKS) &&
        op->kind != MOUNT_BIND)
        return fail(err, EINVAL, "options: copy-symlink, src-nofollow and src-nolinks need a bind mount");
    return 0;
}

static char *bind_source(const struct rootfs_plan *plan, const char *source)
{
    if (!source || !*source)
        return NULL;
    return source[0] == '/' ? memory_string(source) : memory_format("%s/%s", plan->bundle, source);
}

static void fill_mount(const struct rootfs_plan *plan, struct mount_op *op)
{
    const struct oci_mount *mount = op->config;
    bool mapped = mount->uid_mappings_count || mount->gid_mappings_count;

    op->kind = kind_of(mount, op);
    op->destination = path_normalise(mount->destination);
    op->filesystem = op->kind == MOUNT_BIND ? 0 : filesystem_flags(mount->type);
    op->type = op->kind == MOUNT_BIND ? NULL : mount->type;
    op->source = op->kind == MOUNT_BIND ? bind_source(plan, mount->source) : memory_string(mount->source);
    if (mapped) /* item 101: mappings alone mean idmap */
        op->options.special |= OPTION_IDMAP;
    op->label = plan->label && op->kind == MOUNT_NEW && !(op->filesystem & FS_NO_LABEL);
}

static int plan_mount(struct rootfs_plan *plan, const struct oci_mount *mount, size_t index, bool have_user,
                      struct error *err)
{
    struct mount_op *op = array_grow(plan->mounts, plan->mount_count);

    *op = (struct mount_op){ .index = index, .config = mount, .tree = -1, .idmap = -1, .mount = -1 };
    if (mount_options_parse(&mount->options, &op->options, err) < 0) {
        fail_in(err, "options");
        return mount_fail_in(op, err);
    }
    fill_mount(plan, op);
    if (check_mount(op, have_user, err) < 0)
        return mount_fail_in(op, err);
    restrict_cgroup_mount(op, plan);
    if (op->kind != MOUNT_REMOUNT && strcmp(op->destination, "/dev") == 0)
        plan->own_dev = op->kind != MOUNT_BIND;
    return 0;
}

static int plan_mounts(struct rootfs_plan *plan, const struct oci_config *config, bool have_user,
                       struct error *err)
{
    for (size_t i = 0; i < config->mounts_count; i++)
        if (plan_mount(plan, &config->mounts[i], i, have_user, err) < 0)
            return -1;
    return 0;
}

/* ---- devices ------------------------------------------------------------------------------------------ */

static mode_t device_type(enum oci_device_type type)
{
    switch (type) {
    case OCI_DEVICE_BLOCK:
        return S_IFBLK;
    case OCI_DEVICE_FIFO:
        return S_IFIFO;
    default:
        return S_IFCHR; /* "u" is the old name of an unbuffered character device */
    }
}

static int plan_device(struct rootfs_plan *plan, const struct oci_device *device, size_t index,
                       struct error *err)
{
    struct device_op *op = array_grow(plan->devices, plan->device_count);

    *op = (struct device_op){
        .index = index,
        .path = device->path,
        .normal = path_normalise(device->path),
        .type = device_type(device->type),
        .number = makedev((unsigned)device->major, (unsigned)device->minor),
        .mode =
            device->has_file_mode ? device->file_mode & 07777 : 0666, /* podman sends S_IFMT too (item 148) */
        .uid = device->uid,
        .gid = device->gid,
    };
    if (strcmp(op->normal, "/") == 0)
        return fail(err, EINVAL, "linux.devices[%zu].path: '%s' is a directory", index, device->path);
    if (op->type == S_IFIFO)
        op->number = 0;
    else if (!device->has_major || !device->has_minor)
        return fail(err, EINVAL, "linux.devices[%zu].%s: missing", index,
                    device->has_major ? "minor" : "major");
    return 0;
}

/* linux.devices or a mount takes the place of a default device. */
static bool is_taken(const struct rootfs_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->device_count; i++)
        if (strcmp(plan->devices[i].normal, path) == 0)
            return true;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].destination, path) == 0)
            return true;
    return false;
}

static int plan_devices(struct rootfs_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->linux_config->devices_count; i++)
        if (plan_device(plan, &plan->linux_config->devices[i], i, err) < 0)
            return -1;
    for (size_t i = 0; i < array_length(default_devices); i++) {
        if (is_taken(plan, default_devices[i].path))
            continue;
        *array_grow(plan->devices, plan->device_count) = (struct device_op){
            .index = SIZE_MAX,
            .path = default_devices[i].path,
            .normal = memory_string(default_devices[i].path),
            .type = S_IFCHR,
            .number = makedev(default_devices[i].major, default_devices[i].minor),
            .mode = 0666,
        };
    }
    return 0;
}

/* ---- paths -------------------------------------------------------------------------------------------- */

static int plan_paths(const struct strings *paths, const char *name, char ***out, size_t *count,
                      struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *normal = NULL;

        if (paths->items[i][0] != '/')
            return fail(err, EINVAL, "linux.%s[%zu]: '%s' is not an absolute path", name, i, paths->items[i]);
        normal = path_normalise(paths->items[i]);
        if (strcmp(normal, "/") == 0)
            return fail(err, EINVAL, "linux.%s[%zu]: '/' is not possible%s", name, i,
                        strcmp(name, "readonlyPaths") == 0 ? ", use root.readonly" : "");
        *array_grow(*out, *count) = take_ptr(normal);
    }
    return 0;
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static const struct oci_namespace *find_namespace(const struct oci_linux *linux_config,
                                                  enum oci_namespace_type type)
{
    for (size_t i = 0; i < linux_config->namespaces_count; i++)
        if (linux_config->namespaces[i].type == type)
            return &linux_config->namespaces[i];
    return NULL;
}

static bool is_new(const struct oci_linux *linux_config, enum oci_namespace_type type)
{
    const struct oci_namespace *namespace = find_namespace(linux_config, type);

    return namespace && !namespace->path;
}

static void plan_namespaces(struct rootfs_plan *plan, bool rootless)
{
    const struct oci_linux *config = plan->linux_config;

    plan->mount_namespace = is_new(config, OCI_NAMESPACE_MOUNT);
    plan->own_user = find_namespace(config, OCI_NAMESPACE_USER);
    plan->user_namespace = rootless || find_namespace(config, OCI_NAMESPACE_USER);
    plan->pid_namespace = find_namespace(config, OCI_NAMESPACE_PID);
    plan->cgroup_namespace = find_namespace(config, OCI_NAMESPACE_CGROUP);
}

/* In a mount namespace that is not the container's own, every mount would be made on the host or on other
 * containers. */
static int check_mount_namespace(const struct rootfs_plan *plan, const struct oci_config *config,
                                 struct error *err)
{
    const char *what = config->mounts_count > 0                   ? "mounts"
                       : plan->linux_config->masked_paths.count   ? "linux.maskedPaths"
                       : plan->linux_config->readonly_paths.count ? "linux.readonlyPaths"
                       : plan->read_only                          ? "root.readonly"
                                                                  : NULL;

    if (plan->mount_namespace || !what)
        return 0;
    return fail(err, EINVAL, "%s: only possible in a new mount namespace (linux.namespaces)", what);
}

static int check_propagation(const struct rootfs_plan *plan, struct error *err)
{
    if (plan->propagation && !plan->mount_namespace)
        return fail(err, EINVAL, "linux.rootfsPropagation: only possible in a new mount namespace");
    return 0;
}

static bool wants_slave(const struct mount_op *op)
{
    for (size_t i = 0; i < op->options.propagation_count; i++)
        if (op->kind == MOUNT_BIND && op->options.propagation[i] & MS_SLAVE)
            return true;
    return false;
}

static enum host_relation host_relation(const struct rootfs_plan *plan)
{
    switch (plan->propagation) {
    case OCI_PROPAGATION_SHARED:
    case OCI_PROPAGATION_RSHARED:
        return HOST_SHARED;
    case OCI_PROPAGATION_SLAVE:
    case OCI_PROPAGATION_RSLAVE:
        return HOST_SEEN;
    default:
        break;
    }
    for (size_t i = 0; i < plan->mount_count; i++)
        if (wants_slave(&plan->mounts[i]))
            return HOST_SEEN_BY_SOME;
    return HOST_CUT_OFF;
}

static int plan_label(struct rootfs_plan *plan, const struct oci_config *config, struct error *err)
{
    static const char *const types[] = { "context", "fscontext", "defcontext", "rootcontext" };
    const char *type = string_map_get(&config->annotations, "run.oci.mount_context_type");

    plan->label = plan->linux_config->mount_label;
    if (plan->label && !*plan->label)
        plan->label = NULL;
    plan->label_type = types[0];
    for (size_t i = 0; type && i < array_length(types); i++) {
        if (strcmp(type, types[i]) == 0) {
            plan->label_type = types[i];
            return 0;
        }
    }
    return type ? fail(err, EINVAL,
                       "annotations.run.oci.mount_context_type: '%s' is not one of context, fscontext, "
                       "defcontext, rootcontext",
                       type)
                : 0;
}

static struct rootfs_plan *new_plan(const struct oci_config *config, const struct rootfs_context *context)
{
    static const struct oci_linux no_linux;
    struct rootfs_plan *plan = memory_new(sizeof *plan);

    *plan = (struct rootfs_plan){
        .bundle = context->bundle,
        .rootfs = context->rootfs,
        .overlay = context->overlay,
        .no_pivot = context->no_pivot,
        .cgroups = context->cgroups,
        .procfs_of = context->procfs_of,
        .rootless = context->rootless,
        .guards = context->guards,
        .read_only = config->root && config->root->readonly,
        .own_dev = true,
        .linux_config = config->linux ? config->linux : &no_linux,
        .root = -1,
        .root_tree = -1,
        .null_mount = -1,
        .procfs = -1,
        .stage = -1,
        .stage_procfs = -1,
        .old_root = -1,
        .container_proc = -1,
        .selinux = -1,
    };
    plan->propagation = plan->linux_config->rootfs_propagation;
    return plan;
}

struct rootfs_plan *rootfs_plan_make(const struct oci_config *config, const struct rootfs_context *context,
                                     struct error *err)
{
    struct rootfs_plan *plan = new_plan(config, context);
    const struct oci_linux *linux_config = plan->linux_config;
    bool have_user = find_namespace(linux_config, OCI_NAMESPACE_USER);

    plan_namespaces(plan, context->rootless);
    if (check_mount_namespace(plan, config, err) == 0 && check_propagation(plan, err) == 0 &&
        (!plan->overlay || overlay_check(plan, plan->overlay, err) == 0) &&
        plan_label(plan, config, err) == 0 && plan_mounts(plan, config, have_user, err) == 0 &&
        plan_devices(plan, err) == 0 &&
        plan_paths(&linux_config->masked_paths, "maskedPaths", &plan->masked, &plan->masked_count, err) ==
            0 &&
        plan_paths(&linux_config->readonly_paths, "readonlyPaths", &plan->read_only_paths,
                   &plan->read_only_count, err) == 0) {
        plan->host = host_relation(plan);
        return plan;
    }
    rootfs_plan_free(plan);
    return NULL;
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void free_mount(struct mount_op *op)
{
    close_fd(op->tree);
    close_fd(op->idmap);
    close_fd(op->mount);
    mount_options_free(&op->options);
    free(op->destination);
    free(op->source);
}

void rootfs_plan_free(struct rootfs_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->mount_count; i++)
        free_mount(&plan->mounts[i]);
    for (size_t i = 0; i < plan->device_count; i++)
        free(plan->devices[i].normal);
    free(plan->mounts);
    free(plan->devices);
    free_strings(plan->masked, plan->masked_count);
    free_strings(plan->read_only_paths, plan->read_only_count);
    close_fd(plan->root);
    close_fd(plan->root_tree);
    close_fd(plan->null_mount);
    close_fd(plan->procfs);
    close_fd(plan->stage);
    close_fd(plan->stage_procfs);
    close_fd(plan->old_root);
    close_fd(plan->container_proc);
    free(plan);
}
