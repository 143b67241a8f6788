/* `run`: create, start, and in the foreground supervise and delete. */
#include "launch/lifecycle.h"
#include "launch/notify.h"
#include "launch/runtime.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "supervise/supervise.h"

#define DELETE_LOCK_TIMEOUT_MS 10000

static int start_payload(struct launch *launch, struct notify_proxy *notify, struct error *err)
{
    const struct listener_peer peer = { launch->bundle.config, &launch->container, "creating", launch->pid };

    if (notify_open(&launch->container, notify, err) < 0 || gate_start(launch->socket, &peer, err) < 0)
        return -1;
    launch->started = true;
    return hooks_at_poststart(launch->bundle.config, &launch->container, err);
}

int launch_check_limit(struct launch *launch, struct error *err)
{
    const struct launch_limit *limit = &launch->options->limit;
    int number = SIGTERM;

    if (limit->seconds && !launch->foreground)
        return fail(err, EINVAL, "--timeout: needs the foreground (nobody would wait with --detach)");
    if (limit->signal && !limit->seconds)
        return fail(err, EINVAL, "--kill-signal: needs --timeout");
    if (limit->signal && (number = limit->number) <= 0)
        return fail(err, EINVAL, "--kill-signal %s: unknown signal", limit->signal);
    return supervise_limit_parse(limit->seconds, number, &launch->limit, err);
}

static int receive_notification(void *context)
{
    struct notify_proxy *notify = context;

    notify_receive(notify);
    return notify->socket;
}

int launch_supervise(struct launch *launch, int signal_fd, struct notify_proxy *notify, struct error *err)
{
    struct supervise_watch watch = {
        notify ? notify->socket : -1,    receive_notification, notify, launch->limit, &launch->timed_out,
        launch->direct && !launch->relay
    };
    int status = supervise_watching(launch->pid, launch->pidfd, signal_fd, launch->relay, &watch, err);

    if (launch->timed_out)
        log_line(LOG_LEVEL_ERROR, "Time limit exceeded");
    /* Now, not at the end: what follows takes time, and the user gets the terminal back. */
    terminal_relay_close(launch->relay);
    launch->relay = NULL;
    if (status >= 0)
        launch->pid = 0; /* reaped */
    return status;
}

/* The container stays as it is: stopped, or already deleted by somebody else, whose new container may have
 * our id. */
static bool is_still_ours(struct launch *launch)
{
    struct error err;

    if (container_lock_again(&launch->container, DELETE_LOCK_TIMEOUT_MS, &err) == 0)
        return true;
    if (err.code != ENOENT)
        log_warning("%s", err.text);
    return false;
}

static int run_foreground(struct launch *launch, struct error *err)
{
    auto_notify_proxy struct notify_proxy notify = { .socket = -1 };
    auto_close int signal_fd = -1;
    sigset_t before;
    int status;

    if (launch_check_limit(launch, err) < 0 || supervise_block_signals(&before, &signal_fd, err) < 0 ||
        launch_prepare(launch, err) < 0)
        return -1;
    if (start_payload(launch, &notify, err) < 0) {
        launch_undo(launch);
        return -1;
    }
    container_unlock(&launch->container);
    status = launch_supervise(launch, signal_fd, &notify, err);
    if ((status < 0 || !launch->options->keep) && is_still_ours(launch))
        launch_undo(launch);
    return status;
}

static int run_detached(struct launch *launch, struct error *err)
{
    auto_notify_proxy struct notify_proxy notify = { .socket = -1 };

    if (launch_check_limit(launch, err) < 0 || launch_prepare(launch, err) < 0)
        return -1;
    if (start_payload(launch, &notify, err) == 0) {
        container_unlock(&launch->container);
        return notify_wait(&notify, launch->pid, launch->pidfd, err);
    }
    launch_undo(launch);
    return -1;
}

int launch_run(struct store *store, const struct launch_options *options, struct error *err)
{
    struct launch launch;
    int result;

    launch_init(&launch, store, options, !options->detach);
    result = options->detach ? run_detached(&launch, err) : run_foreground(&launch, err);
    launch_close(&launch);
    return result;
}
