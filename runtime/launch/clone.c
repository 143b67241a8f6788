/*
 * Cloning init. In the runtime; where the namespace plan needs a stage, also in that short-lived process
 * between.
 *
 *   without a stage:  runtime ──clone3──▶ init
 *   with a stage:     runtime ──clone3──▶ stage ──clone3(CLONE_PARENT)──▶ init   (a child of the runtime as
 * well)
 */
#include "launch/context.h"
#include "launch/protocol.h"
#include "launch/runtime.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* What clone3 makes; the time namespace is made by init's parent, others by init (namespaces_made_by_init).
 */
static uint64_t clone_flags(const struct namespace_plan *plan)
{
    return plan->new_flags & ~(namespaces_made_by_init(plan) | CLONE_NEWTIME);
}

static pid_t clone_process(struct launch *launch, uint64_t flags, int *pidfd)
{
    struct sys_clone_args arguments = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
    };

    if (launch->cgroup_fd >= 0 && !(flags & CLONE_PARENT)) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)launch->cgroup_fd;
    }
    return sys_clone3(&arguments);
}

/*
 * PDEATHSIG tells of a death from now on only; of an earlier one the hang-up of our socket does, even where
 * the runtime has said GO before (F-6). The kernel forgets the signal when our credentials change.
 */
int launch_die_with_runtime(const struct launch *launch, struct error *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_errno(err, "PR_SET_PDEATHSIG");
    if (message_peer_is_gone(launch->socket))
        return fail(err, ECHILD, "the runtime is gone");
    return 0;
}

/*
 * A child's first words: our end of the pair only, death with the runtime until READY, and into the cgroup.
 * On v1 a process that moves itself ("0" to tasks) needs no grace period of the kernel: 0.1 ms for nine
 * hierarchies, against up to 10 ms when another process moves it. On v2 the clone was born there. The systemd
 * driver's cgroup is made by the runtime around the process that waits for GO next.
 */
static void become_child(struct launch *launch)
{
    struct error err;

    close(launch->socket); /* or the other end would never hang up */
    launch->socket = launch->peer_socket;
    launch->peer_socket = -1;
    if (launch_die_with_runtime(launch, &err) < 0 ||
        (launch->cgroup_fd < 0 && !cgroup_needs_process(launch->cgroup) &&
         cgroup_attach(launch->cgroup_location, 0, &err) < 0)) {
        message_send_error(launch->socket, &err);
        _exit(1);
    }
}

static int wait_for_go(struct launch *launch, struct error *err)
{
    struct message message;

    return message_expect(launch->socket, MESSAGE_GO, "the runtime", &message, err);
}

/* ---- the stage ---------------------------------------------------------------------------------------- */

/*
 * Who is in the pid namespace already must not ptrace what we clone into it. Entering a user namespace of our
 * own user's leaves us dumpable; a later step of the clone would be too late.
 */
static int hide_from_namespace(const struct namespace_plan *plan, struct error *err)
{
    if ((plan->join_flags & CLONE_NEWPID) && prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_errno(err, "PR_SET_DUMPABLE");
    return 0;
}

static int stage_enter(struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if (wait_for_go(launch, err) < 0 || (launch->stage_leave && launch->stage_leave(launch, err) < 0))
        return -1;
    if (namespaces_join(plan, CLONE_NEWUSER, err) < 0 || namespaces_become_root(plan, err) < 0 ||
        launch_die_with_runtime(launch, err) < 0 || hide_from_namespace(plan, err) < 0 ||
        namespaces_join(plan, CLONE_NEWPID, err) < 0)
        return -1;
    if (launch->stage_join && launch->stage_join(launch, err) < 0)
        return -1;
    launch->staged = true;
    if (plan->new_flags & CLONE_NEWTIME)
        return namespaces_new_time(plan, err);
    return 0;
}

static void stage_main(struct launch *launch) __attribute__((noreturn));
static void stage_main(struct launch *launch)
{
    uint64_t flags = (clone_flags(&launch->namespaces) & ~(uint64_t)CLONE_NEWUSER) | CLONE_PARENT;
    struct error err;
    int pidfd = -1;
    pid_t pid;

    if (stage_enter(launch, &err) < 0) {
        message_send_error(launch->socket, &err);
        _exit(1);
    }
    pid = clone_process(launch, flags, &pidfd);
    if (pid == 0) {
        if (launch_die_with_runtime(launch, &err) < 0 || wait_for_go(launch, &err) < 0)
            _exit(1);
        launch->child_main(launch);
    }
    if (pid < 0) {
        fail_errno(&err, "clone the container's init");
        message_send_error(launch->socket, &err);
        _exit(1);
    }
    _exit(message_send(launch->socket, MESSAGE_CHILD, pid, pidfd, &err) < 0 ? 1 : 0);
}

static void replace_process(struct launch *launch, const struct message *message)
{
    pid_t first = launch->pid;

    close(launch->pidfd);
    launch->pid = message->value;
    launch->pidfd = message->fd;
    while (waitpid(first, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* In the runtime: the stage is in the cgroup and mapped; let it clone init, which takes its place. */
static int replace_stage_by_init(struct launch *launch, struct error *err)
{
    struct message message;

    if (launch_let_go(launch, err) < 0 ||
        message_expect(launch->socket, MESSAGE_CHILD, "the stage process", &message, err) < 0)
        return -1;
    replace_process(launch, &message);
    return 0;
}

int launch_take_child(struct launch *launch, const struct message *message, struct error *err)
{
    if (!launch->enters_pid_late) /* or again: then it is not init that speaks */
        return fail(err, EPROTO, "init sent a second process");
    launch->enters_pid_late = false;
    replace_process(launch, message);
    if (launch_note_init(launch, err) < 0)
        return -1;
    return launch_let_go(launch, err);
}

int launch_continue_in_child(struct launch *launch, struct error *err)
{
    int pidfd = -1;
    pid_t pid = clone_process(launch, CLONE_PARENT, &pidfd);

    if (pid < 0)
        return fail_errno(err, "clone into the pid namespace");
    if (pid > 0)
        _exit(message_send(launch->socket, MESSAGE_CHILD, pid, pidfd, err) < 0 ? 1 : 0);
    if (launch_die_with_runtime(launch, err) < 0)
        return -1;
    setsid();
    return wait_for_go(launch, err);
}

/* ---- the runtime -------------------------------------------------------------------------------------- */

/* What the runtime itself must enter first: these affect only its children. */
static int prepare_parent(const struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if (plan->needs_stage)
        return 0;
    if (!launch->enters_pid_late && namespaces_join(plan, CLONE_NEWPID, err) < 0)
        return -1;
    return plan->new_flags & CLONE_NEWTIME ? namespaces_new_time(plan, err) : 0;
}

static int explain_clone(const struct launch *launch, struct error *err)
{
    fail_errno(err, "clone the container's init");
    if (err->code == EPERM && (launch->namespaces.new_flags & CLONE_NEWUSER))
        return fail_hint(err,
                         "are user namespaces allowed? sysctl kernel.apparmor_restrict_unprivileged_userns, "
                         "user.max_user_namespaces, the seccomp profile of a container around us");
    if (err->code == EPERM && launch->rootless && launch->direct)
        return fail_hint(err,
                         "root needs CAP_SYS_ADMIN for a sandbox, an ordinary user nothing; aril probe says "
                         "what works here");
    if (err->code == EPERM && launch->rootless)
        return fail_hint(err, "without root, linux.namespaces needs a user namespace: aril spec --rootless");
    if (err->code == EOPNOTSUPP && launch->cgroup_fd >= 0)
        return fail_hint(err,
                         "the cgroup above the container's is threaded: choose another linux.cgroupsPath");
    if (err->code == ENOSPC)
        return fail_hint(err, "a limit of user.max_*_namespaces is reached");
    if (err->code == ENOSYS)
        return fail_hint(err,
                         "clone3 needs Linux 5.3, and a container around us whose seccomp profile allows it");
    return -1;
}

static int clone_first(struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;
    uint64_t flags = plan->needs_stage ? plan->new_flags & CLONE_NEWUSER : clone_flags(plan);

    launch->pid = clone_process(launch, flags, &launch->pidfd);
    if (launch->pid < 0)
        return explain_clone(launch, err);
    if (launch->pid > 0)
        return 0;
    become_child(launch);
    if (plan->needs_stage)
        stage_main(launch);
    if (wait_for_go(launch, err) < 0)
        _exit(1);
    launch->child_main(launch);
}

int launch_clone_init(struct launch *launch, struct error *err)
{
    int ends[2];

    if (message_pair(ends, err) < 0)
        return -1;
    launch->socket = ends[0];
    launch->peer_socket = ends[1];
    if (prepare_parent(launch, err) == 0 && clone_first(launch, err) == 0) {
        close(launch->peer_socket); /* so that the death of init reads as end of file */
        launch->peer_socket = -1;
        return 0;
    }
    close(launch->socket);
    close(launch->peer_socket);
    launch->socket = launch->peer_socket = -1;
    return -1;
}

/* A process of a user namespace cannot give itself the host's files, so we do. */
static int give_stdio(const struct launch *launch, struct error *err)
{
    const struct namespace_plan *plan = &launch->namespaces;
    const struct oci_process *process = launch->process.process;
    uint32_t uid;

    if (!((plan->new_flags | plan->join_flags) & CLONE_NEWUSER) || !process || process->terminal ||
        !namespaces_uid_outside(launch->pid, launch->process.uid, &uid))
        return 0;
    return stdio_give_to(uid, err);
}

int launch_place_init(struct launch *launch, struct error *err)
{
    if (namespaces_write_id_maps(&launch->namespaces, launch->pid, err) < 0 ||
        (launch->namespaces.needs_stage && replace_stage_by_init(launch, err) < 0))
        return -1;
    return give_stdio(launch, err);
}
