/* Signal state before execve(): see signals.h. */
#include "base/signals.h"

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGSET_SIZE 8

/*
 * By the raw call: libc refuses the two signals that it keeps for itself, and callers were seen that ignore one of
 * them. SIGKILL and SIGSTOP are refused, which is fine.
 */
void signals_reset(void)
{
    static const uint64_t default_action[8]; /* the kernel's struct sigaction is smaller; SIG_DFL is 0 */
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, default_action, NULL, KERNEL_SIGSET_SIZE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
