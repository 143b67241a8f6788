/* Limits and annotations as properties of a systemd unit: see systemd_properties.h. Pure. */
#include "cgroup/systemd_properties.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/number_list.h"
#include "cgroup/systemd_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOTATION "org.systemd.property."
#define NAME_MINIMUM 3 /* as runc has it */
#define DEFAULT_PERIOD 100000
#define MICROSECONDS 1000000
#define QUOTA_STEP 10000 /* systemd counts in 1 % of a CPU */
#define CPU_LIMIT 8192
#define DEVICES "linux.resources.devices"

static struct unit_property *set(struct unit_properties *properties, const char *name, const char *property,
                                 char *value)
{
    struct unit_property *row = NULL;

    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->items[i].name, name) == 0)
            row = &properties->items[i];
    if (!row) {
        row = array_grow(properties->items, properties->count);
        row->name = memory_string(name);
    }
    free(row->value);
    free(row->property);
    row->value = value;
    row->property = memory_string(property);
    row->optional = true;
    return row;
}

void unit_properties_free(struct unit_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        free(properties->items[i].name);
        free(properties->items[i].value);
        free(properties->items[i].property);
    }
    free(properties->items);
    *properties = (struct unit_properties){ 0 };
}

void unit_properties_base(const char *id, const char *slice, bool unified, struct unit_properties *properties)
{
    /* Ids and slices have no characters that need quoting: store.c and systemd_name.c see to that. */
    set(properties, "Description", "", memory_format("'aril container %s'", id));
    set(properties, "Slice", "", memory_format("'%s'", slice));
    set(properties, "Delegate", "", memory_string("true"));
    set(properties, "DefaultDependencies", "", memory_string("false"));
    set(properties, "CPUAccounting", "", memory_string("true"));
    set(properties, "MemoryAccounting", "", memory_string("true"));
    set(properties, "TasksAccounting", "", memory_string("true"));
    set(properties, unified ? "IOAccounting" : "BlockIOAccounting", "", memory_string("true"));
    for (size_t i = 0; i < properties->count; i++)
        properties->items[i].optional = false;
}

/* ---- limits ------------------------------------------------------------------------------------------ */

/* "max" and -1 are systemd's infinity. NULL for what is no number. */
static char *limit_value(const char *text)
{
    uint64_t number = UINT64_MAX;

    if (strcmp(text, "max") != 0 && strcmp(text, "-1") != 0 &&
        !number_parse_unsigned(text, UINT64_MAX, &number))
        return NULL;
    return memory_format("uint64 %" PRIu64, number);
}

static char *oom_value(const char *text)
{
    return memory_string(strcmp(text, "1") == 0 ? "'kill'" : "'continue'");
}

/* The bits of the list, the lowest first. */
static char *list_value(const char *text)
{
    unsigned long words[CPU_LIMIT / NUMBER_LIST_WORD_BITS] = { 0 };
    struct buffer value = { 0 };
    struct error ignored = { 0 };
    size_t last = 0;

    if (!text[strspn(text, "\n")]) /* none of its own: those of the cgroup above */
        return memory_string("@ay []");
    if (number_list_parse(text, words, array_length(words), &ignored) <= 0)
        return NULL;
    for (size_t i = 0; i < CPU_LIMIT; i++)
        if (words[i / NUMBER_LIST_WORD_BITS] >> (i % NUMBER_LIST_WORD_BITS) & 1)
            last = i / 8;
    for (size_t i = 0; i <= last; i++) {
        size_t shift = i * 8 % NUMBER_LIST_WORD_BITS;

        buffer_add_format(&value, i ? ", %lu" : "@ay [%lu",
                          words[i * 8 / NUMBER_LIST_WORD_BITS] >> shift & 0xff);
    }
    buffer_add_char(&value, ']');
    return buffer_take(&value);
}

/*
 * A period of 0 is the unit's, which is the kernel's default while nothing set it. Rounded up, so that
 * systemd, if it ever writes the file again, does not give less than was asked for.
 */
static void set_quota(struct unit_properties *properties, const char *property, uint64_t quota,
                      uint64_t period)
{
    uint64_t per_second = UINT64_MAX;

    if (quota != UINT64_MAX && quota < UINT64_MAX / MICROSECONDS) {
        per_second = quota * MICROSECONDS / (period ? period : DEFAULT_PERIOD);
        per_second = (per_second + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
    }
    set(properties, "CPUQuotaPerSecUSec", property, memory_format("uint64 %" PRIu64, per_second));
    if (period > 0)
        set(properties, "CPUQuotaPeriodUSec", property, memory_format("uint64 %" PRIu64, period));
}

/* "QUOTA", "QUOTA PERIOD", with "max" for no quota. */
static void set_cpu_max(const struct cgroup_row *row, struct unit_properties *properties)
{
    uint64_t quota = UINT64_MAX, period = 0;
    size_t length = strcspn(row->value, " ");
    auto_free char *first = memory_string_n(row->value, length);
    const char *second = row->value + length + strspn(row->value + length, " ");

    if (strcmp(first, "max") != 0 && !number_parse_unsigned(first, UINT64_MAX, &quota))
        return;
    if (*second && !number_parse_unsigned(second, UINT64_MAX, &period))
        return;
    set_quota(properties, row->property, quota, period);
}

static const char *value_of(const struct cgroup_rows *rows, const char *file)
{
    for (size_t i = rows->count; i > 0; i--)
        if (strcmp(rows->items[i - 1].file, file) == 0)
            return rows->items[i - 1].value;
    return NULL;
}

/* v1 has a file for each. */
static void set_cfs(const struct cgroup_rows *rows, struct unit_properties *properties)
{
    const char *quota_text = value_of(rows, "cpu.cfs_quota_us"),
               *period_text = value_of(rows, "cpu.cfs_period_us");
    uint64_t quota = UINT64_MAX, period = 0;

    if (!quota_text && !period_text)
        return;
    if (quota_text)
        number_parse_unsigned(quota_text, UINT64_MAX, &quota); /* -1: none */
    if (period_text)
        number_parse_unsigned(period_text, UINT64_MAX, &period);
    set_quota(properties, quota_text ? "linux.resources.cpu.quota" : "linux.resources.cpu.period", quota,
              period);
}

/* To systemd a weight of 0 is "idle". What is idle no more has its default weight, if no other is given. */
static void set_idle(const struct cgroup_rows *rows, struct unit_properties *properties)
{
    static const char property[] = "linux.resources.cpu.idle";
    const char *idle = value_of(rows, "cpu.idle");

    if (idle && strcmp(idle, "1") == 0)
        set(properties, "CPUWeight", property, memory_string("uint64 0"));
    else if (idle && !value_of(rows, "cpu.weight"))
        set(properties, "CPUWeight", property, memory_format("uint64 %" PRIu64, UINT64_MAX));
}

static const struct {
    const char *file, *name;
    char *(*value)(const char *text); /* returns NULL for what systemd cannot say: the file alone has it */
} limits[] = {
    { "memory.max", "MemoryMax", limit_value },
    { "memory.high", "MemoryHigh", limit_value },
    { "memory.low", "MemoryLow", limit_value },
    { "memory.min", "MemoryMin", limit_value },
    { "memory.swap.max", "MemorySwapMax", limit_value },
    { "memory.oom.group", "OOMPolicy", oom_value },
    { "cpu.weight", "CPUWeight", limit_value },
    { "cpuset.cpus", "AllowedCPUs", list_value },
    { "cpuset.mems", "AllowedMemoryNodes", list_value },
    { "pids.max", "TasksMax", limit_value },
    { "io.weight", "IOWeight", limit_value },
    { "memory.limit_in_bytes", "MemoryLimit", limit_value },
    { "cpu.shares", "CPUShares", limit_value },
    { "blkio.weight", "BlockIOWeight", limit_value },
};

void unit_properties_limits(const struct cgroup_rows *rows, struct unit_properties *properties)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct cgroup_row *row = &rows->items[i];

        if (strcmp(row->file, "cpu.max") == 0)
            set_cpu_max(row, properties);
        for (size_t k = 0; k < array_length(limits); k++) {
            char *value = strcmp(row->file, limits[k].file) == 0 ? limits[k].value(row->value) : NULL;

            if (value)
                set(properties, limits[k].name, row->property, value);
        }
    }
    set_cfs(rows, properties);
    set_idle(rows, properties);
}

/* "c 1:3 rw" as systemd has it: all devices of a type or of a major number, or a single one. */
static bool add_device(const char *rule, struct buffer *list)
{
    char type, major[24], minor[24], access[8];
    const char *kind, *separator = list->length ? ", " : "";

    if (sscanf(rule, "%c %23[^:]:%23s %7s", &type, major, minor, access) != 4)
        return false;
    kind = type == 'c' ? "char" : "block";
    if (strcmp(minor, "*") == 0)
        buffer_add_format(list, "%s('%s-%s', '%s')", separator, kind, major, access);
    else if (strcmp(major, "*") != 0)
        buffer_add_format(list, "%s('/dev/%s/%s:%s', '%s')", separator, kind, major, minor, access);
    else
        return false;
    return true;
}

/* systemd's list holds what is allowed, and nothing else: all, or these. */
static bool add_device_row(const struct cgroup_row *row, const char **policy, struct buffer *list)
{
    bool allow = strcmp(row->file, "devices.allow") == 0;

    if (strcmp(row->value, "a") != 0)
        return allow && add_device(row->value, list);
    *policy = allow ? "'auto'" : "'strict'";
    return true;
}

int unit_properties_devices(const struct cgroup_rows *rows, struct unit_properties *properties,
                            struct error *err)
{
    struct buffer list = { 0 };
    const char *policy = NULL;
    int result = 0;

    for (size_t i = 0; result == 0 && i < rows->count; i++) {
        const struct cgroup_row *row = &rows->items[i];

        if (strcmp(row->controller, "devices") == 0 && !add_device_row(row, &policy, &list))
            result = fail(err, ENOTSUP, "%s: the systemd driver on cgroup v1 cannot keep '%s'", row->property,
                          row->value);
    }
    if (result == 0 && policy) {
        set(properties, "DevicePolicy", DEVICES, memory_string(policy));
        set(properties, "DeviceAllow", DEVICES, memory_format("@a(ss) [%s]", list.data ? list.data : ""))
            ->list = true;
    }
    buffer_free(&list);
    return result;
}

/* ---- annotations ------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    return length >= NAME_MINIMUM &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

/* "TimeoutStopSec", as unit files have it, is "TimeoutStopUSec" on the bus. */
static bool is_in_seconds(const char *name)
{
    size_t length = strlen(name);

    return length > 3 && strcmp(name + length - 3, "Sec") == 0 && name[length - 4] >= 'a' &&
           name[length - 4] <= 'z';
}

static int add_annotation(const char *key, const char *text, struct unit_properties *properties,
                          struct error *err)
{
    const char *name = key + strlen(ANNOTATION);
    bool seconds = is_in_seconds(name);
    auto_free char *property = memory_format("annotations.%s", key), *renamed = NULL;
    struct unit_value value;
    int result;

    if (!is_name(name))
        return fail(err, EINVAL, "%s: '%s' is not the name of a unit property", property, name);
    if (unit_value_parse(text, &value, err) < 0)
        return fail_in(err, "%s", property);
    result = seconds ? unit_value_to_microseconds(&value, err) : 0;
    unit_value_free(&value);
    if (result < 0)
        return fail_in(err, "%s: '%s'", property, text);
    renamed = memory_format("%.*s%s", (int)(strlen(name) - (seconds ? 3 : 0)), name, seconds ? "USec" : "");
    set(properties, renamed, property, memory_string(text));
    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->items[i].name, renamed) == 0) {
            properties->items[i].optional = false;
            properties->items[i].seconds = seconds;
        }
    return 0;
}

int unit_properties_annotations(const struct string_map *annotations, struct unit_properties *properties,
                                struct error *err)
{
    for (size_t i = 0; i < annotations->count; i++) {
        const char *key = annotations->items[i].key;

        if (strncmp(key, ANNOTATION, strlen(ANNOTATION)) == 0 &&
            add_annotation(key, annotations->items[i].value, properties, err) < 0)
            return -1;
    }
    return 0;
}
