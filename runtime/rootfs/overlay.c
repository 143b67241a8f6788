/*
 * Mounts the overlay of a container's root. Runs in the runtime or in init, see overlay.h.
 *
 * Layers are opened once and from then on are descriptors: FSCONFIG_SET_FD where the kernel takes that (6.13
 * for directories, 6.15 for O_PATH and detached mounts), else the name of the descriptor in /proc/self/fd. So
 * no path is ever part of an option string, and one with ':', ',', '\' or a newline needs no escaping (O-18).
 */
#include "rootfs/overlay.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#ifndef FSCONFIG_SET_FD
#define FSCONFIG_SET_FD 5
#endif

#define VALUE_MAX 255       /* of fsconfig() */
#define MOUNT_DATA_MAX 4095 /* of mount() */
#define LAYERS_MAX 500      /* the kernel's OVL_MAX_STACK */

/* ---- checks ----------------------------------------------------------------------------------------- */

int overlay_check(const struct rootfs_plan *plan, const struct overlay_request *request, struct error *err)
{
    if (!plan->mount_namespace)
        return fail(err, EINVAL, "annotations.dev.aril.rootfs: only possible in a new mount namespace");
    if (!request->upper != !request->work)
        return fail(err, EINVAL, "annotations.dev.aril.rootfs: upper and work go together");
    if (request->upper && request->tmpfs_size)
        return fail(err, EINVAL, "annotations.dev.aril.rootfs.size: only a tmpfs has one, not upper");
    if (request->upper && strcmp(request->upper, request->work) == 0)
        return fail(err, EINVAL, "annotations.dev.aril.rootfs.work: must not be the same directory as upper");
    if (request->lower_count > LAYERS_MAX)
        return fail(err, E2BIG, "annotations.dev.aril.rootfs.lower: %zu layers, at most %d are possible",
                    request->lower_count, LAYERS_MAX);
    if (request->idmap && !plan->linux_config->uid_mappings_count)
        return fail(err, EINVAL, "annotations.dev.aril.rootfs.idmap: there are no linux.uidMappings");
    return 0;
}

/* ---- layers ----------------------------------------------------------------------------------------- */

struct layers {
    int *lowers;
    size_t count;
    int tmpfs;       /* -1: a directory that was given */
    int upper, work; /* readable, not O_PATH: kernels before 6.15 take no O_PATH descriptors */
    int idmap;
};

static void layers_close(struct layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        cleanup_close(&layers->lowers[i]);
    free(layers->lowers);
    cleanup_close(&layers->tmpfs);
    cleanup_close(&layers->upper);
    cleanup_close(&layers->work);
    cleanup_close(&layers->idmap);
}

/* What the kernel has to say about something that is done in another way now would explain a later error. */
static void drop_messages(int context)
{
    char message[256];

    while (read(context, message, sizeof message) > 0)
        continue;
}

static int set_fd(int context, const char *key, int fd)
{
    char path[32];

    if (sys_fsconfig(context, FSCONFIG_SET_FD, key, NULL, fd) == 0)
        return 0;
    if (errno != EINVAL && errno != EBADF)
        return -1;
    drop_messages(context);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return sys_fsconfig(context, FSCONFIG_SET_STRING, key, path, 0);
}

static void join_lowers(const struct layers *layers, struct buffer *text)
{
    for (size_t i = 0; i < layers->count; i++)
        buffer_add_format(text, "%s/proc/self/fd/%d", i ? ":" : "", layers->lowers[i]);
}

/* Before lowerdir+ (6.7): one string, which has room for a dozen layers. */
static int set_joined(int context, const struct layers *layers, struct error *err)
{
    auto_buffer struct buffer text = { 0 };

    join_lowers(layers, &text);
    if (text.length > VALUE_MAX)
        return fail(err, ENOTSUP, "overlay: this kernel takes fewer than %zu lower layers", layers->count);
    if (sys_fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", text.data, 0) < 0)
        return mount_fail_with_log(context, errno, err, "overlay: lower layers");
    return 0;
}

static int open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The shifted layer is a detached mount of its own: the directory itself stays as it is for everybody else.
 */
static int open_shifted(struct rootfs_plan *plan, const char *path, int user_namespace, struct error *err)
{
    const struct mount_attr change = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY,
                                       .userns_fd = (uint64_t)user_namespace };
    auto_close int tree = mount_clone(plan, AT_FDCWD, path, false);

    if (tree >= 0 && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &change) == 0)
        return take_fd(&tree);
    fail_errno(err, tree < 0 ? "open_tree %s" : "map the ids of %s", path);
    if (err->code == ENOSYS)
        return fail_hint(err, MOUNT_NEEDS_SETATTR);
    return tree < 0 ? -1 : fail_hint(err, "the kernel or the file system may lack idmapped mounts");
}

static int open_lowers(struct rootfs_plan *plan, const struct overlay_request *request, struct layers *layers,
                       struct error *err)
{
    layers->lowers = memory_new_array(request->lower_count, sizeof *layers->lowers);
    for (size_t i = 0; i < request->lower_count; i++) {
        int fd = layers->idmap >= 0 ? open_shifted(plan, request->lowers[i], layers->idmap, err)
                                    : open_directory(request->lowers[i]);

        if (fd < 0 && layers->idmap < 0)
            fail_errno(err, "open %s", request->lowers[i]);
        if (fd < 0)
            return fail_in(err, "annotations.dev.aril.rootfs.lower[%zu]", i);
        layers->lowers[layers->count++] = fd;
    }
    return 0;
}

static int open_given(const struct overlay_request *request, struct layers *layers, struct error *err)
{
    layers->upper = open_directory(request->upper);
    if (layers->upper < 0)
        return fail_errno(err, "annotations.dev.aril.rootfs.upper (%s)", request->upper);
    layers->work = open_directory(request->work);
    if (layers->work < 0)
        return fail_errno(err, "annotations.dev.aril.rootfs.work (%s)", request->work);
    return 0;
}

/*
 * The kernel itself knows which directories are an upper layer now, of whichever container, state directory
 * or other program, and forgets it with the last mount; but it only says so (EBUSY) to mounts with an index,
 * which would leave traces in the layer. So it is asked by one that must fail right after that check: its
 * work directory is the upper one.
 */
static bool is_in_use(struct rootfs_plan *plan, const struct layers *layers)
{
    auto_close int context = stage_is_used(plan) ? -1 : sys_fsopen("overlay", FSOPEN_CLOEXEC);
    struct option_data data[4] = { { (char *)"index", (char *)"on" } };
    char lower[32], upper[32];
    auto_close int mount = -1;
    struct error refusal;

    if (context < 0 && !stage_begin(plan))
        return false; /* the real mount says why */
    if (context < 0) {
        snprintf(lower, sizeof lower, "/proc/self/fd/%d", layers->lowers[0]);
        snprintf(upper, sizeof upper, "/proc/self/fd/%d", layers->upper);
        data[1] = (struct option_data){ (char *)"lowerdir", lower };
        data[2] = (struct option_data){ (char *)"upperdir", upper };
        data[3] = (struct option_data){ (char *)"workdir", upper };
        mount = stage_make(plan, "overlay", "aril", data, 4, 0, &refusal);
        return mount < 0 && refusal.code == EBUSY;
    }
    sys_fsconfig(context, FSCONFIG_SET_STRING, "index", "on", 0);
    if (set_fd(context, "lowerdir+", layers->lowers[0]) < 0)
        set_joined(context, layers, &refusal);
    set_fd(context, "upperdir", layers->upper);
    set_fd(context, "workdir", layers->upper);
    return sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 && errno == EBUSY;
}

/* The lock is held until the layer is mounted (layers_close), so that of two containers one finds the other.
 */
static int claim_upper(struct rootfs_plan *plan, const struct overlay_request *request,
                       const struct layers *layers, struct error *err)
{
    bool is_locked = flock(layers->upper, LOCK_EX | LOCK_NB) < 0;

    if (is_locked && errno != EWOULDBLOCK)
        return fail_errno(err, "annotations.dev.aril.rootfs.upper (%s): lock", request->upper);
    if (is_locked || is_in_use(plan, layers))
        return fail(err, EBUSY, "annotations.dev.aril.rootfs.upper (%s): another container writes to it",
                    request->upper);
    return 0;
}

/* The root of the merged view looks like the upper layer's: it gets the mode and owner of the image's. */
static int make_upper(struct layers *layers, struct error *err)
{
    struct stat status;

    if (mkdirat(layers->tmpfs, "upper", 0700) < 0 || mkdirat(layers->tmpfs, "work", 0700) < 0)
        return fail_errno(err, "make the layer in memory");
    layers->upper = openat(layers->tmpfs, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    layers->work = openat(layers->tmpfs, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (layers->upper < 0 || layers->work < 0 || fstat(layers->lowers[0], &status) < 0)
        return fail_errno(err, "open the layer in memory");
    if (fchown(layers->upper, status.st_uid, status.st_gid) < 0 && errno != EPERM && errno != EINVAL)
        return fail_errno(err, "owner of the layer in memory");
    return fchmod(layers->upper, status.st_mode & 07777) < 0 ? fail_errno(err, "mode of the layer in memory")
                                                             : 0;
}

static int make_tmpfs(struct rootfs_plan *plan, const struct overlay_request *request, struct layers *layers,
                      struct error *err)
{
    char size[32];
    const struct option_data data[] = { { (char *)"size", size }, { (char *)"mode", (char *)"0700" } };
    uint64_t bytes = request->tmpfs_size ? request->tmpfs_size : OVERLAY_DEFAULT_SIZE;

    snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
    layers->tmpfs = mount_make_detached(plan, "tmpfs", "aril-upper", data, array_length(data), 0, err);
    return layers->tmpfs < 0 ? -1 : make_upper(layers, err);
}

static int open_layers(struct rootfs_plan *plan, const struct overlay_request *request, struct layers *layers,
                       struct error *err)
{
    static const struct oci_mount no_mappings_of_its_own;
    const struct mount_op op = { .config = &no_mappings_of_its_own };

    if (request->idmap) {
        layers->idmap = idmap_open(plan, &op, err);
        if (layers->idmap < 0)
            return -1;
    }
    if (open_lowers(plan, request, layers, err) < 0)
        return -1;
    if (!request->upper)
        return make_tmpfs(plan, request, layers, err);
    return open_given(request, layers, err) < 0 ? -1 : claim_upper(plan, request, layers, err);
}

/* ---- the mount -------------------------------------------------------------------------------------- */

static int set_lowers(int context, const struct layers *layers, struct error *err)
{
    for (size_t i = 0; i < layers->count; i++) {
        if (set_fd(context, "lowerdir+", layers->lowers[i]) == 0)
            continue;
        if (i == 0 && errno == EINVAL)
            return set_joined(context, layers, err);
        return mount_fail_with_log(context, errno, err, "overlay: lower layers");
    }
    return 0;
}

static int set_flags(struct rootfs_plan *plan, int context, const struct layers *layers, bool unprivileged,
                     struct error *err)
{
    /* trusted.* attributes are the initial user namespace's alone */
    if (unprivileged && sys_fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
        return mount_fail_with_log(context, errno, err, "overlay: userxattr");
    /* what is in memory need not be synchronised to it; older kernels do so all the same */
    if (layers->tmpfs >= 0)
        sys_fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
    if (plan->label && rootfs_has_selinux(plan) &&
        sys_fsconfig(context, FSCONFIG_SET_STRING, plan->label_type, plan->label, 0) < 0)
        return mount_fail_with_log(context, errno, err, "overlay: linux.mountLabel");
    return 0;
}

/* With mount(2), whose page of text has room for some 180 layers. The names of descriptors need no escaping.
 */
static int create_on_stage(struct rootfs_plan *plan, const struct layers *layers, bool unprivileged,
                           struct error *err)
{
    bool labelled = plan->label && rootfs_has_selinux(plan);
    auto_buffer struct buffer lowers = { 0 };
    char upper[32], work[32];
    struct option_data data[5] = { { (char *)"upperdir", upper }, { (char *)"workdir", work } };
    size_t count = 2;

    snprintf(upper, sizeof upper, "/proc/self/fd/%d", layers->upper);
    snprintf(work, sizeof work, "/proc/self/fd/%d", layers->work);
    join_lowers(layers, &lowers);
    if (lowers.length > MOUNT_DATA_MAX - 256)
        return fail(err, ENOTSUP,
                    "overlay: mount(2), which is needed here, takes fewer than %zu lower layers",
                    layers->count);
    data[count++] = (struct option_data){ (char *)"lowerdir", lowers.data };
    if (unprivileged)
        data[count++] = (struct option_data){ (char *)"userxattr", NULL };
    if (labelled)
        data[count++] = (struct option_data){ (char *)plan->label_type, (char *)plan->label };
    return stage_make(plan, "overlay", "aril", data, count, 0, err);
}

static int create(struct rootfs_plan *plan, const struct layers *layers, bool unprivileged, struct error *err)
{
    auto_close int context = stage_is_used(plan) ? -1 : sys_fsopen("overlay", FSOPEN_CLOEXEC);
    int mount;

    if (stage_is_used(plan) || (context < 0 && stage_begin(plan)))
        return create_on_stage(plan, layers, unprivileged, err);
    if (context < 0)
        return fail_errno(err, "fsopen overlay");
    sys_fsconfig(context, FSCONFIG_SET_STRING, "source", "aril", 0);
    if (set_lowers(context, layers, err) < 0 || set_flags(plan, context, layers, unprivileged, err) < 0)
        return -1;
    if (set_fd(context, "upperdir", layers->upper) < 0 || set_fd(context, "workdir", layers->work) < 0)
        return mount_fail_with_log(context, errno, err, "overlay: upper layer");
    if (sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return mount_fail_with_log(context, errno, err, "overlay");
    mount = sys_fsmount(context, FSMOUNT_CLOEXEC, 0);
    return mount < 0 ? mount_fail_with_log(context, errno, err, "overlay") : mount;
}

/*
 * Kernels before 6.15 take no layer that is on a detached mount (EINVAL). In a mount namespace of our own it
 * can be attached where the root goes: in init that ends up below the root, out of sight, and goes with the
 * old root.
 */
static bool is_attaching_needed(const struct rootfs_plan *plan, const struct error *err)
{
    bool has_detached = !plan->overlay->upper || plan->overlay->idmap;

    return err->code == EINVAL && has_detached && !stage_is_used(plan);
}

static int attach_layers(struct rootfs_plan *plan, const struct layers *layers, struct error *err)
{
    auto_close int place = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (place < 0)
        return fail_errno(err, "overlay: a place for layers that Linux before 6.15 does not take detached");
    for (size_t i = 0; i < layers->count && layers->idmap >= 0; i++)
        if (mount_attach(plan, layers->lowers[i], place, err) < 0)
            return fail_in(err, "overlay: lower layer %zu", i);
    return layers->tmpfs < 0 ? 0 : mount_attach(plan, layers->tmpfs, place, err);
}

static int open_and_create(struct rootfs_plan *plan, bool unprivileged, bool may_attach, struct error *err)
{
    auto_cleanup(layers_close) struct layers layers = { .tmpfs = -1, .upper = -1, .work = -1, .idmap = -1 };
    int mount;

    if (open_layers(plan, plan->overlay, &layers, err) < 0)
        return -1;
    mount = create(plan, &layers, unprivileged, err);
    if (mount >= 0 || !may_attach || !is_attaching_needed(plan, err))
        return mount;
    return attach_layers(plan, &layers, err) < 0 ? -1 : create(plan, &layers, unprivileged, err);
}

static int mount_apart(struct rootfs_plan *plan, struct error *err)
{
    return open_and_create(plan, plan->rootless, true, err);
}

int overlay_mount(struct rootfs_plan *plan, bool in_init, struct error *err)
{
    bool unprivileged = plan->rootless || (in_init && plan->user_namespace);
    int mount = open_and_create(plan, unprivileged, in_init, err);

    if (mount >= 0 || in_init || !is_attaching_needed(plan, err))
        return mount;
    /* The layers are opened anew: those of the runtime's mount namespace are of no use in another one. */
    return apart_mount(plan, mount_apart, err);
}
