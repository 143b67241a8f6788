/* aril pause: stops every process of a container with the freezer. */
#include "cli/commands.h"

#include "launch/lifecycle.h"

static int pause_container(struct container *container, const struct invocation *invocation,
                           struct error *err)
{
    (void)invocation;
    return container_pause(container, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, pause_container, err);
}

const struct command command_pause = {
    .name = "pause",
    .summary = "Freeze all processes of a container",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
