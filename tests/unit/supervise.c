/*
 * runtime/supervise and the relay of runtime/terminal, end to end: a foreground process with the stdin and
 * stdout of the test's choice, and a payload with or without a pseudo-terminal. Contract items 286 (X1), 291,
 * 292.
 */
#include "supervise/supervise.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the foreground process ------------------------------------------------------------------------ */

static int make_terminal(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    cr_assert_geq(master, 0);
    cr_assert_eq(unlockpt(master), 0);
    *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert_geq(*slave, 0);
    return master;
}

static void payload(const char *script, int slave, const sigset_t *saved)
{
    struct error err = { 0 };

    setsid();
    if (slave >= 0 && terminal_become(slave, &err) < 0)
        _exit(99);
    sigprocmask(SIG_SETMASK, saved, NULL);
    execl("/bin/sh", "sh", "-c", script, NULL);
    _exit(98);
}

/* What launch/ will do: never returns. */
static void foreground(const char *script, bool terminal)
{
    int signal_fd, master = -1, slave = -1, status;
    struct terminal_relay *relay = NULL;
    struct error err = { 0 };
    sigset_t saved;
    pid_t pid;

    if (supervise_block_signals(&saved, &signal_fd, &err) < 0)
        _exit(97);
    if (terminal) {
        master = make_terminal(&slave);
        relay =
            terminal_relay_open(master, false, &err); /* first: it sets the modes that the payload finds */
    }
    pid = fork();
    if (pid == 0)
        payload(script, slave, &saved);
    cleanup_close(&slave);
    status = supervise(pid, sys_pidfd_open(pid), signal_fd, relay, &err);
    terminal_relay_close(relay);
    if (status < 0)
        fprintf(stderr, "%s\n", err.text);
    _exit(status < 0 ? 96 : status);
}

struct run {
    pid_t pid;
    int input;  /* what the test writes, -1: none */
    int output; /* what it reads */
};

static struct run start(const char *script, bool terminal)
{
    int in[2], out[2];
    struct run run;

    cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    run = (struct run){ fork(), in[1], out[0] };
    if (run.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        foreground(script, terminal);
    }
    close(in[0]);
    close(out[1]);
    return run;
}

/* The same on a terminal: fd 0-2 of the foreground are its slave. */
static struct run start_on_terminal(const char *script, bool terminal)
{
    int slave, master = make_terminal(&slave);
    struct run run = { fork(), master, master };
    struct error err;

    if (run.pid == 0) {
        setsid();
        if (terminal_become(slave, &err) < 0)
            _exit(95);
        foreground(script, terminal);
    }
    close(slave);
    return run;
}

/* Reads until `needle` was seen, or the end (NULL). */
static char *read_until(struct run *run, const char *needle)
{
    struct buffer text = { 0 };
    double deadline = seconds() + 10;
    char chunk[4096];

    buffer_add_string(&text, "");
    while (seconds() < deadline && !(needle && strstr(text.data, needle))) {
        struct pollfd fd = { .fd = run->output, .events = POLLIN };
        ssize_t got = poll(&fd, 1, 1000) > 0 ? read(run->output, chunk, sizeof chunk) : -2;

        if (got == 0 || got == -1)
            break;
        if (got > 0)
            buffer_add(&text, chunk, (size_t)got);
    }
    return buffer_take(&text);
}

static void type(struct run *run, const char *text)
{
    cr_assert_eq(write(run->input, text, strlen(text)), (ssize_t)strlen(text));
}

static int finish(struct run *run)
{
    int status = -1;

    cr_assert_eq(waitpid(run->pid, &status, 0), run->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- without a terminal ---------------------------------------------------------------------------- */

/* X1 */
Test(supervise, exit_status, .timeout = 30)
{
    static const struct {
        const char *script;
        int status;
    } rows[] = {
        { "exit 0", 0 },       { "exit 7", 7 },          { "exit 255", 255 },
        { "kill -9 $$", 137 }, { "kill -TERM $$", 143 },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        for (int terminal = 0; terminal < 2; terminal++) {
            struct run run = start(rows[i].script, terminal);

            cr_expect_eq(finish(&run), rows[i].status, "%s", rows[i].script);
        }
}

Test(supervise, signals_are_forwarded, .timeout = 30)
{
    const int signals[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
                            SIGUSR2, SIGALRM, SIGCONT, SIGWINCH, SIGRTMIN + 3 };

    for (size_t i = 0; i < array_length(signals); i++) {
        auto_free char *script =
            memory_format("trap 'exit 5' %d; echo ready; while :; do sleep 0.05; done", signals[i]);
        struct run run = start(script, false);

        free(read_until(&run, "ready"));
        kill(run.pid, signals[i]);
        cr_expect_eq(finish(&run), 5, "%d", signals[i]);
    }
}

/* One that comes before the payload can handle it is not lost. */
Test(supervise, signal_before_the_loop, .timeout = 30)
{
    int signal_fd;
    sigset_t saved;
    struct error err = { 0 };
    pid_t pid;

    cr_assert_eq(supervise_block_signals(&saved, &signal_fd, &err), 0);
    raise(SIGTERM);
    pid = fork();
    if (pid == 0)
        payload("sleep 20", -1, &saved);
    cr_assert_eq(supervise(pid, sys_pidfd_open(pid), signal_fd, NULL, &err), 143, "%s", err.text);
}

Test(supervise, not_forwarded, .timeout = 30)
{
    struct run run = start("trap 'exit 5' CHLD PIPE URG; echo ready; read x; exit 0", false);

    free(read_until(&run, "ready"));
    kill(run.pid, SIGCHLD);
    kill(run.pid, SIGPIPE);
    kill(run.pid, SIGURG);
    usleep(100000);
    type(&run, "\n");
    cr_assert_eq(finish(&run), 0);
}

Test(supervise, what_nohup_ignores_stays_ignored, .timeout = 30)
{
    struct run run;

    signal(SIGHUP, SIG_IGN);
    run = start("trap 'exit 5' USR1; echo ready; read x; exit 0", false);
    free(read_until(&run, "ready"));
    kill(run.pid, SIGHUP);
    usleep(100000);
    type(&run, "\n");
    cr_assert_eq(finish(&run), 0);
}

Test(supervise, orphans_are_reaped, .timeout = 30)
{
    struct error err = { 0 };
    int signal_fd;
    sigset_t saved;
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    cr_assert_eq(supervise_block_signals(&saved, &signal_fd, &err), 0);
    pid = fork();
    if (pid == 0)
        payload("for i in 1 2 3; do (sleep 0.1 &) ; done; sleep 0.4; exit 3", -1, &saved);
    cr_assert_eq(supervise(pid, sys_pidfd_open(pid), signal_fd, NULL, &err), 3, "%s", err.text);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
}

Test(supervise, a_process_that_is_not_ours_is_an_error, .timeout = 30)
{
    struct error err = { 0 };
    int signal_fd, ready[2];
    sigset_t saved;
    pid_t grandchild;

    cr_assert_eq(pipe(ready), 0);
    if (fork() == 0) {
        grandchild = fork();
        if (grandchild == 0) {
            usleep(200000);
            _exit(0);
        }
        (void)!write(ready[1], &grandchild, sizeof grandchild);
        usleep(2000000);
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &grandchild, sizeof grandchild), (ssize_t)sizeof grandchild);
    cr_assert_eq(supervise_block_signals(&saved, &signal_fd, &err), 0);
    cr_assert_eq(supervise(grandchild, sys_pidfd_open(grandchild), signal_fd, NULL, &err), -1);
    cr_assert(strstr(err.text, "no child processes"), "%s", err.text);
}

/* ---- with a terminal, stdin and stdout being pipes --------------------------------------------------- */

/* item 291: no "\r" in pipes */
Test(supervise, output_through_a_pipe_has_plain_newlines, .timeout = 30)
{
    struct run run = start("tty >/dev/null && printf 'one\\ntwo\\n'", true);
    auto_free char *text = read_until(&run, NULL);

    cr_assert_str_eq(text, "one\ntwo\n");
    cr_assert_eq(finish(&run), 0);
}

Test(supervise, end_of_stdin_reaches_the_payload, .timeout = 30)
{
    static const char *const inputs[] = { "", "a line\n", "no newline" };

    for (size_t i = 0; i < array_length(inputs); i++) {
        struct run run = start("stty -echo; echo ready; cat; exit 4", true);
        auto_free char *text = NULL;

        free(read_until(&run, "ready\n"));
        type(&run, inputs[i]);
        close(run.input);
        text = read_until(&run, NULL);
        cr_expect_str_eq(text, inputs[i]);
        cr_expect_eq(finish(&run), 4);
    }
}

Test(supervise, nothing_is_lost_at_the_end, .timeout = 60)
{
    for (int round = 0; round < 30; round++) {
        struct run run = start("seq 1 3000", true);
        auto_free char *text = NULL;

        usleep(round % 3 * 3000); /* a reader that is late */
        text = read_until(&run, NULL);
        cr_assert_eq(finish(&run), 0);
        cr_assert_eq(strlen(text), 13893, "%zu", strlen(text));
        cr_assert_str_eq(text + 13888, "3000\n");
    }
}

/* More than all buffers on the way hold, and a reader that starts late. */
Test(supervise, backpressure, .timeout = 60)
{
    struct run run = start("seq 1 100000; exit 6", true);
    auto_free char *text = NULL;

    usleep(300000);
    text = read_until(&run, NULL);
    cr_assert_eq(strlen(text), 588895);
    cr_assert_eq(finish(&run), 6);
}

/* stdout is full and nobody reads: signals still get through. */
Test(supervise, signals_pass_a_full_stdout, .timeout = 30)
{
    struct run run =
        start("trap 'exit 5' TERM; while :; do echo 0123456789012345678901234567890123456789; done", true);
    double begin;

    usleep(300000);
    begin = seconds();
    kill(run.pid,
         SIGTERM); /* the shell is stuck in write(): its trap ends it as soon as the terminal lets go */
    usleep(100000);
    kill(run.pid, SIGTERM); /* and if it has ended: give up the last output */
    free(read_until(&run, NULL));
    cr_assert_eq(finish(&run), 5);
    cr_assert_lt(seconds() - begin, 5);
}

Test(supervise, a_second_signal_gives_up_output_that_nobody_reads, .timeout = 30)
{
    struct run run = start("trap '' TERM; read x; head -c 6000 /dev/zero; exit 8", true);

    /* More than the pipe takes, and less than would fill the terminal, where the payload would wait to write.
     */
    fcntl(run.output, F_SETPIPE_SZ, 4096);
    type(&run, "\n");
    usleep(500000); /* the payload has ended: 4 KiB are in the pipe, the rest is with the relay */
    cr_assert_eq(waitpid(run.pid, NULL, WNOHANG), 0);
    for (siginfo_t info = { 0 }; info.si_pid == 0;
         usleep(50000)) { /* on a busy machine it ends later, and ignores some */
        kill(run.pid, SIGTERM);
        cr_assert_eq(waitid(P_PID, (id_t)run.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    }
    cr_assert_eq(finish(&run), 8);
}

Test(supervise, grandchildren_that_hold_the_terminal_do_not_hold_us, .timeout = 30)
{
    static const char *const scripts[] = {
        "trap '' HUP; sleep 15 & echo done; exit 3",
        "trap '' HUP; timeout --foreground 5 sh -c 'while :; do echo noise; done' & sleep 0.2; exit 3",
        "trap '' HUP; setsid timeout --foreground 5 sh -c 'while :; do echo noise; done' & sleep 0.2; exit 3",
    };

    for (size_t i = 0; i < array_length(scripts); i++) {
        struct run run = start(scripts[i], true);
        double begin = seconds();

        free(read_until(&run, NULL));
        cr_expect_eq(finish(&run), 3);
        cr_expect_lt(seconds() - begin, 4);
    }
}

Test(supervise, a_reader_that_leaves_hangs_up, .timeout = 30)
{
    struct run run = start("while :; do echo y; done", true);

    free(read_until(&run, "y\n"));
    close(run.output);
    cr_assert_eq(finish(&run), 128 + SIGHUP);
}

/* systemd and getty do that: all have closed the terminal, later one opens it again */
Test(supervise, terminal_closed_and_opened_again, .timeout = 30)
{
    struct run run =
        start("t=$(tty); echo one; trap '' HUP; exec 3<&0 </dev/null >/dev/null 2>&1 3<&-; sleep 0.5;"
              "echo two >$t; sleep 0.3; exec <$t >$t; echo three; read x; echo got $x; exit 2",
              true);
    auto_free char *text = read_until(&run, "three\n");

    cr_assert_str_eq(text, "one\ntwo\nthree\n");
    type(&run, "word\n");
    free(text);
    text = read_until(&run, NULL);
    cr_assert(strstr(text, "got word\n"), "%s", text);
    cr_assert_eq(finish(&run), 2);
}

/* A watched hang-up must cost no time: poll() reports POLLHUP for ever. */
Test(supervise, hung_up_terminal_is_not_busy, .timeout = 30)
{
    struct run run = start("exec </dev/null >/dev/null 2>&1; sleep 1", true);
    clock_t ticks;
    char path[64], stat[512];
    unsigned long user = 0, system = 0;
    auto_fclose FILE *file = NULL;

    usleep(800000);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)run.pid);
    file = fopen(path, "re");
    cr_assert(file && fgets(stat, sizeof stat, file));
    cr_assert_eq(
        sscanf(strrchr(stat, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system),
        2);
    ticks = (clock_t)(user + system);
    cr_assert_lt(ticks, 20);
    cr_assert_eq(finish(&run), 0);
}

/* ---- on a terminal ----------------------------------------------------------------------------------- */

Test(supervise, raw_mode_and_back, .timeout = 30)
{
    struct run run = start_on_terminal("stty -echo; echo ready; read x; printf 'got %s\\n' $x; exit 1", true);
    struct termios modes;
    auto_free char *text = read_until(&run, "ready");

    cr_assert_eq(tcgetattr(run.output, &modes), 0);
    cr_assert_eq(modes.c_lflag & (tcflag_t)(ECHO | ICANON | ISIG), 0);
    cr_assert_eq(modes.c_oflag & (tcflag_t)OPOST, 0);
    type(&run, "word\r");
    free(text);
    text = read_until(&run, "word\r\n");
    cr_assert(strstr(text, "got word\r\n"), "%s", text);
    waitid(P_PID, (id_t)run.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
    cr_assert_eq(tcgetattr(run.output, &modes), 0);
    cr_assert_eq(modes.c_lflag & (tcflag_t)(ECHO | ICANON | ISIG), (tcflag_t)(ECHO | ICANON | ISIG));
    cr_assert_neq(modes.c_oflag & (tcflag_t)OPOST, 0);
    cr_assert_eq(finish(&run), 1);
}

/* Lines and a ^D that were typed before we run: not as the NUL that the switch to raw mode makes of a ^D. */
Test(supervise, typed_ahead, .timeout = 30)
{
    int slave, master = make_terminal(&slave);
    struct run run = { -1, master, master };
    auto_free char *text = NULL;
    struct error err;

    type(&run, "one\ntwo\n\004");
    run.pid = fork();
    if (run.pid == 0) {
        setsid();
        if (terminal_become(slave, &err) < 0)
            _exit(95);
        foreground("stty -echo; sleep 0.2; od -An -c; exit 3", true);
    }
    close(slave);
    text = read_until(&run, NULL);
    cr_assert(strstr(text, "   o   n   e  \\n   t   w   o  \\n\r\n"), "%s", text);
    cr_assert_eq(finish(&run), 3);
}

Test(supervise, interrupt_character_acts_inside, .timeout = 30)
{
    struct run run = start_on_terminal("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done", true);

    free(read_until(&run, "ready"));
    type(&run, "\003");
    cr_assert_eq(finish(&run), 9);
}

/* item 292 */
Test(supervise, window_size_follows, .timeout = 30)
{
    struct run run =
        start_on_terminal("trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done", true);
    struct winsize size = { .ws_row = 40, .ws_col = 120 };

    free(read_until(&run, "0 0"));
    cr_assert_eq(ioctl(run.output, TIOCSWINSZ, &size), 0);
    free(read_until(&run, "40 120"));
    size.ws_col = 77;
    cr_assert_eq(ioctl(run.output, TIOCSWINSZ, &size), 0);
    free(read_until(&run, "40 77"));
    kill(run.pid, SIGKILL);
    finish(&run);
}

/* ---- job control --------------------------------------------------------------------------------------- */

static bool is_raw(int terminal)
{
    struct termios modes;

    return tcgetattr(terminal, &modes) == 0 && !(modes.c_lflag & ICANON);
}

/*
 * What a shell does: the foreground process in a group of its own, stopped, the terminal taken back,
 * continued. Returns 0, or the number of the step that went wrong.
 */
static int act_as_shell(const char *script, bool terminal)
{
    int status;
    pid_t pid;

    signal(SIGTTOU, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        foreground(script, terminal);
    }
    setpgid(pid, pid);
    usleep(200000);
    if (is_raw(0) != terminal)
        return 1;
    kill(-pid, SIGTSTP);
    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
        return 2;
    if (is_raw(0)) /* it has restored our terminal */
        return 3;
    tcsetpgrp(0, getpgrp());
    kill(-pid, SIGCONT); /* bg: it must not touch the terminal */
    usleep(100000);
    if (is_raw(0))
        return 4;
    tcsetpgrp(0, pid);
    kill(-pid, SIGCONT); /* fg */
    usleep(100000);
    if (is_raw(0) != terminal)
        return 5;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 6)
        return 6;
    return is_raw(0) ? 7 : 0;
}

Test(supervise, job_control, .timeout = 30)
{
    for (int terminal = 0; terminal < 2; terminal++) {
        int slave, master = make_terminal(&slave);
        struct error err;
        struct run run = { fork(), master, master };

        if (run.pid == 0) {
            setsid();
            if (terminal_become(slave, &err) < 0)
                _exit(95);
            _exit(act_as_shell("sleep 1; exit 6", terminal));
        }
        cr_expect_eq(finish(&run), 0, "%s terminal", terminal ? "with" : "without");
        close(slave);
        close(master);
    }
}

/* Nobody could continue us: the kernel's rule for orphaned process groups, SIGTSTP does not stop them. */
Test(supervise, no_shell_no_stop, .timeout = 30)
{
    struct run run = start_on_terminal("echo ready; sleep 0.5; exit 6", true);

    free(read_until(&run, "ready"));
    kill(run.pid, SIGTSTP);
    cr_assert_eq(finish(&run), 6);
}
