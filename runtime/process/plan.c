/*
 * process.* of config.json as plain data. Pure: runs in the runtime, before anything is made, and touches
 * nothing of the system. Everything that can be said about the config alone is said here.
 */
#include "process/plan_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "security/security.h"

#include <stdlib.h>
#include <string.h>

/* Both peers run payloads with 0022; the specification would inherit the umask of the engine (item 58). */
#define DEFAULT_UMASK 0022

/* (uid_t)-1 means "leave it" to the kernel: never root by accident (rule 8). */
#define INVALID_ID UINT32_MAX

static int plan_user(struct process_plan *plan, struct error *err)
{
    const struct oci_user *user = plan->process->user;

    plan->umask = DEFAULT_UMASK;
    if (!user)
        return 0;
    if (user->uid == INVALID_ID)
        return fail(err, EINVAL, "%s.user.uid: %u is not a user id", plan->what, user->uid);
    if (user->gid == INVALID_ID)
        return fail(err, EINVAL, "%s.user.gid: %u is not a group id", plan->what, user->gid);
    plan->uid = user->uid;
    plan->gid = user->gid;
    if (user->has_umask)
        plan->umask = user->umask;
    plan->groups = memory_new_array(user->additional_gids_count, sizeof *plan->groups);
    for (size_t i = 0; i < user->additional_gids_count; i++) {
        if (user->additional_gids[i] == INVALID_ID)
            return fail(err, EINVAL, "%s.user.additionalGids[%zu]: %u is not a group id", plan->what, i,
                        user->additional_gids[i]);
        plan->groups[plan->group_count++] = user->additional_gids[i];
    }
    return 0;
}

static bool keeps_original_groups(const struct oci_config *config)
{
    const char *value = config ? string_map_get(&config->annotations, "run.oci.keep_original_groups") : NULL;

    return value && strcmp(value, "0") != 0;
}

static uint64_t capability_set(const struct process_plan *plan, const struct strings *names, const char *set)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < names->count; i++) {
        int number = capability_from_name(names->items[i]);

        if (number < 0) /* item 62: must be logged, should not fail */
            log_warning("%s.capabilities.%s[%zu]: %s is not a capability, ignored", plan->what, set, i,
                        names->items[i]);
        else
            bits |= UINT64_C(1) << number;
    }
    return bits;
}

/* What the kernel would refuse because of another set is taken out one by one, with a warning (items 62, 64).
 */
static uint64_t capabilities_within(const struct process_plan *plan, uint64_t bits, uint64_t limit,
                                    const char *set, const char *limit_name)
{
    for (int number = 0; number < 64; number++)
        if (bits & ~limit & UINT64_C(1) << number)
            log_warning("%s.capabilities.%s: %s is not in the %s set, ignored", plan->what, set,
                        capability_name(number), limit_name);
    return bits & limit;
}

static void plan_capabilities(struct process_plan *plan)
{
    const struct oci_capabilities *wanted = plan->process->capabilities;

    if (!wanted) /* item 63: all sets empty, also for root. The runtime's own must not be left in place by
                    accident. */
        return;
    plan->cap_bounding = capability_set(plan, &wanted->bounding, "bounding");
    plan->cap_permitted = capability_set(plan, &wanted->permitted, "permitted");
    plan->cap_effective = capabilities_within(plan, capability_set(plan, &wanted->effective, "effective"),
                                              plan->cap_permitted, "effective", "permitted");
    plan->cap_inheritable =
        capabilities_within(plan, capability_set(plan, &wanted->inheritable, "inheritable"),
                            plan->cap_bounding, "inheritable", "bounding");
    plan->cap_ambient = capabilities_within(plan, capability_set(plan, &wanted->ambient, "ambient"),
                                            plan->cap_permitted, "ambient", "permitted");
    plan->cap_ambient =
        capabilities_within(plan, plan->cap_ambient, plan->cap_inheritable, "ambient", "inheritable");
}

int process_plan_make(const struct oci_config *config, const struct oci_process *process, const char *what,
                      struct process_plan *plan, struct error *err)
{
    *plan = (struct process_plan){ .process = process, .what = what };
    if (process->args.count == 0) {
        fail(err, EINVAL, "%s.args: must not be empty", what);
    } else if (plan_user(plan, err) == 0 && process_plan_rlimits(plan, err) == 0 &&
               process_plan_scheduler(plan, err) == 0 && process_plan_env(plan, err) == 0) {
        plan->keep_groups = keeps_original_groups(config);
        plan_capabilities(plan);
        return 0;
    }
    process_plan_free(plan);
    return -1;
}

void process_plan_free(struct process_plan *plan)
{
    for (size_t i = 0; i < plan->env_owned_count; i++)
        free(plan->env_owned[i]);
    free(plan->env_owned);
    free(plan->env);
    free(plan->rlimits);
    free(plan->groups);
    *plan = (struct process_plan){ 0 };
}
