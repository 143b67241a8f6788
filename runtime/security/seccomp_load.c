/*
 * Loads a seccomp program. Runs in the container's init and in exec'd processes as late as possible (item
 * 224): from the return of seccomp_filter_load() on, every system call of this process is the payload's
 * business.
 */
#include "security/security.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The kernel refuses combinations that mean nothing in a process with one thread, or without a listener. */
static unsigned usable_flags(const struct seccomp_filter *filter)
{
    unsigned flags = filter->flags;

    if (filter
            ->notify) /* TSYNC with a listener needs TSYNC_ESRCH; there are no other threads to synchronise */
        return (flags & ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
    return flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

int seccomp_filter_load(const struct seccomp_filter *filter, int *listener, struct error *err)
{
    long result;

    *listener = -1;
    if (filter->program.len == 0)
        return 0;
    result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, usable_flags(filter), &filter->program);
    if (result < 0) {
        fail_errno(err, "linux.seccomp: load %u instructions", (unsigned)filter->program.len);
        if (err->code == EACCES)
            fail_hint(err, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
        return -1;
    }
    if (filter->notify)
        *listener = (int)result; /* O_CLOEXEC by the kernel */
    else if (result > 0)
        return fail(err, ESRCH, "linux.seccomp: thread %ld cannot take the filter", result);
    return 0;
}

void seccomp_filter_free(struct seccomp_filter *filter)
{
    free(filter->program.filter);
    *filter = (struct seccomp_filter){ 0 };
}
