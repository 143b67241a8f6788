/*
 * v2: who owns the cgroup (contract item 166). A container whose root is an ordinary user outside, with a
 * cgroup namespace of its own and a writable /sys/fs/cgroup, runs systemd or its own runtime only if that
 * user may write there.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/types.h>

/* Pure. The host's uid for process.user.uid; false when the config does not ask for delegation. */
bool cgroup_owner_find(const struct oci_config *config, uid_t *owner);

/* Gives the directory, and the files that the kernel names as safe to give away. */
int cgroup_owner_set(int directory_fd, uid_t owner, struct error *err);
