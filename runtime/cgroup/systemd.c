/* The systemd driver: see systemd.h. To be filled in; the rest of this folder only works on the directories
 * of a plan. */
#include "cgroup/systemd.h"

int cgroup_systemd_plan(struct cgroup_plan *plan, struct error *err)
{
    (void)plan;
    return fail(err, ENOTSUP,
                "the systemd cgroup driver is not built in yet (use --cgroup-manager=cgroupfs)");
}
