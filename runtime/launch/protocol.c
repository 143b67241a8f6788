/* Messages between runtime, stage and init: see protocol.h. Runs in all of them. */
#include "launch/protocol.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
    int32_t type;
    int32_t value;
    uint64_t address;
    char text[ERROR_TEXT_SIZE]; /* only as much as is needed is sent */
};

#define PACKET_HEADER offsetof(struct packet, text)

union fd_control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

int message_pair(int ends[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return fail_errno(err, "socketpair");
    return 0;
}

bool message_peer_is_gone(int socket)
{
    struct pollfd other = { .fd = socket };

    return poll(&other, 1, 0) == 1 && (other.revents & POLLHUP);
}

static int send_packet(int socket, const struct packet *packet, size_t length, int fd)
{
    struct iovec part = { .iov_base = (void *)packet, .iov_len = length };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    union fd_control control;
    ssize_t sent;

    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int message_send(int socket, enum message_type type, int32_t value, int fd, struct error *err)
{
    struct packet packet = { .type = (int32_t)type, .value = value };

    if (send_packet(socket, &packet, PACKET_HEADER, fd) < 0)
        return fail_errno(err, "send to the other process of the launch");
    return 0;
}

int message_send_address(int socket, enum message_type type, int32_t value, uint64_t address,
                         struct error *err)
{
    struct packet packet = { .type = (int32_t)type, .value = value, .address = address };

    if (send_packet(socket, &packet, PACKET_HEADER, -1) < 0)
        return fail_errno(err, "send to the other process of the launch");
    return 0;
}

static void send_text(int socket, enum message_type type, int32_t value, const char *text)
{
    struct packet packet = { .type = (int32_t)type, .value = value };
    int length = snprintf(packet.text, sizeof packet.text, "%s", text);

    if (length >= (int)sizeof packet.text)
        length = (int)sizeof packet.text - 1;
    send_packet(socket, &packet, PACKET_HEADER + (size_t)length, -1);
}

void message_send_error(int socket, const struct error *failure)
{
    send_text(socket, MESSAGE_ERROR, failure->code, failure->text);
}

static void log_over_socket(void *context, enum log_level level, const char *line)
{
    send_text(*(int *)context, MESSAGE_LOG, (int32_t)level, line);
}

void message_log_to(int *socket)
{
    log_set_sink(log_over_socket, socket);
}

/*
 * Bytes received, 0 at end of file, -1. A peer that ended without reading all that we sent is reported once,
 * before what it sent: its error is still to come.
 */
static ssize_t receive_packet(int socket, struct packet *packet, int *fd)
{
    struct iovec part = { .iov_base = packet, .iov_len = sizeof *packet };
    union fd_control control;
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    struct cmsghdr *attached;
    ssize_t length;

    do
        length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (length < 0 && (errno == EINTR || errno == ECONNRESET));
    *fd = -1;
    if (length <= 0)
        return length;
    attached = CMSG_FIRSTHDR(&header);
    if (attached && attached->cmsg_level == SOL_SOCKET && attached->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(attached), sizeof *fd);
    return length;
}

int message_receive(int socket, struct message *message, struct error *err)
{
    for (;;) {
        struct packet packet;
        ssize_t length = receive_packet(socket, &packet, &message->fd);

        if (length < 0)
            return fail_errno(err, "receive from the other process of the launch");
        if (length < (ssize_t)PACKET_HEADER) {
            message->type = MESSAGE_END;
            return 0;
        }
        packet.text[(size_t)length - PACKET_HEADER < sizeof packet.text ? (size_t)length - PACKET_HEADER
                                                                        : sizeof packet.text - 1] = '\0';
        if (packet.type == MESSAGE_LOG) {
            log_line((enum log_level)packet.value, "%s", packet.text);
            continue;
        }
        if (packet.type == MESSAGE_ERROR)
            return fail(err, packet.value, "%s", packet.text);
        message->type = (enum message_type)packet.type;
        message->value = packet.value;
        message->address = packet.address;
        return 0;
    }
}

int message_expect(int socket, enum message_type expected, const char *who, struct message *message,
                   struct error *err)
{
    if (message_receive(socket, message, err) < 0)
        return -1;
    if (message->type == expected)
        return 0;
    cleanup_close(&message->fd);
    message->fd = -1;
    if (message->type == MESSAGE_END)
        return fail(err, ECONNRESET, "%s ended unexpectedly", who);
    return fail(err, EPROTO, "%s sent message %d where %d was expected", who, (int)message->type,
                (int)expected);
}
