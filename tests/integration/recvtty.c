/*
 * recvtty: the engine's side of --console-socket. Listens on a unix socket, receives the terminal's master and
 * copies what the container writes to stdout and what comes on stdin to the container, until the terminal closes.
 *
 *   recvtty SOCKET [ROWS COLUMNS]
 *
 * The first line of output tells what arrived: "payload=NAME fds=COUNT size=ROWSxCOLUMNS tty=PATH".
 * With ROWS and COLUMNS the window is resized, as an engine does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int accept_one(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        die(path);
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        die("accept");
    close(listener);
    return connection;
}

/* the first descriptor of the message; counts them all */
static int receive(int connection, char *payload, size_t size, size_t *count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = payload, .iov_len = size - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        die("recvmsg");
    payload[length] = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return *count = 0, -1;
    int fd;
    *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* copies once; 0 at the end of the stream */
static int copy(int from, int to)
{
    char data[4096];
    ssize_t length = read(from, data, sizeof data);
    for (ssize_t done = 0; done < length;) {
        ssize_t wrote = write(to, data + done, (size_t)(length - done));
        if (wrote < 0)
            return 0;
        done += wrote;
    }
    return length > 0;
}

static void relay(int master)
{
    struct pollfd fds[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 || errno == EINTR) {
        if (fds[0].revents && !copy(master, 1))
            return;
        if (fds[1].revents && !copy(0, master))
            fds[1].fd = -1;
    }
}

int main(int argc, char **argv)
{
    char payload[4096];
    struct winsize size = {0};
    size_t count;
    if (argc != 2 && argc != 4)
        return fputs("usage: recvtty SOCKET [ROWS COLUMNS]\n", stderr), 2;
    int connection = accept_one(argv[1]);
    int master = receive(connection, payload, sizeof payload, &count);
    if (master >= 0)
        ioctl(master, TIOCGWINSZ, &size);
    printf("payload=%s fds=%zu size=%dx%d tty=%d\n", payload, count, size.ws_row, size.ws_col,
           master >= 0 && isatty(master));
    fflush(stdout);
    if (master < 0)
        return 1;
    if (argc == 4) {
        size.ws_row = (unsigned short)atoi(argv[2]);
        size.ws_col = (unsigned short)atoi(argv[3]);
        ioctl(master, TIOCSWINSZ, &size);
    }
    relay(master);
    return 0;
}
