/* What later commands do to a container that exists: signal, freeze, list processes, delete. */
#pragma once

#include "container/store.h"

#include <sys/types.h>

/*
 * The state now, from what cannot lie: no pid yet (the lock says whether its creator lives: creating, or
 * stopped), pid and start time (stopped), start.sock (created), the freezer (paused; asked last), else
 * running.
 */
enum container_state container_state(const struct container *container);

bool container_is_frozen(const struct container *container);

/*
 * Sends a signal to init through its pidfd, or to every process of the cgroup with `all`. Not running: ESRCH
 * with the text "container not running: no such process" (contract E2); with `all` a stopped container is
 * success (X3).
 */
int container_kill(struct container *container, int signal, bool all, struct error *err);

int container_pause(struct container *container, struct error *err);
int container_resume(struct container *container, struct error *err);

/* Every process of the container, as pids of the caller's namespace; owned array. */
int container_processes(struct container *container, pid_t **pids, size_t *count, struct error *err);

/*
 * Undoes create, in this order: init and all others killed and gone, cgroup removed, intelRdt group, poststop
 * hooks, state directory. Without `force`: created and stopped only (contract items 29, E7). Works from a
 * half-written or corrupt record.
 */
int container_delete(struct container *container, bool force, struct error *err);
