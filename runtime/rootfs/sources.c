/*
 * Opens in the runtime what init cannot: the root file system and bind sources below directories that the
 * container's user namespace must not enter, and everything that is to be id-mapped. What is opened is
 * detached from every namespace; init only moves it into place (items 100-105, 122). Runs in the runtime,
 * before clone.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "rootfs/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

/* What the runtime clones may have peers on the host. The options of the mount are applied after that. */
static int isolate(struct rootfs_plan *plan, const struct mount_op *op, int tree, struct error *err)
{
    bool sees_host =
        plan->host == HOST_SEEN || (plan->host == HOST_SEEN_BY_SOME && op->options.propagation_count > 0);

    if (plan->host == HOST_SHARED)
        return 0;
    if (mount_set_propagation(plan, tree, (sees_host ? MS_SLAVE : MS_PRIVATE) | MS_REC) < 0)
        return fail_errno(err, "cut the source off from the host");
    return 0;
}

/* Without privileges here, or without the mount API, init tries by itself; for that it must be able to. */
static bool is_for_init(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    bool only_here = op->options.special & OPTION_IDMAP || plan->live;

    if (err->code == ENOSYS && only_here)
        fail_hint(err, MOUNT_NEEDS_SETATTR);
    return !only_here && (err->code == EPERM || err->code == ENOSYS);
}

static int open_one(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    bool mapped = op->options.special & OPTION_IDMAP;
    auto_close int tree = -1;

    if (!mapped && !plan->own_user && !plan->live)
        return 0;
    if (mapped) {
        op->idmap = idmap_open(plan, op, err);
        if (op->idmap < 0)
            return -1;
    }
    if (op->kind != MOUNT_BIND || op->options.special & OPTION_COPY_SYMLINK)
        return 0;
    tree = mount_open_tree(plan, op, err);
    if (tree < 0)
        return is_for_init(plan, op, err) ? 0 : -1;
    if (isolate(plan, op, tree, err) < 0 ||
        mount_set_up(plan, op, tree, plan->host == HOST_CUT_OFF ? SET_UP_PRIVATE : 0, err) < 0)
        return is_for_init(plan, op, err) ? 0 : -1;
    op->tree = take_fd(&tree);
    return 0;
}

/* What cannot be done here for want of privileges is left to init and its own view; except for ids. */
static bool init_can_mount_overlay(const struct rootfs_plan *plan, const struct error *err)
{
    return err->code == EPERM || (err->code == ENOSYS && !plan->overlay->idmap);
}

static int open_root(struct rootfs_plan *plan, struct error *err)
{
    if (!plan->overlay) {
        plan->root_tree = mount_clone(plan, AT_FDCWD, plan->rootfs, true);
        return 0;
    }
    plan->root_tree = overlay_mount(plan, false, err);
    return plan->root_tree < 0 && !init_can_mount_overlay(plan, err) ? fail_in(err, "root file system") : 0;
}

int rootfs_open_sources(struct rootfs_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (open_one(plan, &plan->mounts[i], err) < 0)
            return mount_fail_in(&plan->mounts[i], err);
    return plan->own_user && plan->mount_namespace && !plan->live ? open_root(plan, err) : 0;
}
