/*
 * Paths that must not be changed, made or swapped within something writable (M-3 to M-5): which places that
 * are, what keeps the place of a missing one, and which files a pattern names. Used on the host's paths by
 * sandbox-exec and by a container's runtime, and inside the container by its init. Everything below a root
 * is reached by descriptors, without following a link; links are places of their own.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stddef.h>

/* Is `path` the directory `parent` or below it? Whole components; both without "." and "..". */
bool guard_is_within(const char *path, const char *parent);

/* `path`, or below `directory` when it is relative. Owned. */
char *guard_join(const char *directory, const char *path);

/* Without ".", ".." and double slashes, in place. By name: for paths of a container. */
char *guard_tidy(char *path);

/* The same for a path of the host: ".." has to know where a link leads; other links stay what they are.
 * Owned. */
char *guard_resolve(const char *path);

/* ---- follow.c -------------------------------------------------------------------------------------------
 */

enum guard_kind {
    GUARD_PLACE,   /* exists: a file or a directory */
    GUARD_LINK,    /* a symbolic link on the way */
    GUARD_MISSING, /* the first component that is missing; or a placeholder that keeps it already */
    GUARD_PIN,     /* a file where a directory would have to be */
};

struct guard_item {
    char *path;  /* below its root without a link on the way */
    size_t root; /* index of the root it is in */
    enum guard_kind kind;
    bool directory;
    char *content; /* of a link: where it leads; of a ".git" file: its text; else NULL */
};

struct guard_list {
    struct guard_item *items;
    size_t count;
};

/*
 * All the places that decide what `path` is, as far as they are in one of the roots (absolute, real paths;
 * the deepest one counts): those where links lead, and with `vcs` the repository that a ".git" file names.
 */
int guard_follow(const char *const *roots, size_t root_count, const char *path, bool vcs,
                 struct guard_list *list, struct error *err);
void guard_list_free(struct guard_list *list);

/* The directory that a ".git" file names, within the text; cut off at the end of the line. NULL: none. */
char *guard_gitdir(char *text);

/* How much of a ".git" file counts. */
#define GUARD_GITDIR_LIMIT 65536

/* ---- placeholder.c --------------------------------------------------------------------------------------
 */

/*
 * A directory that keeps the place of something missing. Its mode, which nobody else uses, says that it is
 * one; several sandboxes may share it, and the last one removes it. A container's part in it is a file in
 * there, the marker; that of a running command is a lock, which the kernel gives back.
 */
#define PLACEHOLDER_MODE 01755
#define PLACEHOLDER_MARKER ".aril-"

/*
 * Makes it at `path`, which is below `root`, or takes part in the one that is there. With a marker *lock is
 * left alone, without one it is the descriptor to hold. 0; 1: something else is there; -1 with errno.
 */
int placeholder_make(const char *root, const char *path, const char *marker, int *lock);

/* Ends that part. Removes an empty placeholder that nobody else uses, never what somebody has put there. */
void placeholder_release(const char *root, const char *path, const char *marker, int lock);

/* ---- pattern.c ------------------------------------------------------------------------------------------
 */

#define GUARD_PATTERN_LIMIT 10000

bool guard_is_pattern(const char *path);

/* A pattern below a directory, which is meant as it is. Owned. */
char *guard_join_pattern(const char *directory, const char *pattern);

/*
 * The files that an absolute pattern names, seen from inside `root`, at most `limit`; *more: there are
 * others.
 * * ? [] {} as for glob(3), hidden files as well, and ** for any number of directories. A file that has the
 * pattern for its name matches it. Too many files to look at are an error.
 */
int guard_match(int root, const char *pattern, size_t limit, struct strings *found, bool *more,
                struct error *err);

/* What has to be said about a pattern: that there were `more` files, or that `later` ones are not covered. */
void guard_warn(const char *pattern, bool more, bool later);
