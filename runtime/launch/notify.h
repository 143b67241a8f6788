/*
 * NOTIFY_SOCKET (contract item 48): the payload gets a socket of its own at /run/notify/notify.sock, which is
 * a directory of the container's state; whoever starts the payload receives READY=1 there and passes it on.
 * Nothing else that the payload says reaches the host's service manager.
 *
 *     create, run   notify_offer()     directory, mount and environment variable
 *     start, run    notify_open()      binds the payload's socket, before the gate opens
 *                   notify_wait()      start and run --detach: until READY=1 or the end of the payload
 *                   notify_receive()   run in the foreground: when the socket has something
 */
#pragma once

#include "base/error.h"
#include "container/store.h"

#include <sys/types.h>

struct launch;

struct notify_proxy {
    const char *host; /* the value of NOTIFY_SOCKET; NULL: nothing to do */
    int socket;       /* the payload's; -1: nothing to do, or done */
};

/* With NOTIFY_SOCKET in the environment: changes the plans of this launch (not the saved config). */
int notify_offer(struct launch *launch, struct error *err);

/* With NOTIFY_SOCKET in the environment and a container that was made with it; else success without a socket.
 */
int notify_open(const struct container *container, struct notify_proxy *proxy, struct error *err);
void notify_close(struct notify_proxy *proxy);
#define auto_notify_proxy __attribute__((cleanup(notify_close)))

/* Passes READY=1 on, with MAINPID and a barrier: the caller ends, `pid` is the service from now on. */
int notify_wait(struct notify_proxy *proxy, pid_t pid, int pidfd, struct error *err);

/* The same without waiting, MAINPID and barrier: the caller stays the service's main process. */
void notify_receive(struct notify_proxy *proxy);
