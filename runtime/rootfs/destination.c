/*
 * Destinations of mounts: resolved inside the root with openat2, made when missing, checked not to be on
 * procfs. Runs in init before pivot_root. An image, or another container that shares a volume, may swap any
 * component for a link at any time (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310): nothing here depends on
 * a path staying what it was.
 */
#include "rootfs/destination.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAX_LINKS 40 /* as the kernel's */

/* ---- making what is missing --------------------------------------------------------------------------- */

struct walk {
    int root;
    int parent;     /* the directory we are in */
    char *resolved; /* its path inside root, free of links */
    char *rest;     /* what is still to be walked */
    int links;
};

static void walk_free(struct walk *walk)
{
    if (walk->parent >= 0)
        close(walk->parent);
    free(walk->resolved);
    free(walk->rest);
}

static int walk_goto(struct walk *walk, char *resolved)
{
    int fd = file_open_in_root(walk->root, *resolved ? resolved : ".", O_PATH | O_DIRECTORY, 0);

    free(walk->resolved);
    walk->resolved = resolved;
    if (walk->parent >= 0)
        close(walk->parent);
    walk->parent = fd;
    return fd < 0 ? -1 : 0;
}

static int walk_up(struct walk *walk)
{
    char *slash = strrchr(walk->resolved, '/');

    return walk_goto(walk, memory_string_n(walk->resolved, slash ? (size_t)(slash - walk->resolved) : 0));
}

static int walk_link(struct walk *walk, int link)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof target - 1);
    char *rest;

    if (length < 0)
        return -1;
    if (++walk->links > MAX_LINKS) {
        errno = ELOOP;
        return -1;
    }
    target[length] = '\0';
    rest = memory_format("%s/%s", target, walk->rest);
    free(walk->rest);
    walk->rest = rest;
    return target[0] == '/' ? walk_goto(walk, memory_string("")) : 0;
}

static int make_one(int parent, const char *name, bool directory)
{
    int fd;

    if (directory)
        return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
    fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    return fd < 0 && errno != EEXIST ? -1 : 0;
}

static int walk_into(struct walk *walk, const char *name, bool directory)
{
    auto_close int fd = openat(walk->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd < 0 && errno == ENOENT && make_one(walk->parent, name, directory) == 0)
        fd = openat(walk->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -1;
    if (S_ISLNK(status.st_mode))
        return walk_link(walk, fd);

    char *resolved = memory_format("%s/%s", walk->resolved, name);

    free(walk->resolved);
    walk->resolved = resolved;
    close(walk->parent);
    walk->parent = take_fd(&fd);
    return 0;
}

/* Cuts the next component off. NULL at the end. */
static char *walk_next(struct walk *walk, bool *last)
{
    char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    char *name, *rest;

    if (length == 0)
        return NULL;
    name = memory_string_n(start, length);
    start += length;
    start += strspn(start, "/");
    *last = *start == '\0';
    rest = memory_string(start);
    free(walk->rest);
    walk->rest = rest;
    return name;
}

static int make_walking(int root, const char *path, bool directory)
{
    auto_cleanup(walk_free) struct walk walk = { .root = root, .parent = -1, .rest = memory_string(path) };
    bool last = false;

    if (walk_goto(&walk, memory_string("")) < 0)
        return -1;
    for (;;) {
        auto_free char *name = walk_next(&walk, &last);
        int result;

        if (!name)
            return take_fd(&walk.parent);
        if (strcmp(name, ".") == 0)
            continue;
        result = strcmp(name, "..") == 0 ? walk_up(&walk) : walk_into(&walk, name, directory || !last);
        if (result < 0)
            return -1;
    }
}

/* The usual case: only the last component is missing, and no link is involved. */
static int make_last(int root, const char *path, bool directory)
{
    auto_close int parent = -1;
    const char *name = strrchr(path, '/');
    auto_free char *parent_path = NULL;

    if (!name || !name[1])
        return -1;
    parent_path = memory_string_n(path, (size_t)(++name - path));
    parent = file_open_in_root(root, parent_path, O_PATH | O_DIRECTORY, 0);
    if (parent < 0 || make_one(parent, name, directory) < 0)
        return -1;
    return file_open_beneath(parent, name, O_PATH | (directory ? O_DIRECTORY : 0), 0);
}

int destination_make(int root, const char *path, bool directory)
{
    int fd = make_last(root, path, directory);

    return fd < 0 ? make_walking(root, path, directory) : fd;
}

int destination_open_parent(int root, const char *normal_path, const char **name)
{
    const char *slash = strrchr(normal_path, '/');
    auto_free char *parent = memory_string_n(normal_path, (size_t)(slash - normal_path) + 1);
    int fd = file_open_in_root(root, parent, O_PATH | O_DIRECTORY, 0);

    *name = slash + 1;
    return fd < 0 && errno == ENOENT ? destination_make(root, parent, true) : fd;
}

/* ---- procfs ------------------------------------------------------------------------------------------- */

/* Where an fd is inside the root, as the kernel sees it. */
static bool real_path(int root, int fd, char *path, size_t size)
{
    char link[64], root_path[PATH_MAX], fd_path[PATH_MAX];
    ssize_t root_length, fd_length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", root);
    root_length = readlink(link, root_path, sizeof root_path - 1);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    fd_length = readlink(link, fd_path, sizeof fd_path - 1);
    if (root_length < 0 || fd_length < root_length || memcmp(root_path, fd_path, (size_t)root_length) != 0)
        return false;
    fd_path[fd_length] = '\0';
    return (size_t)snprintf(path, size, "%s", fd_path + (root_length == 1 ? 0 : root_length)) < size;
}

/* What lxcfs and container engines put over files of /proc. Anything else there could fool the runtime or the
 * payload's tools. */
static bool may_be_covered(const char *path)
{
    static const char *const files[] = {
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    };

    for (size_t i = 0; i < array_length(files); i++)
        if (strcmp(files[i], path) == 0)
            return true;
    return false;
}

static int check_procfs(const struct rootfs_plan *plan, const struct mount_op *op, int fd, struct error *err)
{
    char path[PATH_MAX];
    struct statfs status;

    if (fstatfs(fd, &status) < 0)
        return fail_errno(err, "statfs");
    if (status.f_type != PROC_SUPER_MAGIC || op->kind == MOUNT_REMOUNT)
        return 0;
    if (!real_path(plan->root, fd, path, sizeof path))
        snprintf(path, sizeof path, "?");
    /* Again on /proc itself: plan.c and mount_bind.c see to it that it is procfs. */
    if (strcmp(path, "/proc") == 0 && strcmp(op->destination, "/proc") == 0)
        return 0;
    if (may_be_covered(path))
        return 0;
    return fail(err, EPERM, "destination: '%s' is inside /proc, where only a few files can be mounted over",
                path);
}

/* ---- opening ------------------------------------------------------------------------------------------ */

/* A linked /proc or /sys would lead masks, labels and sysctls elsewhere (CVE-2019-19921, CVE-2023-27561). */
static bool links_forbidden(const struct mount_op *op)
{
    return op->filesystem & (FS_PROC | FS_SYSFS) || strcmp(op->destination, "/proc") == 0 ||
           strcmp(op->destination, "/sys") == 0;
}

static int open_existing(const struct rootfs_plan *plan, const struct mount_op *op, int flags)
{
    if (links_forbidden(op))
        return file_open_beneath(plan->root, op->destination + 1, flags | O_NOFOLLOW, 0);
    if (op->options.special & OPTION_DEST_NOFOLLOW)
        flags |= O_NOFOLLOW;
    return file_open_in_root(plan->root, op->destination, flags, 0);
}

static int explain(const struct mount_op *op, struct error *err)
{
    if (links_forbidden(op) && (errno == ELOOP || errno == ENOTDIR))
        return fail(err, errno, "destination: not an ordinary directory, or reached through a symbolic link");
    fail_errno(err, "destination");
    return err->code == ENOSYS
               ? fail_hint(err, "aril needs openat2 of Linux 5.6; a seccomp filter can hide it")
               : -1;
}

int destination_open(const struct rootfs_plan *plan, const struct mount_op *op, enum destination_type type,
                     bool *made, struct error *err)
{
    int flags = type == DESTINATION_DIRECTORY ? O_PATH | O_DIRECTORY : O_PATH;
    auto_close int fd = open_existing(plan, op, flags);
    bool missing = fd < 0 && errno == ENOENT;

    if (missing && type != DESTINATION_EXISTING) {
        fd = destination_make(plan->root, op->destination, type == DESTINATION_DIRECTORY);
        if (fd >= 0 && links_forbidden(op)) {
            close(fd);
            fd = open_existing(plan, op, flags);
        }
    }
    if (fd < 0)
        return explain(op, err);
    if (check_procfs(plan, op, fd, err) < 0)
        return -1;
    if (made)
        *made = missing;
    return take_fd(&fd);
}
