/* Signal state before execve(): see signals.h. */
#include "base/signals.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGSET_SIZE 8
#define KEY "\nSigIgn:\t"

uint64_t signals_ignored(int procfs)
{
    auto_close int fd = openat(procfs, "self/status", O_RDONLY | O_CLOEXEC);
    char text[4096], *found, *end;
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    uint64_t ignored;

    if (length <= 0)
        return SIGNALS_ALL;
    text[length] = '\0';
    found = strstr(text, KEY);
    if (!found)
        return SIGNALS_ALL;
    ignored = strtoull(found + strlen(KEY), &end, 16);
    return *end == '\n' ? ignored : SIGNALS_ALL;
}

/*
 * By the raw call: libc refuses the two signals that it keeps for itself, and callers were seen that ignore
 * one of them. SIGKILL and SIGSTOP are refused, which is fine.
 */
void signals_reset(uint64_t ignored)
{
    static const uint64_t default_action[8]; /* the kernel's struct sigaction is smaller; SIG_DFL is 0 */
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        if (ignored >> (number - 1) & 1)
            syscall(SYS_rt_sigaction, number, default_action, NULL, KERNEL_SIGSET_SIZE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
