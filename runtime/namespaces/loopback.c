/* The loopback device of a new network namespace, switched on by the container's init process. */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int namespaces_bring_up_loopback(struct error *err)
{
    /* Any socket takes device ioctls; this family is the cheapest, and there without IPv4 as well. */
    auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* The kernel keeps the flags that are the device's own (IFF_LOOPBACK), so they need not be read first. */
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

    if (fd < 0)
        return fail_errno(err, "loopback: socket");
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return fail_errno(err, "loopback: set lo up");
    return 0;
}
