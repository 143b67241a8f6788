/* Help texts, made from the tables of commands and options. Pure. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 32 /* where descriptions begin */

/* A left part that is too long has the description below it. */
static void add_padded(struct buffer *out, size_t start, const char *text)
{
    size_t used = out->length - start;

    if (used + 2 > HELP_COLUMN) {
        buffer_add_char(out, '\n');
        used = 0;
    }
    buffer_add_format(out, "%*s%s\n", (int)(HELP_COLUMN - used), "", text);
}

static void add_option(struct buffer *out, const struct option_row *row)
{
    size_t start = out->length;

    if (!row->help)
        return;
    if (row->letter)
        buffer_add_format(out, "  -%c, --%s", row->letter, row->name);
    else
        buffer_add_format(out, "      --%s", row->name);
    if (row->metavar)
        buffer_add_format(out, " %s", row->metavar);
    add_padded(out, start, row->help);
}

static bool has_visible_option(const struct option_row *rows)
{
    for (; rows && rows->name; rows++)
        if (rows->help)
            return true;
    return false;
}

static void add_options(struct buffer *out, const struct option_row *rows)
{
    for (; rows && rows->name; rows++)
        add_option(out, rows);
}

void help_program(struct buffer *out)
{
    buffer_add_string(out, "aril: an OCI container runtime for code you do not trust\n\n"
                           "Usage: aril [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
    for (const struct command *const *command = cli_commands; *command; command++) {
        size_t start = out->length;

        if (!(*command)->summary)
            continue;
        buffer_add_format(out, "  %s", (*command)->name);
        if ((*command)->arguments)
            buffer_add_format(out, " %s", (*command)->arguments);
        add_padded(out, start, (*command)->summary);
    }
    buffer_add_string(out, "\nGlobal options:\n");
    add_options(out, cli_global_options);
    buffer_add_string(out,
                      "\n`aril COMMAND --help` shows the options of a command; aril(8) has the details.\n");
}

void help_command(const struct command *command, struct buffer *out)
{
    bool options = has_visible_option(command->options) || has_visible_option(command->more_options);

    buffer_add_format(out, "Usage: aril [GLOBAL OPTIONS] %s%s", command->name, options ? " [OPTIONS]" : "");
    if (command->arguments)
        buffer_add_format(out, " %s", command->arguments);
    buffer_add_format(out, "\n\n%s.\n", command->summary);
    if (options) {
        buffer_add_string(out, "\nOptions:\n");
        add_options(out, command->options);
        add_options(out, command->more_options);
    }
    buffer_add_string(out, "\nGlobal options:\n");
    add_options(out, cli_global_options);
}
