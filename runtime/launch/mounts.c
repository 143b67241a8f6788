/*
 * `mounts add` and `mounts remove` (item 285): a process that joins the container like exec's, and mounts
 * instead of executing something. The runtime's side, and from mounts_main() on the process itself, which
 * holds nothing of the host from before it joins but the detached sources.
 */
#include "launch/guards.h"
#include "launch/launch.h"
#include "launch/lifecycle.h"
#include "launch/payload.h"
#include "launch/protocol.h"
#include "launch/runtime.h"
#include "launch/steps.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/process_info.h"
#include "oci-specs/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- in the container ------------------------------------------------------------------------------- */

/* As exec's child, in the stage where there is one (CVE-2016-9962). */
static int leave_host(struct launch *launch, struct error *err)
{
    if (payload_leave_runtime(launch, err) < 0)
        return -1;
    environment_scrub();
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? fail_errno(err, "PR_SET_DUMPABLE") : 0;
}

/* The procfs is the host's: it goes before anything else happens in there. */
static int enter_namespaces(struct launch *launch, struct error *err)
{
    int result = exec_child_join(launch, err);

    cleanup_close(&launch->procfs);
    launch->procfs = -1;
    return result;
}

static int join(struct launch *launch, struct error *err)
{
    if (launch->staged)
        return 0;
    return leave_host(launch, err) < 0 ? -1 : enter_namespaces(launch, err);
}

static int enter_root(struct launch *launch, struct error *err)
{
    return rootfs_enter_live(launch->rootfs, err);
}

static int change_mounts(struct launch *launch, struct error *err)
{
    return launch->removes_mounts ? rootfs_remove_mounts(launch->rootfs, err)
                                  : rootfs_mount_all(launch->rootfs, err);
}

static const struct step steps[] = {
    { "namespaces", join, NULL },
    { "root", enter_root, NULL },
    { "mounts", change_mounts, NULL },
    { "ready", payload_ready, NULL },
};

static void mounts_main(struct launch *launch) __attribute__((noreturn));
static void mounts_main(struct launch *launch)
{
    struct error err;

    if (steps_run(steps, array_length(steps), launch, &err) == 0)
        _exit(0);
    message_send_error(launch->socket, &err);
    _exit(1);
}

/* ---- in the runtime --------------------------------------------------------------------------------- */

static int check_state(const struct launch *launch, struct error *err)
{
    const struct oci_namespace *mounts = oci_config_namespace(launch->bundle.config, OCI_NAMESPACE_MOUNT);
    enum container_state state = container_state(&launch->container);

    if (state != CONTAINER_RUNNING && state != CONTAINER_CREATED)
        return fail(err, EINVAL, "container not running: %s", container_state_name(state));
    if (!mounts || mounts->path)
        return fail(err, EINVAL, "the container has no mount namespace of its own");
    return 0;
}

/* The plan sees the container's namespaces and the given mounts. */
static int plan_mounts(struct launch *launch, const struct oci_mount *mounts, size_t count, struct error *err)
{
    const struct container_status *status = launch->container.status;
    struct oci_config config = *launch->bundle.config;
    struct rootfs_context context = { .bundle = status->bundle,
                                      .rootfs = status->rootfs,
                                      .rootless = launch->rootless };

    config.mounts = (struct oci_mount *)(uintptr_t)mounts;
    config.mounts_count = count;
    launch->rootfs = rootfs_plan_make(&config, &context, err);
    if (!launch->rootfs)
        return -1;
    return launch->removes_mounts ? 0 : rootfs_open_live_sources(launch->rootfs, err);
}

static int change(struct launch *launch, struct error *err)
{
    const struct container_status *status = launch->container.status;
    auto_close int init = process_open(status->pid, status->pid_start_time);
    int result;

    if (init < 0)
        return fail_errno(err, "open init");
    launch->procfs = procfs_open(err);
    if (launch->procfs < 0 || exec_open_namespaces(launch, init, err) < 0)
        return -1;
    launch->cgroup_location = status->cgroup;
    launch->cgroup_fd = cgroup_open_for_clone(status->cgroup);
    if (launch_clone_init(launch, err) < 0)
        return -1;
    result = launch_place_init(launch, err) < 0 ? -1 : launch_serve_init(launch, err);
    launch_kill_init(launch);
    return result;
}

int launch_change_mounts(struct container *container, struct oci_config *config,
                         const struct oci_mount *mounts, size_t count, bool remove, struct error *err)
{
    const struct launch_options options = { .id = container->id };
    struct launch launch;
    int result = -1;

    launch_init(&launch, NULL, &options, false);
    launch.container = *container;
    launch.bundle.config = config;
    launch.child_main = mounts_main;
    launch.stage_leave = leave_host;
    launch.stage_join = enter_namespaces;
    launch.removes_mounts = remove;
    if (check_state(&launch, err) == 0 && guards_check_mounts(container, mounts, count, remove, err) == 0 &&
        plan_mounts(&launch, mounts, count, err) == 0)
        result = change(&launch, err);
    launch_close(&launch);
    return result;
}
