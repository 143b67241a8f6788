/*
 * Raw mode of our own terminal, in the foreground runtime.
 *
 * Who turns "\n" into "\r\n"? With stdin and stdout on a terminal the container's side does (its ONLCR stays
 * set), and ours passes bytes through unchanged: a full-screen program that switched its side to raw means a
 * bare line feed when it sends one. With the output elsewhere (a pipe, a log) nobody should: relay.c clears
 * ONLCR inside, and output processing of our terminal stays on for whatever else writes to it (`aril run … |
 * grep x`).
 */
#include "terminal/raw.h"

#include <unistd.h>

bool raw_terminal_is_both_ways(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* In the background, tcsetattr() would stop us, and the modes belong to the shell. */
bool raw_terminal_in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void raw_terminal_enter(struct raw_terminal *terminal)
{
    struct termios raw;

    if (!raw_terminal_in_foreground() || (!terminal->known && tcgetattr(STDIN_FILENO, &terminal->saved) < 0))
        return;
    terminal->known = true;
    raw = terminal->saved;
    cfmakeraw(&raw);
    if (!isatty(STDOUT_FILENO))
        raw.c_oflag |= terminal->saved.c_oflag & OPOST;
    terminal->active = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void raw_terminal_leave(struct raw_terminal *terminal)
{
    if (terminal->active && raw_terminal_in_foreground())
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal->saved);
    terminal->active = false;
}

bool raw_terminal_size(struct winsize *size)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, size) == 0 && size->ws_row > 0 && size->ws_col > 0)
            return true;
    return false;
}
