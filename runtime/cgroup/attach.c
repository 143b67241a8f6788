/* Bringing processes into the cgroup of a container: see cgroup.h. */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cgroup/directories.h"
#include "cgroup/hierarchies.h"
#include "cgroup/location.h"
#include "cgroup/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns the descriptor that it wrote to, or -1 with errno. */
static int write_pid(const char *directory, const char *file, const char *pid)
{
    auto_free char *path = memory_join(directory, "/", file);
    auto_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 || write(fd, pid, strlen(pid)) < 0 ? -1 : take_fd(&fd);
}

/*
 * v1's "tasks" moves one thread. For a thread that moves itself the kernel skips the lock that stops all
 * forks and exits of the machine, for which it would wait a whole RCU grace period: nine hierarchies take 0.1
 * ms instead of 6 to 11. v2 has no such file.
 */
static int join(const char *directory)
{
    int fd = write_pid(directory, "tasks", "0");

    if (fd >= 0)
        return fd;
    return errno == ENOENT ? write_pid(directory, "cgroup.procs", "0") : -1;
}

int cgroup_attach(const struct cgroup_location *location, pid_t pid, struct error *err)
{
    size_t count = location ? location->created.count : 0, joined = 0;
    auto_free int *fds = memory_new_array(count + 1, sizeof *fds);
    char text[16];

    snprintf(text, sizeof text, "%d", (int)pid);
    while (joined < count) {
        const char *directory = location->created.items[joined];

        fds[joined] = pid ? write_pid(directory, "cgroup.procs", text) : join(directory);
        if (fds[joined] < 0) {
            fail_errno(err, "join the cgroup %s", directory);
            break;
        }
        joined++;
    }
    file_close_all(fds, joined); /* all at once: neighbours cost one system call */
    return joined < count ? -1 : 0;
}

int cgroup_open_for_clone(const struct cgroup_location *location)
{
    if (!location || location->created.count != 1)
        return -1; /* several hierarchies: v1 */
    return cgroup_location_open_with(location, "cgroup.controllers");
}

int cgroup_open_of(pid_t pid)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    struct error ignored = { 0 };
    int fd = -1;

    if (cgroup_hierarchies_read_of(pid, &hierarchies, &ignored) == 0 && hierarchies.unified &&
        hierarchies.items[0].own) {
        auto_free char *path =
            memory_format("%s%s", hierarchies.items[0].mount_point, hierarchies.items[0].own);

        fd = cgroup_location_open(path);
    } else {
        errno = ignored.code ? ignored.code : ENOENT;
    }
    cgroup_hierarchies_free(&hierarchies);
    return fd;
}

struct cgroup_location *cgroup_location_below(const struct cgroup_location *location, const char *below,
                                              struct error *err)
{
    struct error reason = { 0 };
    bool relative;
    auto_free char *clean = cgroup_path_clean(below, &relative, &reason);
    struct cgroup_location *deeper;

    if (!clean) {
        fail(err, EINVAL, "'%s' is not the name of a cgroup in the container's", below);
        return NULL;
    }
    deeper = memory_new(sizeof *deeper);
    deeper->driver = location->driver;
    deeper->path = memory_format("%s%s", location->path ? location->path : "", clean);
    deeper->scope = memory_string(location->scope);
    deeper->has_created = true;
    deeper->created.items = memory_new_array(location->created.count + 1, sizeof *deeper->created.items);
    deeper->created.count = location->created.count;
    for (size_t i = 0; i < location->created.count; i++)
        deeper->created.items[i] = memory_format("%s%s", location->created.items[i], clean);
    return deeper;
}
