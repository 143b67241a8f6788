/* `start`: opens the gate of a created container and waits until its payload runs. */
#include "launch/context.h"
#include "launch/lifecycle.h"
#include "launch/notify.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/process_info.h"
#include "oci-specs/config.h"

#include <errno.h>
#include <unistd.h>

#define END_WAIT_MS 5000

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

/*
 * An engine that hears of a failed start asks for the state at once, and keeps what it takes for alive:
 * dockerd leaves the shim behind.
 */
static void wait_for_end_of_init(const struct container_status *status)
{
    auto_close int pidfd = process_open(status->pid, status->pid_start_time);

    if (pidfd >= 0)
        process_wait(pidfd, END_WAIT_MS);
}

static int start(struct container *container, struct error *err)
{
    const struct container_status *status = container->status;
    struct listener_peer peer = { .container = container, .status = "creating", .pid = status->pid };
    auto_cleanup(oci_config_cleanup) struct oci_config *config = NULL;
    auto_notify_proxy struct notify_proxy notify = { .socket = -1 };
    auto_close int gate = -1, pidfd = -1;

    if (container_check(container, err) < 0 || check_state(container, err) < 0 ||
        notify_open(container, &notify, err) < 0)
        return -1;
    if (notify.socket >= 0) {
        pidfd = process_open(status->pid, status->pid_start_time);
        if (pidfd < 0)
            return fail_errno(err, "open init");
    }
    if (status->start_needs_config) {
        config = oci_config_read_at(container->fd, "config.json", err);
        if (!config)
            return -1;
        peer.config = config;
    }
    gate = gate_connect(container, err);
    if (gate < 0)
        return -1;
    if (gate_start(gate, &peer, err) < 0) {
        close(take_fd(&gate)); /* init may wait for more */
        wait_for_end_of_init(status);
        return -1;
    }
    if (config && hooks_at_poststart(config, container, err) < 0)
        return -1;
    return notify_wait(&notify, status->pid, pidfd, err);
}

/* The rest of the specification's life cycle after a startContainer or poststart hook that failed: the
 * container is stopped, what create did is undone, and poststop hooks run (items 35, 36). */
static void end_life(struct container *container)
{
    struct error err;

    if (container_delete(container, true, &err) < 0 && err.code != ENOENT)
        log_warning("%s", err.text);
}

int launch_start(struct store *store, const char *id, struct error *err)
{
    struct container container;
    int result;

    if (store_load(store, id, &container, err) < 0)
        return -1;
    result = start(&container, err);
    if (result < 0 && err->code == HOOK_FAILED)
        end_life(&container);
    container_close(&container);
    return result;
}
