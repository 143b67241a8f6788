/* The option "remount": changes a mount that is already there. Runs in init before pivot_root. */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "rootfs/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

static const struct {
    unsigned long flag;
    const char *set, *clear;
} super_flags[] = {
    { MS_SYNCHRONOUS, "sync", "async" },
    { MS_DIRSYNC, "dirsync", NULL },
    { MS_MANDLOCK, "mand", "nomand" },
    { MS_LAZYTIME, "lazytime", "nolazytime" },
};

static int set_one(int context, const char *key, const char *value, struct error *err)
{
    if (sys_fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0)
        return fail_errno(err, "option '%s'", key);
    return 0;
}

static int set_super_flags(int context, const struct mount_options *options, struct error *err)
{
    for (size_t i = 0; i < array_length(super_flags); i++) {
        const char *key = options->super_set & super_flags[i].flag     ? super_flags[i].set
                          : options->super_clear & super_flags[i].flag ? super_flags[i].clear
                                                                       : NULL;

        if (key && set_one(context, key, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* Without "bind", a remount is for the file system itself. */
static int reconfigure(struct rootfs_plan *plan, const struct mount_options *options, int destination,
                       struct error *err)
{
    auto_close int context =
        (int)syscall(SYS_fspick, destination, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH | FSPICK_NO_AUTOMOUNT);

    if (context < 0 && errno == ENOSYS && stage_is_used(plan))
        return legacy_reconfigure(plan, options, destination) < 0
                   ? fail_errno(err, "reconfigure the file system")
                   : 0;
    if (context < 0)
        return fail_errno(err, "fspick");
    if (set_super_flags(context, options, err) < 0)
        return -1;
    if (options->attributes.set & MOUNT_ATTR_RDONLY && set_one(context, "ro", NULL, err) < 0)
        return -1;
    if (options->attributes.clear & MOUNT_ATTR_RDONLY && set_one(context, "rw", NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < options->data_count; i++)
        if (set_one(context, options->data[i].key, options->data[i].value, err) < 0)
            return -1;
    if (sys_fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
        return fail_errno(err, "reconfigure the file system");
    return 0;
}

int mount_remount(struct rootfs_plan *plan, struct mount_op *op, struct error *err)
{
    auto_close int destination = destination_open(plan, op, DESTINATION_EXISTING, NULL, err);

    if (destination < 0)
        return -1;
    if (!(op->options.special & OPTION_BIND) && reconfigure(plan, &op->options, destination, err) < 0)
        return -1;
    return mount_set_up(plan, op, destination, 0, err);
}
