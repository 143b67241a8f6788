/*
 * What aril-init needs of the kernel. On x86-64 there is no libc in it: a few pages instead of 700 kB, most of
 * which a pid 1 would keep in memory for nothing. Elsewhere the same functions come from a static libc.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef void signal_handler(int number, siginfo_t *info, void *context);

#if defined __x86_64__
/* The result, or a negative errno value. */
static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

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

static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
    long result = syscall(number, a, b, c, d, e, f);

    return result < 0 ? -errno : result;
}

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

#define kernel_call_(number, a, b, c, d, e, f, ...)                                                          \
    kernel_call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel_call(...) kernel_call_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
