/* The directories of one cgroup, one in each hierarchy, and writing rows into them. */
#pragma once

#include "base/error.h"
#include "cgroup/rows.h"

#include <stdbool.h>
#include <stddef.h>

struct cgroup_directory {
    char *controllers; /* of its hierarchy; "" for v2 */
    char *mount_point;
    char *path;  /* absolute */
    int fd;      /* -1 until a row needs it */
    bool absent; /* could not be made, and need not be (item 171) */
};

struct cgroup_directories {
    struct cgroup_directory *items;
    size_t count;
};

/* Adds `path` below `mount_point` (leading "/"). */
void cgroup_directories_add(struct cgroup_directories *directories, const char *controllers,
                            const char *mount_point, const char *path);
void cgroup_directories_free(struct cgroup_directories *directories);

/* Writes the rows in order, and those that had to wait for others once more at the end. */
int cgroup_rows_write(const struct cgroup_rows *rows, const struct cgroup_directories *directories,
                      struct error *err);

/* The directory that a row is for, or NULL. */
struct cgroup_directory *cgroup_directory_of(const struct cgroup_directories *directories,
                                             const struct cgroup_row *row);
