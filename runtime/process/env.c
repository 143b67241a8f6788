/*
 * The payload's environment (item 55): that of the config, each name once, the last value wins. Pure. The
 * strings are the config's own; what the runtime adds is owned by the plan.
 */
#include "process/plan_internal.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <string.h>

static bool has_name(const char *entry, const char *name, size_t length)
{
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static int check_entry(const char *entry, const char *what, size_t index, struct error *err)
{
    const char *equals = strchr(entry, '=');

    if (!equals || equals == entry)
        return fail(err, EINVAL, "%s.env[%zu]: '%s' is not NAME=VALUE", what, index, entry);
    return 0;
}

/* FNV-1a over the name. */
static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

/*
 * A hash table of places in `env` (plus one; 0 is free), because orchestrators pass thousands of variables.
 * Returns the slot of the entry's name.
 */
static uint32_t *find_slot(uint32_t *table, size_t size, char *const *env, const char *entry)
{
    const size_t length = (size_t)(strchr(entry, '=') - entry);
    size_t slot = hash_name(entry, length) & (size - 1);

    while (table[slot] && !has_name(env[table[slot] - 1], entry, length))
        slot = (slot + 1) & (size - 1);
    return &table[slot];
}

int process_plan_env(struct process_plan *plan, struct error *err)
{
    const struct strings *wanted = &plan->process->env;
    auto_free uint32_t *table = NULL;
    size_t size = 16;

    while (size < wanted->count * 2)
        size *= 2;
    table = memory_new_array(size, sizeof *table);
    plan->env = memory_new_array(wanted->count + 1, sizeof *plan->env);
    for (size_t i = 0; i < wanted->count; i++) {
        char *entry = wanted->items[i];
        uint32_t *slot;

        if (check_entry(entry, plan->what, i, err) < 0)
            return -1;
        slot = find_slot(table, size, plan->env, entry);
        if (!*slot)
            *slot = (uint32_t)++plan->env_count;
        plan->env[*slot - 1] = entry;
    }
    return 0;
}

static char **find_env(const struct process_plan *plan, const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < plan->env_count; i++)
        if (has_name(plan->env[i], name, length))
            return &plan->env[i];
    return NULL;
}

const char *process_plan_get_env(const struct process_plan *plan, const char *name)
{
    char **entry = find_env(plan, name);

    return entry ? *entry + strlen(name) + 1 : NULL;
}

void process_plan_set_env(struct process_plan *plan, const char *name, const char *value, bool replace)
{
    char **place = find_env(plan, name);
    char *entry;

    if (place && !replace)
        return;
    entry = memory_format("%s=%s", name, value);
    *array_grow(plan->env_owned, plan->env_owned_count) = entry;
    if (place) {
        *place = entry;
        return;
    }
    plan->env = memory_resize(plan->env, (plan->env_count + 2) * sizeof *plan->env);
    plan->env[plan->env_count++] = entry;
    plan->env[plan->env_count] = NULL;
}
