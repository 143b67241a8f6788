/* Every command, defined in the file of its name. */
#pragma once

#include "cli/cli.h"

extern const struct command command_create;
extern const struct command command_start;
extern const struct command command_run;
extern const struct command command_exec;
extern const struct command command_state;
extern const struct command command_list;
extern const struct command command_ps;
extern const struct command command_kill;
extern const struct command command_mounts;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_update;
extern const struct command command_events;
extern const struct command command_delete;
extern const struct command command_sandbox_exec;
extern const struct command command_sandbox_policy;
extern const struct command command_probe;
extern const struct command command_spec;
extern const struct command command_plan;
extern const struct command command_features;
extern const struct command command_checkpoint;
extern const struct command command_restore;
extern const struct command command_completion;
