/* A plan as the JSON array that `aril plan` prints. Pure. */
#include "cgroup/plan.h"

#include "base/buffer.h"

#include <stdbool.h>

static void add_text(struct buffer *out, const char *text)
{
    buffer_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_add_char(out, '\\');
        if ((unsigned char)*text < ' ')
            buffer_add_format(out, "\\u%04x", *text);
        else
            buffer_add_char(out, *text);
    }
    buffer_add_char(out, '"');
}

static void add_row(struct buffer *out, bool *first, const char *controller, const char *file,
                    const char *value)
{
    buffer_add_string(out, *first ? "{\"controller\":" : ",{\"controller\":");
    add_text(out, controller);
    buffer_add_string(out, ",\"file\":");
    add_text(out, file);
    buffer_add_string(out, ",\"value\":");
    add_text(out, value);
    buffer_add_char(out, '}');
    *first = false;
}

/* The BPF program as the rules it was made from. */
static void add_devices(struct buffer *out, bool *first, const struct device_rules *rules)
{
    add_row(out, first, "devices", "bpf", rules->allow ? "allow a" : "deny a");
    for (size_t i = 0; i < rules->count; i++) {
        struct buffer value = { 0 };

        buffer_add_format(&value, "%s %s", rules->items[i].allow ? "allow" : "deny",
                          device_rule_text(&rules->items[i]).text);
        add_row(out, first, "devices", "bpf", value.data);
        buffer_free(&value);
    }
}

void cgroup_plan_describe(const struct cgroup_plan *plan, struct buffer *out)
{
    bool first = true;

    buffer_add_char(out, '[');
    for (size_t i = 0; i < plan->directories.count; i++)
        add_row(out, &first, plan->directories.items[i].controllers, ".", plan->directories.items[i].path);
    for (size_t i = 0; i < plan->unit.properties.count; i++)
        add_row(out, &first, "systemd", plan->unit.properties.items[i].name,
                plan->unit.properties.items[i].value);
    for (size_t i = 0; i < plan->rows.count; i++)
        add_row(out, &first, plan->rows.items[i].controller, plan->rows.items[i].file,
                plan->rows.items[i].value);
    if (plan->unified)
        add_devices(out, &first, &plan->devices);
    buffer_add_char(out, ']');
}
