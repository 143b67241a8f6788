/* Bringing processes into the cgroup of a container: see cgroup.h. */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "cgroup/directories.h"
#include "cgroup/location.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns 0 or -1 with errno. */
static int write_pid(const char *directory, const char *file, pid_t pid)
{
    auto_close int fd = -1;
    char path[PATH_MAX], text[16];
    int length;

    if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    length = snprintf(text, sizeof text, "%d", (int)pid);
    return write(fd, text, (size_t)length) < 0 ? -1 : 0;
}

/*
 * v1's "tasks" moves one thread. For a thread that moves itself the kernel skips the lock that stops all
 * forks and exits of the machine, for which it would wait a whole RCU grace period: nine hierarchies take 0.1
 * ms instead of 6 to 11. v2 has no such file.
 */
static int join(const char *directory)
{
    if (write_pid(directory, "tasks", 0) == 0)
        return 0;
    return errno == ENOENT ? write_pid(directory, "cgroup.procs", 0) : -1;
}

int cgroup_attach(const struct cgroup_location *location, pid_t pid, struct error *err)
{
    for (size_t i = 0; location && i < location->created.count; i++) {
        const char *directory = location->created.items[i];

        if ((pid ? write_pid(directory, "cgroup.procs", pid) : join(directory)) == 0)
            continue;
        if (errno == ENOENT && cgroup_is_rootless()) /* could not be made, and need not be (item 171) */
            continue;
        return fail_errno(err, "join the cgroup %s", directory);
    }
    return 0;
}

int cgroup_open_for_clone(const struct cgroup_location *location)
{
    if (!location || location->created.count != 1)
        return -1; /* several hierarchies: v1 */
    return cgroup_location_open_with(location, "cgroup.controllers");
}
