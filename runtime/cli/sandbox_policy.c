/* aril sandbox-policy: what several policy documents of `sandbox-exec` mean together (M-9). */
#include "cli/commands.h"
#include "sandbox/sandbox.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "oci-specs/schema.h"

#include <string.h>

static int run(const struct invocation *invocation, struct error *err)
{
    auto_buffer struct buffer text = { 0 };
    struct sandbox_policy *merged;

    if (strcmp(invocation->arguments[0], "merge") != 0)
        return fail(err, EINVAL, "unknown subcommand \"%s\": merge", invocation->arguments[0]);
    merged = sandbox_policy_merge(invocation->arguments + 1, invocation->argument_count - 1, err);
    if (!merged)
        return -1;
    schema_write(&sandbox_policy_schema, merged, SCHEMA_SPACES_2, &text);
    buffer_add_char(&text, '\n');
    schema_free(&sandbox_policy_schema, merged);
    return cli_print_buffer(&text, err);
}

const struct command command_sandbox_policy = {
    .name = "sandbox-policy",
    .summary = "Print the strictest of several policy documents (ACTION: merge; JSON, @FILE or fd:N)",
    .arguments = "ACTION POLICY...",
    .min_arguments = 1,
    .max_arguments = COMMAND_ANY_ARGUMENTS,
    .run = run,
};
