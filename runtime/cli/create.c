/* aril create: a container whose process waits for `start`. */
#include "cli/launch_options.h"

static const struct option_row options[] = {
    { "detach", 'd', OPTION_FLAG, OPTION_IGNORED, NULL, NULL }, /* containerd passes it to create, too (G1) */
    { 0 },
};

static int run(const struct invocation *invocation, struct error *err)
{
    struct launch_options launch = launch_options_of(invocation);
    struct store store;
    int result;

    if (container_id_check(launch.id, err) < 0 ||
        store_open(invocation->globals->root, true, &store, err) < 0)
        return -1;
    result = launch_create(&store, &launch, err);
    store_close(&store);
    return result;
}

const struct command command_create = {
    .name = "create",
    .summary = "Create a container; its process waits for `start`",
    .arguments = "ID",
    .options = options,
    .more_options = launch_option_rows,
    .options_size = sizeof(struct launch_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .seals_self = true,
    .run = run,
};
