/* Signals to the members of a cgroup that cannot hit any other process. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/* To every process of the tree but ourselves. Those that are forked meanwhile may be missed. */
int cgroup_members_signal(int directory_fd, int signal, struct error *err);

/* To those of `pids`, an earlier list of the tree, that are in it now. The list is sorted on the way. */
int cgroup_members_signal_listed(int directory_fd, pid_t *pids, size_t count, int signal, struct error *err);
