/*
 * The record of a policy: kept in the state directory, turned into plans for init and for every exec'd
 * process. What was decided at create holds for the life of the container (P-5): exec reads the record, not
 * the annotations and not the operator's file.
 */
#include "policy/internal.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/seccomp_presets.h"

#include <stdlib.h>

#define FILE_NAME "policy.json"

struct policy_record *policy_record_for(const struct oci_config *config, enum policy_landlock_mode landlock,
                                        enum policy_speculation speculation)
{
    struct policy_record *record = memory_new(sizeof *record);

    if (landlock)
        record->landlock = policy_ruleset_make(config, NULL, landlock == POLICY_LANDLOCK_REQUIRED);
    record->speculation = speculation;
    return record;
}

int policy_save(const struct policy_record *record, int state_fd, struct error *err)
{
    auto_buffer struct buffer json = { 0 };

    schema_write(&policy_record_schema, record, SCHEMA_COMPACT, &json);
    return file_replace_at(state_fd, FILE_NAME, json.data, json.length, 0600, err);
}

struct policy_record *policy_load(int state_fd, struct error *err)
{
    return schema_read_at(&policy_record_schema, state_fd, FILE_NAME, err);
}

void policy_landlock_plan(const struct policy_record *record, struct landlock_plan *plan)
{
    const struct policy_ruleset *ruleset = record->landlock;

    *plan = (struct landlock_plan){ 0 };
    if (!ruleset)
        return;
    landlock_plan_init(plan, ruleset->required);
    plan->ports = ruleset->ports_handled;
    plan->scopes = ruleset->scopes;
    for (size_t i = 0; i < ruleset->paths_count; i++) {
        const struct policy_path_rule *rule = &ruleset->paths[i];

        landlock_plan_allow(plan, rule->path, rule->access, rule->optional);
        plan->paths[plan->path_count - 1].quiet = rule->quiet;
    }
    for (size_t i = 0; i < ruleset->ports_count; i++)
        landlock_plan_allow_port(plan, (uint16_t)ruleset->ports[i].port, ruleset->ports[i].access);
}

int policy_chain_seccomp(const struct policy_record *record, struct seccomp_filter *filter, struct error *err)
{
    struct seccomp_filter first;
    int result;

    if (!record->seccomp)
        return 0;
    if (seccomp_preset_compile(record->seccomp, &first, err) < 0)
        return -1;
    result = seccomp_filter_chain(filter, &first, err);
    seccomp_filter_free(&first);
    return result;
}

/* ---- exec ---------------------------------------------------------------------------------------------- */

static void keep_within(struct strings *names, const struct strings *limit)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (limit && strings_contain(limit, names->items[i]))
            names->items[kept++] = names->items[i];
        else
            free(names->items[i]);
    }
    names->count = kept;
    if (names->items)
        names->items[kept] = NULL;
}

static void bound_capabilities(const struct oci_config *config, struct oci_capabilities *capabilities)
{
    const struct oci_capabilities *container = config->process ? config->process->capabilities : NULL;
    const struct strings *limit = container ? &container->bounding : NULL;

    keep_within(&capabilities->bounding, limit);
    keep_within(&capabilities->effective, limit);
    keep_within(&capabilities->permitted, limit);
    keep_within(&capabilities->inheritable, limit);
    keep_within(&capabilities->ambient, limit);
}

int policy_apply_to_exec(const struct policy_record *record, const struct oci_config *config,
                         struct oci_process *process, size_t explicit_env, struct error *err)
{
    if (record->refuse_secrets && policy_env_refuse_secrets(&process->env, "process", err) < 0)
        return -1;
    policy_env_filter(record, &process->env, explicit_env);
    if (record->no_new_privileges)
        process->no_new_privileges = process->has_no_new_privileges = true;
    if (process->capabilities)
        bound_capabilities(config, process->capabilities);
    return 0;
}
