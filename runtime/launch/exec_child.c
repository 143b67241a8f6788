/*
 * The process that `exec` adds to a container, from clone to execve. Unlike init it enters a place where
 * others already run: it holds nothing of the host (descriptors, dumpable memory) from before it joins
 * (CVE-2016-9962).
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
#include <unistd.h>

static int hide(struct launch *launch, struct error *err)
{
    (void)launch;
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_errno(err, "PR_SET_DUMPABLE");
    return 0;
}

static int join(struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if (namespaces_join(plan, ~(uint64_t)(CLONE_NEWUSER | CLONE_NEWPID), err) < 0)
        return -1;
    if (launch->container_root >= 0 && (fchdir(launch->container_root) < 0 || chroot(".") < 0))
        return fail_errno(err, "enter the container's root");
    return 0;
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

    return affinity && affinity->final ? process_apply_affinity(affinity->final, err) : 0;
}

static const struct step exec_steps[] = {
    { "session, descriptors", payload_leave_runtime, NULL },
    { "oom score", payload_oom_score, NULL }, /* these two while /proc/self still belongs to us */
    { "label", payload_label, NULL },
    { "keyring", payload_keyring, NULL },
    { "not dumpable", hide, NULL }, /* before anything of the container can see us */
    { "namespaces", join, NULL },
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

void exec_child_main(struct launch *launch)
{
    struct error err;

    launch->start_socket = -1;
    steps_run(exec_steps, array_length(exec_steps), launch, &err);
    message_send_error(launch->socket, &err);
    _exit(1);
}
