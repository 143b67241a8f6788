/*
 * A container without a bundle, a record or a cgroup, for `sandbox-exec`. It ends with the runtime that made
 * it, so nobody will ever ask for its state: no file is written. Nothing waits for anybody either: there is
 * no gate, and init becomes the reaper itself instead of executing one.
 *
 *   runtime ──clone3──▶ init: the namespaces' first process ──fork──▶ the payload
 */
#include "launch/payload.h"
#include "launch/protocol.h"
#include "launch/runtime.h"
#include "launch/steps.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sys.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define PAYLOAD_STACK (256 * 1024)

/* ---- the namespaces' first process ------------------------------------------------------------------------
 */

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Ends with the payload; the kernel ends all others then. */
static void reap(pid_t payload)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == payload)
            _exit(exit_status(status));
}

/* What the keys of a terminal and a shell's job control send, to all of a command line. */
static bool is_for_group(int number)
{
    static const int numbers[] = { SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH };

    for (size_t i = 0; i < array_length(numbers); i++)
        if (number == numbers[i])
            return true;
    return false;
}

/* The payload leads its group, unless it went to another one. */
static void pass_on(pid_t payload, int number)
{
    if (!is_for_group(number) || kill(-payload, number) < 0)
        kill(payload, number);
}

/* All signals are blocked, and none is lost: blocked ones wait for us even as pid 1. */
static void be_first(pid_t payload) __attribute__((noreturn));
static void be_first(pid_t payload)
{
    sigset_t all;

    environment_scrub();
    descriptors_close(-3, -1, -1); /* the socket among them: when the payload's is closed as well, it runs */
    sigfillset(&all);
    for (;;) {
        int number = sigwaitinfo(&all, NULL);

        if (number == SIGCHLD)
            reap(payload);
        else if (number > 0)
            pass_on(payload, number);
    }
}

/*
 * What stays behind as the first process is a copy of the runtime, with host paths and the caller's
 * environment in its memory and the runtime's file as /proc/1/exe: so it is not dumpable, which keeps even
 * its own user out.
 */
static int become_first(struct launch *launch, struct error *err)
{
    sigset_t all;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        return fail_errno(err, "first process");
    return launch_die_with_runtime(launch, err);
}

static const struct step first_steps[] = {
    { "landlock", payload_landlock, NULL },
    { "seccomp", payload_seccomp, NULL }, /* the built-in filters let pass what follows */
    { "first process", become_first, NULL },
};

/* ---- the payload --------------------------------------------------------------------------------------- */

/*
 * Job control is the payload's. On a terminal of its own it leads the session: nobody in there could continue
 * what ^Z stops, so that stops only what a shell inside has started. Without, its group stops and goes on
 * with the runtime, which the caller's shell continues; for that the first process stays in its session.
 */
static int lead_group(struct launch *launch, struct error *err)
{
    if (!launch->process.process->terminal)
        return setpgid(0, 0) < 0 ? fail_errno(err, "setpgid") : 0;
    return setsid() < 0 ? fail_errno(err, "setsid") : terminal_control(STDIN_FILENO, err);
}

static const struct step payload_steps[] = {
    { "job control", lead_group, NULL },
    { "executable", payload_find_executable, NULL },
    { "signals", payload_reset_signals, NULL },
    { "execve", payload_execute, NULL },
};

static int payload_main(void *context)
{
    struct launch *launch = context;
    struct error err = { 0 };

    steps_run(payload_steps, array_length(payload_steps), launch, &err);
    message_send_error(launch->socket, &err);
    _exit(err.code == ENOENT || err.code == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/*
 * As vfork() does it, on a stack of its own: the memory is shared until execve(), so no page table is copied
 * and no page is faulted in twice. Meanwhile we are stopped.
 */
static pid_t start_payload(struct launch *launch)
{
    char *stack = memory_new_array(PAYLOAD_STACK, 1);

    return clone(payload_main, stack + PAYLOAD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
}

static void direct_main(struct launch *launch) __attribute__((noreturn));
static void direct_main(struct launch *launch)
{
    struct error err;
    pid_t payload;

    if (init_confine(launch, &err) == 0 &&
        steps_run(first_steps, array_length(first_steps), launch, &err) == 0) {
        payload = start_payload(launch);
        if (payload > 0)
            be_first(payload);
        fail_errno(&err, "fork");
    }
    message_send_error(launch->socket, &err);
    _exit(EXIT_FAILURE);
}

/* ---- the runtime --------------------------------------------------------------------------------------- */

static int clone_init(struct launch *launch, struct error *err)
{
    return launch_clone_init(launch, err);
}

static int place_init(struct launch *launch, struct error *err)
{
    return launch_place_init(launch, err);
}

static int plan(struct launch *launch, struct error *err)
{
    if (launch_make_plans(launch, err) < 0)
        return -1;
    launch_plan_network(launch);
    return 0;
}

/* Everything was made, but there is no such program: that is the status, as a shell would have it. */
static int serve_init(struct launch *launch, struct error *err)
{
    siginfo_t info = { 0 };

    if (launch_converse(launch, err) == 0)
        return 0;
    if (launch->pid <= 0 || waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOWAIT) < 0 ||
        info.si_code != CLD_EXITED ||
        (info.si_status != EXIT_NOT_FOUND && info.si_status != EXIT_NOT_EXECUTABLE))
        return -1;
    log_line(LOG_LEVEL_ERROR, "%s", err->text);
    return 0;
}

static const struct step direct_steps[] = {
    { "plans", plan, NULL },
    { "proc", launch_open_outside, NULL },
    { "mount sources", launch_plan_rootfs, NULL },
    { "init", clone_init, launch_kill_init },
    { "id maps", place_init, NULL },
    { "go", launch_let_go, NULL },
    { "network", launch_make_network, NULL },
    { "container", serve_init, NULL },
};

static int run(struct launch *launch, struct error *err)
{
    auto_close int signal_fd = -1;
    sigset_t before;

    if (launch_check_limit(launch, err) < 0 || supervise_block_signals(&before, &signal_fd, err) < 0 ||
        steps_run(direct_steps, array_length(direct_steps), launch, err) < 0)
        return -1;
    return launch_supervise(launch, signal_fd, NULL, err);
}

int launch_run_directly(struct oci_config *config, struct policy_record *policy,
                        const struct launch_options *options, struct error *err)
{
    struct launch launch;
    int result = -1;

    launch_init(&launch, NULL, options, true);
    launch.child_main = direct_main;
    launch.direct = true;
    launch.policy = policy;
    if (bundle_from_config(config, &launch.bundle, err) == 0)
        result = run(&launch, err);
    launch_close(&launch);
    return result;
}
