/* The cgroup hierarchies that are mounted here, and our own place in each. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cgroup_hierarchy {
    char *controllers; /* as in /proc/self/cgroup: "cpu,cpuacct", "name=systemd"; "" for v2 */
    char *mount_point;
    char *own; /* our own cgroup below mount_point, with a leading "/"; NULL when it is not below it */
};

struct cgroup_hierarchies {
    struct cgroup_hierarchy *items;
    size_t count;
    bool unified;  /* v2 alone; else v1, with the v2 hierarchy of a hybrid system (if any) last */
    char *listing; /* /proc/self/cgroup; NULL when they were parsed from texts */
};

int cgroup_hierarchies_read(struct cgroup_hierarchies *hierarchies, struct error *err);

/* The same with `own` being the cgroup of another process. */
int cgroup_hierarchies_read_of(pid_t pid, struct cgroup_hierarchies *hierarchies, struct error *err);

void cgroup_hierarchies_free(struct cgroup_hierarchies *hierarchies);

/* The same from the text of /proc/self/mountinfo and /proc/self/cgroup. Pure. */
void cgroup_hierarchies_parse(const char *mountinfo, const char *cgroups,
                              struct cgroup_hierarchies *hierarchies);

bool cgroup_hierarchy_is_v2(const struct cgroup_hierarchy *hierarchy);
bool cgroup_hierarchy_has(const struct cgroup_hierarchy *hierarchy, const char *controller);
