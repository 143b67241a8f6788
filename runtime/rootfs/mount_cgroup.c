/*
 * Mounts of type cgroup and cgroup2, which mean the same: the container's view of the control groups (item
 * 117). On a v2 host that is one cgroup2 mount; on v1 and hybrid hosts a tmpfs with a directory for each
 * v1 hierarchy. Runs in init, which is in its cgroup and, if there is to be one, in its cgroup namespace;
 * before pivot_root.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

struct hierarchy {     /* a line of /proc/self/cgroup: "4:cpu,cpuacct:/a/b" */
    char *controllers; /* "cpu,cpuacct", "name=systemd" */
    char *path;        /* of our cgroup, as our cgroup namespace shows it */
};

static bool is_cgroup2(const char *path)
{
    struct statfs status;

    return statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* ---- one hierarchy ------------------------------------------------------------------------------------ */

struct view { /* a detached mount of a hierarchy */
    int tree;
    bool is_clone; /* of the host's mount: it has the host's attributes yet */
};

static void view_free(struct view *view)
{
    if (view->tree >= 0)
        close(view->tree);
}

static int clone_host_cgroup(struct rootfs_plan *plan, const char *directory, const char *path,
                             struct view *view, struct error *err)
{
    auto_free char *source = memory_format("%s%s%s%s", CGROUP_ROOT, *directory ? "/" : "", directory, path);

    view->tree = mount_clone_host(plan, source, false);
    view->is_clone = true;
    return view->tree < 0 ? fail_errno(err, "bind %s", source) : 0;
}

/*
 * With a cgroup namespace a mount shows our part only. Without one, root gets the whole tree, because
 * /proc/self/cgroup names paths in it; a user namespace must not have that and gets its own part. Both are
 * clones: a mount from the initial cgroup namespace would set the options of the host's (nsdelegate, …) anew.
 */
static int make_v2(struct rootfs_plan *plan, const struct mount_op *op, const char *directory,
                   const char *path, struct view *view, struct error *err)
{
    if (!plan->cgroup_namespace && op->options.data_count == 0)
        return clone_host_cgroup(plan, directory, plan->user_namespace ? path : "", view, err);
    view->tree = mount_make_detached(plan, "cgroup2", op->source, op->options.data, op->options.data_count,
                                     mount_options_attributes(&op->options), err);
    return view->tree < 0 ? -1 : 0;
}

static int make_v1(struct rootfs_plan *plan, const struct mount_op *op, const char *directory,
                   const struct hierarchy *hierarchy, struct view *view, struct error *err)
{
    auto_free char *controllers = memory_string(hierarchy->controllers);
    struct option_data *data = NULL;
    size_t count = 0;
    char *state = NULL;

    if (!plan->cgroup_namespace)
        return clone_host_cgroup(plan, directory, hierarchy->path, view, err);
    for (char *name = strtok_r(controllers, ",", &state); name; name = strtok_r(NULL, ",", &state)) {
        bool named = strncmp(name, "name=", 5) == 0;

        if (named)
            *array_grow(data, count) = (struct option_data){ (char *)"none", NULL };
        *array_grow(data, count) =
            named ? (struct option_data){ (char *)"name", name + 5 } : (struct option_data){ name, NULL };
    }
    view->tree = mount_make_detached(plan, "cgroup", "cgroup", data, count,
                                     mount_options_attributes(&op->options), err);
    free(data);
    return view->tree < 0 ? -1 : 0;
}

/* ---- a v1 or hybrid host ------------------------------------------------------------------------------ */

static int place(struct rootfs_plan *plan, const struct mount_op *op, const struct view *view,
                 int destination, struct error *err)
{
    const struct option_attributes attributes = {
        .set = mount_options_attributes(&op->options) & ~(uint64_t)MOUNT_ATTR__ATIME,
        .clear = op->options.attributes.clear & ~(uint64_t)MOUNT_ATTR__ATIME,
    };

    if (!view->is_clone)
        return mount_attach(plan, view->tree, destination, err);
    return mount_place_with(plan, &attributes, view->tree, destination, err);
}

/* Of the directory in which a hierarchy is mounted. */
static int make_place(int tmpfs, const char *directory, struct error *err)
{
    int fd;

    if (mkdirat(tmpfs, directory, 0755) < 0)
        return fail_errno(err, "mkdir");
    fd = openat(tmpfs, directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail_errno(err, "open") : fd;
}

/* cpu -> cpu,cpuacct and cpuacct -> cpu,cpuacct */
static int make_links(int tmpfs, const char *directory, struct error *err)
{
    auto_free char *names = memory_string(directory);
    char *state = NULL;

    if (!strchr(directory, ','))
        return 0;
    for (char *name = strtok_r(names, ",", &state); name; name = strtok_r(NULL, ",", &state))
        if (symlinkat(directory, tmpfs, name) < 0)
            return fail_errno(err, "link %s", name);
    return 0;
}

static const char *directory_name(const struct hierarchy *hierarchy)
{
    return hierarchy->controllers + (strncmp(hierarchy->controllers, "name=", 5) == 0 ? 5 : 0);
}

static int mount_hierarchy(struct rootfs_plan *plan, const struct mount_op *op, int tmpfs,
                           const struct hierarchy *hierarchy, struct error *err)
{
    auto_cleanup(view_free) struct view view = { .tree = -1 };
    const char *directory = directory_name(hierarchy);
    auto_close int destination = -1;

    /* ENOENT: a hierarchy that the host has not mounted at the usual place */
    if (make_v1(plan, op, directory, hierarchy, &view, err) < 0)
        return err->code == ENOENT ? 0 : fail_in(err, "%s", directory);
    destination = make_place(tmpfs, directory, err);
    if (destination < 0 || place(plan, op, &view, destination, err) < 0 ||
        make_links(tmpfs, directory, err) < 0)
        return fail_in(err, "%s", directory);
    return 0;
}

/* ---- in few system calls ----------------------------------------------------------------------------- */

/*
 * The same with mount(2) by a name in our tmpfs, which is the working directory and which nobody else has
 * seen: two calls a hierarchy, not eight, and there may be a dozen. Read-only comes at the end, for all at
 * once: as a flag of mount(2) it would also be the superblock's, and that can be the host's.
 */
static bool mount_by_name(const struct rootfs_plan *plan, const struct mount_op *op, int tmpfs,
                          const struct hierarchy *hierarchy)
{
    bool named = strncmp(hierarchy->controllers, "name=", 5) == 0;
    auto_free char *data = memory_join(named ? "none," : "", hierarchy->controllers, "");
    uint64_t attributes = mount_options_attributes(&op->options) & ~(uint64_t)MOUNT_ATTR_RDONLY;
    const char *directory = directory_name(hierarchy);

    if (!plan->cgroup_namespace || mkdirat(tmpfs, directory, 0755) < 0)
        return false;
    if (mount("cgroup", directory, "cgroup", legacy_attribute_flags(attributes), data) == 0)
        return true;
    unlinkat(tmpfs, directory, AT_REMOVEDIR); /* the long way says what is wrong */
    return false;
}

static int mount_shortest(struct rootfs_plan *plan, const struct mount_op *op, int tmpfs, bool by_name,
                          const struct hierarchy *hierarchy, struct error *err)
{
    if (by_name && mount_by_name(plan, op, tmpfs, hierarchy))
        return make_links(tmpfs, directory_name(hierarchy), err);
    return mount_hierarchy(plan, op, tmpfs, hierarchy, err);
}

/*
 * Splits a line in place; false for the v2 hierarchy of a hybrid system, which containers do not see: systemd
 * as the container's init would take it for the place of its services, and it is not writable.
 */
static bool parse_line(char *line, struct hierarchy *hierarchy)
{
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!path || path == controllers + 1)
        return false;
    *path = '\0';
    hierarchy->controllers = controllers + 1;
    hierarchy->path = path + 1;
    return true;
}

/* With a cgroup namespace only the names matter, which are the same for all processes. */
static int list_hierarchies(const struct rootfs_plan *plan, char **text, struct error *err)
{
    if (!plan->cgroup_namespace || !plan->cgroups)
        return file_read_proc("/proc/self/cgroup", 1u << 20, text, err);
    *text = memory_string(plan->cgroups);
    return 0;
}

static int mount_hierarchies(struct rootfs_plan *plan, const struct mount_op *op, int tmpfs, bool by_name,
                             struct error *err)
{
    auto_free char *text = NULL;
    char *state = NULL;

    if (list_hierarchies(plan, &text, err) < 0)
        return -1;
    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        struct hierarchy hierarchy;

        if (parse_line(line, &hierarchy) && mount_shortest(plan, op, tmpfs, by_name, &hierarchy, err) < 0)
            return -1;
    }
    return 0;
}

/* With the tmpfs as working directory. Kernels before 5.12 cannot change several mounts at once. */
static int mount_in(struct rootfs_plan *plan, const struct mount_op *op, int tmpfs, struct error *err)
{
    static const struct option_attributes read_only = { .set = MOUNT_ATTR_RDONLY };
    static const struct mount_attr nothing;
    bool recursive = sys_mount_setattr(tmpfs, "", AT_EMPTY_PATH | AT_RECURSIVE, &nothing) == 0;

    if (fchdir(tmpfs) < 0)
        return fail_errno(err, "enter the directory of the hierarchies");
    if (mount_hierarchies(plan, op, tmpfs, recursive, err) < 0)
        return -1;
    if (mount_options_attributes(&op->options) & MOUNT_ATTR_RDONLY &&
        mount_set_attributes(plan, tmpfs, &read_only, recursive) < 0)
        return fail_errno(err, "make read-only");
    return 0;
}

static int mount_v1(struct rootfs_plan *plan, const struct mount_op *op, int destination, struct error *err)
{
    static const struct option_data mode = { (char *)"mode", (char *)"0755" };
    auto_close int tmpfs = -1;

    if (op->options.data_count > 0)
        return fail(err, EINVAL, "options: '%s' is not possible here, the host has cgroups of version 1",
                    op->options.data[0].key);
    tmpfs = mount_make_detached(plan, "tmpfs", "cgroup", &mode, 1,
                                mount_options_attributes(&op->options) & ~(uint64_t)MOUNT_ATTR_RDONLY, err);
    if (tmpfs < 0 || mount_place(plan, op, tmpfs, SET_UP_ATTRIBUTES | SET_UP_PRIVATE, destination, err) < 0)
        return -1;
    return mount_in(plan, op, tmpfs, err);
}

/* ---- a v2 host ---------------------------------------------------------------------------------------- */

static int own_v2_path(char **path, struct error *err)
{
    auto_free char *text = NULL;
    char *start;

    if (file_read_proc("/proc/self/cgroup", 1u << 20, &text, err) < 0)
        return -1;
    start = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!start)
        return fail(err, ENOENT, "/proc/self/cgroup names no cgroup of version 2");
    start = strchr(start, '/');
    *path = start ? memory_string_n(start, strcspn(start, "\n")) : memory_string("/");
    return 0;
}

static int mount_v2(struct rootfs_plan *plan, const struct mount_op *op, int destination, struct error *err)
{
    auto_cleanup(view_free) struct view view = { .tree = -1 };
    auto_free char *path = NULL;

    if (own_v2_path(&path, err) < 0 ||
        make_v2(plan, op, is_cgroup2(CGROUP_ROOT) ? "" : "unified", path, &view, err) < 0 ||
        place(plan, op, &view, destination, err) < 0)
        return -1;
    return mount_set_up(plan, op, view.tree, SET_UP_ATTRIBUTES | SET_UP_PRIVATE, err);
}

int mount_cgroup(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    auto_close int destination = destination_open(plan, op, DESTINATION_DIRECTORY, NULL, err);

    if (destination < 0)
        return -1;
    if (strcmp(op->type, "cgroup2") == 0 || is_cgroup2(CGROUP_ROOT))
        return mount_v2(plan, op, destination, err);
    return mount_v1(plan, op, destination, err);
}
