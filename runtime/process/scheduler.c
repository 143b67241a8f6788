/*
 * process.scheduler and process.ioPriority (items 73-75). Combinations are checked when planning. Applying
 * runs in the process itself, still privileged: real-time classes need CAP_SYS_NICE.
 */
#include "process/plan_internal.h"

#include "base/memory.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/sched/types.h> cannot be included beside <sched.h>. */
struct scheduler_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* nanoseconds, like the next two */
    uint64_t deadline;
    uint64_t period;
    uint32_t utilization_min;
    uint32_t utilization_max;
};

#define POLICY_ISO 4 /* reserved: every kernel so far answers EINVAL */
#define POLICY_DEADLINE 6

static const struct {
    const char *name;
    uint32_t policy;
} policies[] = {
    [OCI_SCHED_OTHER] = { "SCHED_OTHER", SCHED_OTHER },
    [OCI_SCHED_FIFO] = { "SCHED_FIFO", SCHED_FIFO },
    [OCI_SCHED_RR] = { "SCHED_RR", SCHED_RR },
    [OCI_SCHED_BATCH] = { "SCHED_BATCH", SCHED_BATCH },
    [OCI_SCHED_ISO] = { "SCHED_ISO", POLICY_ISO },
    [OCI_SCHED_IDLE] = { "SCHED_IDLE", SCHED_IDLE },
    [OCI_SCHED_DEADLINE] = { "SCHED_DEADLINE", POLICY_DEADLINE },
};

static const uint64_t flag_bits[] = {
    [OCI_SCHED_FLAG_RESET_ON_FORK] = 0x01,  [OCI_SCHED_FLAG_RECLAIM] = 0x02,
    [OCI_SCHED_FLAG_DL_OVERRUN] = 0x04,     [OCI_SCHED_FLAG_KEEP_POLICY] = 0x08,
    [OCI_SCHED_FLAG_KEEP_PARAMS] = 0x10,    [OCI_SCHED_FLAG_UTIL_CLAMP_MIN] = 0x20,
    [OCI_SCHED_FLAG_UTIL_CLAMP_MAX] = 0x40,
};

/* A parameter of another policy would be ignored by the kernel: refused, as runc does. */
static int check_scheduler(const struct oci_scheduler *scheduler, const char *what, struct error *err)
{
    const enum oci_scheduler_policy policy = scheduler->policy;

    if (!policy || policy >= array_length(policies))
        return fail(err, EINVAL, "%s.scheduler.policy: is missing", what);
    if (scheduler->nice != 0 && policy != OCI_SCHED_OTHER && policy != OCI_SCHED_BATCH)
        return fail(err, EINVAL, "%s.scheduler.nice: has no meaning with %s", what, policies[policy].name);
    if (scheduler->priority != 0 && policy != OCI_SCHED_FIFO && policy != OCI_SCHED_RR)
        return fail(err, EINVAL, "%s.scheduler.priority: has no meaning with %s", what,
                    policies[policy].name);
    if ((scheduler->runtime || scheduler->deadline || scheduler->period) && policy != OCI_SCHED_DEADLINE)
        return fail(err, EINVAL, "%s.scheduler: runtime, deadline and period have no meaning with %s", what,
                    policies[policy].name);
    return 0;
}

int process_plan_scheduler(struct process_plan *plan, struct error *err)
{
    const struct oci_process *process = plan->process;

    if (process->scheduler && check_scheduler(process->scheduler, plan->what, err) < 0)
        return -1;
    if (process->io_priority && !process->io_priority->io_class)
        return fail(err, EINVAL, "%s.ioPriority.class: is missing", plan->what);
    return 0;
}

static int apply_scheduler(const struct process_plan *plan, struct error *err)
{
    const struct oci_scheduler *scheduler = plan->process->scheduler;
    struct scheduler_attributes attributes = {
        .size = sizeof attributes,
        .policy = policies[scheduler->policy].policy,
        .nice = scheduler->nice, /* absent: 0, like all the others (item 74) */
        .priority = (uint32_t)scheduler->priority,
        .runtime = scheduler->runtime,
        .deadline = scheduler->deadline,
        .period = scheduler->period,
    };

    for (size_t i = 0; i < scheduler->flags_count; i++)
        attributes.flags |= flag_bits[scheduler->flags[i]];
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
        return 0;
    fail_errno(err, "%s.scheduler: sched_setattr %s", plan->what, policies[scheduler->policy].name);
    if (err->code == EPERM)
        fail_hint(err,
                  "it needs CAP_SYS_NICE, and real time in a v1 cgroup linux.resources.cpu.realtimeRuntime");
    else if (err->code == EINVAL || err->code == EBUSY)
        fail_hint(err, "this kernel does not take the policy, its flags or its times here");
    return -1;
}

static int explain_io_priority(const struct process_plan *plan, struct error *err)
{
    fail_errno(err, "%s.ioPriority: ioprio_set", plan->what);
    return err->code == EPERM ? fail_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN") : -1;
}

static int apply_io_priority(const struct process_plan *plan, struct error *err)
{
    static const int classes[] = {
        [OCI_IOPRIO_CLASS_RT] = 1, [OCI_IOPRIO_CLASS_BE] = 2, [OCI_IOPRIO_CLASS_IDLE] = 3
    };
    enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 };
    const struct oci_io_priority *wanted = plan->process->io_priority;

    /* The process alone: it is the first of its group, children inherit it, and a group can hold our parent.
     */
    if (syscall(SYS_ioprio_set, WHO_PROCESS, 0, classes[wanted->io_class] << CLASS_SHIFT | wanted->priority) <
        0)
        return explain_io_priority(plan, err);
    return 0;
}

int process_apply_scheduler(const struct process_plan *plan, struct error *err)
{
    if (plan->process->scheduler && apply_scheduler(plan, err) < 0)
        return -1;
    if (plan->process->io_priority && apply_io_priority(plan, err) < 0)
        return -1;
    return 0;
}
