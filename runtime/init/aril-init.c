/*
 * aril-init: a static pid 1. It starts one program, forwards every signal to it, reaps whatever the kernel
 * hands over to it, and ends with the program's exit status (128 + signal). It is called like tini and
 * catatonit, which engines know how to call. Without -P it needs one system call for each child: wait4()
 * blocks, and signals are forwarded by a handler that interrupts it, so nothing polls and nothing wakes up
 * in vain. It knows nothing of the runtime.
 */
#include "kernel.h"
#include "text.h"

#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define SIGNAL_LAST 64
#define EXIT_SETUP 1
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_TIME_LIMIT 124
#define TIME_LIMIT_GRACE 2 /* seconds */
#define STRAGGLER_ROUNDS 10000 /* a fork bomb cannot hold us for ever */

struct options {
    bool group;         /* -g */
    bool pause;         /* -P */
    long death_signal;  /* -p */
    long grace;         /* -k: seconds */
    long limit;         /* -T: milliseconds */
    uint32_t success[8]; /* -e: bits of the exit codes that become 0 */
};

static const char usage[] =
    "usage: aril-init [OPTIONS] [--] PROGRAM [ARGUMENT...]\n"
    "  -g          send signals to the program's process group, not to the program alone\n"
    "  -s          adopt orphans also when not pid 1 (always done)\n"
    "  -p SIGNAL   get this signal when the parent dies\n"
    "  -e CODE     turn this exit code of the program into 0 (may be repeated)\n"
    "  -k SECONDS  at the end, SIGTERM the processes that are left and give them so long\n"
    "  -T SECONDS  end everything after this time (fractions are fine): SIGTERM, 2 s later SIGKILL; exit code 124\n"
    "  -P          no program: reap until SIGTERM or SIGINT\n"
    "  -w, -v      accepted for tini's callers, without effect\n"
    "  -h, --help, -V, --version\n";

/* Whom signals go to: the program, or its group (negative). Written once, while all signals are blocked. */
static int signal_target;

/* Set when the time of -T is over. */
static volatile bool time_is_over;

static void say(const char *a, const char *b, const char *c)
{
    const char *const parts[] = { "aril-init: ", a, b, c, "\n" };
    char line[512];
    size_t length = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *from = parts[i]; *from && length < sizeof line; from++)
            line[length++] = *from;
    kernel_call(SYS_write, 2, line, length);
}

/* ---- options -------------------------------------------------------------------------------------------- */

static long signal_number(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {
        { "SIGHUP", SIGHUP },   { "SIGINT", SIGINT },   { "SIGQUIT", SIGQUIT }, { "SIGKILL", SIGKILL },
        { "SIGUSR1", SIGUSR1 }, { "SIGUSR2", SIGUSR2 }, { "SIGTERM", SIGTERM },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(text, names[i].name) || text_equal(text, names[i].name + 3))
            return names[i].number;
    return text_number(text, SIGNAL_LAST);
}

/* "1.5" in milliseconds, or -1. */
static long duration(const char *text)
{
    long milliseconds = 0, unit = 1000;
    bool fraction = false;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || milliseconds > INT32_MAX)
            return -1;
        if (fraction)
            milliseconds += (*text - '0') * (unit /= 10);
        else
            milliseconds = milliseconds * 10 + (*text - '0') * 1000;
    }
    return milliseconds > 0 && milliseconds <= INT32_MAX ? milliseconds : -1;
}

static int option_value(struct options *options, char letter, const char *value)
{
    long number;

    switch (letter) {
    case 'p':
        options->death_signal = number = signal_number(value);
        break;
    case 'e':
        number = text_number(value, 255);
        if (number >= 0)
            options->success[number / 32] |= (uint32_t)1 << (number % 32);
        break;
    case 'T':
        options->limit = number = duration(value);
        break;
    default:
        options->grace = number = text_number(value, 86400);
    }
    if (number >= 0)
        return 0;
    say("wrong value: ", value, "");
    return -1;
}

static int print(const char *text)
{
    kernel_call(SYS_write, 1, text, text_length(text));
    return 0;
}

/* One cluster of letters ("-gs"). The number of arguments it took, or -1. */
static int option_cluster(struct options *options, const char *letters, const char *next)
{
    for (; *letters; letters++)
        switch (*letters) {
        case 'g':
            options->group = true;
            break;
        case 'P':
            options->pause = true;
            break;
        case 's':
        case 'w':
        case 'v':
            break;
        case 'p':
        case 'e':
        case 'k':
        case 'T':
            if (letters[1])
                return option_value(options, *letters, letters + 1) < 0 ? -1 : 1;
            if (next)
                return option_value(options, *letters, next) < 0 ? -1 : 2;
            /* fallthrough */
        default:
            say("wrong option: -", letters, "");
            return -1;
        }
    return 1;
}

static bool asks_for(const char *argument, const char *letter, const char *word)
{
    return text_equal(argument, letter) || text_equal(argument, word);
}

/* The index of the program, or -1; *status is what to exit with then. */
static int parse(char **argv, struct options *options, int *status)
{
    int i = 1;

    *status = EXIT_SETUP;
    while (argv[i] && argv[i][0] == '-' && argv[i][1]) {
        int taken;

        if (text_equal(argv[i], "--"))
            return i + 1;
        if (asks_for(argv[i], "-h", "--help"))
            return *status = print(usage), -1;
        if (asks_for(argv[i], "-V", "--version"))
            return *status = print("aril-init " INIT_VERSION "\n"), -1;
        taken = option_cluster(options, argv[i] + 1, argv[i + 1]);
        if (taken < 0)
            return -1;
        i += taken;
    }
    return i;
}

/* ---- the program ---------------------------------------------------------------------------------------- */

static int getpid_(void)
{
    return (int)kernel_call(SYS_getpid);
}

/* Socket activation and the watchdog name a pid: where it is ours, the program is meant (sd_listen_fds(3)). */
static void rename_pid(char **environment, const char *name, int old, char *place)
{
    int own = getpid_();

    for (; *environment; environment++) {
        const char *value = text_after(*environment, name);

        if (!value || text_number(value, INT32_MAX) != old)
            continue;
        *environment = place;
        *text_copy_number(text_copy(place, name), (unsigned)own) = '\0';
    }
}

static long try_execute(const char *path, char **words, char **environment)
{
    long result = kernel_call(SYS_execve, path, words, environment);

    if (result != -ENOEXEC)
        return result;
    /* A script without #!, like execvp(3). words[-1] is ours: an option or our own name. */
    words[-1] = (char *)(uintptr_t) "/bin/sh";
    words[0] = (char *)(uintptr_t)path;
    return kernel_call(SYS_execve, "/bin/sh", words - 1, environment);
}

static const char *search_path(char **environment)
{
    for (; *environment; environment++) {
        const char *value = text_after(*environment, "PATH=");

        if (value)
            return value;
    }
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Like execvp(3). Returns the negative errno value that matters. */
static long execute(char **words, char **environment)
{
    static char path[4096 + 256];
    const char *entry = search_path(environment);
    size_t name_length = text_length(words[0]);
    long failure = -ENOENT;

    for (const char *c = words[0]; *c; c++)
        if (*c == '/')
            return try_execute(words[0], words, environment);
    while (name_length > 0) {
        size_t length = 0;
        long result;

        while (entry[length] && entry[length] != ':')
            length++;
        if (length + name_length + 2 < sizeof path) {
            memcpy(path, length ? entry : ".", length ? length : 1);
            path[length ? length : 1] = '/';
            *text_copy(path + (length ? length : 1) + 1, words[0]) = '\0';
            result = try_execute(path, words, environment);
            /* A directory of PATH that we may not enter is not a program that we may not execute. */
            if (result != -ENOENT && result != -ENOTDIR &&
                kernel_call(SYS_faccessat, AT_FDCWD, path, 0 /* F_OK */) == 0)
                failure = result;
        }
        if (!entry[length])
            break;
        entry += length + 1;
    }
    return failure;
}

static const char *reason(long failure)
{
    switch (-failure) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
        return "permission denied";
    case ENOTDIR:
        return "not a directory";
    case ENOEXEC:
        return "exec format error";
    case EISDIR:
        return "is a directory";
    case E2BIG:
        return "argument list too long";
    case ENOMEM:
        return "cannot allocate memory";
    default:
        return "cannot be executed";
    }
}

/* In the new process, all signals blocked. */
static void become_program(char **words, char **environment, int init_pid, const uint64_t *mask)
{
    static char listen_pid[32], watchdog_pid[32];
    int group = getpid_();
    long failure;

    kernel_call(SYS_setpgid, 0, 0);
    /* The terminal's own signals are for the program, once; SIGTTOU is blocked here. No terminal: no matter. */
    kernel_call(SYS_ioctl, 0, TIOCSPGRP, &group);
    rename_pid(environment, "LISTEN_PID=", init_pid, listen_pid);
    rename_pid(environment, "WATCHDOG_PID=", init_pid, watchdog_pid);
    kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, sizeof *mask);
    failure = execute(words, environment);
    say(words[0], ": ", reason(failure));
    kernel_call(SYS_exit_group, failure == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* ---- signals -------------------------------------------------------------------------------------------- */

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGSYS;
}

/* False when we cannot know our children. */
static bool signal_children(int number)
{
    char list[4096];
    long length, fd = kernel_call(SYS_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    int pid = 0;

    if (fd < 0)
        return false;
    length = kernel_call(SYS_read, fd, list, sizeof list);
    kernel_call(SYS_close, fd);
    for (long i = 0; i < length; i++) {
        if (list[i] != ' ') {
            pid = pid * 10 + (list[i] - '0');
            continue;
        }
        if (pid > 1)
            kernel_call(SYS_kill, pid, number);
        pid = 0;
    }
    return length > 0;
}

static bool signal_stragglers(bool first, int number)
{
    return first ? kernel_call(SYS_kill, -1, number) == 0 : signal_children(number);
}

static void start_timer(long milliseconds)
{
    const struct itimerval value = {
        .it_value = { .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000 },
    };

    kernel_call(SYS_setitimer, ITIMER_REAL, &value, NULL);
}

static void end_for_time(void)
{
    bool first = getpid_() == 1;

    if (time_is_over) { /* the grace is over, too; as pid 1 we take all others with us */
        signal_stragglers(first, SIGKILL);
        kernel_call(SYS_exit_group, EXIT_TIME_LIMIT);
    }
    time_is_over = true;
    say("Time limit exceeded", "", "");
    signal_stragglers(first, SIGTERM);
    start_timer(TIME_LIMIT_GRACE * 1000);
}

static void forward(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code > 0 && is_fault(number)) /* our own: it must end us, not go round for ever */
        kernel_call(SYS_exit_group, 128 + number);
    else if (number == SIGALRM && info->si_code > 0) /* the kernel's: nobody else can send such a one */
        end_for_time();
    else if (info->si_code == SI_QUEUE && signal_target > 0) /* with its value */
        kernel_call(SYS_rt_sigqueueinfo, signal_target, number, info);
    else
        kernel_call(SYS_kill, signal_target, number);
}

/* SIGCHLD keeps its default: it must not interrupt wait4(). */
static void forward_all(void)
{
    for (int number = 1; number <= SIGNAL_LAST; number++)
        if (number != SIGKILL && number != SIGSTOP && number != SIGCHLD)
            kernel_on_signal(number, forward);
}

static uint64_t bit(int number)
{
    return (uint64_t)1 << (number - 1);
}

/* One of the signals, which must be blocked; -EAGAIN after `seconds` (negative: never). */
static long wait_for_signal(uint64_t set, long seconds)
{
    const struct timespec limit = { .tv_sec = seconds };

    return kernel_call(SYS_rt_sigtimedwait, &set, NULL, seconds < 0 ? NULL : &limit, sizeof set);
}

/* ---- the end -------------------------------------------------------------------------------------------- */

/* Until no child is left (true) or the time is over. */
static bool reap_for(long seconds)
{
    uint64_t child = bit(SIGCHLD);
    struct timespec now, end;

    kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, &child, NULL, sizeof child);
    kernel_call(SYS_clock_gettime, CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        long pid;

        while ((pid = kernel_call(SYS_wait4, -1, NULL, 1 /* WNOHANG */, NULL)) > 0)
            ;
        if (pid == -ECHILD)
            return true;
        kernel_call(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec)
            return false;
        wait_for_signal(child, end.tv_sec - now.tv_sec);
    }
}

/* As pid 1 the kernel kills all others when we exit, so there is only something to do where it does not. */
static void end_stragglers(bool first, long grace)
{
    if (grace > 0 && signal_stragglers(first, SIGTERM) && reap_for(grace))
        return;
    if (first)
        return;
    for (int round = 0; round < STRAGGLER_ROUNDS && signal_children(SIGKILL); round++)
        kernel_call(SYS_wait4, -1, NULL, 0, NULL);
}

/* ---- the two lives of an init --------------------------------------------------------------------------- */

static void notify_ready(char **environment)
{
    static const char message[] = "READY=1";
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = NULL;
    size_t length;
    long fd;

    for (; *environment && !path; environment++)
        path = text_after(*environment, "NOTIFY_SOCKET=");
    length = path ? text_length(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, length);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0'; /* the abstract name space */
    fd = kernel_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    kernel_call(SYS_sendto, fd, message, sizeof message - 1, MSG_NOSIGNAL, &address,
                offsetof(struct sockaddr_un, sun_path) + length);
    kernel_call(SYS_close, fd);
}

/* A pause container: nothing to run, but orphans to reap. */
static int pause_until_told(char **environment)
{
    uint64_t set = bit(SIGCHLD) | bit(SIGTERM) | bit(SIGINT);
    long number;

    kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof set);
    notify_ready(environment);
    do {
        while (kernel_call(SYS_wait4, -1, NULL, 1 /* WNOHANG */, NULL) > 0)
            ;
        number = wait_for_signal(set, -1);
    } while (number != SIGTERM && number != SIGINT);
    return 0;
}

static int exit_code(const struct options *options, int status)
{
    if (time_is_over)
        return EXIT_TIME_LIMIT;

    int code = (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;

    return options->success[code / 32] & (uint32_t)1 << (code % 32) ? 0 : code;
}

/* Until the program ends: one call for each process that dies, nothing else. */
static int reap_until(long program)
{
    int status = 0;

    for (;;) {
        long pid = kernel_call(SYS_wait4, -1, &status, 0, NULL);

        if (pid == program)
            return status;
        if (pid == -ECHILD) /* cannot happen: the program is our child */
            return EXIT_SETUP << 8;
    }
}

static int run(const struct options *options, char **words, char **environment)
{
    const uint64_t all = ~(uint64_t)0;
    uint64_t mask = 0;
    int own = getpid_(), status;
    long program;

    kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof all);
    if (own != 1)
        kernel_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
    if (options->limit > 0) /* the program must not be able to ptrace its clock away */
        kernel_call(SYS_prctl, PR_SET_DUMPABLE, 0);
    program = kernel_fork();
    if (program == 0)
        become_program(words, environment, own, &mask);
    if (program < 0) {
        say("cannot fork", "", "");
        return EXIT_SETUP;
    }
    kernel_call(SYS_setpgid, program, program); /* both sides: -g must hit the group from the first moment */
    signal_target = options->group ? -(int)program : (int)program;
    forward_all();
    if (options->limit > 0)
        start_timer(options->limit);
    mask = 0;
    kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    status = reap_until(program);
    kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all); /* its pid may be another's soon */
    end_stragglers(own == 1, options->grace);
    return exit_code(options, status);
}

int main(int argc, char **argv, char **environment);
int main(int argc, char **argv, char **environment)
{
    struct options options = { 0 };
    int status, first;

    if (argc < 1)
        return EXIT_SETUP;
    first = parse(argv, &options, &status);
    if (first < 0)
        return status;
    if (options.death_signal > 0)
        kernel_call(SYS_prctl, PR_SET_PDEATHSIG, options.death_signal);
    if (options.pause)
        return pause_until_told(environment);
    if (first < argc)
        return run(&options, argv + first, environment);
    say("no program given (see --help)", "", "");
    return EXIT_SETUP;
}
