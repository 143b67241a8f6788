/*
 * Device rules on v1: see devices_v1.h. Pure. The kernel holds one default and a set of exceptions to it; it
 * matches an exception as a whole. So the list is played through here first, and only its outcome is written.
 */
#include "cgroup/devices_v1.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exceptions {
    struct device_rule *items;
    size_t count;
};

static void free_exceptions(struct exceptions *exceptions)
{
    free(exceptions->items);
}

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
    auto_cleanup(free_exceptions) struct exceptions exceptions = { 0 };

    if (play(rules, &exceptions, err) < 0)
        return -1;
    if (!rules->allow)
        cgroup_rows_add(rows, "devices", "devices.deny", "linux.resources.devices", "a");
    for (size_t i = 0; i < exceptions.count; i++)
        if (exceptions.items[i].access)
            add_row(&exceptions.items[i], !rules->allow, rows);
    return 0;
}

/* ---- changes ----------------------------------------------------------------------------------------- */

static bool parse_number(const char *text, int64_t *number)
{
    *number = DEVICE_ANY;
    return strcmp(text, "*") == 0 || number_parse(text, 0, UINT32_MAX, number);
}

/* "c 1:3 rwm", as the kernel lists it. */
static bool parse_line(const char *line, struct device_rule *rule)
{
    char major[16], minor[16], access[8];

    *rule = (struct device_rule){ .allow = true, .index = DEVICE_RULE_DEFAULT };
    if (sscanf(line, "%c %15[^:]:%15s %7s", &rule->type, major, minor, access) != 4 ||
        !parse_number(major, &rule->major) || !parse_number(minor, &rule->minor))
        return false;
    rule->access = (strchr(access, 'r') ? DEVICE_READ : 0u) | (strchr(access, 'w') ? DEVICE_WRITE : 0u) |
                   (strchr(access, 'm') ? DEVICE_MKNOD : 0u);
    return true;
}

static void parse_list(const char *list, struct exceptions *exceptions)
{
    while (*list) {
        struct device_rule rule;

        if (parse_line(list, &rule))
            except(exceptions, &rule);
        list += strcspn(list, "\n");
        list += *list == '\n';
    }
}

/* Rows for the access that `these` have and `those` lack. */
static void add_missing(const struct exceptions *these, const struct exceptions *those, bool allow,
                        struct cgroup_rows *rows)
{
    for (size_t i = 0; i < these->count; i++) {
        struct device_rule rule = these->items[i];

        for (size_t k = 0; k < those->count; k++)
            if (same_device(&those->items[k], &rule))
                rule.access &= ~those->items[k].access;
        if (rule.access)
            add_row(&rule, allow, rows);
    }
}

static void add_change(const struct exceptions *from, const struct exceptions *to, struct cgroup_rows *rows)
{
    add_missing(to, from, true, rows);
    add_missing(from, to, false, rows);
}

int devices_v1_change(const struct device_rules *rules, const char *list, struct cgroup_rows *rows,
                      struct error *err)
{
    auto_cleanup(free_exceptions) struct exceptions from = { 0 }, to = { 0 };

    if (rules->allow || list[0] == 'a')
        return fail(
            err, ENOTSUP,
            "linux.resources.devices: cgroup v1 can only change rules that deny what they do not name");
    if (play(rules, &to, err) < 0)
        return -1;
    parse_list(list, &from);
    add_change(&from, &to, rows);
    return 0;
}

void devices_v1_difference(const char *from_list, const char *to_list, struct cgroup_rows *rows)
{
    auto_cleanup(free_exceptions) struct exceptions from = { 0 }, to = { 0 };

    parse_list(from_list, &from);
    parse_list(to_list, &to);
    add_change(&from, &to, rows);
}
