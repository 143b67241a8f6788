/* The table of commands, in the order of the help text. */
#include "cli/commands.h"

#include <string.h>

/* clang-format off */
const struct command *const cli_commands[] = {
    &command_create,
    &command_start,
    &command_run,
    &command_exec,
    &command_state,
    &command_list,
    &command_ps,
    &command_kill,
    &command_pause,
    &command_resume,
    &command_update,
    &command_events,
    &command_mounts,
    &command_delete,
    &command_sandbox_exec,
    &command_sandbox_policy,
    &command_probe,
    &command_spec,
    &command_plan,
    &command_features,
    &command_checkpoint,
    &command_restore,
    &command_completion,
    NULL,
};
/* clang-format on */

const struct command *cli_find_command(const char *name)
{
    for (const struct command *const *command = cli_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}
