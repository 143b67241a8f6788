/* Device rules for the devices controller of v1. Pure. */
#pragma once

#include "cgroup/device_rules.h"
#include "cgroup/rows.h"

/*
 * The fewest writes that bring a new cgroup to these rules. It has its parent's, so one where nothing is
 * denied needs none. ENOTSUP for a list that v1 cannot hold.
 */
int devices_v1_rows(const struct device_rules *rules, struct cgroup_rows *rows, struct error *err);
