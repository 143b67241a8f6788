/*
 * The gate between create and start. Init listens on ROOT/ID/start.sock (the runtime made it) and runs the
 * payload only after a START message: anything else, above all end of file, ends it (fail-closed). The
 * socket's existence in the state directory is what tells "created" from "running", so `start` unlinks it
 * before it opens the gate: a start killed in between leaves a container that stops, never one that runs
 * unnoticed. Init takes the first connection and no other: of racing starts only the one that will unlink the
 * socket may connect, hence the lock.
 */
#include "launch/context.h"
#include "launch/protocol.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define GATE_NAME "start.sock"

/* The state directory may be deeper than the 108 bytes of a socket address: go through its descriptor. */
static struct sockaddr_un gate_address(int directory)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" GATE_NAME, directory);
    return address;
}

int gate_open_socket(struct launch *launch, struct error *err)
{
    struct sockaddr_un address = gate_address(launch->container.fd);

    launch->start_socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (launch->start_socket < 0)
        return fail_errno(err, "start socket");
    /* bind() makes the file with the mode of the socket: nobody but us starts containers, whatever the umask.
     */
    if (fchmod(launch->start_socket, 0600) < 0)
        return fail_errno(err, "start socket: mode");
    if (bind(launch->start_socket, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(launch->start_socket, 1) < 0)
        return fail_errno(err, "start socket in the state directory");
    return 0;
}

/* In init: the connection of `start`. For run there is no start.sock: the gate is the socket to the runtime.
 */
static int accept_start(struct launch *launch, struct error *err)
{
    int connection;

    if (launch->start_socket < 0)
        return 0;
    do
        connection = accept4(launch->start_socket, NULL, NULL, SOCK_CLOEXEC);
    while (connection < 0 && errno == EINTR);
    if (connection < 0)
        return fail_errno(err, "wait for start");
    close(launch->start_socket);
    launch->start_socket = -1;
    close(launch->socket);
    launch->socket = connection;
    return 0;
}

int gate_wait(struct launch *launch, struct error *err)
{
    struct message message;

    if (accept_start(launch, err) < 0)
        return -1;
    return message_expect(launch->socket, MESSAGE_START, "start", &message, err);
}

static int connect_and_unlink(int connection, int directory, struct error *err)
{
    struct sockaddr_un address = gate_address(directory);

    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == ENOENT)
            return fail(err, EALREADY, "cannot start an already running container");
        return fail_errno(err, "connect to init");
    }
    if (unlinkat(directory, GATE_NAME, 0) < 0)
        return fail_errno(err, "close the gate");
    return 0;
}

int gate_connect(const struct container *container, struct error *err)
{
    auto_close int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int result;

    if (connection < 0)
        return fail_errno(err, "start socket");
    if (flock(container->fd, LOCK_EX) < 0)
        return fail_errno(err, "lock the container");
    result = connect_and_unlink(connection, container->fd, err);
    flock(container->fd, LOCK_UN);
    return result < 0 ? -1 : take_fd(&connection);
}

static int hand_over(int socket, const struct listener_peer *peer, struct message *message, struct error *err)
{
    auto_close int listener = message->fd;

    if (listener < 0)
        return fail(err, EPROTO, "init sent no seccomp listener");
    if (listener_hand_over(peer, listener, socket, err) < 0)
        return -1;
    return message_receive(socket, message, err);
}

int gate_start(int socket, const struct listener_peer *peer, struct error *err)
{
    struct message message;

    if (message_send(socket, MESSAGE_START, 0, -1, err) < 0 || message_receive(socket, &message, err) < 0)
        return -1;
    if (message.type == MESSAGE_LISTENER && hand_over(socket, peer, &message, err) < 0)
        return -1;
    if (message.type != MESSAGE_END)
        return fail(err, EPROTO, "init sent message %d where it should have run the payload",
                    (int)message.type);
    return 0;
}
