/*
 * Signals to a whole cgroup: see cgroup.h. A payload may fork faster than a list of it can be read, so either
 * the kernel kills the tree in one go (cgroup.kill, Linux 5.14), or the tree is frozen while its members are
 * signalled.
 */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/freezer.h"
#include "cgroup/location.h"
#include "cgroup/members.h"
#include "cgroup/tree.h"
#include "cgroup/wait.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* After a failure to open it: 0 when it is gone, or was never made. */
static int accept_gone(struct error *err)
{
    return errno == ENOENT ? 0 : fail_errno(err, "open the cgroup");
}

int cgroup_pids(const struct cgroup_location *location, pid_t **pids, size_t *count, struct error *err)
{
    auto_close int fd = cgroup_location_open_with(location, "cgroup.procs");

    *pids = NULL;
    *count = 0;
    if (fd < 0)
        return accept_gone(err);
    return cgroup_tree_pids(fd, pids, count) < 0 ? fail_errno(err, "list the processes of the cgroup") : 0;
}

static int signal_all(const struct cgroup_location *location, int signal, struct error *err)
{
    auto_close int fd = cgroup_location_open_with(location, "cgroup.procs");

    return fd < 0 ? accept_gone(err) : cgroup_members_signal(fd, signal, err);
}

/*
 * While it is frozen no member can fork, so that none is missed. A cgroup that was paused stays so, but for
 * SIGKILL on v1, where the frozen do not die. A freezer that fails or is missing only costs that certainty.
 */
static int signal_frozen(const struct cgroup_location *location, int signal, struct error *err)
{
    struct error ignored = { 0 };
    bool was_frozen = cgroup_is_frozen(location);
    int result;

    if (!was_frozen)
        cgroup_freezer_set(location, true, PATIENCE_SHORT, &ignored);
    result = signal_all(location, signal, err);
    if (!was_frozen || signal == SIGKILL)
        cgroup_freezer_set(location, false, PATIENCE_SHORT, &ignored);
    return result;
}

static int kill_by_kernel(const struct cgroup_location *location)
{
    auto_close int fd = cgroup_location_open_with(location, "cgroup.kill");

    return fd < 0 ? -1 : file_write_string_at(fd, "cgroup.kill", "1");
}

static int kill_until_empty(const struct cgroup_location *location, struct error *err)
{
    struct patience patience = { .limit = PATIENCE_LONG };

    for (;;) {
        auto_free pid_t *pids = NULL;
        size_t count = 0;

        if (cgroup_pids(location, &pids, &count, err) < 0)
            return -1;
        if (count == 0 || (count == 1 && pids[0] == getpid()))
            return 0;
        if (signal_frozen(location, SIGKILL, err) < 0)
            return -1;
        if (!patience_wait(&patience))
            return fail(err, EBUSY, "%zu processes of the cgroup did not die within ten seconds", count);
    }
}

int cgroup_kill(const struct cgroup_location *location, int signal, struct error *err)
{
    if (signal != SIGKILL)
        return signal_frozen(location, signal, err);
    if (kill_by_kernel(location) == 0)
        return 0;
    return kill_until_empty(location, err);
}
