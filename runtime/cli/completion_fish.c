/* The script for fish. Pure. */
#include "cli/completion_scripts.h"

static const char head[] = "# fish completion for aril; made by `aril completion fish`\n"
                           "\n"
                           "complete -c aril -f\n";

static void add_condition(struct buffer *out, const struct command *command)
{
    buffer_add_string(out, "complete -c aril");
    if (command)
        buffer_add_format(out, " -n '__fish_seen_subcommand_from %s'", command->name);
}

static void add_candidates(struct buffer *out, const char *metavar)
{
    switch (completion_kind_of(metavar)) {
    case COMPLETION_FILE:
        buffer_add_string(out, " -F"); /* the first line of the script turns files off */
        break;
    case COMPLETION_DIRECTORY:
        buffer_add_string(out, " -a '(__fish_complete_directories)'");
        break;
    case COMPLETION_CONTAINER:
        buffer_add_string(out, " -a '(aril list -q 2>/dev/null)'");
        break;
    case COMPLETION_WORDS:
        buffer_add_string(out, " -a '");
        completion_add_words(out, metavar);
        buffer_add_char(out, '\'');
        break;
    default:
        break;
    }
}

static void add_options(struct buffer *out, const struct command *command, const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        if (!rows->help)
            continue;
        add_condition(out, command);
        buffer_add_format(out, " -l %s", rows->name);
        if (rows->letter)
            buffer_add_format(out, " -s %c", rows->letter);
        if (rows->metavar)
            buffer_add_string(out, completion_kind_of(rows->metavar) == COMPLETION_FILE ? " -r" : " -x");
        add_candidates(out, rows->metavar);
        buffer_add_string(out, " -d ");
        completion_add_quoted(out, rows->help, "\\");
        buffer_add_char(out, '\n');
    }
}

static void add_command(struct buffer *out, const struct command *command)
{
    buffer_add_format(out, "\ncomplete -c aril -n __fish_use_subcommand -a %s -d ", command->name);
    completion_add_quoted(out, command->summary, "\\");
    buffer_add_char(out, '\n');
    if (completion_kind_of(command->arguments) != COMPLETION_NOTHING) {
        add_condition(out, command);
        add_candidates(out, command->arguments);
        buffer_add_char(out, '\n');
    }
    add_options(out, command, command->options);
    add_options(out, command, command->more_options);
}

void completion_fish(struct buffer *out)
{
    buffer_add_string(out, head);
    add_options(out, NULL, cli_global_options);
    for (const struct command *const *command = cli_commands; *command; command++)
        add_command(out, *command);
}
