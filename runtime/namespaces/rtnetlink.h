/* Requests to the kernel's routing netlink, one at a time: net_devices.c is the only user. */
#pragma once

#include "base/error.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct rtnetlink {
    int fd; /* belongs to the network namespace that it was opened in */
    uint32_t sequence;
};

/* A request under construction: large enough for every one of ours. */
struct rtnetlink_request {
    alignas(NLMSG_ALIGNTO) struct nlmsghdr header;
    char content[512];
};

/* In our network namespace, or in that of a /proc/PID/ns/net file; we do not move. */
int rtnetlink_open(struct rtnetlink *netlink, struct error *err);
int rtnetlink_open_in(struct rtnetlink *netlink, int namespace_fd, struct error *err);
void rtnetlink_close(struct rtnetlink *netlink);

/* `body` is the struct that follows the header: ifinfomsg, ifaddrmsg. */
void rtnetlink_begin(struct rtnetlink_request *request, uint16_t type, uint16_t flags, const void *body,
                     size_t length);
void rtnetlink_attribute(struct rtnetlink_request *request, uint16_t type, const void *data, size_t length);

/*
 * Sends a request, calls `each` (or NULL) for every message of the answer, and waits for the end of it.
 * Errors carry errno in err->code, and what the kernel said beyond it.
 */
typedef void rtnetlink_each(void *context, const struct nlmsghdr *message);
int rtnetlink_ask(struct rtnetlink *netlink, struct rtnetlink_request *request, rtnetlink_each *each,
                  void *context, struct error *err);
