/* Device rules for the devices controller of v1. Pure. */
#pragma once

#include "cgroup/device_rules.h"
#include "cgroup/rows.h"

/*
 * The fewest writes that bring a new cgroup to these rules. It has its parent's, so one where nothing is
 * denied needs none. ENOTSUP for a list that v1 cannot hold.
 */
int devices_v1_rows(const struct device_rules *rules, struct cgroup_rows *rows, struct error *err);

/*
 * The writes that bring a cgroup whose devices.list has the text `list` to these rules: first what is added,
 * then what is gone, so that nothing that stays is missing for a moment. ENOTSUP when it or they allow what
 * they do not name: the kernel does not list what is denied then.
 */
int devices_v1_change(const struct device_rules *rules, const char *list, struct cgroup_rows *rows,
                      struct error *err);

/* Those from one such list to another. */
void devices_v1_difference(const char *from, const char *to, struct cgroup_rows *rows);
