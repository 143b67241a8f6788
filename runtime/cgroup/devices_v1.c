/*
 * Device rules on v1: see devices_v1.h. Pure. The kernel holds one default and a set of exceptions to it; it
 * matches an exception as a whole. So the list is played through here first, and only its outcome is written.
 */
#include "cgroup/devices_v1.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct exceptions {
    struct device_rule *items;
    size_t count;
};

static bool same_device(const struct device_rule *a, const struct device_rule *b)
{
    return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

static bool number_covers(int64_t wide, int64_t narrow)
{
    return wide == DEVICE_ANY || wide == narrow;
}

static bool covers(const struct device_rule *wide, const struct device_rule *narrow)
{
    return wide->type == narrow->type && number_covers(wide->major, narrow->major) &&
           number_covers(wide->minor, narrow->minor);
}

static bool number_overlaps(int64_t a, int64_t b)
{
    return a == DEVICE_ANY || b == DEVICE_ANY || a == b;
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
    return a->type == b->type && (a->access & b->access) && number_overlaps(a->major, b->major) &&
           number_overlaps(a->minor, b->minor);
}

static void except(struct exceptions *exceptions, const struct device_rule *rule)
{
    for (size_t i = 0; i < exceptions->count; i++) {
        if (same_device(&exceptions->items[i], rule)) {
            exceptions->items[i].access |= rule->access;
            exceptions->items[i].index = rule->index;
            return;
        }
    }
    *array_grow(exceptions->items, exceptions->count) = *rule;
}

/*
 * Takes back exceptions. One device cannot be cut out of an exception for many. Our own default of mknod for
 * every number is left whole then: it opens nothing, and Docker's config takes back /dev/fuse, which it never
 * allowed.
 */
static int restore(struct exceptions *exceptions, const struct device_rule *rule, struct error *err)
{
    for (size_t i = 0; i < exceptions->count; i++) {
        struct device_rule *exception = &exceptions->items[i];

        if (!overlaps(exception, rule))
            continue;
        if (covers(rule, exception))
            exception->access &= ~rule->access;
        else if (exception->index != DEVICE_RULE_DEFAULT)
            return fail(err, ENOTSUP,
                        "linux.resources.devices[%ld]: cgroup v1 cannot except '%s' from the wider "
                        "devices[%ld] ('%s')",
                        rule->index, device_rule_text(rule).text, exception->index,
                        device_rule_text(exception).text);
    }
    return 0;
}

static int play(const struct device_rules *rules, struct exceptions *exceptions, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct device_rule *rule = &rules->items[i];

        if (rule->allow != rules->allow)
            except(exceptions, rule);
        else if (restore(exceptions, rule, err) < 0)
            return -1;
    }
    return 0;
}

static void add_row(const struct device_rule *exception, bool allow, struct cgroup_rows *rows)
{
    char property[64] = "linux.resources.devices";
    struct cgroup_row *row;

    if (exception->index != DEVICE_RULE_DEFAULT)
        snprintf(property, sizeof property, "linux.resources.devices[%ld]", exception->index);
    row = cgroup_rows_add(rows, "devices", allow ? "devices.allow" : "devices.deny", property, "%s",
                          device_rule_text(exception).text);
    /* In another container, the cgroup above may forbid a default that nobody asked for here. */
    if (exception->index == DEVICE_RULE_DEFAULT)
        row->rule = ROW_IF_PERMITTED;
}

int devices_v1_rows(const struct device_rules *rules, struct cgroup_rows *rows, struct error *err)
{
    struct exceptions exceptions = { 0 };
    auto_free void *owned = NULL;
    int result = play(rules, &exceptions, err);

    owned = exceptions.items;
    if (result < 0)
        return -1;
    if (!rules->allow)
        cgroup_rows_add(rows, "devices", "devices.deny", "linux.resources.devices", "a");
    for (size_t i = 0; i < exceptions.count; i++)
        if (exceptions.items[i].access)
            add_row(&exceptions.items[i], !rules->allow, rows);
    return 0;
}
