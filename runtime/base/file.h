/*
 * Files: opening below a directory without leaving it, reading with a cap, writing atomically.
 * Every descriptor is O_CLOEXEC. Errors name the path as the caller passed it.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Opens a path as seen from inside `rootfd`: symbolic links are followed, but "/" and ".." end at the root,
 * and magic links (/proc/PID/fd/…) are refused. This is the only way to open what an image names (security
 * rule 1). `flags` are open(2) flags; O_CLOEXEC and O_NOCTTY are added. Returns the fd or -1 with errno (no
 * error text: callers tell ENOENT apart all the time).
 */
int file_open_in_root(int rootfd, const char *path, int flags, mode_t mode);

/* The same with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS: no link anywhere, nothing outside. For our own
 * directories. */
int file_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/*
 * Makes a directory and the missing ones above it, inside rootfd as above; existing ones are left as they
 * are. Returns an O_PATH fd of the last one, or -1 with errno.
 */
int file_mkdir_in_root(int rootfd, const char *path, mode_t mode);

/* Closes descriptors, in ascending order, neighbours with one system call; negative ones are left alone. */
void file_close_all(const int *fds, size_t count);

/* mkdir -p for host paths. Returns 0 or -1 with errno. */
int file_mkdir_all(const char *path, mode_t mode);

/* Reads all that is left of an open file, at most `limit` bytes (more is an error). *data is NUL-terminated,
 * owned. */
int file_read_fd(int fd, size_t limit, const char *name, char **data, size_t *length, struct error *err);

/* The same, of a regular file; anything else is an error. */
int file_read_regular_fd(int fd, size_t limit, const char *name, char **data, size_t *length,
                         struct error *err);

/* Opens and reads a regular file below dirfd (AT_FDCWD for host paths); never blocks on a FIFO (security rule
 * 11). */
int file_read_at(int dirfd, const char *path, size_t limit, char **data, size_t *length, struct error *err);

/* Where an open file is, as the kernel sees it: realpath() of what was opened, in one call. NULL with errno.
 */
char *file_real_path(int fd);

/* A file of the host's /proc: text, of no size. */
int file_read_proc(const char *path, size_t limit, char **text, struct error *err);

/* /proc/PID/mountinfo writes space, tab, newline and backslash in paths as \ooo. In place. */
void file_unescape_mountinfo(char *path);

/* One write(2) to an existing file, for /proc, /sys and cgroup files. Returns 0, or -1 with errno. */
int file_write_at(int dirfd, const char *path, const void *data, size_t length);
int file_write_string_at(int dirfd, const char *path, const char *text);

/*
 * Writes a file that is not there yet, in a directory where nobody takes it for whole before its lock is free:
 * a rename is saved.
 */
int file_create_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
                   struct error *err);

/* Writes a new file and renames it into place, so that readers see the old or the new content whole. */
int file_replace_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
                    struct error *err);

/* Writes all of data; returns 0 or -1 with errno. */
int file_write_all(int fd, const void *data, size_t length);

/* Removes a directory tree without following links out of it. A missing one is success. 0 or -1 with errno.
 */
int file_remove_tree_at(int dirfd, const char *path);
