/* Making and removing the directories of a cgroup. */
#pragma once

#include "base/error.h"
#include "cgroup/directories.h"

/* The directories that a create made so far, for undo. */
struct cgroup_made {
    char **paths;
    size_t count;
};

/*
 * Makes directory->path and what is missing above it, and appends what it made. A cgroup that was there must
 * be empty and not frozen. -1 with errno in err->code.
 */
int cgroup_make(const struct cgroup_directory *directory, struct cgroup_made *made, struct error *err);

/* Removes what was made, the last first; best effort. */
void cgroup_unmake(const struct cgroup_made *made);
void cgroup_made_free(struct cgroup_made *made);
