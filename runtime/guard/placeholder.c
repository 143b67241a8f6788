/*
 * What keeps the place of a protected name that is missing: see guard.h. Runs in the runtime, on the host's
 * paths; a root is a real path, and below it no link is followed. rmdir() is what makes sharing safe: it
 * takes no directory with a marker in it, and with the lock nobody has just begun to use it.
 */
#include "guard/guard.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 100

/* The directory that `path` is in. O_PATH. */
static int open_parent(const char *root, const char *path, const char **name)
{
    auto_close int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_close int directory = file_open_beneath(top, root[1] ? root + 1 : ".", O_PATH | O_DIRECTORY, 0);
    const char *relative = path + (root[1] ? strlen(root) + 1 : 1), *slash = strrchr(relative, '/');
    auto_free char *parent = slash ? memory_string_n(relative, (size_t)(slash - relative)) : NULL;

    *name = slash ? slash + 1 : relative;
    if (directory < 0 || !parent)
        return take_fd(&directory);
    return file_open_beneath(directory, parent, O_PATH | O_DIRECTORY, 0);
}

static bool is_placeholder(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 07777) == PLACEHOLDER_MODE;
}

static int open_placeholder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* With the bits that the umask would take away. */
static int make_directory(int parent, const char *name)
{
    mode_t before = umask(0);
    int result = mkdirat(parent, name, PLACEHOLDER_MODE), code = errno;

    umask(before);
    errno = code;
    return result;
}

/* False with ENOENT: it was removed meanwhile. */
static bool take_part(int fd, const char *marker)
{
    struct stat status;
    int file;

    if (marker) {
        file = openat(fd, marker, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
        if (file >= 0)
            close(file);
        return file >= 0;
    }
    if (flock(fd, LOCK_SH) < 0 || fstat(fd, &status) < 0)
        return false;
    errno = ENOENT;
    return status.st_nlink > 0;
}

int placeholder_make(const char *root, const char *path, const char *marker, int *lock)
{
    const char *name;
    auto_close int parent = open_parent(root, path, &name);

    for (int i = 0; parent >= 0 && i < TRIES; i++) {
        auto_close int fd = -1;

        if (make_directory(parent, name) < 0 && errno != EEXIST)
            return -1;
        fd = open_placeholder(parent, name);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
            return -1;
        if (fd < 0 || !is_placeholder(fd))
            return 1;
        if (take_part(fd, marker)) {
            if (!marker)
                *lock = take_fd(&fd);
            return 0;
        }
        if (errno != ENOENT)
            return -1;
    }
    return -1;
}

/* What is not a marker was put there by somebody, whose directory it is from now on. */
static bool is_in_use(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    bool used = false;

    if (copy >= 0 && !list)
        close(copy);
    while (list && !used && (entry = readdir(list)))
        used = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
               strncmp(entry->d_name, PLACEHOLDER_MARKER, sizeof PLACEHOLDER_MARKER - 1) != 0;
    if (list)
        closedir(list);
    return used;
}

static void remove_unused(int parent, const char *name, const char *marker)
{
    auto_close int fd = open_placeholder(parent, name);

    if (fd < 0)
        return;
    if (marker)
        unlinkat(fd, marker, 0);
    if (!is_placeholder(fd) || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    if (is_in_use(fd))
        fchmod(fd, PLACEHOLDER_MODE & 0777);
    else
        unlinkat(parent, name, AT_REMOVEDIR); /* fails while there are markers of others */
}

void placeholder_release(const char *root, const char *path, const char *marker, int lock)
{
    const char *name;
    auto_close int parent = open_parent(root, path, &name);

    if (lock >= 0)
        close(lock);
    if (parent >= 0)
        remove_unused(parent, name, marker);
}
