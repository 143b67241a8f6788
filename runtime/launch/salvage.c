/*
 * `delete --force` of a container whose status.json is lost: its cgroup is where create put it, so it can be
 * planned again, for each driver that may have been used. In the runtime; reads /proc, and removes the cgroup
 * with all that is in it.
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
 * Without a path in a configuration the place is only the default one for this id, and that may be someone
 * else's: an id can be "system.slice". Whoever shares our mount namespace was not started by us.
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
    if (certain)
        return cgroup_destroy(location, err);
    if (!cgroup_exists(location))
        return 0;
    if (holds_strangers(location)) {
        log_warning("container %s: its cgroup is not known, processes of it may be left", container->id);
        return 0;
    }
    return cgroup_destroy(location, err);
}

/* Where create with this driver would have put it. A plan that cannot be made was not made then either. */
static int destroy_planned(const struct container *container, const struct oci_config *config,
                           enum cgroup_driver driver, bool certain, struct error *err)
{
    struct error ignored = { 0 };
    struct cgroup_plan *plan = cgroup_plan_make(config, container->id, driver, &ignored);
    struct cgroup_location *location = plan ? cgroup_plan_location(plan) : NULL;
    int result = location ? destroy(container, location, certain, err) : 0;

    if (location)
        schema_free(&cgroup_location_schema, location);
    cgroup_plan_free(plan);
    return result;
}

/* Without a path there is the default one of either driver. */
static int destroy_either(const struct container *container, const struct oci_config *config,
                          struct error *err)
{
    if (destroy_planned(container, config, CGROUP_DRIVER_CGROUPFS, false, err) < 0)
        return -1;
    return destroy_planned(container, config, CGROUP_DRIVER_SYSTEMD, false, err);
}

int salvage_cgroup(const struct container *container, struct error *err)
{
    struct oci_linux no_linux = { 0 };
    struct oci_config no_config = { .linux = &no_linux };
    struct error ignored = { 0 };
    struct oci_config *config = oci_config_read_at(container->fd, "config.json", &ignored);
    const char *path = config && config->linux ? config->linux->cgroups_path : NULL;
    int result;

    if (!path || !*path)
        result = destroy_either(container, config ? config : &no_config, err);
    else /* "slice:prefix:name" is how paths for systemd look */
        result = destroy_planned(
            container, config, strchr(path, ':') ? CGROUP_DRIVER_SYSTEMD : CGROUP_DRIVER_CGROUPFS, true, err);
    oci_config_free(config);
    return result;
}
