/*
 * --console-socket: hands the master of the terminal to the engine (contract items 289-293, G16). The runtime
 * connects while it still sees the host's paths; whoever has the master sends it.
 */
#include "terminal/terminal.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What runc sends: receivers show it, or want it not to be empty. */
#define MASTER_NAME "/dev/ptmx"

/* sun_path holds 107 bytes, engines' state directories are longer: then through a descriptor of the socket
 * file. */
static int fill_address(const char *path, struct sockaddr_un *address, int *path_fd)
{
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof address->sun_path) {
        strcpy(address->sun_path, path);
        return 0;
    }
    *path_fd = open(path, O_PATH | O_CLOEXEC);
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d", *path_fd);
    return *path_fd < 0 ? -1 : 0;
}

int terminal_connect(const char *socket_path, struct error *err)
{
    auto_close int path_fd = -1;
    auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { 0 };

    if (fd < 0)
        return fail_errno(err, "socket");
    if (fill_address(socket_path, &address, &path_fd) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return fail_errno(err, "connect to %s", socket_path);
    return take_fd(&fd);
}

int terminal_send_fd(int socket, int master, struct error *err)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec name = { .iov_base = (char[]){ MASTER_NAME }, .iov_len = strlen(MASTER_NAME) };
    struct msghdr message = {
        .msg_iov = &name,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.space,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    ssize_t sent;

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof master);
    memcpy(CMSG_DATA(header), &master, sizeof master);
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? fail_errno(err, "send a descriptor") : 0;
}

int terminal_send(const char *socket_path, int master, struct error *err)
{
    auto_close int socket = terminal_connect(socket_path, err);

    return socket < 0 ? -1 : terminal_send_fd(socket, master, err);
}
