/*
 * A network namespace of the container's own. It takes the kernel as long as all mounts take init, so the
 * runtime makes it on another processor meanwhile, and sends it. Runs in the runtime.
 */
#include "launch/protocol.h"
#include "launch/runtime.h"

#include "base/cleanup.h"
#include "base/sys.h"

#include <fcntl.h>
#include <sched.h>

/*
 * Not where a user namespace is to own it; not without the host's privileges, which it takes to come back to
 * a namespace that others own; and not where devices are moved into it before init does anything.
 */
static bool can_be_made_apart(const struct launch *launch)
{
    const struct namespace_plan *plan = &launch->namespaces;

    return (plan->new_flags & CLONE_NEWNET) && !(plan->new_flags & CLONE_NEWUSER) && !plan->needs_stage &&
           (launch->direct || !launch->rootless) && launch->bundle.config->linux->net_devices_count == 0;
}

void launch_plan_network(struct launch *launch)
{
    launch->network_comes = can_be_made_apart(launch);
    if (launch->network_comes)
        launch->namespaces.new_flags &= ~(uint64_t)CLONE_NEWNET;
}

static int open_own(const struct launch *launch, struct error *err)
{
    int fd = openat(launch->procfs, "self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? fail_errno(err, "open the network namespace") : fd;
}

static int make_and_send(struct launch *launch, struct error *err)
{
    auto_close int fd = -1;
    struct error ignored;

    if (unshare(CLONE_NEWNET) < 0) {
        fail_errno(err, "new network namespace");
        return err->code == ENOSPC ? fail_hint(err, "the limit user.max_net_namespaces is reached") : -1;
    }
    if (namespaces_bring_up_loopback(err) < 0)
        return -1;
    fd = open_own(launch, err);
    if (fd < 0)
        return -1;
    message_send(launch->socket, MESSAGE_NETWORK, 0, fd, &ignored); /* init is gone? It has told why */
    return 0;
}

int launch_make_network(struct launch *launch, struct error *err)
{
    auto_close int own = -1;
    int result;

    if (!launch->network_comes)
        return 0;
    if (launch->direct) /* it has no use for a network, and stays in the new one */
        return make_and_send(launch, err);
    own = open_own(launch, err);
    if (own < 0)
        return -1;
    result = make_and_send(launch, err);
    return sys_setns(own, CLONE_NEWNET) < 0 ? fail_errno(err, "leave the container's network namespace")
                                            : result;
}
