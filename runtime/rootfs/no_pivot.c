/*
 * Before a root is moved instead of pivoted: the host's proc and sysfs are taken out of the mount namespace.
 * After chroot they would still be in it, and the kernel would allow new, unmasked instances because of them
 * (item 113). Runs in init.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* The mount point of a line, when it is a whole proc or sysfs. */
static char *full_instance(char *line)
{
    static const char *const types[] = { " - proc ", " - sysfs " };
    char *root = line, *place;

    if (!strstr(line, types[0]) && !strstr(line, types[1]))
        return NULL;
    for (int field = 0; field < 3 && root; field++) {
        root = strchr(root, ' ');
        root = root ? root + 1 : NULL;
    }
    if (!root || strncmp(root, "/ ", 2) != 0)
        return NULL;
    place = root + 2;
    place[strcspn(place, " ")] = '\0';
    file_unescape_mountinfo(place);
    return place;
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);

    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int hide(const char *place, struct error *err)
{
    if (umount2(place, MNT_DETACH) == 0)
        return 0;
    /* In a user namespace the host's mounts are locked: cover it. */
    if ((errno != EINVAL && errno != EPERM) || mount("tmpfs", place, "tmpfs", MS_RDONLY, "mode=0555") < 0)
        return fail_errno(err, "hide the host's %s", place);
    return 0;
}

int no_pivot_hide_host(const struct rootfs_plan *plan, struct error *err)
{
    auto_free char *text = NULL;
    char link[64], root[PATH_MAX], *state = NULL;
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", plan->root);
    length = readlink(link, root, sizeof root - 1);
    if (length < 0)
        return fail_errno(err, "find the root file system");
    root[length] = '\0';
    if (file_read_proc("/proc/self/mountinfo", 64u << 20, &text, err) < 0)
        return -1;
    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        const char *place = full_instance(line);

        if (place && !is_below(place, root) && hide(place, err) < 0)
            return -1;
    }
    return 0;
}
