/* aril delete: removes everything that create made. */
#include "cli/commands.h"

#include "launch/lifecycle.h"

struct delete_options {
    bool force;
    bool regex;
};

static const struct option_row options[] = {
    { "force", 'f', OPTION_FLAG, offsetof(struct delete_options, force), NULL,
      "kill the container first if it runs; that there is none is no error" },
    { "regex", 'r', OPTION_FLAG, offsetof(struct delete_options, regex), NULL,
      "ID is an extended regular expression: delete all containers that match" },
    { 0 },
};

static int delete (struct container *container, const struct invocation *invocation, struct error *err)
{
    const struct delete_options *chosen = invocation->options;

    return container_delete(container, chosen->force, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct delete_options *chosen = invocation->options;
    int result;

    if (chosen->regex)
        return cli_with_matching(invocation, invocation->arguments[0], true, delete, err);
    result = cli_with_container(invocation, true, delete, err);
    return result < 0 && chosen->force && err->code == ENOENT ? 0 : result;
}

const struct command command_delete = {
    .name = "delete",
    .summary = "Delete a container and all that belongs to it",
    .arguments = "ID",
    .options = options,
    .options_size = sizeof(struct delete_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
