/*
 * Operations on a container that exists. Runs in the runtime, in a later process than the one that made the
 * container: all it knows is the record and what the kernel says. container_delete() has a file of its own,
 * delete.c.
 */
#include "launch/lifecycle.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/process_info.h"
#include "base/sys.h"
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <stdlib.h>

bool container_is_frozen(const struct container *container)
{
    return container_has_cgroup(container) && cgroup_is_frozen(container->status->cgroup);
}

enum container_state container_state(const struct container *container)
{
    const struct container_status *status = container->status;

    if (status->pid <= 0)
        return container_is_locked(container) ? CONTAINER_CREATING : CONTAINER_STOPPED;
    if (!process_is_alive(status->pid, status->pid_start_time))
        return CONTAINER_STOPPED;
    if (faccessat(container->fd, "start.sock", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return CONTAINER_CREATED;
    return container_is_frozen(container) ? CONTAINER_PAUSED : CONTAINER_RUNNING;
}

/* ---- kill --------------------------------------------------------------------------------------------- */

static int fail_not_running(struct error *err)
{
    /* containerd and CRI-O take either half of this as "gone", CRI-O in lower case only (contract S2, C2,
     * E2). */
    return fail(err, ESRCH, "container not running: no such process");
}

/* A process that is frozen in a v1 cgroup dies of SIGKILL only when it is thawed. */
static void thaw_to_die(const struct container *container)
{
    if (container_is_frozen(container))
        cgroup_freeze(container->status->cgroup, false, &(struct error){ 0 });
}

static int kill_init(const struct container *container, int signal, struct error *err)
{
    const struct container_status *status = container->status;
    auto_close int pidfd = -1;

    if (status->pid <= 0)
        return fail_not_running(err);
    pidfd = process_open(status->pid, status->pid_start_time);
    if (pidfd < 0)
        return errno == ESRCH ? fail_not_running(err) : fail_errno(err, "pidfd_open %d", (int)status->pid);
    if (sys_pidfd_send_signal(pidfd, signal) < 0)
        return errno == ESRCH ? fail_not_running(err) : fail_errno(err, "send signal %d", signal);
    if (signal == SIGKILL)
        thaw_to_die(container);
    return 0;
}

/* That nobody is left is success (contract X3): containerd sends this after the end of init (S5). */
static int kill_all(const struct container *container, int signal, struct error *err)
{
    int killed = container_has_cgroup(container) ? cgroup_kill(container->status->cgroup, signal, err)
                                                 : kill_init(container, signal, err);

    return killed < 0 && err->code != ESRCH && err->code != ENOENT ? -1 : 0;
}

int container_kill(struct container *container, int signal, bool all, struct error *err)
{
    if (all)
        return kill_all(container, signal, err);
    if (kill_init(container, signal, err) < 0)
        return -1;
    /*
     * Without a pid namespace of its own nothing else ends with init, and whoever sends SIGKILL means the
     * container: runc does the same (contract part 3, row 15).
     */
    if (signal == SIGKILL && !container->status->own_pid_namespace)
        return kill_all(container, signal, err);
    return 0;
}

/* ---- pause, resume, ps ------------------------------------------------------------------------------ */

static int need_freezer(const struct container *container, struct error *err)
{
    if (!container_has_cgroup(container))
        return fail(err, ENOTSUP, "the container has no cgroup: disabled, or its user may not make one");
    return 0;
}

int container_pause(struct container *container, struct error *err)
{
    enum container_state state = container_state(container);

    if (state != CONTAINER_RUNNING && state != CONTAINER_CREATED)
        return fail(err, EINVAL, "container not running: %s", container_state_name(state));
    if (need_freezer(container, err) < 0)
        return -1;
    return cgroup_freeze(container->status->cgroup, true, err);
}

int container_resume(struct container *container, struct error *err)
{
    enum container_state state = container_state(container);

    /* A container can have been paused before its start: then its state is still "created". */
    if (state != CONTAINER_PAUSED && !(state == CONTAINER_CREATED && container_is_frozen(container)))
        return fail(err, EINVAL, "container not paused: %s", container_state_name(state));
    return cgroup_freeze(container->status->cgroup, false, err);
}

int container_processes(struct container *container, pid_t **pids, size_t *count, struct error *err)
{
    const struct container_status *status = container->status;

    *pids = NULL;
    *count = 0;
    if (container_has_cgroup(container))
        return cgroup_pids(status->cgroup, pids, count, err);
    if (process_is_alive(status->pid, status->pid_start_time))
        *array_grow(*pids, *count) = status->pid;
    return 0;
}
