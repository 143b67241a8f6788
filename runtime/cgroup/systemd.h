/* The systemd driver: the cgroup is a transient unit that systemd makes (contract items 204-215). */
#pragma once

#include "base/error.h"

struct cgroup_plan;

/* Fills the plan for a unit. For now: an error. */
int cgroup_systemd_plan(struct cgroup_plan *plan, struct error *err);
