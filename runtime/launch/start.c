/* `start`: opens the gate of a created container and waits until its payload runs. */
#include "launch/context.h"
#include "launch/lifecycle.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "oci-specs/config.h"

static int check_state(const struct container *container, struct error *err)
{
    switch (container_state(container)) {
    case CONTAINER_CREATED:
        return 0;
    case CONTAINER_STOPPED:
        return fail(err, EINVAL, "cannot start a container that has stopped");
    case CONTAINER_CREATING:
        return fail(err, EINVAL, "cannot start a container that is still being created");
    default:
        return fail(err, EINVAL, "cannot start an already running container");
    }
}

/* A failed poststart hook stops the container; `delete` does the rest (item 36). */
static int run_poststart(struct container *container, struct error *err)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        oci_config_read_at(container->fd, "config.json", err);
    struct error ignored;

    if (!config)
        return -1;
    if (hooks_at_poststart(config, container, err) == 0)
        return 0;
    container_kill(container, SIGKILL, true, &ignored);
    return -1;
}

int launch_start(struct store *store, const char *id, struct error *err)
{
    struct container container;
    auto_close int gate = -1;
    int result = -1;

    if (store_load(store, id, &container, err) < 0)
        return -1;
    if (check_state(&container, err) == 0)
        gate = gate_connect(&container, err);
    if (gate >= 0 && gate_start(gate, id, err) == 0)
        result = container.status->poststart_hooks ? run_poststart(&container, err) : 0;
    container_close(&container);
    return result;
}
