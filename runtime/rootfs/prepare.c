/*
 * The first step inside the new mount namespace: nothing that follows may reach the host (propagation), and
 * the root file system becomes a mount of its own that pivot_root can use. Runs in init.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "rootfs/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/*
 * With "shared" the mounts of the host stay its peers, so that a volume with the option rshared carries
 * mounts both ways (Kubernetes: Bidirectional); only what is below the root file system is cut off.
 */
static int cut_propagation(const struct rootfs_plan *plan, struct error *err)
{
    unsigned long flags = plan->host == HOST_CUT_OFF ? MS_PRIVATE : MS_SLAVE;

    if (plan->host == HOST_SHARED)
        return 0;
    if (mount(NULL, "/", NULL, flags | MS_REC, NULL) < 0)
        return fail_errno(err, "make / %s", flags == MS_PRIVATE ? "private" : "slave");
    return 0;
}

/* pivot_root refuses a root on a shared mount, and what is mounted on a shared one appears on the host. */
static int make_parent_private(struct rootfs_plan *plan, int directory, struct error *err)
{
    auto_close int current = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (;;) {
        struct statx status = { 0 };
        int up;

        if (current < 0 || statx(current, "", AT_EMPTY_PATH, STATX_INO, &status) < 0)
            return fail_errno(err, "look for the mount of the root file system");
        if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
            break;
        up = openat(current, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(current);
        current = up;
    }
    if (mount_set_propagation(plan, current, MS_PRIVATE) < 0)
        return fail_errno(err, "make the mount of the root file system private");
    return 0;
}

/* Where the root is to be mounted: on itself, because hooks that run in this namespace look for it there. */
static int open_place(struct rootfs_plan *plan, struct error *err)
{
    int place = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

    plan->covers_root = strcmp(plan->rootfs, "/") == 0;
    if (place >= 0)
        return place;
    fail_errno(err, "root file system %s", plan->rootfs);
    if (err->code != EACCES)
        return -1;
    if (plan->root_tree < 0)
        return plan->own_user
                   ? fail_hint(err, "the user namespace cannot reach it, and only the mount API of Linux "
                                    "5.2 could do without")
                   : -1;
    /* Unreachable for the user namespace's root, but the runtime has opened the tree: then anywhere will do.
     */
    plan->covers_root = true;
    place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return place < 0 ? fail_errno(err, "open /") : place;
}

static int make_root(struct rootfs_plan *plan, int place, struct error *err)
{
    int tree;

    if (plan->overlay)
        return overlay_mount(plan, true, err);
    tree = mount_clone(plan, place, "", true);
    if (tree >= 0)
        return tree;
    fail_errno(err, "open_tree");
    return err->code == ENOSYS ? fail_hint(err, MOUNT_NEEDS_API) : -1; /* without it the root cannot be / */
}

static int attach_root(struct rootfs_plan *plan, struct error *err)
{
    auto_close int place = open_place(plan, err);
    auto_close int tree = take_fd(&plan->root_tree);
    bool is_private = plan->host == HOST_CUT_OFF && tree < 0; /* not what the runtime has opened */

    if (place < 0)
        return -1;
    if (plan->host == HOST_SHARED && make_parent_private(plan, place, err) < 0)
        return -1;
    if (tree < 0)
        tree = make_root(plan, place, err);
    if (tree < 0 || mount_attach(plan, tree, place, err) < 0)
        return fail_in(err, "root file system %s", plan->rootfs);
    /* Mounts inside the root file system must not be the host's peers, or ours would appear there. */
    if (!is_private && mount_set_propagation(plan, tree, MS_PRIVATE | MS_REC) < 0)
        return fail_errno(err, "make the root file system private");
    plan->root = take_fd(&tree);
    return 0;
}

int rootfs_prepare(struct rootfs_plan *plan, struct error *err)
{
    plan->in_init = true;
    if (!plan->mount_namespace) {
        plan->root = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return plan->root < 0 ? fail_errno(err, "root file system %s", plan->rootfs) : 0;
    }
    if (cut_propagation(plan, err) < 0)
        return -1;
    return attach_root(plan, err);
}

int rootfs_root_fd(const struct rootfs_plan *plan)
{
    return plan->root;
}
