/*
 * The process that `exec` adds to a container, from clone to execve. Unlike init it enters a place where
 * others already run, and a payload with CAP_SYS_PTRACE may stop it at any instruction, whatever dumpable
 * says. So before it can be seen there, it holds nothing of the host any more: no descriptor, no directory,
 * no environment (CVE-2016-9962). In a pid namespace it can be seen from its first instruction; where the
 * payload has that capability, a stage outside does that part (clone.c), and what the process is cloned from
 * is already as poor as it is.
 */
#include "launch/payload.h"
#include "launch/protocol.h"
#include "launch/steps.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int hide(struct launch *launch, struct error *err)
{
    (void)launch;
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_errno(err, "PR_SET_DUMPABLE");
    return 0;
}

static bool is_container_root(const struct launch *launch, const struct stat *root)
{
    return (uint32_t)root->st_dev == launch->root_device && root->st_ino == launch->root_inode;
}

/*
 * setns() leaves us at the root of the mount namespace. That is not the container's root where the container
 * shares the host's namespace, or where the runtime that made it was in a chroot: go to init's root then, and
 * run nowhere else.
 */
static int enter_root(const struct launch *launch, struct error *err)
{
    struct stat root;

    if (stat("/", &root) == 0 && is_container_root(launch, &root))
        return 0;
    if (launch->container_root < 0 || fstat(launch->container_root, &root) < 0 ||
        !is_container_root(launch, &root))
        return fail(err, ENOENT, "the container's root directory cannot be found");
    if (fchdir(launch->container_root) < 0 || chroot(".") < 0)
        return fail_errno(err, "enter the container's root");
    return 0;
}

static int scrub(struct launch *launch, struct error *err)
{
    (void)launch;
    (void)err;
    environment_scrub();
    return 0;
}

/* The container's own mount namespace, not one that was joined by its path: that may be anybody's. */
static bool has_made_mounts(const struct launch *launch)
{
    const struct oci_namespace *mounts = oci_config_namespace(launch->bundle.config, OCI_NAMESPACE_MOUNT);

    return mounts && !mounts->path;
}

int exec_child_join(struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if (namespaces_join(plan, ~(uint64_t)(CLONE_NEWUSER | CLONE_NEWPID), err) < 0 ||
        (has_made_mounts(launch) && namespaces_check_mount_owner(launch->procfs, err) < 0))
        return -1;
    return enter_root(launch, err);
}

static int open_root(struct error *err)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? fail_errno(err, "open the container's root") : fd;
}

static int open_terminal(struct launch *launch, struct error *err)
{
    const struct oci_process *process = launch->process.process;
    auto_close int root = -1, master = -1, slave = -1;

    if (!process->terminal)
        return 0;
    root = open_root(err);
    if (root < 0 ||
        terminal_open(root, process->console_size, launch->process.uid, &master, &slave, err) < 0 ||
        message_send(launch->socket, MESSAGE_TERMINAL, 0, master, err) < 0)
        return fail_in(err, "process.terminal");
    return terminal_become(slave, err);
}

static int set_environment(struct launch *launch, struct error *err)
{
    auto_close int root = open_root(err);

    return root < 0 ? -1 : process_set_home(&launch->process, root, err);
}

static int set_final_affinity(struct launch *launch, struct error *err)
{
    const struct oci_exec_cpu_affinity *affinity = launch->process.process->exec_cpu_affinity;

    if (affinity && affinity->final && *affinity->final)
        return process_apply_affinity(affinity->final, err);
    /* With .initial alone the specification wants it kept. */
    return affinity && affinity->initial && *affinity->initial ? 0 : payload_reset_affinity(launch, err);
}

static int drop_descriptors(struct launch *launch, struct error *err)
{
    if (payload_check_groups(launch, err) < 0)
        return -1;
    descriptors_close(launch->preserve_fds, launch->socket, -1);
    return 0;
}

static int lead_session(struct launch *launch, struct error *err)
{
    (void)launch;
    (void)err;
    setsid(); /* a child of the stage is in its session */
    return 0;
}

static const struct step leave_steps[] = {
    { "session, descriptors", payload_leave_runtime, NULL },
    { "oom score", payload_oom_score, NULL }, /* these two while /proc/self still belongs to us */
    { "label", payload_label, NULL },
    { "keyring", payload_keyring, NULL },
    { "environment of the caller", scrub, NULL },
    { "not dumpable", hide, NULL }, /* before anything of the container can see us */
};

static const struct step join_steps[] = {
    { "namespaces", exec_child_join, NULL },
    { "descriptors of the host", drop_descriptors, NULL },
};

static const struct step exec_steps[] = {
    { "session", lead_session, NULL },
    { "terminal", open_terminal, NULL },
    { "limits, scheduling", payload_attributes, NULL },
    { "cpu affinity", set_final_affinity, NULL }, /* after the move into the cgroup, by its cpuset */
    { "environment", set_environment, NULL },
    { "landlock rules", payload_landlock_rules,
      NULL }, /* as root: every path of the container can be opened */
    { "privileges", payload_shed_privileges, NULL },
    { "executable", payload_find_executable, NULL },
    { "ready", payload_ready, NULL },
    { "gate", payload_wait_at_gate, NULL }, /* the pid file is written and the engine has its terminal */
    { "signals", payload_reset_signals, NULL },
    { "landlock", payload_landlock, NULL }, /* after the hooks, which are not the payload */
    { "seccomp", payload_seccomp, NULL },   /* the last system call before execve */
    { "execve", payload_execute, NULL },
};

int exec_stage_leave(struct launch *launch, struct error *err)
{
    return steps_run(leave_steps, array_length(leave_steps), launch, err);
}

int exec_stage_join(struct launch *launch, struct error *err)
{
    return steps_run(join_steps, array_length(join_steps), launch, err);
}

void exec_child_main(struct launch *launch)
{
    struct error err;

    launch->start_socket = -1;
    if (launch->staged || (exec_stage_leave(launch, &err) == 0 && exec_stage_join(launch, &err) == 0))
        steps_run(exec_steps, array_length(exec_steps), launch, &err);
    message_send_error(launch->socket, &err);
    _exit(1);
}
