/* The member "intel_rdt" of runc's statistics: see resctrl.h. Runs in the runtime, for `events`. */
#include "resctrl/resctrl.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT (1 << 16)
#define DOMAIN_PREFIX "mon_L3_"
#define PATH_ROOM (2 * NAME_MAX + 64)

/* Members of an object, one after the other. */
struct members {
    struct buffer *out;
    const char *separator;
};

static void add_name(struct members *members, const char *name)
{
    buffer_add_format(members->out, "%s\"%s\":", members->separator, name);
    members->separator = ",";
}

static char *read_text(int directory, const char *path)
{
    struct error ignored = { 0 };
    char *text = NULL;
    size_t length;

    return file_read_at(directory, path, FILE_LIMIT, &text, &length, &ignored) < 0 ? NULL : text;
}

/* A number as the kernel has it; "Unavailable" and the like are none. */
static void add_number(struct members *members, int directory, const char *path, const char *name)
{
    auto_free char *text = read_text(directory, path);
    size_t digits = text ? strspn(text, "0123456789") : 0;

    if (digits == 0 || digits > 20 || (text[digits] && text[digits] != '\n'))
        return;
    add_name(members, name);
    buffer_add(members->out, text, digits);
}

/* Masks and schemata are made of these characters; nothing else gets into the JSON. */
static void add_word(struct members *members, const char *text, const char *name)
{
    size_t length = strspn(text, "0123456789abcdefABCDEFxLMB_CODETA:;=, ");

    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length == 0)
        return;
    add_name(members, name);
    buffer_add_format(members->out, "\"%.*s\"", (int)length, text);
}

/* The line of schemata for a resource. */
static void add_schema(struct members *members, const struct resctrl *resctrl, const char *group,
                       const char *resource, const char *name)
{
    auto_free char *path = memory_format("%s/schemata", group), *text = read_text(resctrl->root, path);
    const char *line = text;

    while (line && *line) {
        line += strspn(line, " ");
        if (strncmp(line, resource, strlen(resource)) == 0) {
            add_word(members, line, name);
            return;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void add_cache_info(struct members *members, const struct resctrl *resctrl)
{
    auto_free char *mask = read_text(resctrl->root, "info/L3/cbm_mask");
    struct members info = { members->out, "" };

    if (!mask)
        return;
    add_name(members, "l3_cache_info");
    buffer_add_char(members->out, '{');
    add_word(&info, mask, "cbm_mask");
    add_number(&info, resctrl->root, "info/L3/min_cbm_bits", "min_cbm_bits");
    add_number(&info, resctrl->root, "info/L3/num_closids", "num_closids");
    buffer_add_char(members->out, '}');
}

static void add_bandwidth_info(struct members *members, const struct resctrl *resctrl)
{
    struct members info = { members->out, "" };

    if (faccessat(resctrl->root, "info/MB", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    add_name(members, "mem_bw_info");
    buffer_add_char(members->out, '{');
    add_number(&info, resctrl->root, "info/MB/bandwidth_gran", "bandwidth_gran");
    add_number(&info, resctrl->root, "info/MB/delay_linear", "delay_linear");
    add_number(&info, resctrl->root, "info/MB/min_bandwidth", "min_bandwidth");
    add_number(&info, resctrl->root, "info/MB/num_closids", "num_closids");
    buffer_add_char(members->out, '}');
}

static int is_domain(const struct dirent *entry)
{
    return strncmp(entry->d_name, DOMAIN_PREFIX, strlen(DOMAIN_PREFIX)) == 0;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

static void add_domain(struct buffer *out, int directory, const char *domain, const char *const counters[])
{
    struct members item = { out, "" };

    buffer_add_char(out, '{');
    for (; *counters; counters++) {
        auto_free char *path = memory_format("%s/%s", domain, *counters);

        add_number(&item, directory, path, *counters);
    }
    buffer_add_char(out, '}');
}

static bool has_counter(int directory, const char *domain, const char *counter)
{
    auto_free char *path = memory_format("%s/%s", domain, counter);

    return faccessat(directory, path, F_OK, 0) == 0;
}

/* An array with an object for each cache, in the order of their numbers. */
static void add_counters(struct members *members, int directory, const char *name,
                         const char *const counters[])
{
    struct dirent **entries = NULL;
    int count = scandirat(directory, ".", &entries, is_domain, alphasort);

    if (count > 0 && has_counter(directory, entries[0]->d_name, counters[0])) {
        add_name(members, name);
        for (int i = 0; i < count; i++) {
            buffer_add_char(members->out, i == 0 ? '[' : ',');
            add_domain(members->out, directory, entries[i]->d_name, counters);
        }
        buffer_add_char(members->out, ']');
    }
    free_entries(entries, count);
}

static void add_monitoring(struct members *members, const struct resctrl_plan *plan,
                           const struct resctrl *resctrl)
{
    static const char *const bandwidth[] = { "mbm_total_bytes", "mbm_local_bytes", NULL };
    static const char *const occupancy[] = { "llc_occupancy", NULL };
    char path[PATH_ROOM];
    auto_close int directory = -1;

    if (plan->monitor)
        snprintf(path, sizeof path, "%s/mon_groups/%s/mon_data", plan->group, plan->monitor);
    else
        snprintf(path, sizeof path, "%s/mon_data", plan->group);
    directory = openat(resctrl->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return;
    add_counters(members, directory, "mbm_stats", bandwidth);
    add_counters(members, directory, "cmt_stats", occupancy);
}

void resctrl_stats(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct buffer *out)
{
    struct members members = { out, "" };

    buffer_add_char(out, '{');
    if (plan->group) {
        add_cache_info(&members, resctrl);
        add_schema(&members, resctrl, ".", "L3", "l3_cache_schema_root");
        add_schema(&members, resctrl, plan->group, "L3", "l3_cache_schema");
        add_bandwidth_info(&members, resctrl);
        add_schema(&members, resctrl, ".", "MB", "mem_bw_schema_root");
        add_schema(&members, resctrl, plan->group, "MB", "mem_bw_schema");
        add_monitoring(&members, plan, resctrl);
    }
    buffer_add_char(out, '}');
}
