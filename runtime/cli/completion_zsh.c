/* The script for zsh. Pure. */
#include "cli/completion_scripts.h"

static const char head[] =
    "#compdef aril\n"
    "# zsh completion for aril; made by `aril completion zsh`\n"
    "\n"
    "_aril_containers() {\n"
    "    local -a ids\n"
    "    ids=(${(f)\"$(aril ${opt_args[--root]:+--root} ${opt_args[--root]} list -q 2>/dev/null)\"})\n"
    "    compadd -a ids\n"
    "}\n"
    "\n"
    "_aril() {\n"
    "    local context state line\n"
    "    typeset -A opt_args\n"
    "    local -a global commands own\n"
    "\n"
    "    global=(\n";

static const char before_commands[] = "    )\n"
                                      "    commands=(\n";

static const char after_commands[] = "    )\n"
                                     "    _arguments -S $global '1: :->command' '*:: :->arguments'\n"
                                     "    case $state in\n"
                                     "    command) _describe -t commands 'aril command' commands ;;\n"
                                     "    arguments)\n"
                                     "        case $line[1] in\n";

static const char tail[] = "        esac ;;\n"
                           "    esac\n"
                           "}\n"
                           "\n"
                           "_aril \"$@\"\n";

static void add_action(struct buffer *out, const char *metavar)
{
    switch (completion_kind_of(metavar)) {
    case COMPLETION_FILE:
        buffer_add_string(out, "_files");
        break;
    case COMPLETION_DIRECTORY:
        buffer_add_string(out, "_files -/");
        break;
    case COMPLETION_CONTAINER:
        buffer_add_string(out, "_aril_containers");
        break;
    case COMPLETION_WORDS:
        buffer_add_char(out, '(');
        completion_add_words(out, metavar);
        buffer_add_char(out, ')');
        break;
    default:
        break;
    }
}

/* '(-b --bundle)'{-b,--bundle}'[help]:DIR:_files -/' */
static void add_option(struct buffer *out, const struct option_row *row, const char *indent)
{
    const char *repeatable = row->kind == OPTION_LIST ? "\\*" : "";

    buffer_add_string(out, indent);
    if (row->letter && row->kind != OPTION_LIST)
        buffer_add_format(out, "'(-%c --%s)'", row->letter, row->name);
    if (row->letter)
        buffer_add_format(out, "{%s-%c,%s--%s}", repeatable, row->letter, repeatable, row->name);
    else
        buffer_add_format(out, "%s--%s", repeatable, row->name);
    buffer_add_string(out, "'['");
    completion_add_quoted(out, row->help, "[]:");
    buffer_add_string(out, "']");
    if (row->metavar) {
        buffer_add_string(out, ":value:");
        add_action(out, row->metavar);
    }
    buffer_add_string(out, "'\n");
}

static void add_options(struct buffer *out, const struct option_row *rows, const char *indent)
{
    for (; rows && rows->name; rows++)
        if (rows->help)
            add_option(out, rows, indent);
}

static void add_summary(struct buffer *out, const struct command *command)
{
    buffer_add_string(out, "        ");
    completion_add_quoted(out, command->name, "");
    buffer_add_char(out, ':');
    completion_add_quoted(out, command->summary, ":");
    buffer_add_char(out, '\n');
}

static void add_command(struct buffer *out, const struct command *command)
{
    static const char indent[] = "                ";

    buffer_add_format(out, "        %s)\n            own=(\n", command->name);
    add_options(out, command->options, indent);
    add_options(out, command->more_options, indent);
    buffer_add_string(out, "            )\n            _arguments -S $global $own");
    if (completion_kind_of(command->arguments) != COMPLETION_NOTHING) {
        buffer_add_string(out, " '1:argument:");
        add_action(out, command->arguments);
        buffer_add_char(out, '\'');
    }
    buffer_add_string(out, " ;;\n");
}

void completion_zsh(struct buffer *out)
{
    buffer_add_string(out, head);
    add_options(out, cli_global_options, "        ");
    buffer_add_string(out, before_commands);
    for (const struct command *const *command = cli_commands; *command; command++)
        add_summary(out, *command);
    buffer_add_string(out, after_commands);
    for (const struct command *const *command = cli_commands; *command; command++)
        add_command(out, *command);
    buffer_add_string(out, tail);
}
