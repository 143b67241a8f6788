/* aril completion: shell completion scripts, made from the tables of commands and options. Pure but for
 * printing. */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "cli/completion_scripts.h"

#include <string.h>

static int run(const struct invocation *invocation, struct error *err)
{
    const char *shell = invocation->arguments[0];
    auto_buffer struct buffer script = { 0 };

    if (strcmp(shell, "bash") == 0)
        completion_bash(&script);
    else if (strcmp(shell, "zsh") == 0)
        completion_zsh(&script);
    else if (strcmp(shell, "fish") == 0)
        completion_fish(&script);
    else
        return fail(err, EINVAL, "unknown shell \"%s\": must be one of bash, zsh, fish", shell);
    return cli_print_buffer(&script, err);
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Print the completion script for a shell",
    .arguments = "bash|zsh|fish",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
