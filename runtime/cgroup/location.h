/* Finding the directories of a recorded cgroup again, and what is below them. For all commands after create.
 */
#pragma once

#include "cgroup/cgroup.h"

/*
 * Opens a directory of the record (O_RDONLY). -1 with errno: ENOENT when it is gone, EINVAL when it is not in
 * a cgroup file system, which a damaged record could claim.
 */
int cgroup_location_open(const char *path);

/* Opens the first directory that has this file ("freezer.state"): which hierarchy is which shows in the
 * files. -1 with errno. */
int cgroup_location_open_with(const struct cgroup_location *location, const char *file);

/* Reads a short file of a cgroup, without its newline. Owned; NULL with errno. */
char *cgroup_file_read(int directory_fd, const char *file);
