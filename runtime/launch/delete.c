/*
 * `delete`: undoes create. Every step can be repeated and takes "already gone" for success, because it may
 * find what a killed create, a killed delete or a broken disk has left: the record goes last, so that there
 * is always a next time.
 */
#include "launch/lifecycle.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/process_info.h"
#include "base/sys.h"
#include "cgroup/cgroup.h"
#include "launch/context.h"
#include "launch/guards.h"
#include "launch/salvage.h"
#include "oci-specs/config.h"
#include "oci-specs/schema.h"
#include "resctrl/resctrl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 1000
#define LOCK_WAIT_FORCE_MS 10000
#define DEATH_WAIT_MS 10000

static int check_state(const struct container *container, bool force, struct error *err)
{
    enum container_state state;

    if (force)
        return 0;
    if (container_check(container, err) < 0)
        return -1;
    state = container_state(container);
    /* The lock is ours, so "creating" cannot be. Both wordings of contract E7. */
    if (state == CONTAINER_RUNNING || state == CONTAINER_PAUSED)
        return fail(err, EBUSY,
                    "cannot delete container %s that is not stopped: %s "
                    "(the container `%s` is not in `created` or `stopped` state)",
                    container->id, container_state_name(state), container->id);
    return 0;
}

/* ---- processes -------------------------------------------------------------------------------------- */

static int wait_for_death(int pidfd, pid_t pid, struct error *err)
{
    int ready = process_wait(pidfd, DEATH_WAIT_MS);

    if (ready < 0)
        return fail_errno(err, "wait for process %d", (int)pid);
    if (ready == 0)
        return fail(err, ETIMEDOUT, "process %d is still there %d seconds after SIGKILL", (int)pid,
                    DEATH_WAIT_MS / 1000);
    return 0;
}

/* The record's, or what was noted where no cgroup will lead to it. */
static bool find_init(const struct container *container, pid_t *pid, uint64_t *start_time)
{
    *pid = container->status->pid;
    *start_time = container->status->pid_start_time;
    return *pid > 0 || container_noted_init(container, pid, start_time);
}

static int kill_init(const struct container *container, struct error *err)
{
    auto_close int pidfd = -1;
    uint64_t start_time;
    pid_t pid;

    if (!find_init(container, &pid, &start_time))
        return 0;
    pidfd = process_open(pid, start_time);
    if (pidfd < 0)
        return errno == ESRCH ? 0 : fail_errno(err, "pidfd_open %d", (int)pid);
    if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
        return fail_errno(err, "kill process %d", (int)pid);
    if (container_is_frozen(container) && cgroup_freeze(container->status->cgroup, false, err) < 0)
        return -1;
    return wait_for_death(pidfd, pid, err);
}

/* ---- the cgroup ------------------------------------------------------------------------------------- */

static int destroy_cgroup(const struct container *container, struct error *err)
{
    if (container->corrupt)
        return salvage_cgroup(container, err);
    return container_has_cgroup(container) ? cgroup_destroy(container->status->cgroup, err) : 0;
}

static int remove_intel_rdt_groups(const struct container *container, struct error *err)
{
    return resctrl_remove(container->status->intel_rdt_group, container->status->intel_rdt_monitor, err);
}

/* ---- poststop hooks
 * ----------------------------------------------------------------------------------------- */

/* Their failures are warnings, and so is a configuration that cannot be read any more (item 37). */
static void run_poststop_hooks(const struct container *container)
{
    struct oci_config *config;
    struct error err = { 0 };

    if (!container->corrupt &&
        !container->status->poststop_hooks) /* most have none: the file need not be parsed */
        return;
    config = oci_config_read_at(container->fd, "config.json", &err);
    if (!config)
        log_warning("poststop hooks of container %s: %s", container->id, err.text);
    hooks_at_poststop(config, container);
    oci_config_free(config);
}

/* ---- in order
 * ----------------------------------------------------------------------------------------------- */

static int undo(struct container *container, bool force, struct error *err)
{
    if (check_state(container, force, err) < 0 || kill_init(container, err) < 0 ||
        destroy_cgroup(container, err) < 0 || remove_intel_rdt_groups(container, err) < 0)
        return -1;
    guards_release(container);
    run_poststop_hooks(container); /* which may unmount the root file system */
    return container_remove(container, err);
}

int container_delete(struct container *container, bool force, struct error *err)
{
    if (container_lock(container, force ? LOCK_WAIT_FORCE_MS : LOCK_WAIT_MS, err) < 0)
        return -1;
    if (undo(container, force, err) == 0)
        return 0;
    if (err->code == ENOENT) /* that is the code for a container that does not exist: `delete --force` takes
                                it for success */
        err->code = EIO;
    return -1;
}
