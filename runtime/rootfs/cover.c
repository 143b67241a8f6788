/*
 * What is mounted over a path so that nothing of it can be seen or changed: see cover.h. Runs in init.
 */
#include "rootfs/cover.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "rootfs/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

const struct option_attributes cover_read_only = { .set = MOUNT_ATTR_RDONLY };

/* To root in the container, who owns it, chmod of a masked path would be one of the host's /dev/null. */
const struct option_attributes cover_null_attributes = {
    .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
};

void placing_close(struct placing *placing)
{
    file_close_all((const int[]){ placing->destination, placing->tree }, 2);
}

void cover_free(struct cover *cover)
{
    if (cover->detached >= 0)
        close(cover->detached);
    if (cover->mounted >= 0)
        close(cover->mounted);
}

int cover_mount(struct rootfs_plan *plan, struct cover *cover, const struct option_attributes *attributes,
                struct placing *placing, struct error *err)
{
    placing->tree = take_fd(&cover->detached);
    if (placing->tree < 0)
        placing->tree = mount_clone(plan, cover->mounted, "", false);
    if (placing->tree < 0)
        return fail_errno(err, "open_tree");
    if (mount_attach(plan, placing->tree, placing->destination, err) < 0)
        return -1;
    if (cover->mounted >= 0)
        return 0;
    if (attributes && mount_set_attributes(plan, placing->tree, attributes, false) < 0)
        return fail_errno(err, "set mount attributes");
    cover->mounted = take_fd(&placing->tree);
    return 0;
}

int cover_make_empty(struct rootfs_plan *plan, struct cover *cover, const char *mode, struct error *err)
{
    const struct option_data data[] = { { (char *)"mode", (char *)mode },
                                        { (char *)plan->label_type, (char *)plan->label } };
    bool labelled = plan->label && rootfs_has_selinux(plan);

    if (cover->mounted >= 0)
        return 0;
    cover->detached = mount_make_detached(
        plan, "tmpfs", "tmpfs", data, labelled ? 2 : 1,
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
    return cover->detached < 0 ? -1 : 0;
}

/* The host's /dev/null, while it can still be seen; what was opened is what is checked. */
int masks_open_sources(struct rootfs_plan *plan, struct error *err)
{
    auto_close int tree = -1;

    if (plan->masked_count == 0 && !plan->guards)
        return 0;
    if (plan->label)
        rootfs_has_selinux(plan); /* asks the host */
    tree = mount_clone_host(plan, "/dev/null", false);
    if (tree < 0 || device_fd_check(tree, S_IFCHR, makedev(1, 3)) < 0)
        return fail_errno(err, "the host's /dev/null, for masks");
    plan->null_mount = take_fd(&tree);
    return 0;
}
