/*
 * The list of device rules: see device_rules.h. Pure; runs in the runtime while it plans.
 *
 * Where the defaults stand. Engines start their list with "deny everything" and still expect the devices that
 * every container has, and mknod of any number (a node that may be made cannot be opened for that), to work:
 * all runtimes append them at the end, where no rule of the config can take them back, not even one that
 * names the very device. Here they stand right behind the last rule that is about everything, as if it said
 * "deny everything but the usual". What the config says after it wins: `{"allow": false, "type": "c",
 * "access": "m"}` ends mknod of character devices.
 */
#include "cgroup/device_rules.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct device_rule defaults[] = {
    { true, 'c', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD, DEVICE_RULE_DEFAULT },
    { true, 'b', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD, DEVICE_RULE_DEFAULT },
    { true, 'c', 1, 3, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* null */
    { true, 'c', 1, 5, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* zero */
    { true, 'c', 1, 7, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* full */
    { true, 'c', 1, 8, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* random */
    { true, 'c', 1, 9, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* urandom */
    { true, 'c', 5, 0, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* tty */
    { true, 'c', 5, 2, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* ptmx */
    { true, 'c', 136, DEVICE_ANY, DEVICE_ACCESS_ALL,
      DEVICE_RULE_DEFAULT },                                        /* pts/N, and console, which is one */
    { true, 'c', 10, 200, DEVICE_ACCESS_ALL, DEVICE_RULE_DEFAULT }, /* net/tun */
};

static const struct {
    char letter;
    unsigned bit;
} accesses[] = { { 'r', DEVICE_READ }, { 'w', DEVICE_WRITE }, { 'm', DEVICE_MKNOD } };

static unsigned access_of(char letter)
{
    for (size_t i = 0; i < array_length(accesses); i++)
        if (accesses[i].letter == letter)
            return accesses[i].bit;
    return 0;
}

/* Absent means all, as for major and minor. Returns 0 for a character that is no access. */
static unsigned parse_access(const char *text)
{
    unsigned access = 0;

    if (!text || !*text)
        return DEVICE_ACCESS_ALL;
    for (; *text; text++) {
        if (!access_of(*text))
            return 0;
        access |= access_of(*text);
    }
    return access;
}

static int check(const struct oci_resources *resources, struct error *err)
{
    for (size_t i = 0; i < resources->devices_count; i++)
        if (!parse_access(resources->devices[i].access))
            return fail(err, EINVAL, "linux.resources.devices[%zu].access: '%s' is not made of r, w and m", i,
                        resources->devices[i].access);
    return 0;
}

static bool is_about_any(const struct oci_device_rule *rule)
{
    return rule->type == oci_device_rule_type_unset || rule->type == OCI_DEVICE_RULE_ALL;
}

/* Any type, any number, any access: it makes all rules before it void. */
static bool is_about_everything(const struct oci_device_rule *rule)
{
    return is_about_any(rule) && (!rule->has_major || rule->major == DEVICE_ANY) &&
           (!rule->has_minor || rule->minor == DEVICE_ANY) && parse_access(rule->access) == DEVICE_ACCESS_ALL;
}

static void add(struct device_rules *rules, const struct oci_device_rule *rule, char type, size_t index)
{
    *array_grow(rules->items, rules->count) = (struct device_rule){
        .allow = rule->allow,
        .type = type,
        .major = rule->has_major ? rule->major : DEVICE_ANY,
        .minor = rule->has_minor ? rule->minor : DEVICE_ANY,
        .access = parse_access(rule->access),
        .index = (long)index,
    };
}

static void add_defaults(struct device_rules *rules)
{
    for (size_t i = 0; i < array_length(defaults); i++)
        *array_grow(rules->items, rules->count) = defaults[i];
}

int device_rules_make(const struct oci_resources *resources, struct device_rules *rules, struct error *err)
{
    size_t count = resources ? resources->devices_count : 0, start = count;

    if (resources && check(resources, err) < 0)
        return -1;
    while (start > 0 && !is_about_everything(&resources->devices[start - 1]))
        start--;
    rules->allow = start > 0 && resources->devices[start - 1].allow;
    if (!rules->allow)
        add_defaults(rules);
    for (size_t i = start; i < count; i++) {
        const struct oci_device_rule *rule = &resources->devices[i];

        if (is_about_any(rule) || rule->type == OCI_DEVICE_RULE_CHAR)
            add(rules, rule, 'c', i);
        if (is_about_any(rule) || rule->type == OCI_DEVICE_RULE_BLOCK)
            add(rules, rule, 'b', i);
    }
    return 0;
}

void device_rules_free(struct device_rules *rules)
{
    free(rules->items);
    *rules = (struct device_rules){ 0 };
}

bool device_rules_allow_all(const struct device_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (!rules->items[i].allow)
            return false;
    return rules->allow;
}

/* Of these texts every container has a dozen: without printf. Returns the end. */
static char *put_number(char *end, int64_t number)
{
    char digits[24], *first = digits + sizeof digits;

    if (number == DEVICE_ANY)
        return stpcpy(end, "*");
    *--first = '\0';
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return stpcpy(end, first);
}

struct device_rule_text device_rule_text(const struct device_rule *rule)
{
    struct device_rule_text result;
    char *end = result.text;

    *end++ = rule->type;
    *end++ = ' ';
    end = put_number(end, rule->major);
    *end++ = ':';
    end = put_number(end, rule->minor);
    *end++ = ' ';
    for (size_t i = 0; i < array_length(accesses); i++)
        if (rule->access & accesses[i].bit)
            *end++ = accesses[i].letter;
    *end = '\0';
    return result;
}
