/* aril run: create, start, wait and delete in one command. */
#include "cli/launch_options.h"
#include "cli/signals.h"

static const struct option_row options[] = {
    { "detach", 'd', OPTION_FLAG, offsetof(struct launch_options, detach), NULL,
      "return as soon as the container runs" },
    { "keep", 0, OPTION_FLAG, offsetof(struct launch_options, keep), NULL,
      "do not delete the container when it ends" },
    { "timeout", 0, OPTION_STRING, offsetof(struct launch_options, limit.seconds), "SECONDS",
      "end it after this time; the exit status is 124 then" },
    { "kill-signal", 0, OPTION_STRING, offsetof(struct launch_options, limit.signal), "SIGNAL",
      "what it gets first at --timeout (default: TERM; KILL after two seconds)" },
    { 0 },
};

static int run(const struct invocation *invocation, struct error *err)
{
    struct launch_options launch = launch_options_of(invocation);
    struct store store;
    int result;

    if (launch.limit.signal && (launch.limit.number = signal_parse(launch.limit.signal, err)) < 0)
        return fail_in(err, "--kill-signal");
    if (container_id_check(launch.id, err) < 0 ||
        store_open(invocation->globals->root, true, &store, err) < 0)
        return -1;
    result = launch_run(&store, &launch, err);
    store_close(&store);
    return result;
}

const struct command command_run = {
    .name = "run",
    .summary = "Create and start a container, wait for it and delete it",
    .arguments = "ID",
    .options = options,
    .more_options = launch_option_rows,
    .options_size = sizeof(struct launch_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .seals_self = true,
    .run = run,
};
