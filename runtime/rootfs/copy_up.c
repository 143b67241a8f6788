/*
 * tmpcopyup (item 106): a tmpfs starts with what the image has at its place. Modes, owners, times and
 * extended attributes are kept; links are copied and never followed. Runs in init before pivot_root, on an
 * image that may be hostile: files are opened without blocking and only when they are regular.
 */
#include "rootfs/mount.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int copy_directory(int from, int to, struct error *err);

/* The owner may be one that this user namespace does not know; attributes may be of a kind that tmpfs does
 * not keep. */
static bool is_tolerable(int code)
{
    return code == EPERM || code == EINVAL || code == ENOTSUP;
}

static int copy_attributes(int from, int to)
{
    char names[4096];
    ssize_t length = flistxattr(from, names, sizeof names);

    if (length < 0)
        return errno == ENOTSUP ? 0 : -1;
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        char value[4096];
        ssize_t size = fgetxattr(from, name, value, sizeof value);

        if (size < 0 || (fsetxattr(to, name, value, (size_t)size, 0) < 0 && !is_tolerable(errno)))
            return -1;
    }
    return 0;
}

/* chown before chmod, which would lose the set-uid bit; capabilities (an attribute) after both. */
static int copy_metadata(int from, int to, const struct stat *status)
{
    const struct timespec times[2] = { status->st_atim, status->st_mtim };

    if (fchown(to, status->st_uid, status->st_gid) < 0 && !is_tolerable(errno))
        return -1;
    if (fchmod(to, status->st_mode & 07777) < 0 || copy_attributes(from, to) < 0)
        return -1;
    return futimens(to, times);
}

static int copy_data(int from, int to)
{
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, 1u << 30);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return (int)sent;
    }
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
    auto_close int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    auto_close int to = -1;
    struct stat status;

    if (from < 0 || fstat(from, &status) < 0)
        return -1;
    if (!S_ISREG(status.st_mode)) { /* exchanged since we looked */
        errno = EBUSY;
        return -1;
    }
    to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0 || copy_data(from, to) < 0)
        return -1;
    return copy_metadata(from, to, &status);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *status)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from_dir, name, target, sizeof target - 1);

    if (length < 0)
        return -1;
    target[length] = '\0';
    if (symlinkat(target, to_dir, name) < 0)
        return -1;
    if (fchownat(to_dir, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
        !is_tolerable(errno))
        return -1;
    return 0;
}

static int copy_node(int to_dir, const char *name, const struct stat *status)
{
    if (mknodat(to_dir, name, status->st_mode, status->st_rdev) < 0) /* the umask is 0 */
        return errno == EPERM ? 0 : -1;                              /* no devices in a user namespace */
    if (fchownat(to_dir, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
        !is_tolerable(errno))
        return -1;
    return 0;
}

static int copy_subdirectory(int from_dir, int to_dir, const char *name, struct error *err)
{
    auto_close int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto_close int to = -1;
    struct stat status;

    if (from < 0 || fstat(from, &status) < 0 || mkdirat(to_dir, name, 0700) < 0)
        return fail_errno(err, "%s", name);
    to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0)
        return fail_errno(err, "%s", name);
    if (copy_directory(from, to, err) < 0)
        return fail_in(err, "%s", name);
    return copy_metadata(from, to, &status) < 0 ? fail_errno(err, "%s", name) : 0;
}

static int copy_entry(int from_dir, int to_dir, const char *name, struct error *err)
{
    struct stat status;
    int result;

    if (fstatat(from_dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "%s", name);
    if (S_ISDIR(status.st_mode))
        return copy_subdirectory(from_dir, to_dir, name, err);
    if (S_ISREG(status.st_mode))
        result = copy_file(from_dir, to_dir, name);
    else if (S_ISLNK(status.st_mode))
        result = copy_link(from_dir, to_dir, name, &status);
    else
        result = copy_node(to_dir, name, &status);
    return result < 0 ? fail_errno(err, "%s", name) : 0;
}

static int copy_directory(int from, int to, struct error *err)
{
    int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto_closedir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        fail_errno(err, "open directory");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    while ((errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (copy_entry(from, to, entry->d_name, err) < 0)
            return -1;
    }
    return errno ? fail_errno(err, "read directory") : 0;
}

int copy_up(int from, int to, struct error *err)
{
    return copy_directory(from, to, err);
}
