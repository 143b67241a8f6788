/*
 * CPU affinity of the processes that exec adds, and its reset in every payload. Runs in the exec'd process,
 * .initial before it is moved into the container's cpuset and .final afterwards (item 76). Knows nothing of
 * cgroups.
 */
#include "process/process.h"

#include "base/number_list.h"

#include <sched.h>
#include <string.h>

/* NR_CPUS of the largest distribution kernels; the kernel cuts off what it has no CPUs for. */
#define CPU_LIMIT 8192

static int set_affinity(const unsigned long *mask, size_t size, struct error *err)
{
    if (sched_setaffinity(0, size, (const cpu_set_t *)mask) < 0)
        return fail_errno(err, "sched_setaffinity");
    return 0;
}

int process_apply_affinity(const char *list, struct error *err)
{
    unsigned long mask[CPU_LIMIT / NUMBER_LIST_WORD_BITS] = { 0 };
    int count = number_list_parse(list, mask, CPU_LIMIT / NUMBER_LIST_WORD_BITS, err);

    if (count < 0)
        return -1;
    if (count == 0) /* "" is the same as absent (item 77) */
        return 0;
    if (set_affinity(mask, sizeof mask, err) < 0)
        return fail_in(err, "CPUs %s", list);
    return 0;
}

int process_reset_affinity(struct error *err)
{
    unsigned long mask[CPU_LIMIT / NUMBER_LIST_WORD_BITS];

    memset(mask, 0xff, sizeof mask);
    if (set_affinity(mask, sizeof mask, err) == 0)
        return 0;
    return err->code == EPERM
               ? 0
               : -1; /* a seccomp filter around us: nobody asked for a mask, so none is missing */
}
