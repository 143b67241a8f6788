/* aril list: all containers below the root (contract O2). A broken one is reported and skipped. */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/table.h"
#include "launch/lifecycle.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

struct list_options {
    const char *format;
    bool quiet;
};

static const struct option_row options[] = {
    { "format", 'f', OPTION_CHOICE, offsetof(struct list_options, format), "table|json",
      "what to print (default: table)" },
    { "quiet", 'q', OPTION_FLAG, offsetof(struct list_options, quiet), NULL, "print only ids, one a line" },
    { 0 },
};

/* fgetpwent() and not getpwuid(): name services would be loaded as libraries. */
static char *user_name(uint32_t uid)
{
    auto_fclose FILE *passwd = fopen("/etc/passwd", "re");
    struct passwd *entry;

    while (passwd && (entry = fgetpwent(passwd)))
        if (entry->pw_uid == uid)
            return memory_string(entry->pw_name);
    return memory_format("#%u", uid);
}

/* Nearly all containers are one user's: who was looked up last is remembered. */
struct owner {
    uint32_t uid;
    char *name; /* NULL: nobody yet */
};

static void owner_free(struct owner *owner)
{
    free(owner->name);
}

static const char *owner_name(struct owner *owner, uint32_t uid)
{
    if (!owner->name || owner->uid != uid) {
        free(owner->name);
        *owner = (struct owner){ uid, user_name(uid) };
    }
    return owner->name;
}

static struct oci_state *listed_state(const struct container *container, struct owner *owner)
{
    struct oci_state *state = container_oci_state(container, container_state(container));

    free(state->owner);
    state->owner = memory_string(owner_name(owner, container->status->owner_uid));
    return state;
}

/* NULL: there is nothing to show, and if that is wrong, it was said. */
static struct oci_state *load_state(struct store *store, const char *id, struct owner *owner)
{
    struct oci_state *state = NULL;
    struct container container;
    struct error err = { 0 };

    if (store_load(store, id, &container, &err) < 0) {
        if (err.code != ENOENT) /* deleted since we read the directory */
            log_line(LOG_LEVEL_ERROR, "%s", err.text);
        return NULL;
    }
    if (container_check(&container, &err) == 0)
        state = listed_state(&container, owner);
    else if (!container_is_locked(&container)) /* else: it is just being created or deleted */
        log_line(LOG_LEVEL_ERROR, "%s", err.text);
    container_close(&container);
    return state;
}

static void add_row(struct table *table, const struct oci_state *state)
{
    auto_free char *pid = memory_format("%d", (int)state->pid);

    table_add(table, state->id);
    table_add(table, pid);
    table_add(table, state->status);
    table_add(table, state->bundle);
    table_add(table, state->created ? state->created : "");
    table_add(table, state->owner);
}

static void format_table(struct oci_state *const *states, size_t count, struct buffer *out)
{
    static const char *const header[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
    struct table table = { .columns = array_length(header) };

    for (size_t i = 0; i < array_length(header); i++)
        table_add(&table, header[i]);
    for (size_t i = 0; i < count; i++)
        add_row(&table, states[i]);
    table_format(&table, out);
    table_free(&table);
}

static void format_json(struct oci_state *const *states, size_t count, struct buffer *out)
{
    auto_free struct oci_state *flat = memory_new_array(count, sizeof *flat);

    if (count == 0) { /* the same as runc */
        buffer_add_string(out, "null\n");
        return;
    }
    for (size_t i = 0; i < count; i++)
        flat[i] = *states[i]; /* borrowed */
    schema_write_array(&oci_state_schema, flat, count, sizeof *flat, SCHEMA_COMPACT, out);
    buffer_add_char(out, '\n');
}

static int print_states(struct store *store, const struct strings *ids, bool json, struct error *err)
{
    auto_free struct oci_state **states = memory_new_array(ids->count, sizeof *states);
    auto_cleanup(owner_free) struct owner owner = { 0 };
    auto_buffer struct buffer text = { 0 };
    size_t count = 0;
    int result;

    for (size_t i = 0; i < ids->count; i++) {
        states[count] = load_state(store, ids->items[i], &owner);
        count += states[count] != NULL;
    }
    if (json)
        format_json(states, count, &text);
    else
        format_table(states, count, &text);
    result = cli_print_buffer(&text, err);
    for (size_t i = 0; i < count; i++)
        schema_free(&oci_state_schema, states[i]);
    return result;
}

static int print_ids(const struct strings *ids, struct error *err)
{
    auto_buffer struct buffer text = { 0 };

    for (size_t i = 0; i < ids->count; i++)
        buffer_add_format(&text, "%s\n", ids->items[i]);
    return cli_print_buffer(&text, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct list_options *chosen = invocation->options;
    bool json = chosen->format && strcmp(chosen->format, "json") == 0;
    struct strings ids = { 0 };
    struct store store;
    int result = 0;

    if (store_open(invocation->globals->root, false, &store, err) < 0) {
        if (err->code != ENOENT || invocation->globals->root) /* contract X4 */
            return -1;
    } else {
        result = store_list(&store, &ids, err);
    }
    if (result == 0)
        result = chosen->quiet ? print_ids(&ids, err) : print_states(&store, &ids, json, err);
    strings_free(&ids);
    store_close(&store);
    return result;
}

const struct command command_list = {
    .name = "list",
    .summary = "List containers",
    .options = options,
    .options_size = sizeof(struct list_options),
    .run = run,
};
