/* The freezer with a patience of its own, for kill.c. */
#pragma once

#include "cgroup/cgroup.h"

/* cgroup_freeze(), giving up after `patience_limit` milliseconds; a cgroup that does not freeze is thawed
 * again. */
int cgroup_freezer_set(const struct cgroup_location *location, bool frozen, unsigned patience_limit,
                       struct error *err);
