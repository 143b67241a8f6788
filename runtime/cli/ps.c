/* aril ps: the processes of a container, as pids of the host (contract O3, G7). */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "cli/ps_table.h"
#include "launch/lifecycle.h"

#include <string.h>

struct ps_options {
    const char *format;
};

static const struct option_row options[] = {
    { "format", 'f', OPTION_CHOICE, offsetof(struct ps_options, format), "table|json",
      "what to print: the rows of ps(1), or an array of pids (default: table)" },
    { 0 },
};

static int print_json(const pid_t *pids, size_t count, struct error *err)
{
    auto_buffer struct buffer json = { 0 };

    buffer_add_char(&json, '[');
    for (size_t i = 0; i < count; i++)
        buffer_add_format(&json, "%s%d", i ? "," : "", (int)pids[i]);
    buffer_add_string(&json, "]\n");
    return cli_print_buffer(&json, err);
}

static int print_table(const pid_t *pids, size_t count, const char *const *ps_arguments, struct error *err)
{
    static const char *const default_arguments[] = { "-ef", NULL };
    auto_buffer struct buffer listing = { 0 }, rows = { 0 };

    if (ps_table_read(*ps_arguments ? ps_arguments : default_arguments, &listing, err) < 0 ||
        ps_table_filter(listing.data ? listing.data : "", pids, count, &rows, err) < 0)
        return -1;
    return cli_print_buffer(&rows, err);
}

static int print_processes(struct container *container, const struct invocation *invocation,
                           struct error *err)
{
    const struct ps_options *chosen = invocation->options;
    auto_free pid_t *pids = NULL;
    size_t count;

    if (container_processes(container, &pids, &count, err) < 0)
        return -1;
    if (chosen->format && strcmp(chosen->format, "json") == 0)
        return print_json(pids, count, err);
    return print_table(pids, count, invocation->arguments + 1, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, print_processes, err);
}

const struct command command_ps = {
    .name = "ps",
    .summary = "Show the processes of a container",
    .arguments = "ID [PS-OPTION...]",
    .options = options,
    .options_size = sizeof(struct ps_options),
    .min_arguments = 1,
    .max_arguments = COMMAND_ANY_ARGUMENTS,
    .order = OPTIONS_FIRST,
    .run = run,
};
