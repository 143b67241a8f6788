/* Directories of a recorded cgroup: see location.h. Runs in the runtime; knows nothing of config.json. */
#include "cgroup/location.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SHORT_FILE 4096

int cgroup_location_open(const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct statfs status;

    if (fd < 0 || fstatfs(fd, &status) < 0)
        return -1;
    if (status.f_type != CGROUP_SUPER_MAGIC && status.f_type != CGROUP2_SUPER_MAGIC) {
        errno = EINVAL;
        return -1;
    }
    return take_fd(&fd);
}

/* No room for a descriptor does not mean that there is no cgroup. */
static bool is_for_want_of_room(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOMEM;
}

int cgroup_location_open_with(const struct cgroup_location *location, const char *file)
{
    int code = ENOENT;

    for (size_t i = 0; location && i < location->created.count; i++) {
        auto_close int fd = cgroup_location_open(location->created.items[i]);

        if (fd >= 0 && faccessat(fd, file, F_OK, 0) == 0)
            return take_fd(&fd);
        if (is_for_want_of_room(errno))
            code = errno;
    }
    errno = code;
    return -1;
}

char *cgroup_file_read(int directory_fd, const char *file)
{
    auto_close int fd = openat(directory_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[SHORT_FILE];
    ssize_t length;

    if (fd < 0)
        return NULL;
    do
        length = read(fd, text, sizeof text - 1);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return NULL;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return memory_string(text);
}
