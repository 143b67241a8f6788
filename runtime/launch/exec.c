/*
 * `exec`: one more process in a running container. The runtime's side; exec_child.c is the other. The same
 * conversation as create and run have with init (protocol.h), without hooks.
 */
#include "launch/keeper.h"
#include "launch/lifecycle.h"
#include "launch/protocol.h"
#include "launch/runtime.h"
#include "launch/steps.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process_info.h"
#include "base/sys.h"
#include "oci-specs/config.h"
#include "supervise/supervise.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct exec {
    struct launch launch;
    struct launch_options launch_options;
    const struct exec_options *options;
    struct cgroup_location *below; /* --cgroup */
    struct cgroup_branch branch;   /* --timeout, --die-with-client */
    struct keeper keeper;          /* --die-with-client */
    int init_pidfd;
};

static int check_state(const struct exec *exec, struct error *err)
{
    switch (container_state(&exec->launch.container)) {
    case CONTAINER_STOPPED:
        return fail(err, ESRCH, "cannot exec in a stopped container");
    case CONTAINER_CREATING:
        return fail(err, EINVAL, "cannot exec in a container that is still being created");
    case CONTAINER_PAUSED:
        if (!exec->options->ignore_paused)
            return fail(err, EINVAL, "cannot exec in a paused container (use --ignore-paused to override)");
        return 0;
    default:
        return 0;
    }
}

static int check_terminal(const struct exec *exec, struct error *err)
{
    bool terminal = exec->options->process->terminal;

    if (terminal && exec->options->detach && !exec->options->console_socket)
        return fail(err, EINVAL, "cannot allocate tty if aril will detach without setting console socket");
    if (exec->options->console_socket && !terminal)
        return fail(err, EINVAL, "cannot use console socket if aril will not detach or allocate tty");
    return 0;
}

static int check_client(const struct exec *exec, struct error *err)
{
    if (exec->options->die_with_client && exec->options->detach)
        return fail(err, EINVAL,
                    "--die-with-client: needs the foreground (with --detach there is no client)");
    return 0;
}

/* Not allowed where init is out of our reach (rootless, not dumpable): then it must not be needed. */
static void open_root(struct launch *launch)
{
    const struct container_status *status = launch->container.status;
    char path[32];

    snprintf(path, sizeof path, "/proc/%d/root", (int)status->pid);
    launch->container_root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    launch->root_device = status->root_device;
    launch->root_inode = status->root_inode;
}

int exec_open_namespaces(struct launch *launch, int init_pidfd, struct error *err)
{
    const pid_t init = launch->container.status->pid;

    namespace_plan_for_exec(launch->bundle.config, init, init_pidfd, &launch->namespaces);
    open_root(launch);
    if (!launch->namespaces.needs_stage || container_state(&launch->container) != CONTAINER_CREATED)
        return 0;
    return namespaces_open_each(&launch->namespaces, init, init_pidfd, err);
}

static int open_container(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;
    const struct container_status *status = launch->container.status;

    if (check_state(exec, err) < 0)
        return -1;
    exec->init_pidfd = process_open(status->pid, status->pid_start_time);
    if (exec->init_pidfd < 0)
        return fail(err, ESRCH, "cannot exec in a stopped container");
    return exec_open_namespaces(launch, exec->init_pidfd, err);
}

/*
 * The container's cgroup, or one below it with --cgroup. On v2 the process is born in it; where init made
 * that impossible (a cgroup that hands controllers down takes no processes), where init itself is now.
 */
static int choose_cgroup(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;
    const struct container_status *status = launch->container.status;

    launch->cgroup_location = status->cgroup;
    if (exec->options->cgroup) {
        exec->below = cgroup_location_below(status->cgroup, exec->options->cgroup, err);
        if (!exec->below)
            return fail_in(err, "--cgroup");
        launch->cgroup_location = exec->below;
    }
    if (launch->limit.milliseconds || exec->options->die_with_client) {
        /* Where that is not allowed (rootless), the process and its group are what the limit can reach. */
        if (cgroup_branch_make(launch->cgroup_location, &exec->branch) == 0)
            launch->cgroup_location = exec->branch.joined;
        else
            log_debug("no cgroup for what it starts: %s", errno_text(errno));
    }
    launch->cgroup_fd = cgroup_open_for_clone(launch->cgroup_location);
    return 0;
}

static int make_plans(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;
    const struct oci_config *config = launch->bundle.config;

    launch->in_user_namespace = launch->rootless || oci_config_namespace(config, OCI_NAMESPACE_USER);
    if (check_terminal(exec, err) < 0 || oci_process_validate(exec->options->process, "process", err) < 0 ||
        process_plan_make(config, exec->options->process, "process", &launch->process, err) < 0)
        return -1;
    if (launch_plan_security(launch, err) < 0)
        return -1;
    if (resctrl_plan_make(config, launch->container.id, &launch->resctrl_plan, err) < 0 ||
        (launch->resctrl_plan.group && resctrl_open(&launch->resctrl, err) < 0))
        return -1;
    launch->procfs = procfs_open(err);
    if (launch->procfs < 0 || descriptors_check(launch->preserve_fds, err) < 0)
        return -1;
    if (choose_cgroup(exec, err) < 0)
        return -1;
    if (!exec->options->console_socket)
        return 0;
    launch->console_socket = terminal_connect(exec->options->console_socket, err);
    return launch->console_socket < 0 ? fail_in(err, "--console-socket") : 0;
}

/* Item 76: the first mask applies before the process is in its cgroup, the last one (exec_child.c) after. */
static int set_initial_affinity(const struct exec *exec, struct error *err)
{
    const struct oci_exec_cpu_affinity *affinity = exec->options->process->exec_cpu_affinity;

    return affinity && affinity->initial ? process_apply_affinity(affinity->initial, err) : 0;
}

static int open_gate(struct launch *launch, struct error *err)
{
    const struct listener_peer peer = { launch->bundle.config, &launch->container, "running", launch->pid };

    return gate_start(launch->socket, &peer, err);
}

static int clone_child(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;

    if (launch_clone_init(launch, err) == 0)
        return 0;
    if (err->code != EBUSY || launch->cgroup_fd < 0 || exec->options->cgroup)
        return -1;
    close(launch->cgroup_fd);
    launch->cgroup_fd = cgroup_open_of(launch->container.status->pid);
    if (launch->cgroup_fd < 0)
        return -1;
    return launch_clone_init(launch, err);
}

/* We are not in the container's class, so its new process is not either. */
static int assign_intel_rdt(const struct launch *launch, struct error *err)
{
    if (!launch->resctrl_plan.group)
        return 0;
    return resctrl_assign(&launch->resctrl_plan, &launch->resctrl, launch->pid, err);
}

static int start_child(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;

    if (exec->options->die_with_client && keeper_start(&exec->keeper, &exec->branch, err) < 0)
        return -1;
    if (set_initial_affinity(exec, err) < 0 || clone_child(exec, err) < 0)
        return -1;
    if (launch_place_init(launch, err) < 0 || assign_intel_rdt(launch, err) < 0 ||
        launch_serve_init(launch, err) < 0 || keeper_watch(&exec->keeper, launch->pid, err) < 0 ||
        pidfd_send("--pidfd-socket", exec->options->pidfd_socket, launch->pidfd, err) < 0 ||
        pid_file_write(exec->options->pid_file, launch->pid, err) < 0 || open_gate(launch, err) < 0) {
        launch_kill_init(launch);
        return -1;
    }
    launch->started = true;
    return 0;
}

static int run(struct exec *exec, struct error *err)
{
    struct launch *launch = &exec->launch;
    auto_close int signal_fd = -1;
    sigset_t before;

    if (check_client(exec, err) < 0 || launch_check_limit(launch, err) < 0 || open_container(exec, err) < 0 ||
        make_plans(exec, err) < 0)
        return -1;
    if (launch->foreground && supervise_block_signals(&before, &signal_fd, err) < 0)
        return -1;
    if (start_child(exec, err) < 0)
        return -1;
    return launch->foreground ? launch_supervise(launch, signal_fd, NULL, err) : 0;
}

int launch_exec(struct container *container, struct oci_config *config, const struct exec_options *options,
                struct error *err)
{
    struct exec exec = { .options = options, .init_pidfd = -1 };
    int result;

    launch_init(&exec.launch, NULL, &exec.launch_options, !options->detach);
    exec.launch.container = *container;
    exec.launch.bundle.config = config;
    exec.launch.policy = options->policy ? schema_copy(&policy_record_schema, options->policy) : NULL;
    exec.launch.child_main = exec_child_main;
    exec.launch.stage_leave = exec_stage_leave;
    exec.launch.stage_join = exec_stage_join;
    exec.launch.preserve_fds = options->preserve_fds;
    exec.launch_options.id = container->id;
    exec.launch_options.limit = options->limit;
    result = run(&exec, err);
    keeper_end(&exec.keeper);
    cgroup_branch_end(&exec.branch, exec.launch.timed_out);
    cleanup_close(&exec.init_pidfd);
    schema_free(&cgroup_location_schema, exec.below);
    launch_close(&exec.launch);
    return result;
}
