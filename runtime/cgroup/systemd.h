/* The systemd driver: the cgroup is a transient unit that systemd makes (contract items 204-215). */
#pragma once

#include "cgroup/cgroup.h"
#include "cgroup/hierarchies.h"
#include "cgroup/systemd_properties.h"

struct cgroup_plan;

/* The unit of a plan. */
struct cgroup_unit {
    char *name;
    bool user; /* of the caller's own manager */
    struct unit_properties properties;
};

/*
 * Fills plan->unit and says where the unit's cgroup is going to be: *path, below the root of each hierarchy,
 * owned. The plan must have its rows and device rules.
 */
int cgroup_systemd_plan(struct cgroup_plan *plan, const struct oci_config *config, const char *id,
                        const struct cgroup_hierarchies *hierarchies, char **path, struct error *err);
void cgroup_unit_free(struct cgroup_unit *unit);

/* Pure: where a manager whose cgroup is `manager` ("", or "/…") puts a unit. */
char *cgroup_unit_path(const char *manager, const char *slice, const char *unit);

/* Starts the unit around the process, and checks that it is where the plan has it. */
int cgroup_systemd_start(const struct cgroup_plan *plan, pid_t pid, int pidfd, struct error *err);

/* For a recorded cgroup. Stopping what is not there is success. */
int cgroup_systemd_stop(const struct cgroup_location *location, struct error *err);
int cgroup_systemd_update(const struct cgroup_location *location, const struct cgroup_rows *rows,
                          struct error *err);
