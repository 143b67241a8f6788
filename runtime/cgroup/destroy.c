/*
 * Removing a container's cgroup: see cgroup.h. It works from the record alone, for one that was half made
 * too. Only its own directories and those below are touched, never the ones above, which may serve others.
 */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "cgroup/location.h"
#include "cgroup/members.h"
#include "cgroup/systemd.h"
#include "cgroup/tree.h"
#include "cgroup/wait.h"

#include <signal.h>
#include <unistd.h>

/* True when it is gone. False with errno EBUSY: there are processes or cgroups in it. */
static bool remove_leaf(const char *path)
{
    return rmdir(path) == 0 || errno == ENOENT;
}

/* Processes that are only here: in another cgroup of the freezer than the rest, by their own doing or half
 * joined. */
static void kill_strays(int fd)
{
    cgroup_members_signal(fd, SIGKILL, &(struct error){ 0 }); /* what stays makes it busy */
}

static int remove_tree(const char *path, struct error *err)
{
    auto_close int fd = cgroup_location_open(path);
    struct patience patience = { .limit = PATIENCE_LONG };

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return fail_errno(err, "open %s", path);
    do {
        if (remove_leaf(path) || (cgroup_tree_remove_children(fd) == 0 && remove_leaf(path)))
            return 0;
        if (errno != EBUSY)
            return fail_errno(err, "remove %s", path);
        kill_strays(fd);
    } while (patience_wait(&patience));
    return fail(err, EBUSY, "remove %s: still busy after ten seconds", path);
}

static int destroy_directories(const struct cgroup_location *location, struct error *err)
{
    bool killed = false;

    for (size_t i = 0; location && i < location->created.count; i++) {
        const char *path = location->created.items[i];

        if (remove_leaf(path))
            continue;
        if (errno != EBUSY)
            return fail_errno(err, "remove %s", path);
        if (!killed && cgroup_kill(location, SIGKILL, err) < 0)
            return -1;
        killed = true;
        if (remove_tree(path, err) < 0)
            return -1;
    }
    return 0;
}

bool cgroup_exists(const struct cgroup_location *location)
{
    for (size_t i = 0; location && i < location->created.count; i++)
        if (access(location->created.items[i], F_OK) == 0)
            return true;
    return false;
}

/* systemd would first ask the processes to end, and wait: kill them before it is told. */
int cgroup_destroy(const struct cgroup_location *location, struct error *err)
{
    if (destroy_directories(location, err) < 0)
        return -1;
    return location && location->scope ? cgroup_systemd_stop(location, err) : 0;
}
