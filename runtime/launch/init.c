/*
 * The container's init process, from clone to execve. It holds a copy of the runtime's `struct launch` and
 * runs the two tables below: the first during `create`, the second after the gate opened. It must not print,
 * must not open host paths after pivot_root, and reports failures over the socket.
 */
#include "launch/context.h"
#include "launch/payload.h"
#include "launch/protocol.h"
#include "launch/steps.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sys.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct oci_config *config_of(const struct launch *launch)
{
    return launch->bundle.config;
}

static int new_flag(const struct launch *launch, uint64_t flag)
{
    return (launch->namespaces.new_flags & flag) != 0;
}

/* ---- who we are ---------------------------------------------------------------------------------------- */

static int enter_namespaces(struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if ((plan->new_flags & CLONE_NEWUSER) &&
        (namespaces_become_root(plan, err) < 0 || launch_die_with_runtime(launch, err) < 0))
        return -1;
    /*
     * Where others are in our pid namespace they must not ptrace us. Where nobody is we stay dumpable: in a
     * user namespace our /proc/self would belong to the host's root otherwise.
     */
    if (!new_flag(launch, CLONE_NEWPID) && prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_errno(err, "PR_SET_DUMPABLE");
    if (namespaces_join(plan, ~(uint64_t)(CLONE_NEWUSER | CLONE_NEWPID), err) < 0)
        return -1;
    if (namespaces_made_by_init(plan) && unshare((int)namespaces_made_by_init(plan)) < 0)
        return fail_errno(err, "new cgroup or ipc namespace");
    return 0;
}

static int bring_up_loopback(struct launch *launch, struct error *err)
{
    return new_flag(launch, CLONE_NEWNET) ? namespaces_bring_up_loopback(err) : 0;
}

static int enter_network(struct launch *launch, struct error *err)
{
    struct message message;
    int result;

    if (!launch->network_comes)
        return 0;
    if (message_expect(launch->socket, MESSAGE_NETWORK, "the runtime", &message, err) < 0)
        return -1;
    result = sys_setns(message.fd, CLONE_NEWNET);
    close(message.fd);
    return result < 0 ? fail_errno(err, "enter the network namespace") : 0;
}

/* Before a sysfs is mounted, which shows the devices of the namespace that its mounter is in. */
static int enter_network_early(struct launch *launch, struct error *err)
{
    return launch->direct ? 0 : enter_network(launch, err);
}

static int enter_network_late(struct launch *launch, struct error *err)
{
    return launch->direct ? enter_network(launch, err) : 0;
}

/* ---- the file system -------------------------------------------------------------------------------- */

static int prepare_rootfs(struct launch *launch, struct error *err)
{
    return rootfs_prepare(launch->rootfs, err);
}

static int mount_all(struct launch *launch, struct error *err)
{
    return rootfs_mount_all(launch->rootfs, err);
}

static int make_devices(struct launch *launch, struct error *err)
{
    return rootfs_make_devices(launch->rootfs, err);
}

static int ask_for_runtime_hooks(struct launch *launch, struct error *err)
{
    const struct oci_hooks *hooks = config_of(launch)->hooks;
    struct message message;

    if (!hooks || hooks->prestart_count + hooks->create_runtime_count == 0)
        return 0;
    if (message_send(launch->socket, MESSAGE_HOOKS, 0, -1, err) < 0)
        return -1;
    return message_expect(launch->socket, MESSAGE_DONE, "the runtime", &message, err);
}

static int open_terminal(struct launch *launch, struct error *err)
{
    const struct oci_process *process = launch->process.process;
    auto_close int master = -1, slave = -1;

    if (!process->terminal)
        return 0;
    if (terminal_open(rootfs_root_fd(launch->rootfs), process->console_size, launch->process.uid, &master,
                      &slave, err) < 0 ||
        message_send(launch->socket, MESSAGE_TERMINAL, 0, master, err) < 0 ||
        rootfs_set_console(launch->rootfs, slave, err) < 0)
        return fail_in(err, "process.terminal");
    /* A controlling terminal belongs to the process that leads the session: a child, if there is to be one.
     */
    return launch->enters_pid_late || launch->direct ? terminal_use(slave, err) : terminal_become(slave, err);
}

static int pivot(struct launch *launch, struct error *err)
{
    return rootfs_pivot(launch->rootfs, err);
}

static int finish_rootfs(struct launch *launch, struct error *err)
{
    return rootfs_finish(launch->rootfs, err);
}

/* ---- the rest --------------------------------------------------------------------------------------- */

static int set_names(struct launch *launch, struct error *err)
{
    return namespaces_set_names(config_of(launch), err);
}

static int set_sysctls(struct launch *launch, struct error *err)
{
    return sysctl_apply(config_of(launch), launch->procfs, err);
}

static int set_environment(struct launch *launch, struct error *err)
{
    return process_set_home(&launch->process, rootfs_root_fd(launch->rootfs), err);
}

static int run_container_hooks(struct launch *launch, struct error *err)
{
    return hooks_at_create_container(launch, err);
}

/*
 * In a pid namespace that others are in, one with CAP_SYS_PTRACE can stop us in our first instruction there,
 * and look around (CVE-2016-9962). Until here that was not our namespace; from here on we hold nothing of the
 * host.
 */
static int enter_pid_namespace(struct launch *launch, struct error *err)
{
    if (!launch->enters_pid_late)
        return 0;
    if (namespaces_join(&launch->namespaces, CLONE_NEWPID, err) < 0)
        return -1;
    environment_scrub();
    descriptors_close(launch->preserve_fds, launch->socket, launch->start_socket);
    if (launch_continue_in_child(launch, err) < 0)
        return -1;
    return launch->process.process->terminal ? terminal_control(STDIN_FILENO, err) : 0;
}

static const struct step create_steps[] = {
    { "session, descriptors", payload_leave_runtime, NULL },
    { "oom score", payload_oom_score, NULL }, /* while /proc/self still belongs to us */
    { "keyring", payload_keyring, NULL },
    { "namespaces", enter_namespaces, NULL }, /* user first: it owns the others */
    { "groups", payload_check_groups, NULL }, /* in the user namespace, and with the host's procfs */
    { "loopback", bring_up_loopback, NULL },
    { "root: prepare", prepare_rootfs, NULL },
    { "network", enter_network_early, NULL },
    { "root: mounts", mount_all, NULL },
    { "root: devices", make_devices, NULL },           /* after the mounts: /dev is one of them */
    { "hooks: runtime", ask_for_runtime_hooks, NULL }, /* spec: mounts are there, pivot_root is to come */
    { "hooks: createContainer", run_container_hooks,
      NULL },                            /* their paths are the host's: before pivot_root */
    { "terminal", open_terminal, NULL }, /* needs the container's devpts */
    { "root: pivot", pivot, NULL },
    { "network", enter_network_late, NULL }, /* late: it is made while we mount */
    { "host name", set_names, NULL },
    { "sysctl", set_sysctls, NULL },
    { "root: masks, read-only", finish_rootfs, NULL },
    { "environment", set_environment, NULL },
    { "label", payload_label, NULL }, /* after the hooks: it would be theirs as well */
    { "pid namespace", enter_pid_namespace, NULL },
    { "cpu affinity", payload_reset_affinity, NULL },   /* the move into the cgroup is done */
    { "limits, scheduling", payload_attributes, NULL }, /* needs privileges that go next */
    { "landlock rules", payload_landlock_rules,
      NULL }, /* as root: every path of the container can be opened */
    { "privileges", payload_shed_privileges, NULL },
};

static const struct step ready_steps[] = {
    { "executable", payload_find_executable,
      NULL }, /* as the payload's user: create reports what is missing */
    { "ready", payload_ready, NULL },
};

static int run_start_hooks(struct launch *launch, struct error *err)
{
    return hooks_at_start_container(launch, err);
}

static const struct step start_steps[] = {
    { "gate", payload_wait_at_gate, NULL },
    { "hooks: startContainer", run_start_hooks, NULL },
    { "signals", payload_reset_signals, NULL },
    { "landlock", payload_landlock, NULL }, /* after the hooks, which are not the payload */
    { "seccomp", payload_seccomp,
      NULL }, /* the last system call before execve: strict filters need allow no other */
    { "execve", payload_execute, NULL },
};

int init_confine(struct launch *launch, struct error *err)
{
    return steps_run(create_steps, array_length(create_steps), launch, err);
}

void init_main(struct launch *launch)
{
    struct error err;

    if (init_confine(launch, &err) == 0 &&
        steps_run(ready_steps, array_length(ready_steps), launch, &err) == 0)
        steps_run(start_steps, array_length(start_steps), launch, &err);
    message_send_error(launch->socket, &err);
    _exit(1);
}
