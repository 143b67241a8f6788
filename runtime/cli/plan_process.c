/* The resolved process as JSON: a copy of config.process with the plan's values put in. Pure. */
#include "cli/plan_process.h"

#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "process/process.h"
#include "security/security.h"

static void set_capabilities(struct strings *names, bool *has, uint64_t set)
{
    strings_free(names);
    for (int number = 0; number < 64; number++)
        if (set >> number & 1 && capability_name(number))
            strings_add(names, capability_name(number));
    *has = true;
}

static void resolve(const struct process_plan *plan, struct oci_process *process)
{
    struct oci_capabilities *sets = process->capabilities;

    if (sets) {
        set_capabilities(&sets->bounding, &sets->has_bounding, plan->cap_bounding);
        set_capabilities(&sets->effective, &sets->has_effective, plan->cap_effective);
        set_capabilities(&sets->inheritable, &sets->has_inheritable, plan->cap_inheritable);
        set_capabilities(&sets->permitted, &sets->has_permitted, plan->cap_permitted);
        set_capabilities(&sets->ambient, &sets->has_ambient, plan->cap_ambient);
    }
    strings_free(&process->env);
    for (size_t i = 0; i < plan->env_count; i++)
        strings_add(&process->env, plan->env[i]);
    if (process->user) {
        process->user->umask = plan->umask;
        process->user->has_umask = true;
    }
}

int plan_describe_process(const struct oci_config *config, struct buffer *out, struct error *err)
{
    struct process_plan plan = { 0 };
    struct oci_process *process;

    if (process_plan_make(config, config->process, "process", &plan, err) < 0)
        return -1;
    process = schema_copy(&oci_process_schema, config->process);
    resolve(&plan, process);
    schema_write(&oci_process_schema, process, SCHEMA_COMPACT, out);
    schema_free(&oci_process_schema, process);
    process_plan_free(&plan);
    return 0;
}
