/* Routing netlink, in the runtime: building a request, reading the whole answer. Knows nothing of devices. */
#include "namespaces/rtnetlink.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ANSWER_SIZE (32 * 1024) /* the kernel makes no larger pieces */
#define HELPER_STACK_SIZE (8 * 1024)

/* ---- sockets --------------------------------------------------------------------------------------- */

static int open_socket(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* Errors then come with a sentence, and without a copy of the request. Old kernels do without. */
static void ask_for_details(int fd)
{
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &(int){ 1 }, sizeof(int));
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int));
}

int rtnetlink_open(struct rtnetlink *netlink, struct error *err)
{
    *netlink = (struct rtnetlink){ .fd = open_socket() };
    if (netlink->fd < 0)
        return fail_errno(err, "netlink socket");
    ask_for_details(netlink->fd);
    return 0;
}

struct helper {
    int namespace_fd;
    int fd; /* the result */
    int code;
};

/* Shares our memory and our descriptors, but not our namespaces: the socket is ours when it is gone. */
static int helper_main(void *argument)
{
    struct helper *helper = argument;

    if (setns(helper->namespace_fd, CLONE_NEWNET) == 0)
        helper->fd = open_socket();
    helper->code = errno;
    return 0;
}

int rtnetlink_open_in(struct rtnetlink *netlink, int namespace_fd, struct error *err)
{
    alignas(16) char stack[HELPER_STACK_SIZE];
    struct helper helper = { .namespace_fd = namespace_fd, .fd = -1 };
    pid_t pid =
        clone(helper_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &helper);

    if (pid < 0)
        return fail_errno(err, "clone");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *netlink = (struct rtnetlink){ .fd = helper.fd };
    errno = helper.code;
    if (netlink->fd < 0)
        return fail_errno(err, "netlink socket in the container's network namespace");
    ask_for_details(netlink->fd);
    return 0;
}

void rtnetlink_close(struct rtnetlink *netlink)
{
    cleanup_close(&netlink->fd);
    netlink->fd = -1;
}

/* ---- requests -------------------------------------------------------------------------------------- */

void rtnetlink_begin(struct rtnetlink_request *request, uint16_t type, uint16_t flags, const void *body,
                     size_t length)
{
    *request = (struct rtnetlink_request){ .header = { .nlmsg_type = type,
                                                       .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) } };
    memcpy(request->content, body, length);
    request->header.nlmsg_len = NLMSG_ALIGN((uint32_t)NLMSG_LENGTH(length));
}

void rtnetlink_attribute(struct rtnetlink_request *request, uint16_t type, const void *data, size_t length)
{
    struct rtattr attribute = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(length) };
    char *end = (char *)request + request->header.nlmsg_len;

    if (end + RTA_SPACE(length) > (char *)(request + 1))
        abort(); /* what we send has fixed sizes */
    memcpy(end, &attribute, sizeof attribute);
    memcpy(end + RTA_LENGTH(0), data, length);
    request->header.nlmsg_len += (uint32_t)RTA_SPACE(length);
}

/* ---- answers --------------------------------------------------------------------------------------- */

/* 0 is the acknowledgement; otherwise errno and, where the kernel gives one, its explanation. */
static int read_result(const struct nlmsghdr *message, struct error *err)
{
    const struct nlmsgerr *result = NLMSG_DATA(message);
    const struct rtattr *attribute;
    int left;

    if (message->nlmsg_len < NLMSG_LENGTH(sizeof *result))
        return fail(err, EPROTO, "netlink: short answer");
    if (result->error == 0)
        return 0;
    errno = -result->error;
    fail(err, errno, "%s", errno_text(errno));
    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || !(message->nlmsg_flags & NLM_F_CAPPED))
        return -1;
    attribute = (const struct rtattr *)(result + 1);
    left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *result));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        if (attribute->rta_type == NLMSGERR_ATTR_MSG && RTA_PAYLOAD(attribute) > 0)
            fail_hint(err, "%.*s", (int)RTA_PAYLOAD(attribute) - 1, (const char *)RTA_DATA(attribute));
    return -1;
}

/* One datagram. 1: more to come, 0: that was all. */
static int read_messages(const struct rtnetlink *netlink, const char *answer, size_t length,
                         rtnetlink_each *each, void *context, struct error *err)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)answer;

    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
        if (message->nlmsg_seq != netlink->sequence)
            continue;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            return fail(err, EAGAIN, "netlink: changed while it was read");
        if (message->nlmsg_type == NLMSG_DONE)
            return 0;
        if (message->nlmsg_type == NLMSG_ERROR)
            return read_result(message, err);
        if (each)
            each(context, message);
    }
    return 1;
}

int rtnetlink_ask(struct rtnetlink *netlink, struct rtnetlink_request *request, rtnetlink_each *each,
                  void *context, struct error *err)
{
    auto_free char *answer = memory_resize(NULL, ANSWER_SIZE);
    int more = 1;

    request->header.nlmsg_seq = ++netlink->sequence;
    request->header.nlmsg_flags |= NLM_F_ACK;
    if (send(netlink->fd, request, request->header.nlmsg_len, 0) < 0)
        return fail_errno(err, "netlink: send");
    while (more > 0) {
        struct sockaddr_nl sender = { 0 };
        socklen_t size = sizeof sender;
        ssize_t length = recvfrom(netlink->fd, answer, ANSWER_SIZE, 0, (struct sockaddr *)&sender, &size);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return fail_errno(err, "netlink: receive");
        if (sender.nl_pid == 0) /* the kernel; others in a namespace that we joined may write to us as well */
            more = read_messages(netlink, answer, (size_t)length, each, context, err);
    }
    return more;
}
