/* Signal names: see signals.h. Pure. */
#include "cli/signals.h"

#include "base/memory.h"
#include "base/number.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    int number;
} names[] = {
    { "HUP", SIGHUP },       { "INT", SIGINT },   { "QUIT", SIGQUIT },   { "ILL", SIGILL },
    { "TRAP", SIGTRAP },     { "ABRT", SIGABRT }, { "IOT", SIGABRT },    { "BUS", SIGBUS },
    { "FPE", SIGFPE },       { "KILL", SIGKILL }, { "USR1", SIGUSR1 },   { "SEGV", SIGSEGV },
    { "USR2", SIGUSR2 },     { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },   { "TERM", SIGTERM },
    { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD },    { "CONT", SIGCONT },
    { "STOP", SIGSTOP },     { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },   { "TTOU", SIGTTOU },
    { "URG", SIGURG },       { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },   { "VTALRM", SIGVTALRM },
    { "PROF", SIGPROF },     { "IO", SIGIO },     { "WINCH", SIGWINCH }, { "POLL", SIGIO },
    { "PWR", SIGPWR },       { "SYS", SIGSYS },   { "UNUSED", SIGSYS },
};

/* "RTMIN+3": counted from the C library's SIGRTMIN, as `kill -l` does. -1: not of that form. */
static int parse_realtime(const char *name)
{
    bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
    int64_t offset = 0;

    if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
        return -1;
    name += 5;
    if (*name == (from_min ? '+' : '-')) {
        if (name[1] == '-' || !number_parse(name + 1, 0, SIGRTMAX - SIGRTMIN, &offset))
            return -1;
    } else if (*name) {
        return -1;
    }
    return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

static int parse_name(const char *name)
{
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < array_length(names); i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].number;
    return parse_realtime(name);
}

int signal_parse(const char *text, struct error *err)
{
    int64_t number;
    int signal;

    if (number_parse(text, 0, SIGRTMAX, &number))
        return (int)number;
    signal = parse_name(text);
    if (signal < 0)
        return fail(err, EINVAL, "unknown signal \"%s\"", text);
    return signal;
}
