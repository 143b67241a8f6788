/* aril resume: lets a paused container go on. */
#include "cli/commands.h"

#include "launch/lifecycle.h"

static int resume_container(struct container *container, const struct invocation *invocation,
                            struct error *err)
{
    (void)invocation;
    return container_resume(container, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, resume_container, err);
}

const struct command command_resume = {
    .name = "resume",
    .summary = "Thaw the processes of a paused container",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
