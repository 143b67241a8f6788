/*
 * What aril-init needs of the kernel. On x86-64 there is no libc in it: a few pages instead of 700 kB, most of
 * which a pid 1 would keep in memory for nothing. Elsewhere the same functions come from a static libc.
 */
#pragma once

#include "base/kernel_call.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

typedef void signal_handler(int number, siginfo_t *info, void *context);

#if defined __x86_64__
static inline long kernel_fork(void)
{
    return kernel_call6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

/* The signal frame's way back; the kernel has none of its own on this architecture. */
void kernel_signal_return(void);

static inline void kernel_on_signal(int number, signal_handler *handler)
{
    const struct {
        signal_handler *handler;
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = { handler, SA_SIGINFO | SA_RESTART | 0x04000000 /* SA_RESTORER */, kernel_signal_return,
                 ~(uint64_t)0 };

    kernel_call6(SYS_rt_sigaction, number, (long)&action, 0, sizeof action.mask, 0, 0);
}
#else
#include <unistd.h>

static inline long kernel_fork(void)
{
    return fork();
}

static inline void kernel_on_signal(int number, signal_handler *handler)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };

    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}
#endif
