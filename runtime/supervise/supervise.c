/*
 * The foreground runtime while the payload runs: see supervise.h. One loop; it knows processes and signals,
 * the terminal only through its relay. This process may sit there for weeks, so it holds nothing and touches
 * little.
 */
#include "supervise/supervise.h"

#include "base/memory.h"
#include "base/sys.h"
#include "supervise/shrink.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

/* Quiet for so long: the payload is not one of a moment. */
#define SHRINK_AFTER_MS 100

enum { SIGNAL_SLOT, PROCESS_SLOT, WATCH_SLOT, RELAY_SLOT, SLOTS = RELAY_SLOT + TERMINAL_RELAY_FDS };

struct supervision {
    pid_t pid;
    int pidfd, signal_fd;
    struct terminal_relay *relay;
    struct supervise_watch watch;
    int status;       /* the exit status, -1 while the process runs */
    int64_t deadline; /* on the monotonic clock, in milliseconds; 0: none */
    bool timed_out;
    bool shrunk;    /* our memory, when it became clear that this takes longer */
    bool impatient; /* a signal asked us to end while the last output was being delivered */
};

/* ---- which signals --------------------------------------------------------------------------------- */

/* Left to the kernel: faults of our own, what cannot be blocked, and stops for touching the terminal in the
 * background. */
static const int untouched[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,
                                 SIGTRAP, SIGSYS,  SIGABRT, SIGTTIN, SIGTTOU, SIGURG };

/*
 * nohup, or a shell that started us in the background: these two stay ignored (a blocked signal would reach
 * the signalfd). The others mean the payload, whatever our caller thinks of them.
 */
static const int kept_when_ignored[] = { SIGHUP, SIGINT };

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void fill_watched(sigset_t *set)
{
    sigfillset(set);
    for (size_t i = 0; i < array_length(untouched); i++)
        sigdelset(set, untouched[i]);
    for (size_t i = 0; i < array_length(kept_when_ignored); i++)
        if (is_ignored(kept_when_ignored[i]))
            sigdelset(set, kept_when_ignored[i]);
}

int supervise_block_signals(sigset_t *saved, int *signal_fd, struct error *err)
{
    sigset_t watched;

    signal(SIGCHLD, SIG_DFL); /* ignored, children would vanish with their exit status */
    fill_watched(&watched);
    if (sigprocmask(SIG_BLOCK, &watched, saved) < 0)
        return fail_errno(err, "sigprocmask");
    *signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*signal_fd < 0) {
        fail_errno(err, "signalfd");
        sigprocmask(SIG_SETMASK, saved, NULL);
        return -1;
    }
    return 0;
}

/* ---- children -------------------------------------------------------------------------------------- */

static int exit_status(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

/* All that have ended, until it is the payload: several SIGCHLD may have become one. */
static void reap(struct supervision *state)
{
    siginfo_t info = { 0 };

    while (state->status < 0 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
        if (info.si_pid == state->pid)
            state->status = exit_status(&info);
        info.si_pid = 0;
    }
}

static int collect(struct supervision *state, struct error *err)
{
    siginfo_t info = { 0 };

    if (state->status >= 0) /* reap() met it first */
        return 0;
    if (waitid(P_PIDFD, (id_t)state->pidfd, &info, WEXITED) < 0)
        return fail_errno(err, "wait for process %d", (int)state->pid);
    state->status = exit_status(&info);
    return 0;
}

/* ---- signals --------------------------------------------------------------------------------------- */

/* Stops us as the signal would have; the kernel knows when there is no shell that could continue us, and does
 * not then. */
static void stop_ourselves(struct supervision *state)
{
    sigset_t stop;

    if (state->relay)
        terminal_relay_suspend(state->relay);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    if (state->relay)
        terminal_relay_resume(state->relay);
}

static void forward(struct supervision *state, int number)
{
    if (state->status < 0)
        sys_pidfd_send_signal(state->pidfd, number); /* ESRCH: it has just ended, and the pidfd says so */
    else if (number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP)
        state->impatient = true;
}

/* Whoever continues us usually does it by a signal, which the loop then forwards. Where nothing stopped us,
 * there is none. */
static bool is_continued_by_signal(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT);
}

/* The payload first: what it does about the signal it does while it has the terminal. */
static void stop_with_payload(struct supervision *state)
{
    if (state->watch.stops_with_us)
        forward(state, SIGTSTP);
    stop_ourselves(state);
    if (state->watch.stops_with_us && !is_continued_by_signal())
        forward(state, SIGCONT);
}

static void handle_signal(struct supervision *state, int number)
{
    switch (number) {
    case SIGCHLD:
        reap(state);
        break;
    case SIGPIPE: /* the relay sees EPIPE */
        break;
    case SIGWINCH: /* setting the size inside sends it there */
        if (state->relay)
            terminal_relay_resize(state->relay);
        else
            forward(state, number);
        break;
    case SIGTSTP:
        stop_with_payload(state);
        break;
    case SIGCONT: /* of ours, and the payload may wait for one, too */
        if (state->relay)
            terminal_relay_resume(state->relay);
        forward(state, number);
        break;
    default:
        forward(state, number);
    }
}

/* When the payload has ended, signals still matter to the delivery of its last output only. */
static void handle_signals(struct supervision *state)
{
    struct signalfd_siginfo info;

    while ((state->status < 0 || state->relay) && read(state->signal_fd, &info, sizeof info) == sizeof info)
        handle_signal(state, (int)info.ssi_signo);
}

/* ---- time ------------------------------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int supervise_limit_parse(const char *seconds, int signal, struct supervise_limit *limit, struct error *err)
{
    char *end;
    double number;

    *limit = (struct supervise_limit){ .grace = SUPERVISE_GRACE_MS, .signal = signal };
    if (!seconds)
        return 0;
    number = strtod(seconds, &end);
    if (seconds[0] < '0' || seconds[0] > '9' || strspn(seconds, "0123456789.") != strlen(seconds) || *end ||
        number > 1e9)
        return fail(err, EINVAL, "--timeout %s: not a number of seconds", seconds);
    limit->milliseconds = number > 0 && number < 0.001 ? 1 : (int64_t)(number * 1000);
    return 0;
}

/* The group as well: exec's process leads one. What left it ends with init, or with the cgroup. */
static void kill_tree(const struct supervision *state, int number)
{
    kill(-state->pid, number);
    sys_pidfd_send_signal(state->pidfd, number);
}

/* Milliseconds until there is something to do without an event, for poll(). */
static int time_left(const struct supervision *state)
{
    int64_t left = state->deadline ? state->deadline - now() : INT_MAX;

    if (state->status >= 0)
        return -1;
    if (!state->shrunk && left > SHRINK_AFTER_MS)
        return SHRINK_AFTER_MS;
    return !state->deadline ? -1 : left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void watch_time(struct supervision *state)
{
    if (!state->deadline || state->status >= 0 || now() < state->deadline)
        return;
    kill_tree(state, state->timed_out ? SIGKILL : state->watch.limit.signal);
    state->deadline = state->timed_out ? 0 : now() + state->watch.limit.grace;
    state->timed_out = true;
}

/* Not at once: whoever waits only for a moment would pay for the pages again when it goes on. */
static void shrink(struct supervision *state)
{
    if (state->shrunk)
        return;
    shrink_resident_memory();
    state->shrunk = true;
}

/* ---- the loop -------------------------------------------------------------------------------------- */

/* Once around: 1, 0 when the process has ended and its output is delivered, or -1. */
static int step(struct supervision *state, struct error *err)
{
    struct pollfd fds[SLOTS] = { { .fd = state->signal_fd, .events = POLLIN },
                                 { .fd = state->status < 0 ? state->pidfd : -1, .events = POLLIN },
                                 { .fd = state->watch.fd, .events = POLLIN } };
    int relayed = state->relay ? terminal_relay_fds(state->relay, fds + RELAY_SLOT, TERMINAL_RELAY_FDS) : 0;
    int events;

    if (state->status >= 0 && (relayed == 0 || state->impatient))
        return 0;
    events = poll(fds, (nfds_t)(RELAY_SLOT + relayed), time_left(state));
    if (events < 0)
        return errno == EINTR ? 1 : fail_errno(err, "poll");
    if (events == 0)
        shrink(state);
    if (relayed > 0)
        terminal_relay_handle(state->relay, fds + RELAY_SLOT, relayed);
    if (fds[WATCH_SLOT].revents)
        state->watch.fd = state->watch.handle(state->watch.context);
    if (fds[SIGNAL_SLOT].revents)
        handle_signals(state);
    if (fds[PROCESS_SLOT].revents && collect(state, err) < 0)
        return -1;
    if (state->status >= 0 && state->relay)
        terminal_relay_finish(state->relay);
    watch_time(state);
    return 1;
}

int supervise_watching(pid_t pid, int pidfd, int signal_fd, struct terminal_relay *relay,
                       const struct supervise_watch *watch, struct error *err)
{
    struct supervision state = { .pid = pid,
                                 .pidfd = pidfd,
                                 .signal_fd = signal_fd,
                                 .relay = relay,
                                 .watch = *watch,
                                 .deadline =
                                     watch->limit.milliseconds ? now() + watch->limit.milliseconds : 0,
                                 .status = -1 };
    int going;

    do
        going = step(&state, err);
    while (going > 0);
    if (going < 0 || !state.timed_out)
        return going < 0 ? -1 : state.status;
    kill(-pid, SIGKILL); /* what outlived its leader */
    if (watch->timed_out)
        *watch->timed_out = true;
    return SUPERVISE_TIMED_OUT;
}

int supervise(pid_t pid, int pidfd, int signal_fd, struct terminal_relay *relay, struct error *err)
{
    const struct supervise_watch nothing = { .fd = -1 };

    return supervise_watching(pid, pidfd, signal_fd, relay, &nothing, err);
}
