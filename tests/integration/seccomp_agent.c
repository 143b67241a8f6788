/*
 * seccomp_agent: the agent behind linux.seccomp.listenerPath. Accepts connections until it is killed, each one
 * containerProcessState with one descriptor, and answers every notification the same way.
 *
 *   seccomp_agent SOCKET continue|ERRNO [hold]
 *
 * Output, one line each: "state fds=COUNT closed=yes|no JSON" for a connection and "call NR" for a notification.
 * With "hold" the connection is taken and nothing is answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <signal.h>
#include <unistd.h>

#define TEXT_MAX 65536

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8) < 0)
        die(path);
    return listener;
}

/* prints what arrived; the descriptor */
static int take_state(int connection)
{
    static char text[TEXT_MAX];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC), more;
    if (length < 0)
        die("recvmsg");
    /* the runtime sends one document and closes the connection (item 225) */
    while ((more = read(connection, text + length, sizeof text - 1 - (size_t)length)) > 0)
        length += more;
    text[length] = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd = -1, count = 0;
    if (header && header->cmsg_type == SCM_RIGHTS) {
        count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof fd);
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    }
    printf("state fds=%d closed=%s %s\n", count, more == 0 ? "yes" : "no", text);
    return fd;
}

static void answer(int listener, const char *how)
{
    struct seccomp_notif call;
    struct seccomp_notif_resp response;
    for (;;) {
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
            if (errno == EINTR || errno == ENOENT)
                continue;
            return;
        }
        printf("call %d\n", call.data.nr);
        memset(&response, 0, sizeof response);
        response.id = call.id;
        if (strcmp(how, "continue") == 0)
            response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else
            response.error = -atoi(how);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGCHLD, SIG_IGN);
    int listener = listen_on(argv[1]);
    for (;;) {
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            die("accept");
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            int fd = take_state(connection);
            close(connection);
            if (fd >= 0 && argc < 4)
                answer(fd, argv[2]);
            if (argc > 3)
                pause();
            return 0;
        }
        close(connection);
    }
}
