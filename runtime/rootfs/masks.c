/*
 * The last touches, after pivot_root: masked paths, read-only paths, mounts that had to stay writable until
 * now, the read-only root and its propagation. Runs in init. Every path is opened once inside the root; what
 * is mounted there comes from descriptors: never from the image's own /dev/null (CVE-2025-31133).
 */
#include "rootfs/cover.h"
#include "rootfs/devices.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A path that does not exist needs no mask. */
static int open_path(const struct rootfs_plan *plan, const char *path, struct error *err)
{
    int fd = file_open_in_root(plan->root, path, O_PATH, 0);

    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return fail_errno(err, "open");
    if (fd < 0)
        err->code = ENOENT;
    return fd;
}

static int mask_one(struct rootfs_plan *plan, const char *path, struct cover *null, struct cover *empty,
                    struct error *err)
{
    auto_placing struct placing placing = { open_path(plan, path, err), -1 };
    struct stat status;

    if (placing.destination < 0)
        return err->code == ENOENT ? 0 : -1;
    if (fstat(placing.destination, &status) < 0)
        return fail_errno(err, "stat");
    if (!S_ISDIR(status.st_mode))
        return cover_mount(plan, null, &cover_null_attributes, &placing, err);
    if (cover_make_empty(plan, empty, "0555", err) < 0)
        return -1;
    return cover_mount(plan, empty, NULL, &placing, err);
}

static int mask_all(struct rootfs_plan *plan, struct cover *null, struct error *err)
{
    auto_cover struct cover empty = { -1, -1 };

    for (size_t i = 0; i < plan->masked_count; i++)
        if (mask_one(plan, plan->masked[i], null, &empty, err) < 0)
            return fail_in(err, "linux.maskedPaths[%zu] (%s)", i, plan->masked[i]);
    return 0;
}

/* A clone keeps nosuid, nodev and noexec of what it covers (item 125). */
static int protect_one(struct rootfs_plan *plan, const char *path, struct error *err)
{
    auto_placing struct placing placing = { open_path(plan, path, err), -1 };

    if (placing.destination < 0)
        return err->code == ENOENT ? 0 : -1;
    placing.tree = mount_clone(plan, placing.destination, "", true);
    if (placing.tree < 0)
        return fail_errno(err, "open_tree");
    return mount_place_with(plan, &cover_read_only, placing.tree, placing.destination, err);
}

static int protect_all(struct rootfs_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->read_only_count; i++)
        if (protect_one(plan, plan->read_only_paths[i], err) < 0)
            return fail_in(err, "linux.readonlyPaths[%zu] (%s)", i, plan->read_only_paths[i]);
    return 0;
}

/* tmpfs mounts with "ro": they had to be writable for the mounts and devices inside them. */
static int finish_mounts(struct rootfs_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        struct mount_op *op = &plan->mounts[i];
        auto_close int mount = take_fd(&op->mount);

        if (mount >= 0 && mount_set_attributes(plan, mount, &cover_read_only, false) < 0) {
            fail_errno(err, "make read-only");
            return mount_fail_in(op, err);
        }
    }
    return 0;
}

static int set_root_propagation(struct rootfs_plan *plan, struct error *err)
{
    static const unsigned long flags[] = {
        [OCI_PROPAGATION_SHARED] = MS_SHARED,
        [OCI_PROPAGATION_RSHARED] = MS_SHARED | MS_REC,
        [OCI_PROPAGATION_SLAVE] = MS_SLAVE,
        [OCI_PROPAGATION_RSLAVE] = MS_SLAVE | MS_REC,
        [OCI_PROPAGATION_UNBINDABLE] = MS_UNBINDABLE,
        [OCI_PROPAGATION_RUNBINDABLE] = MS_UNBINDABLE | MS_REC,
        [OCI_PROPAGATION_PRIVATE] = 0, /* as it is */
        [OCI_PROPAGATION_RPRIVATE] = 0,
    };

    if (flags[plan->propagation] && mount_set_propagation(plan, plan->root, flags[plan->propagation]) < 0)
        return fail_errno(err, "linux.rootfsPropagation");
    return 0;
}

static int cover_all(struct rootfs_plan *plan, struct error *err)
{
    auto_cover struct cover null = { take_fd(&plan->null_mount), -1 };

    if (guards_apply(plan, &null, err) < 0 || protect_all(plan, err) < 0)
        return -1;
    return mask_all(plan, &null, err);
}

int rootfs_finish(struct rootfs_plan *plan, struct error *err)
{
    if (!plan->mount_namespace)
        return 0;
    /* Covers are clones of what is there: of read-only mounts, too. */
    if (finish_mounts(plan, err) < 0 || cover_all(plan, err) < 0)
        return -1;
    if (plan->read_only && mount_set_attributes(plan, plan->root, &cover_read_only, false) < 0)
        return fail_errno(err, "root.readonly");
    return set_root_propagation(plan, err) < 0 ? -1 : stage_end(plan, err);
}
