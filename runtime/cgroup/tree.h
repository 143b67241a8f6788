/* Walks a cgroup and all below it, however deep: a container that may write its cgroups can nest them by the
 * thousand. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Return -1 with errno to end the walk. */
struct cgroup_visitor {
    int (*enter)(int directory_fd, void *context);                /* before its children; also for the top */
    int (*leave)(int parent_fd, const char *name, void *context); /* after its children; not for the top */
    void *context;
};

/* One open descriptor at a time, no recursion. Returns 0 or -1 with errno. */
int cgroup_tree_walk(int top_fd, const struct cgroup_visitor *visitor);

/* Every process in the tree, as pids of our namespace; those outside it (0) are left out. Owned array. */
int cgroup_tree_pids(int top_fd, pid_t **pids, size_t *count);

/* Removes all below, not the top itself. -1 with EBUSY while there are processes. */
int cgroup_tree_remove_children(int top_fd);
