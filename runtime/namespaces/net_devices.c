/*
 * linux.netDevices (contract items 155-161): moves devices of the host into the container's network
 * namespace. In the runtime, which stays where it is; after this nobody looks at the devices again (item
 * 159).
 *
 * A device is moved under a name that nobody else has, and then gets its final name, its addresses (a move
 * drops them) and IFF_UP. When something fails, everything that was moved goes back the same way: a virtual
 * device would be destroyed with the namespace otherwise.
 */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "namespaces/rtnetlink.h"
#include "oci-specs/config.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DUMP_TRIES 10

struct address {
    struct nlmsghdr *message; /* RTM_NEWADDR as the kernel gave it, owned */
    int index;                /* the device's on the host */
};

struct device {
    const char *host_name;
    const char *name; /* in the container; may end in %d */
    int host_index;
    int index; /* where it is now */
    bool was_up, moved;
};

struct transfer {
    struct rtnetlink host, container;
    int host_namespace, container_namespace;
    struct device *devices;
    size_t device_count;
    struct address *addresses;
    size_t address_count;
};

/* ---- checks, pure ---------------------------------------------------------------------------------- */

/* The kernel's rule (dev_valid_name), plus "%" only for a template: "eth%d" takes the next free number (item
 * 156). */
static bool is_valid_name(const char *name, bool may_be_template)
{
    size_t length = strlen(name), percent = strcspn(name, "%");

    if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (strpbrk(name, "/: \t\n\v\f\r"))
        return false;
    return percent == length || (may_be_template && strcmp(name + percent, "%d") == 0);
}

static const char *name_inside(const struct oci_net_device *device)
{
    return device->name && *device->name ? device->name : device->host_name;
}

static int check_one(const struct oci_linux *config, size_t i, struct error *err)
{
    const struct oci_net_device *device = &config->net_devices[i];
    const char *name = name_inside(device);

    if (!is_valid_name(device->host_name, false))
        return fail(err, EINVAL, "linux.netDevices: '%s' is not a name of a network device",
                    device->host_name);
    if (!is_valid_name(name, true))
        return fail(err, EINVAL, "linux.netDevices[\"%s\"].name: '%s' is not a name of a network device",
                    device->host_name, name);
    for (size_t other = 0; other < i; other++)
        if (!strchr(name, '%') && strcmp(name, name_inside(&config->net_devices[other])) == 0)
            return fail(err, EINVAL,
                        "linux.netDevices[\"%s\"].name: '%s' is the name of netDevices[\"%s\"], too",
                        device->host_name, name, config->net_devices[other].host_name);
    return 0;
}

int net_devices_check(const struct oci_config *config, struct error *err)
{
    if (!config->linux || config->linux->net_devices_count == 0)
        return 0;
    if (!oci_config_namespace(config, OCI_NAMESPACE_NETWORK))
        return fail(err, EINVAL, "linux.netDevices: needs a network namespace in linux.namespaces");
    for (size_t i = 0; i < config->linux->net_devices_count; i++)
        if (check_one(config->linux, i, err) < 0)
            return -1;
    return 0;
}

/* ---- looking --------------------------------------------------------------------------------------- */

static void read_link(void *context, const struct nlmsghdr *message)
{
    if (message->nlmsg_type == RTM_NEWLINK && message->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        memcpy(context, NLMSG_DATA(message), sizeof(struct ifinfomsg));
}

static int find_link(struct rtnetlink *netlink, const char *name, struct ifinfomsg *link, struct error *err)
{
    struct rtnetlink_request request;

    *link = (struct ifinfomsg){ 0 };
    rtnetlink_begin(&request, RTM_GETLINK, 0, link, sizeof *link);
    rtnetlink_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    if (rtnetlink_ask(netlink, &request, read_link, link, err) < 0)
        return -1;
    return link->ifi_index > 0 ? 0 : fail(err, ENODEV, "%s", errno_text(ENODEV));
}

static int find_devices(struct transfer *transfer, const struct oci_linux *config, struct error *err)
{
    for (size_t i = 0; i < config->net_devices_count; i++) {
        struct device *device = array_grow(transfer->devices, transfer->device_count);
        struct ifinfomsg link;

        device->host_name = config->net_devices[i].host_name;
        device->name = name_inside(&config->net_devices[i]);
        if (find_link(&transfer->host, device->host_name, &link, err) < 0)
            return fail_in(err, "linux.netDevices[\"%s\"]", device->host_name);
        device->host_index = device->index = link.ifi_index;
        device->was_up = link.ifi_flags & IFF_UP;
    }
    return 0;
}

static bool is_wanted(const struct transfer *transfer, int index)
{
    for (size_t i = 0; i < transfer->device_count; i++)
        if (transfer->devices[i].host_index == index)
            return true;
    return false;
}

static const struct rtattr *find_attribute(const struct nlmsghdr *message, unsigned short type)
{
    const struct rtattr *attribute = IFA_RTA(NLMSG_DATA(message));
    int left = (int)IFA_PAYLOAD(message);

    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        if (attribute->rta_type == type)
            return attribute;
    return NULL;
}

static uint32_t address_flags(const struct nlmsghdr *message)
{
    const struct rtattr *attribute = find_attribute(message, IFA_FLAGS);
    uint32_t flags = ((const struct ifaddrmsg *)NLMSG_DATA(message))->ifa_flags;

    if (attribute && RTA_PAYLOAD(attribute) >= sizeof flags)
        memcpy(&flags, RTA_DATA(attribute), sizeof flags);
    return flags;
}

/* item 158: what an administrator gave it, for everywhere; not what was learned on this link or is only valid
 * there. */
static void keep_address(void *context, const struct nlmsghdr *message)
{
    struct transfer *transfer = context;
    const struct ifaddrmsg *header = NLMSG_DATA(message);
    struct address *address;

    if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof *header))
        return;
    if (header->ifa_scope != RT_SCOPE_UNIVERSE || !(address_flags(message) & IFA_F_PERMANENT) ||
        !is_wanted(transfer, (int)header->ifa_index))
        return;
    address = array_grow(transfer->addresses, transfer->address_count);
    address->index = (int)header->ifa_index;
    address->message = memory_new(message->nlmsg_len);
    memcpy(address->message, message, message->nlmsg_len);
}

static void forget_addresses(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->address_count; i++)
        free(transfer->addresses[i].message);
    transfer->address_count = 0;
}

static int find_addresses(struct transfer *transfer, struct error *err)
{
    for (int tries = 0; tries < DUMP_TRIES; tries++) {
        struct ifaddrmsg any = { .ifa_family = AF_UNSPEC };
        struct rtnetlink_request request;

        rtnetlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &any, sizeof any);
        if (rtnetlink_ask(&transfer->host, &request, keep_address, transfer, err) == 0)
            return 0;
        if (err->code != EAGAIN)
            break;
        forget_addresses(transfer);
        rtnetlink_close(&transfer->host); /* with the rest of that answer */
        if (rtnetlink_open(&transfer->host, err) < 0)
            break;
    }
    return fail_in(err, "linux.netDevices: read addresses");
}

/* ---- moving ---------------------------------------------------------------------------------------- */

/* Labels of IPv4 (eth0:1) begin with the name of the device. */
static void add_label(struct rtnetlink_request *request, const struct nlmsghdr *message, const char *from,
                      const char *to)
{
    const struct rtattr *attribute = find_attribute(message, IFA_LABEL);
    size_t length = strlen(from);
    char label[2 * IFNAMSIZ];
    const char *text;

    if (!attribute || RTA_PAYLOAD(attribute) > IFNAMSIZ || strchr(to, '%'))
        return;
    text = RTA_DATA(attribute);
    if (strncmp(text, from, length) != 0 || text[length] != ':')
        return; /* the name itself: the kernel's default */
    snprintf(label, sizeof label, "%s%s", to, text + length);
    if (strlen(label) < IFNAMSIZ)
        rtnetlink_attribute(request, IFA_LABEL, label, strlen(label) + 1);
}

static int add_address(struct rtnetlink *netlink, const struct device *device, const struct nlmsghdr *message,
                       const char *name, struct error *err)
{
    static const unsigned short kept[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_RT_PRIORITY };
    static const uint32_t kept_flags = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |
                                       IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |
                                       IFA_F_MCAUTOJOIN; /* the others are the kernel's */
    struct ifaddrmsg header = *(const struct ifaddrmsg *)NLMSG_DATA(message);
    uint32_t flags = address_flags(message) & kept_flags;
    struct rtnetlink_request request;

    header.ifa_index = (uint32_t)device->index;
    header.ifa_flags = (uint8_t)flags;
    rtnetlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    rtnetlink_attribute(&request, IFA_FLAGS, &flags, sizeof flags);
    for (size_t i = 0; i < array_length(kept); i++) {
        const struct rtattr *attribute = find_attribute(message, kept[i]);

        if (attribute && RTA_PAYLOAD(attribute) <= 16)
            rtnetlink_attribute(&request, kept[i], RTA_DATA(attribute), RTA_PAYLOAD(attribute));
    }
    add_label(&request, message, device->host_name, name);
    if (rtnetlink_ask(netlink, &request, NULL, NULL, err) < 0 && err->code != EEXIST)
        return fail_in(err, "add its address again");
    return 0;
}

static int add_addresses(const struct transfer *transfer, struct rtnetlink *netlink,
                         const struct device *device, const char *name, struct error *err)
{
    for (size_t i = 0; i < transfer->address_count; i++)
        if (transfer->addresses[i].index == device->host_index &&
            add_address(netlink, device, transfer->addresses[i].message, name, err) < 0)
            return -1;
    return 0;
}

static int move_between(struct rtnetlink *from, struct rtnetlink *to, int namespace_fd, struct device *device,
                        struct error *err)
{
    struct ifinfomsg link = { .ifi_index = device->index };
    struct rtnetlink_request request;
    char name[IFNAMSIZ];

    /* A name that nobody else has: the final one may be taken, and a failed rename would come after the move.
     */
    snprintf(name, sizeof name, "aril-%d", device->host_index);
    rtnetlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof link);
    rtnetlink_attribute(&request, IFLA_NET_NS_FD, &namespace_fd, sizeof namespace_fd);
    rtnetlink_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    if (rtnetlink_ask(from, &request, NULL, NULL, err) < 0)
        return fail_in(err, "move");
    device->moved = true;
    if (find_link(to, name, &link, err) < 0) /* the index may have been taken there */
        return fail_in(err, "find it after the move");
    device->index = link.ifi_index;
    return 0;
}

static int rename_device(struct rtnetlink *netlink, const struct device *device, const char *name,
                         struct error *err)
{
    struct ifinfomsg link = { .ifi_index = device->index };
    struct rtnetlink_request request;

    rtnetlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof link);
    rtnetlink_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    return rtnetlink_ask(netlink, &request, NULL, NULL, err) < 0 ? fail_in(err, "rename to %s", name) : 0;
}

static int set_up(struct rtnetlink *netlink, const struct device *device, struct error *err)
{
    struct ifinfomsg link = { .ifi_index = device->index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    struct rtnetlink_request request;

    rtnetlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof link);
    return rtnetlink_ask(netlink, &request, NULL, NULL, err) < 0 ? fail_in(err, "set up") : 0;
}

/* The name before the addresses: renaming rewrites their labels. */
static int settle(const struct transfer *transfer, struct rtnetlink *netlink, const struct device *device,
                  const char *name, bool up, struct error *err)
{
    if (rename_device(netlink, device, name, err) < 0 ||
        add_addresses(transfer, netlink, device, name, err) < 0)
        return -1;
    return up ? set_up(netlink, device, err) : 0;
}

static int move_in(struct transfer *transfer, struct device *device, struct error *err)
{
    if (move_between(&transfer->host, &transfer->container, transfer->container_namespace, device, err) < 0)
        return -1;
    return settle(transfer, &transfer->container, device, device->name, true, err);
}

static void move_back(struct transfer *transfer, struct device *device)
{
    struct error err = { 0 };

    if (move_between(&transfer->container, &transfer->host, transfer->host_namespace, device, &err) < 0 ||
        settle(transfer, &transfer->host, device, device->host_name, device->was_up, &err) < 0)
        log_warning("linux.netDevices[\"%s\"]: move back: %s", device->host_name, err.text);
}

static int move_all(struct transfer *transfer, struct error *err)
{
    for (size_t i = 0; i < transfer->device_count; i++) {
        if (move_in(transfer, &transfer->devices[i], err) == 0)
            continue;
        for (size_t back = 0; back <= i; back++)
            if (transfer->devices[back].moved)
                move_back(transfer, &transfer->devices[back]);
        return fail_in(err, "linux.netDevices[\"%s\"]", transfer->devices[i].host_name);
    }
    return 0;
}

/* ---- namespaces ------------------------------------------------------------------------------------ */

/* item 157: a namespace to join can be the host's by another name. */
static int open_namespaces(struct transfer *transfer, const char *path, struct error *err)
{
    struct stat host, container;

    transfer->host_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    transfer->container_namespace = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (transfer->host_namespace < 0 || transfer->container_namespace < 0)
        return fail_errno(err, "linux.netDevices: open %s", path);
    if (fstat(transfer->host_namespace, &host) < 0 || fstat(transfer->container_namespace, &container) < 0)
        return fail_errno(err, "linux.netDevices: stat %s", path);
    if (host.st_dev == container.st_dev && host.st_ino == container.st_ino)
        return fail(err, EINVAL, "linux.netDevices: %s is the host's network namespace", path);
    return 0;
}

static void end_transfer(struct transfer *transfer)
{
    rtnetlink_close(&transfer->host);
    rtnetlink_close(&transfer->container);
    cleanup_close(&transfer->host_namespace);
    cleanup_close(&transfer->container_namespace);
    forget_addresses(transfer);
    free(transfer->addresses);
    free(transfer->devices);
}

int net_devices_move(const struct oci_config *config, pid_t pid, struct error *err)
{
    auto_cleanup(end_transfer) struct transfer transfer = {
        .host.fd = -1, .container.fd = -1, .host_namespace = -1, .container_namespace = -1
    };
    const struct oci_namespace *network = oci_config_namespace(config, OCI_NAMESPACE_NETWORK);
    char of_pid[40];

    if (net_devices_check(config, err) < 0)
        return -1;
    if (!config->linux || config->linux->net_devices_count == 0)
        return 0;
    snprintf(of_pid, sizeof of_pid, "/proc/%d/ns/net", (int)pid);
    if (open_namespaces(&transfer, network->path ? network->path : of_pid, err) < 0)
        return -1;
    if (rtnetlink_open(&transfer.host, err) < 0 ||
        rtnetlink_open_in(&transfer.container, transfer.container_namespace, err) < 0)
        return fail_in(err, "linux.netDevices");
    if (find_devices(&transfer, config->linux, err) < 0 || find_addresses(&transfer, err) < 0)
        return -1;
    return move_all(&transfer, err);
}
