/*
 * The foreground: waits for one process, forwards signals to it and relays the terminal. One loop over
 * poll(), signalfd and the pidfd. Used by run and exec without --detach.
 */
#pragma once

#include "base/error.h"
#include "terminal/terminal.h"

#include <stdbool.h>
#include <stdint.h>

#include <signal.h>

/* Blocks every signal that will be forwarded; call before the child exists so that none is lost. Saves the
 * old mask. */
int supervise_block_signals(sigset_t *saved, int *signal_fd, struct error *err);

/*
 * Until the process ends: its exit status, or 128 + signal. Every signal but SIGCHLD, SIGPIPE, SIGURG and job
 * control of our own terminal is forwarded through `pidfd`; SIGWINCH by the relay, where there is one.
 * Orphans that are reparented to us are reaped. `relay` may be NULL.
 */
int supervise(pid_t pid, int pidfd, int signal_fd, struct terminal_relay *relay, struct error *err);

/*
 * A limit of time (F-7): when `milliseconds` are over, the process and its group get `signal`, and SIGKILL
 * `grace` milliseconds later; supervise_watching() then returns SUPERVISE_TIMED_OUT, whatever the process
 * makes of it.
 */
#define SUPERVISE_TIMED_OUT 124
#define SUPERVISE_GRACE_MS 2000

struct supervise_limit {
    int64_t milliseconds; /* 0: none */
    int64_t grace;
    int signal;
};
/* "1.5" in seconds; NULL or 0: no limit. `signal`: a name or number, NULL: TERM. */
int supervise_limit_parse(const char *seconds, int signal, struct supervise_limit *limit, struct error *err);

/* One more descriptor in the loop. `handle` is called when it can be read, and returns it or -1: no longer.
 */
struct supervise_watch {
    int fd; /* -1: none */
    int (*handle)(void *context);
    void *context;
    struct supervise_limit limit;
    bool *timed_out;    /* NULL: nobody asks */
    bool stops_with_us; /* SIGTSTP is forwarded before it stops us, and SIGCONT when we go on */
};
int supervise_watching(pid_t pid, int pidfd, int signal_fd, struct terminal_relay *relay,
                       const struct supervise_watch *watch, struct error *err);
