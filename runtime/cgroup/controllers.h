/* v2: a cgroup has the files of a controller only when every cgroup above it hands that controller down. */
#pragma once

#include "base/error.h"
#include "cgroup/directories.h"

#include <stdbool.h>

/*
 * Enables every controller that is there in all cgroups from the mount point to the parent of the directory
 * (item 202). One that cannot be enabled is no error here: writing its files is. `make_room`: limits are
 * wanted, so move processes out of our own cgroup if they are in the way.
 */
void cgroup_controllers_enable(const struct cgroup_directory *directory, bool make_room);
