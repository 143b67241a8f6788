/* aril start: lets the process of a created container run. */
#include "cli/commands.h"
#include "launch/launch.h"

static int run(const struct invocation *invocation, struct error *err)
{
    const char *id = invocation->arguments[0];
    struct store store;
    int result;

    if (cli_open_store(invocation, id, &store, err) < 0)
        return -1;
    result = launch_start(&store, id, err);
    store_close(&store);
    return result;
}

const struct command command_start = {
    .name = "start",
    .summary = "Start the process of a created container",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
