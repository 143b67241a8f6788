/* What a plan holds, for the files of this folder. */
#pragma once

#include "cgroup/cgroup.h"
#include "cgroup/device_rules.h"
#include "cgroup/directories.h"
#include "cgroup/hierarchies.h"
#include "cgroup/rows.h"
#include "cgroup/systemd.h"

struct cgroup_plan {
    enum cgroup_driver driver;
    char *path;    /* below the root of the first hierarchy */
    char *listing; /* /proc/self/cgroup of the runtime, or NULL */
    struct cgroup_directories directories;
    struct cgroup_rows rows; /* on v1 with those for devices */
    struct device_rules devices;
    struct cgroup_unit unit; /* with the systemd driver */
    bool owned;              /* v2: the cgroup is given to `owner`, a uid of the host */
    uid_t owner;
    bool unified;   /* v2 alone: devices go into a BPF program, processes are cloned into their place */
    bool requested; /* the config asks for a limit: without permission it cannot run (item 171) */
};

/* cgroup_plan_make() on given hierarchies. Pure. */
struct cgroup_plan *cgroup_plan_make_on(const struct oci_config *config, const char *id,
                                        enum cgroup_driver driver,
                                        const struct cgroup_hierarchies *hierarchies, struct error *err);

/*
 * Appends the rows for `resources`. Where v1 lacks the controller of a part, or it is `unified`, the v2
 * hierarchy of a hybrid system gets it: rows for v2 have `v2` set.
 */
int cgroup_plan_rows(const struct oci_resources *resources, const struct cgroup_hierarchies *hierarchies,
                     struct cgroup_rows *rows, struct error *err);
