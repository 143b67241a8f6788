/* aril state: the OCI state of a container as JSON (contract O1). Engines poll it: it must stay cheap. */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "launch/lifecycle.h"
#include "oci-specs/schema.h"

static int print_state(struct container *container, const struct invocation *invocation, struct error *err)
{
    auto_buffer struct buffer json = { 0 };
    struct oci_state *state = container_oci_state(container, container_state(container));

    (void)invocation;
    schema_write(&oci_state_schema, state, SCHEMA_SPACES_2, &json);
    schema_free(&oci_state_schema, state);
    return cli_print_buffer(&json, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, print_state, err);
}

const struct command command_state = {
    .name = "state",
    .summary = "Print the state of a container as JSON",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
