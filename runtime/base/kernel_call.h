/* System calls without libc, for code that has none: aril-init, and what aril does before its own libc
 * starts. */
#pragma once

#include <errno.h>
#include <sys/syscall.h>

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
#else
#include <unistd.h>

static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
    long result = syscall(number, a, b, c, d, e, f);

    return result < 0 ? -errno : result;
}
#endif

#define kernel_call_(number, a, b, c, d, e, f, ...)                                                          \
    kernel_call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel_call(...) kernel_call_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
