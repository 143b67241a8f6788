/* Our own terminal, fds 0-2 of the runtime, while a container has it: relay.c is the only user. */
#pragma once

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

struct raw_terminal {
    bool active;          /* it is in raw mode by our doing */
    bool known;           /* `saved` is filled */
    struct termios saved; /* what it was at first: a shell that continues us puts back what we had set */
};

/* Does the user see the container's output on the terminal that the input comes from? */
bool raw_terminal_is_both_ways(void);

/* Is stdin a terminal, and may we use it now (job control)? */
bool raw_terminal_in_foreground(void);

/* Raw mode, when stdin is a terminal and we are in its foreground; otherwise nothing happens. May be
 * repeated. */
void raw_terminal_enter(struct raw_terminal *terminal);
void raw_terminal_leave(struct raw_terminal *terminal);

/* The window size of the first of stdin, stdout, stderr that has one. */
bool raw_terminal_size(struct winsize *size);
