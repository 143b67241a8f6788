/* The options that create and run share. They fill a struct launch_options. */
#pragma once

#include "cli/commands.h"
#include "launch/launch.h"

extern const struct option_row launch_option_rows[];

/* Completes what the tables filled: id, cgroup driver. */
struct launch_options launch_options_of(const struct invocation *invocation);
