/* Files: see file.h. */
#include "base/file.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_resolved(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY)),
        .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
        .resolve = resolve,
    };
    int fd;

    /* The kernel answers EAGAIN when a rename elsewhere may have raced with a ".." of ours. */
    do
        fd = sys_openat2(dirfd, path, &how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

int file_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
    return open_resolved(rootfd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int file_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
    return open_resolved(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* The directory `name` in `parent`, made when missing. O_PATH fd. */
static int enter_or_make(int rootfd, const char *so_far, int parent, const char *name, mode_t mode)
{
    int fd = file_open_in_root(rootfd, so_far, O_PATH | O_DIRECTORY, 0);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    /* mkdirat does not follow a link in its last component, and parent is an fd: it cannot leave the root. */
    if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
        return -1;
    return file_open_in_root(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

int file_mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
    auto_free char *copy = memory_string(path);
    auto_close int current = -1;
    char *position = copy;
    int fd = file_open_in_root(rootfd, path, O_PATH | O_DIRECTORY, 0);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    current = file_open_in_root(rootfd, ".", O_PATH | O_DIRECTORY, 0);
    while (current >= 0) {
        char *name, *end, saved;
        int next;

        position += strspn(position, "/");
        if (!*position)
            break;
        name = position;
        end = name + strcspn(name, "/");
        saved = *end;
        *end = '\0';
        next = enter_or_make(rootfd, copy, current, name, mode);
        *end = saved;
        position = end;
        close(current);
        current = next;
    }
    return take_fd(&current);
}

int file_mkdir_all(const char *path, mode_t mode)
{
    auto_free char *copy = memory_string(path);

    for (char *slash = copy + 1; *copy && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return mkdir(copy, mode) < 0 && errno != EEXIST ? -1 : 0;
}

/* `size` is what the file says of itself, 0 where it does not say. */
static int read_sized(int fd, uint64_t size, size_t limit, const char *name, char **data, size_t *length,
                      struct error *err)
{
    size_t capacity = size > 0 && size <= limit ? (size_t)size + 1 : 4096, used = 0;
    auto_free char *content = NULL;

    if (size > limit)
        return fail(err, EFBIG, "%s: larger than %zu bytes", name, limit);
    content = memory_resize(NULL, capacity + 1);
    for (;;) {
        ssize_t got = read(fd, content + used, capacity - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(err, "read %s", name);
        used += (size_t)got;
        if (got == 0 || used == size) /* a file that has a size ends there */
            break;
        if (used > limit)
            return fail(err, EFBIG, "%s: larger than %zu bytes", name, limit);
        if (used == capacity) {
            capacity *= 2;
            content = memory_resize(content, capacity + 1);
        }
    }
    content[used] = '\0';
    *data = take_ptr(content);
    if (length)
        *length = used;
    return 0;
}

int file_read_fd(int fd, size_t limit, const char *name, char **data, size_t *length, struct error *err)
{
    struct stat status;

    return read_sized(fd, fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0,
                      limit, name, data, length, err);
}

int file_read_regular_fd(int fd, size_t limit, const char *name, char **data, size_t *length,
                         struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return fail_errno(err, "stat %s", name);
    if (!S_ISREG(status.st_mode))
        return fail(err, EINVAL, "%s: not a regular file", name);
    return read_sized(fd, (uint64_t)status.st_size, limit, name, data, length, err);
}

int file_read_at(int dirfd, const char *path, size_t limit, char **data, size_t *length, struct error *err)
{
    auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd < 0 ? fail_errno(err, "open %s", path)
                  : file_read_regular_fd(fd, limit, path, data, length, err);
}

char *file_real_path(int fd)
{
    char link[32], path[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path);
    if (length > 0 && length < (ssize_t)sizeof path && path[0] == '/')
        return memory_string_n(path, (size_t)length);
    return realpath(link, NULL); /* it is longer */
}

int file_read_proc(const char *path, size_t limit, char **text, struct error *err)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? fail_errno(err, "open %s", path) : read_sized(fd, 0, limit, path, text, NULL, err);
}

int file_write_at(int dirfd, const char *path, const void *data, size_t length)
{
    auto_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t written;

    if (fd < 0)
        return -1;
    do
        written = write(fd, data, length);
    while (written < 0 && errno == EINTR);
    if (written >= 0 && (size_t)written != length) {
        errno = EIO;
        return -1;
    }
    return written < 0 ? -1 : 0;
}

int file_write_string_at(int dirfd, const char *path, const char *text)
{
    return file_write_at(dirfd, path, text, strlen(text));
}

int file_write_all(int fd, const void *data, size_t length)
{
    const char *position = data;

    while (length > 0) {
        ssize_t written = write(fd, position, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        position += written;
        length -= (size_t)written;
    }
    return 0;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

void file_unescape_mountinfo(char *path)
{
    char *out = path;

    for (const char *in = path; *in; out++) {
        if (in[0] == '\\' && is_octal(in[1]) && is_octal(in[2]) && is_octal(in[3])) {
            *out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

int file_create_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
                   struct error *err)
{
    auto_close int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0)
        return fail_errno(err, "create %s", path);
    return file_write_all(fd, data, length) == 0 ? 0 : fail_errno(err, "write %s", path);
}

/*
 * Not renameat() over a file that is there: to survive a crash of the machine ext4 then allocates and writes
 * out the blocks of the new one at once, and removing it later waits for the disk. Nothing of ours outlives a
 * reboot.
 */
static int put_in_place(int dirfd, const char *temporary, const char *path)
{
    if (renameat2(dirfd, temporary, dirfd, path, RENAME_EXCHANGE) == 0) {
        unlinkat(dirfd, temporary, 0); /* which is the old one now */
        return 0;
    }
    if (errno == ENOENT && renameat2(dirfd, temporary, dirfd, path, RENAME_NOREPLACE) == 0)
        return 0;
    return renameat(dirfd, temporary, dirfd, path); /* a file system that has neither */
}

int file_replace_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
                    struct error *err)
{
    /* In a directory of ours its lock keeps others away; elsewhere the name must be ours alone. */
    auto_free char *temporary =
        dirfd == AT_FDCWD ? memory_format("%s.%d.tmp", path, (int)getpid()) : memory_format("%s.tmp", path);
    auto_close int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0)
        return fail_errno(err, "create %s", temporary);
    if (file_write_all(fd, data, length) == 0 && put_in_place(dirfd, temporary, path) == 0)
        return 0;
    fail_errno(err, "write %s", path);
    unlinkat(dirfd, temporary, 0);
    return -1;
}

static void close_run(int first, int last)
{
    if (first < last && sys_close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    for (int fd = first; fd <= last; fd++) /* also kernels before 5.9 */
        close(fd);
}

void file_close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t first = i;

        if (fds[first] < 0)
            continue;
        while (i + 1 < count && fds[i + 1] == fds[i] + 1)
            i++;
        close_run(fds[first], fds[i]);
    }
}

static int remove_children(int dirfd)
{
    auto_closedir DIR *dir = NULL;
    int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
    struct dirent *entry;

    if (copy < 0)
        return -1;
    dir = fdopendir(copy);
    if (!dir) {
        close(copy);
        return -1;
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (file_remove_tree_at(dirfd, entry->d_name) < 0)
            return -1;
    }
    return 0;
}

int file_remove_tree_at(int dirfd, const char *path)
{
    auto_close int fd = -1;

    if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (remove_children(fd) < 0)
        return -1;
    return unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : 0;
}
