/*
 * stamp: the payload of a measurement. Writes the monotonic clock to stdout, in nanoseconds, as its first
 * act. On x86-64 it is without libc, whose own start would be measured otherwise.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#if defined __x86_64__
static long call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#define START _start
#else
#include <unistd.h>
#define call syscall
#define START main
#endif

void START(void);
void START(void)
{
    struct timespec time;
    int64_t stamp;

    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0);
    stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    call(SYS_exit_group, call(SYS_write, 1, (long)&stamp, sizeof stamp) != sizeof stamp, 0, 0);
    __builtin_unreachable();
}
