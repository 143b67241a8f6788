/* Rules of a process object, in config.json and as exec brings it. Pure. */
#include "oci-specs/validate.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <string.h>

/* Items 54, 56. Once more what the table checks: exec also makes process objects from its flags. */
static int check_command(const struct oci_process *process, const char *what, struct error *err)
{
    if (process->args.count == 0)
        return fail(err, EINVAL, "%s.args: must not be empty", what);
    if (!process->cwd || process->cwd[0] != '/')
        return fail(err, EINVAL, "%s.cwd: '%.80s' is not an absolute path", what,
                    process->cwd ? process->cwd : "");
    return 0;
}

/* Item 55 */
static int check_env(const struct oci_process *process, const char *what, struct error *err)
{
    for (size_t i = 0; i < process->env.count; i++) {
        const char *equals = strchr(process->env.items[i], '=');

        if (!equals || equals == process->env.items[i])
            return fail(err, EINVAL, "%s.env[%zu]: '%.80s' is not NAME=VALUE", what, i,
                        process->env.items[i]);
    }
    return 0;
}

/* Items 68, 69 */
static int check_rlimits(const struct oci_process *process, const char *what, struct error *err)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < process->rlimits_count; i++) {
        const struct oci_rlimit *limit = &process->rlimits[i];

        if (seen & UINT64_C(1) << limit->type)
            return fail(err, EINVAL, "%s.rlimits[%zu].type: %s is already set", what, i,
                        oci_rlimit_type_name(limit->type));
        seen |= UINT64_C(1) << limit->type;
        if (limit->soft > limit->hard)
            return fail(err, EINVAL, "%s.rlimits[%zu].soft: %llu is more than the hard limit %llu", what, i,
                        (unsigned long long)limit->soft, (unsigned long long)limit->hard);
    }
    return 0;
}

/* Items 73, 74; sched(7). A nice value is accepted with every policy: it is kept for when the policy changes.
 */
static int check_scheduler(const struct oci_process *process, const char *what, struct error *err)
{
    const struct oci_scheduler *scheduler = process->scheduler;
    const char *policy;
    bool fixed;

    if (!scheduler)
        return 0;
    policy = oci_scheduler_policy_name(scheduler->policy);
    fixed = scheduler->policy == OCI_SCHED_FIFO || scheduler->policy == OCI_SCHED_RR;
    if (fixed && scheduler->priority == 0)
        return fail(err, EINVAL, "%s.scheduler.priority: %s needs 1 to 99", what, policy);
    if (!fixed && scheduler->priority != 0)
        return fail(err, EINVAL, "%s.scheduler.priority: %s has none, it is for SCHED_FIFO and SCHED_RR",
                    what, policy);
    if (scheduler->policy == OCI_SCHED_DEADLINE) {
        if (!scheduler->runtime || !scheduler->deadline)
            return fail(err, EINVAL, "%s.scheduler.%s: SCHED_DEADLINE needs it", what,
                        scheduler->runtime ? "deadline" : "runtime");
        return 0;
    }
    if (scheduler->runtime || scheduler->deadline || scheduler->period)
        return fail(err, EINVAL, "%s.scheduler.%s: %s has none, it is for SCHED_DEADLINE", what,
                    scheduler->runtime    ? "runtime"
                    : scheduler->deadline ? "deadline"
                                          : "period",
                    policy);
    return 0;
}

/* Item 76 */
static int check_affinity(const struct oci_process *process, const char *what, struct error *err)
{
    const struct oci_exec_cpu_affinity *affinity = process->exec_cpu_affinity;
    auto_free char *initial = NULL, *final = NULL;

    if (!affinity)
        return 0;
    initial = memory_format("%s.execCPUAffinity.initial", what);
    final = memory_format("%s.execCPUAffinity.final", what);
    if (validate_number_list(affinity->initial, initial, err) < 0)
        return -1;
    return validate_number_list(affinity->final, final, err);
}

int oci_process_validate(const struct oci_process *process, const char *what, struct error *err)
{
    static int (*const checks[])(const struct oci_process *process, const char *what, struct error *err) = {
        check_command, check_env, check_rlimits, check_scheduler, check_affinity,
    };

    for (size_t i = 0; i < array_length(checks); i++)
        if (checks[i](process, what, err) < 0)
            return -1;
    return 0;
}
