/* The script for bash. Pure. */
#include "cli/completion_scripts.h"

static const char head[] = "# bash completion for aril; made by `aril completion bash`\n"
                           "\n"
                           "# The options of a command; without one, the global ones.\n"
                           "_aril_options() {\n"
                           "    case $1 in\n";

static const char between[] =
    "    esac\n"
    "}\n"
    "\n"
    "# What the value of an option is: COMMAND:OPTION. \"none\": it has one, but nothing can be offered.\n"
    "_aril_value() {\n"
    "    case $1 in\n";

static const char arguments[] = "    esac\n"
                                "}\n"
                                "\n"
                                "# What the first argument of a command is.\n"
                                "_aril_argument() {\n"
                                "    case $1 in\n";

static const char tail[] =
    "    esac\n"
    "}\n"
    "\n"
    "_aril_offer() {\n"
    "    local kind=$1 current=$2\n"
    "    shift 2\n"
    "    case $kind in\n"
    "    file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
    "    directory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
    "    container) mapfile -t COMPREPLY < <(compgen -W \"$(aril \"$@\" list -q 2>/dev/null)\" -- "
    "\"$current\") ;;\n"
    "    words:*) mapfile -t COMPREPLY < <(compgen -W \"${kind#words:}\" -- \"$current\") ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_aril() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} command='' word kind i arguments=0\n"
    "    local -a root=()\n"
    "\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ $word == -* ]]; then\n"
    "            kind=$(_aril_value \"$command:$word\")\n"
    "            [[ $kind ]] || kind=$(_aril_value \":$word\")\n"
    "            [[ $kind ]] || continue\n"
    "            ((i++))\n"
    "            [[ ${COMP_WORDS[i]} == = ]] && ((i++)) # bash splits --option=value in three\n"
    "            [[ $word == --root && $i -lt $COMP_CWORD ]] && root=(--root \"${COMP_WORDS[i]}\")\n"
    "            if ((i >= COMP_CWORD)); then\n"
    "                [[ $current == = ]] && current=\n"
    "                _aril_offer \"$kind\" \"$current\"\n"
    "                return\n"
    "            fi\n"
    "        elif [[ ! $command ]]; then\n"
    "            command=$word\n"
    "        else\n"
    "            ((arguments++))\n"
    "        fi\n"
    "    done\n"
    "    if [[ $current == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_aril_options \"$command\") "
    "${command:+$(_aril_options)}\" -- "
    "\"$current\")\n"
    "    elif [[ ! $command ]]; then\n"
    "        _aril_offer \"words:$(_aril_argument)\" \"$current\"\n"
    "    elif ((arguments == 0)); then\n"
    "        _aril_offer \"$(_aril_argument \"$command\")\" \"$current\" \"${root[@]}\"\n"
    "    fi\n"
    "} &&\n"
    "    complete -F _aril aril\n";

static void add_option_words(struct buffer *out, const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        if (!rows->help)
            continue;
        if (rows->letter)
            buffer_add_format(out, " -%c", rows->letter);
        buffer_add_format(out, " --%s", rows->name);
    }
}

static void add_options(struct buffer *out, const char *name, const struct option_row *rows,
                        const struct option_row *more)
{
    buffer_add_format(out, "    %s) echo", name);
    add_option_words(out, rows);
    add_option_words(out, more);
    buffer_add_string(out, " ;;\n");
}

static void add_kind(struct buffer *out, const char *metavar)
{
    switch (completion_kind_of(metavar)) {
    case COMPLETION_FILE:
        buffer_add_string(out, "file");
        break;
    case COMPLETION_DIRECTORY:
        buffer_add_string(out, "directory");
        break;
    case COMPLETION_CONTAINER:
        buffer_add_string(out, "container");
        break;
    case COMPLETION_WORDS:
        buffer_add_string(out, "'words:");
        completion_add_words(out, metavar);
        buffer_add_char(out, '\'');
        break;
    default:
        buffer_add_string(out, "none");
    }
}

static void add_values(struct buffer *out, const char *command, const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        if (!rows->help || !rows->metavar)
            continue;
        buffer_add_format(out, "    %s:--%s", command, rows->name);
        if (rows->letter)
            buffer_add_format(out, " | %s:-%c", command, rows->letter);
        buffer_add_string(out, ") echo ");
        add_kind(out, rows->metavar);
        buffer_add_string(out, " ;;\n");
    }
}

static void add_arguments(struct buffer *out)
{
    buffer_add_string(out, "    '') echo");
    for (const struct command *const *command = cli_commands; *command; command++)
        buffer_add_format(out, " %s", (*command)->name);
    buffer_add_string(out, " ;;\n");
    for (const struct command *const *command = cli_commands; *command; command++) {
        if (completion_kind_of((*command)->arguments) == COMPLETION_NOTHING)
            continue;
        buffer_add_format(out, "    %s) echo ", (*command)->name);
        add_kind(out, (*command)->arguments);
        buffer_add_string(out, " ;;\n");
    }
}

void completion_bash(struct buffer *out)
{
    buffer_add_string(out, head);
    add_options(out, "''", cli_global_options, NULL);
    for (const struct command *const *command = cli_commands; *command; command++)
        add_options(out, (*command)->name, (*command)->options, (*command)->more_options);
    buffer_add_string(out, between);
    add_values(out, "", cli_global_options);
    for (const struct command *const *command = cli_commands; *command; command++) {
        add_values(out, (*command)->name, (*command)->options);
        add_values(out, (*command)->name, (*command)->more_options);
    }
    buffer_add_string(out, arguments);
    add_arguments(out);
    buffer_add_string(out, tail);
}
