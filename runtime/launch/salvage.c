/*
 * `delete --force` of a container whose status.json is lost: its cgroup is where create put it, so it can be
 * planned again. In the runtime; reads /proc, and removes the cgroup with all that is in it.
 */
#include "launch/salvage.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "oci-specs/config.h"
#include "oci-specs/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool shares_our_mounts(pid_t pid)
{
    struct stat ours, theirs;
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 && theirs.st_ino == ours.st_ino;
}

/*
 * Without a configuration the place is only the default one for this id, and that may be someone else's: an
 * id can be "system.slice". Whoever shares our mount namespace was not started by us.
 */
static bool holds_strangers(const struct cgroup_location *location)
{
    auto_free pid_t *pids = NULL;
    struct error ignored = { 0 };
    size_t count;

    if (cgroup_pids(location, &pids, &count, &ignored) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (shares_our_mounts(pids[i]))
            return true;
    return false;
}

static int destroy(const struct container *container, const struct cgroup_location *location, bool certain,
                   struct error *err)
{
    if (!certain && holds_strangers(location)) {
        log_warning("container %s: its cgroup is not known, processes of it may be left", container->id);
        return 0;
    }
    return cgroup_destroy(location, err);
}

int salvage_cgroup(const struct container *container, struct error *err)
{
    struct oci_linux no_linux = { 0 };
    struct oci_config no_config = { .linux = &no_linux };
    struct error ignored = { 0 };
    struct oci_config *config = oci_config_read_at(container->fd, "config.json", &ignored);
    const char *path = config && config->linux ? config->linux->cgroups_path : NULL;
    /* "slice:prefix:name" is how paths for systemd look. */
    enum cgroup_driver driver = path && strchr(path, ':') ? CGROUP_DRIVER_SYSTEMD : CGROUP_DRIVER_CGROUPFS;
    struct cgroup_plan *plan =
        cgroup_plan_make(config ? config : &no_config, container->id, driver, &ignored);
    int result = 0;

    if (plan) {
        struct cgroup_location *location = cgroup_plan_location(plan);

        result = destroy(container, location, config != NULL, err);
        schema_free(&cgroup_location_schema, location);
        cgroup_plan_free(plan);
    }
    oci_config_free(config);
    return result;
}
