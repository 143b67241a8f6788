/* config.json → what to do in the resctrl file system. Pure; runs in the runtime. */
#include "resctrl/resctrl.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool is_set(const char *text)
{
    return text && *text;
}

static void add_line(struct buffer *out, const char *line, size_t length)
{
    if (length == 0)
        return;
    buffer_add(out, line, length);
    buffer_add_char(out, '\n');
}

/* With memBwSchema as well, only that one says something about bandwidth (spec: intelRdt, rules on
 * parameters). */
static void add_cache_lines(struct buffer *out, const char *lines, bool without_bandwidth)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");

        if (!without_bandwidth || strncmp(lines, "MB:", 3) != 0)
            add_line(out, lines, length);
        lines += length + (lines[length] == '\n');
    }
}

char *resctrl_join_schemata(const char *l3_cache_schema, const char *mem_bw_schema,
                            const struct strings *schemata)
{
    struct buffer out = { 0 };

    if (is_set(l3_cache_schema))
        add_cache_lines(&out, l3_cache_schema, is_set(mem_bw_schema));
    if (is_set(mem_bw_schema))
        add_line(&out, mem_bw_schema, strlen(mem_bw_schema));
    for (size_t i = 0; schemata && i < schemata->count; i++)
        add_line(&out, schemata->items[i], strlen(schemata->items[i]));
    return out.length > 0 ? buffer_take(&out) : NULL;
}

int resctrl_plan_make(const struct oci_config *config, const char *id, struct resctrl_plan *plan,
                      struct error *err)
{
    const struct oci_intel_rdt *rdt = config->linux ? config->linux->intel_rdt : NULL;

    *plan = (struct resctrl_plan){ 0 };
    if (!rdt)
        return 0;
    plan->named = is_set(rdt->clos_id);
    plan->group = plan->named ? rdt->clos_id : id;
    if (strcmp(plan->group, "/") == 0)
        plan->group = ".";
    else if (strcmp(plan->group, "info") == 0 || strcmp(plan->group, "mon_groups") == 0 ||
             strcmp(plan->group, "mon_data") == 0)
        return fail(err, EINVAL, "linux.intelRdt.closID: '%s' is a name that resctrl uses itself",
                    plan->group);
    plan->schemata = resctrl_join_schemata(rdt->l3_cache_schema, rdt->mem_bw_schema, &rdt->schemata);
    plan->must_exist = plan->named && !plan->schemata;
    plan->monitor = rdt->enable_monitoring ? id : NULL;
    return 0;
}

void resctrl_plan_free(struct resctrl_plan *plan)
{
    free(plan->schemata);
    *plan = (struct resctrl_plan){ 0 };
}

/* ---- comparing -------------------------------------------------------------------------------------- */

struct text { /* part of a string */
    const char *start;
    size_t length;
};

static struct text trim(const char *start, size_t length)
{
    while (length > 0 && strchr(" \t", *start)) {
        start++;
        length--;
    }
    while (length > 0 && strchr(" \t", start[length - 1]))
        length--;
    return (struct text){ start, length };
}

/* "000FF" is "ff": numbers of either base, in lower case and without leading zeros. */
static bool same_number(struct text a, struct text b)
{
    while (a.length > 1 && *a.start == '0')
        a = (struct text){ a.start + 1, a.length - 1 };
    while (b.length > 1 && *b.start == '0')
        b = (struct text){ b.start + 1, b.length - 1 };
    return a.length == b.length && strncasecmp(a.start, b.start, a.length) == 0;
}

/*
 * Walks through "RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE" lines. The iterator is what is left of the text.
 * False at the end; what is not written like that has an empty domain.
 */
struct entry {
    struct text resource, domain, value;
};

static void read_setting(const char *start, size_t length, struct entry *entry)
{
    const char *equals = memchr(start, '=', length);
    size_t before = equals ? (size_t)(equals - start) : 0;

    entry->domain = trim(start, before);
    entry->value = equals ? trim(equals + 1, length - before - 1) : trim(start, length);
}

static bool next_entry(const char **left, struct text *resource, struct entry *entry)
{
    while (**left) {
        size_t length = strcspn(*left, ":;\n");
        const char *start = *left;
        char end = start[length];

        *left += length + (end != '\0');
        if (end == ':') {
            *resource = trim(start, length);
            continue;
        }
        entry->resource = *resource;
        read_setting(start, length, entry);
        if (end == '\n')
            *resource = (struct text){ "", 0 };
        if (entry->value.length > 0)
            return true;
    }
    return false;
}

static bool same_place(const struct entry *a, const struct entry *b)
{
    return a->resource.length == b->resource.length &&
           memcmp(a->resource.start, b->resource.start, a->resource.length) == 0 &&
           same_number(a->domain, b->domain);
}

/* The last one counts, as when the kernel reads them one after the other. */
static bool find_entry(const char *text, const struct entry *wanted, struct entry *found)
{
    struct text resource = { "", 0 };
    struct entry entry;
    bool any = false;

    while (next_entry(&text, &resource, &entry)) {
        if (same_place(&entry, wanted)) {
            *found = entry;
            any = true;
        }
    }
    return any;
}

bool resctrl_schemata_match(const char *wanted, const char *existing)
{
    struct text resource = { "", 0 };
    const char *left = wanted;
    struct entry entry, last, there;

    while (next_entry(&left, &resource, &entry)) {
        find_entry(wanted, &entry, &last);
        if (!find_entry(existing, &entry, &there) || !same_number(last.value, there.value))
            return false;
    }
    return true;
}
