/* The cgroup mounts of /proc/self/mountinfo. Pure. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct cgroup_mount {
    char *root; /* the cgroup that is mounted */
    char *point;
    char *options; /* of the hierarchy: "rw,cpu,cpuacct" */
    bool v2, writable;
};

struct cgroup_mounts {
    struct cgroup_mount *items;
    size_t count;
};

/* Only mounts that can be reached: none that another one covers. */
void cgroup_mounts_parse(const char *mountinfo, struct cgroup_mounts *mounts);
void cgroup_mounts_free(struct cgroup_mounts *mounts);

/* Is `word` one of the comma-separated words of `list`? */
bool cgroup_list_has(const char *list, const char *word, size_t length);
