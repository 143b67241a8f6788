/*
 * process.rlimits (items 67-70). The table is checked when planning; applying runs in the process itself,
 * still privileged: raising a hard limit needs CAP_SYS_RESOURCE in the first user namespace.
 */
#include "process/plan_internal.h"

#include "base/memory.h"

static const struct {
    const char *name;
    int resource;
} resources[] = {
#define RESOURCE(name) [OCI_##name] = { #name, name }
    RESOURCE(RLIMIT_AS),     RESOURCE(RLIMIT_CORE),   RESOURCE(RLIMIT_CPU),        RESOURCE(RLIMIT_DATA),
    RESOURCE(RLIMIT_FSIZE),  RESOURCE(RLIMIT_LOCKS),  RESOURCE(RLIMIT_MEMLOCK),    RESOURCE(RLIMIT_MSGQUEUE),
    RESOURCE(RLIMIT_NICE),   RESOURCE(RLIMIT_NOFILE), RESOURCE(RLIMIT_NPROC),      RESOURCE(RLIMIT_RSS),
    RESOURCE(RLIMIT_RTPRIO), RESOURCE(RLIMIT_RTTIME), RESOURCE(RLIMIT_SIGPENDING), RESOURCE(RLIMIT_STACK),
#undef RESOURCE
};

int process_plan_rlimits(struct process_plan *plan, struct error *err)
{
    const struct oci_process *process = plan->process;
    uint32_t seen = 0;

    if (process->rlimits_count > 0)
        plan->rlimits = memory_new_array(process->rlimits_count, sizeof *plan->rlimits);
    for (size_t i = 0; i < process->rlimits_count; i++) {
        const struct oci_rlimit *wanted = &process->rlimits[i];

        if (!wanted->type || wanted->type >= array_length(resources))
            return fail(err, EINVAL, "%s.rlimits[%zu].type: is missing", plan->what, i);
        if (seen & 1u << wanted->type) /* item 68 */
            return fail(err, EINVAL, "%s.rlimits[%zu].type: %s is listed twice", plan->what, i,
                        resources[wanted->type].name);
        if (wanted->soft > wanted->hard)
            return fail(err, EINVAL, "%s.rlimits[%zu].soft: is above the hard limit of %s", plan->what, i,
                        resources[wanted->type].name);
        seen |= 1u << wanted->type;
        plan->rlimits[plan->rlimit_count++] = (struct process_rlimit){
            .resource = resources[wanted->type].resource,
            .limit = { .rlim_cur = wanted->soft, .rlim_max = wanted->hard },
        };
    }
    return 0;
}

int process_apply_rlimits(const struct process_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->rlimit_count; i++) {
        const struct process_rlimit *rlimit = &plan->rlimits[i];

        /* glibc's prototype wants its own enumeration, which RLIMIT_LOCKS is not part of. */
        if (setrlimit((__rlimit_resource_t)rlimit->resource, &rlimit->limit) < 0)
            return fail_errno(err, "%s.rlimits[%zu]: setrlimit %s", plan->what, i,
                              resources[plan->process->rlimits[i].type].name);
    }
    return 0;
}
