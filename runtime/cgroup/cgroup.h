/*
 * Control groups: where a container's cgroup is, its limits, and the operations on it. v1 (named and combined
 * hierarchies), hybrid and v2. The files of this folder:
 *
 * - config to plan, pure: plan, describe, path, owner; resources, resources_v1, resources_v2, convert, rows;
 *   device_rules, devices_v1; systemd_name, systemd_properties, systemd_value
 * - what is mounted: hierarchies, mountinfo
 * - plan to cgroup: apply; make, controllers, directories (writes rows), devices_v2 (BPF), attach
 * - the systemd driver: systemd; systemd_bus, systemd_message; systemd_companion, systemd_words
 * - later commands, from the record: location, tree, wait; members, kill, freezer, destroy; update,
 *   update_devices, in_force; stats, stats_format; branch (exec)
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/types.h>

struct cgroup_plan; /* path, driver, rows of limits, device rules */

/* The rows without touching the system. `id` gives the default path "/ID"; ENOTSUP and the JSON path for what
 * cannot be done. */
struct cgroup_plan *cgroup_plan_make(const struct oci_config *config, const char *id,
                                     enum cgroup_driver driver, struct error *err);
void cgroup_plan_free(struct cgroup_plan *plan);

/* As JSON-ready rows for `aril plan`: "controller", "file", "value". */
void cgroup_plan_describe(const struct cgroup_plan *plan, struct buffer *out);

/* The runtime's /proc/self/cgroup, where the hierarchies were found in it; else NULL. */
const char *cgroup_plan_listing(const struct cgroup_plan *plan);

/* Where it will be: to be stored in container_status.cgroup BEFORE cgroup_create(). Owned. */
struct cgroup_location *cgroup_plan_location(const struct cgroup_plan *plan);
/* After cgroup_create(): what could not be made, and need not be (item 171), is no place of the container. */
void cgroup_plan_drop_absent(const struct cgroup_plan *plan, struct cgroup_location *location);

/*
 * Makes the cgroup in every hierarchy that the plan needs and writes the limits. On failure what was made is
 * removed again. *into is a directory fd for CLONE_INTO_CGROUP on pure v2, else -1 (then call cgroup_attach).
 */
int cgroup_create(const struct cgroup_plan *plan, int *into, struct error *err);

/*
 * The systemd driver makes the cgroup around a process that is there already: then cgroup_create() does
 * nothing, and this makes the cgroup, with all limits, and brings the process in. It must not run anything
 * before. On failure nothing is left of it. `plan` may be NULL.
 */
bool cgroup_needs_process(const struct cgroup_plan *plan);
int cgroup_create_around(const struct cgroup_plan *plan, const struct cgroup_location *location, pid_t pid,
                         int pidfd, struct error *err);

/*
 * Joins every hierarchy. pid 0: the calling process, which must have one thread, moves itself; on v1 that is
 * some fifty times faster than moving another (attach.c says why), so let the cloned child do it, before it
 * unshares or joins any namespace.
 */
int cgroup_attach(const struct cgroup_location *location, pid_t pid, struct error *err);

/* For exec: a directory fd for CLONE_INTO_CGROUP, or -1 where that does not exist (v1). */
int cgroup_open_for_clone(const struct cgroup_location *location);

/*
 * v2 answers EBUSY to that, and to cgroup_attach(), when the container has cgroups of its own that it hands
 * controllers down to: then a directory fd of the cgroup that its init is in now. -1 with errno.
 */
int cgroup_open_of(pid_t pid);

/* For exec --cgroup: the cgroup `below` the container's, which the container made. Owned. NULL for a path
 * that would leave it. */
struct cgroup_location *cgroup_location_below(const struct cgroup_location *location, const char *below,
                                              struct error *err);

/*
 * For exec with a limit of time: a new cgroup below the container's in one hierarchy, so that all that comes
 * from the process can be killed. -1 with errno where none can be made; then nothing is to be ended.
 */
struct cgroup_branch {
    struct cgroup_location *joined; /* the container's, with the branch in place of one directory */
    struct cgroup_location *own;    /* that directory alone */
};
int cgroup_branch_make(const struct cgroup_location *location, struct cgroup_branch *branch);
/* Kills what is in it, or hands it back to the container's; removes it, and releases `branch`. */
void cgroup_branch_end(struct cgroup_branch *branch, bool kill);

/* Undoes everything: kills what is inside (cgroup.kill, or freeze and signal), removes the directories.
 * Missing is success. */
int cgroup_destroy(const struct cgroup_location *location, struct error *err);

/* Is any of its directories there? */
bool cgroup_exists(const struct cgroup_location *location);

int cgroup_kill(const struct cgroup_location *location, int signal, struct error *err);
int cgroup_pids(const struct cgroup_location *location, pid_t **pids, size_t *count, struct error *err);

/* Freezer. Waits until the state is reached. ENOTSUP when there is no freezer here. */
int cgroup_freeze(const struct cgroup_location *location, bool frozen, struct error *err);
bool cgroup_is_frozen(const struct cgroup_location *location);

/* `update`: the same rows, and device rules if there are any, on a cgroup that exists. On failure it is as
 * before. */
int cgroup_update(const struct cgroup_location *location, const struct oci_resources *resources,
                  struct error *err);
