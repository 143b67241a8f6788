/* aril kill: a signal for the container's init, or for all its processes. */
#include "cli/commands.h"

#include "cli/signals.h"
#include "launch/lifecycle.h"

#include <string.h>

struct kill_options {
    bool all;
    bool regex;
};

static const struct option_row options[] = {
    { "all", 'a', OPTION_FLAG, offsetof(struct kill_options, all), NULL,
      "signal every process of the container" },
    { "regex", 'r', OPTION_FLAG, offsetof(struct kill_options, regex), NULL,
      "ID is an extended regular expression: signal all containers that match" },
    { 0 },
};

static int send_signal(struct container *container, const struct invocation *invocation, struct error *err)
{
    const struct kill_options *chosen = invocation->options;
    int signal = signal_parse(invocation->argument_count > 1 ? invocation->arguments[1] : "TERM", err);

    return signal < 0 ? -1 : container_kill(container, signal, chosen->all, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct kill_options *chosen = invocation->options;

    if (invocation->argument_count > 1 && signal_parse(invocation->arguments[1], err) < 0)
        return -1;
    if (chosen->regex)
        return cli_with_matching(invocation, invocation->arguments[0], false, send_signal, err);
    return cli_with_container(invocation, false, send_signal, err);
}

const struct command command_kill = {
    .name = "kill",
    .summary = "Send a signal to a container (default: TERM)",
    .arguments = "ID [SIGNAL]",
    .options = options,
    .options_size = sizeof(struct kill_options),
    .min_arguments = 1,
    .max_arguments = 2,
    .order = OPTIONS_FIRST,
    .run = run,
};
