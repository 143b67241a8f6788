/*
 * Nothing else may come to a path in a writable directory (M-5): what lies there is covered by a mount, and
 * everything above it, up to the root, is pinned by one, because a directory that is a mount point can be
 * neither renamed nor removed. What is missing gets a placeholder.
 *
 * A placeholder is an empty directory on the host. It goes with rmdir(), which never removes what the user
 * has put there meanwhile, when the last sandbox that needs it ends: each holds a shared lock on it, and who
 * can get the exclusive one removes it. It is known by its mode: a sticky bit does nothing where only the
 * owner can write. So one that a killed runtime left behind is taken over, and removed, by the next.
 */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define GITDIR_LIMIT 65536
#define PLACEHOLDER_MODE 01755
#define TAKE_ATTEMPTS 1000 /* while others remove it */

static const char *const protected_names[] = { ".git", ".codex", ".agents" };

/* ---- placeholders ---------------------------------------------------------------------------------------
 */

static bool is_empty(int fd)
{
    auto_closedir DIR *stream = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const struct dirent *entry;

    while (stream && (entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return stream != NULL;
}

static bool looks_like_placeholder(const struct stat *status)
{
    return S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) &&
           !(status->st_mode & (S_IWGRP | S_IWOTH));
}

enum taking { TAKEN, TAKEN_BY_OTHERS, GONE };

/* The lock of somebody who is about to remove it, or who has: once more then. */
static enum taking try_to_take(const char *path, int *held)
{
    auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat now, opened;

    if (fd < 0)
        return errno == ENOENT ? GONE : TAKEN_BY_OTHERS;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return GONE;
    if (lstat(path, &now) < 0 || fstat(fd, &opened) < 0 || now.st_ino != opened.st_ino ||
        now.st_dev != opened.st_dev)
        return GONE;
    if (!looks_like_placeholder(&opened) || !is_empty(fd))
        return TAKEN_BY_OTHERS;
    *held = take_fd(&fd);
    return TAKEN;
}

/* True when a placeholder is there, and stays; else errno says why it cannot be made. */
static bool take_placeholder(struct sandbox_rules *rules, const char *path)
{
    static const struct timespec moment = { .tv_nsec = 1000000 };
    struct sandbox_placeholder *placeholder;
    enum taking taking = GONE;
    int fd = -1;

    for (int i = 0; i < TAKE_ATTEMPTS && taking == GONE; i++) {
        if (i > 0)
            nanosleep(&moment, NULL);
        if (mkdir(path, PLACEHOLDER_MODE) < 0 && errno != EEXIST)
            return false;
        taking = try_to_take(path, &fd);
    }
    if (taking != TAKEN) {
        errno = EEXIST;
        return false;
    }
    placeholder = array_grow(rules->placeholders, rules->placeholder_count);
    *placeholder = (struct sandbox_placeholder){ .path = memory_string(path), .fd = fd };
    return true;
}

/* 0 also where it cannot be made: then the command cannot make it either, with the same rights. */
static int add_placeholder(struct sandbox_rules *rules, const char *path, enum sandbox_access access,
                           struct error *err)
{
    if (take_placeholder(rules, path))
        return sandbox_rules_add(rules, memory_string(path), access, true, err);
    if (errno == EEXIST || errno == ENOTDIR)
        return fail_errno(err, "protect %s", path);
    log_debug("%s is missing and cannot be made: %s", path, errno_text(errno));
    return 0;
}

static bool is_placeholder(const char *path, const struct stat *status)
{
    auto_close int fd = -1;

    if (!looks_like_placeholder(status))
        return false;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && is_empty(fd);
}

void sandbox_placeholders_free(struct sandbox_rules *rules)
{
    while (rules->placeholder_count > 0) {
        struct sandbox_placeholder *placeholder = &rules->placeholders[--rules->placeholder_count];

        if (flock(placeholder->fd, LOCK_EX | LOCK_NB) == 0)
            rmdir(placeholder->path); /* not empty: it is the user's now */
        close(placeholder->fd);
        free(placeholder->path);
    }
    free(rules->placeholders);
    rules->placeholders = NULL;
}

/* ---- guarding -------------------------------------------------------------------------------------------
 */

/* The outermost directory with the path in it to which writing is real. */
static const char *writable_root(const struct sandbox_rules *rules, size_t roots, const char *path)
{
    const char *outermost = NULL;

    for (size_t i = 0; i < roots; i++) {
        const struct sandbox_rule *root = &rules->items[i];

        if (root->access == SANDBOX_WRITABLE && sandbox_path_is_within(path, root->path) &&
            (!outermost || strlen(root->path) < strlen(outermost)))
            outermost = root->path;
    }
    return outermost;
}

/* The sandbox's own, or read-only as a whole. */
static bool is_fixed(const char *path)
{
    return sandbox_path_is_within(path, "/dev") || sandbox_path_is_within(path, "/proc") ||
           sandbox_path_is_within(path, "/sys");
}

static int pin(struct sandbox_rules *rules, const char *directory, struct error *err)
{
    if (is_fixed(directory))
        return 0;
    return sandbox_rules_add(rules, memory_string(directory), SANDBOX_PINNED, true, err);
}

/* A link cannot be replaced, and is covered itself. What it leads to is guarded as well. */
static int guard_link(struct sandbox_rules *rules, size_t roots, const char *link, const char *path,
                      enum sandbox_access access, struct error *err)
{
    auto_free char *real = realpath(path, NULL);

    if (sandbox_rules_add(rules, memory_string(link), SANDBOX_LINK, false, err) < 0)
        return -1;
    return real ? sandbox_guard(rules, roots, real, access, err) : 0;
}

/* One component of the way. *done: what lies behind it needs no look any more. */
static int guard_part(struct sandbox_rules *rules, size_t roots, const char *part, const char *path,
                      enum sandbox_access access, bool *done, struct error *err)
{
    struct stat status;

    *done = true;
    if (lstat(part, &status) < 0)
        return errno == ENOENT ? add_placeholder(rules, part, access, err) : 0;
    if (S_ISLNK(status.st_mode))
        return guard_link(rules, roots, part, path, access, err);
    if (is_placeholder(part, &status))
        return add_placeholder(rules, part, access, err);
    if (strcmp(part, path) == 0)
        return sandbox_rules_add_existing(rules, path, access, err);
    *done = false;
    return pin(rules, part, err);
}

/* From outside of all writable roots, or a root itself: only a link can lead to something that can be moved.
 */
static int guard_outside(struct sandbox_rules *rules, size_t roots, const char *path,
                         enum sandbox_access access, struct error *err)
{
    auto_free char *real = realpath(path, NULL);

    if (real && strcmp(real, path) != 0 && writable_root(rules, roots, real))
        return sandbox_guard(rules, roots, real, access, err);
    return real ? sandbox_rules_add_existing(rules, real, access, err) : 0;
}

int sandbox_guard(struct sandbox_rules *rules, size_t roots, const char *path, enum sandbox_access access,
                  struct error *err)
{
    auto_free char *part = memory_string(path);
    const char *root = writable_root(rules, roots, path);
    size_t end = root && strcmp(root, "/") != 0 ? strlen(root) : 0;
    bool done = false;
    int result = 0;

    if (!root || path[end] == '\0')
        return guard_outside(rules, roots, path, access, err);
    while (result == 0 && !done && path[end]) {
        end += 1 + strcspn(path + end + 1, "/");
        part[end] = '\0';
        result = guard_part(rules, roots, part, path, access, &done, err);
        part[end] = path[end];
    }
    return result;
}

/* ---- protected names ------------------------------------------------------------------------------------
 */

/* ".git" as a file names the repository: "gitdir: PATH". */
static int guard_gitdir(struct sandbox_rules *rules, size_t roots, const char *root, const char *path,
                        struct error *err)
{
    auto_free char *text = NULL, *target = NULL, *real = NULL;
    struct error ignored;
    size_t length;

    if (file_read_at(AT_FDCWD, path, GITDIR_LIMIT, &text, &length, &ignored) < 0 ||
        strncmp(text, "gitdir: ", 8) != 0)
        return 0;
    text[8 + strcspn(text + 8, "\r\n")] = '\0';
    target = sandbox_path_join(root, text + 8);
    real = realpath(target, NULL);
    return real && sandbox_rules_holder(rules, roots, real)
               ? sandbox_guard(rules, roots, real, SANDBOX_READ_ONLY, err)
               : 0;
}

static int guard_name(struct sandbox_rules *rules, size_t roots, const char *root, const char *name,
                      struct error *err)
{
    auto_free char *path = sandbox_path_join(root, name);
    struct stat status;

    if (sandbox_guard(rules, roots, path, SANDBOX_READ_ONLY, err) < 0)
        return -1;
    if (strcmp(name, ".git") == 0 && lstat(path, &status) == 0 && S_ISREG(status.st_mode))
        return guard_gitdir(rules, roots, root, path, err);
    return 0;
}

/* In an overlay nothing lasts, so there is nothing to protect. */
int sandbox_guard_names(struct sandbox_rules *rules, size_t roots, struct error *err)
{
    for (size_t i = 0; i < roots; i++) {
        /* Not a pointer into the list, which grows */
        auto_free char *root = memory_string(rules->items[i].path);

        if (!rules->items[i].directory || rules->items[i].access != SANDBOX_WRITABLE)
            continue;
        for (size_t name = 0; name < array_length(protected_names); name++)
            if (guard_name(rules, roots, root, protected_names[name], err) < 0)
                return -1;
    }
    return 0;
}
