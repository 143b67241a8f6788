/* New device rules for a cgroup that exists. */
#pragma once

#include "cgroup/cgroup.h"
#include "cgroup/directories.h"

/*
 * Brings it to the rules of `resources`; on failure it has those from before. On v2 they change in one step.
 * On v1 nothing that both lists allow is denied for a moment.
 */
int cgroup_update_devices(const struct cgroup_location *location, const struct oci_resources *resources,
                          const struct cgroup_directories *directories, struct error *err);
