/* New device rules: see update_devices.h. Runs in the runtime, for `update`. */
#include "cgroup/update_devices.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/device_rules.h"
#include "cgroup/devices_v1.h"
#include "cgroup/devices_v2.h"
#include "cgroup/location.h"
#include "cgroup/systemd.h"

#include <stdlib.h>

#define LIST_LIMIT (1u << 20)

static char *read_list(int fd)
{
    struct error ignored = { 0 };
    char *list = NULL;

    return file_read_at(fd, "devices.list", LIST_LIMIT, &list, NULL, &ignored) < 0 ? NULL : list;
}

/* What was written before the first failure goes back. */
static void put_back(int fd, const char *before, const struct cgroup_directories *directories)
{
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
    auto_free char *now = read_list(fd);

    if (now)
        devices_v1_difference(now, before, &rows);
    cgroup_rows_write(&rows, directories, &(struct error){ 0 });
}

/* systemd keeps a list of its own, which it writes again on every reload. */
static int tell_systemd(const struct cgroup_location *location, const struct device_rules *rules,
                        struct error *err)
{
    auto_cleanup(cgroup_rows_free) struct cgroup_rows whole = { 0 };

    if (!location->scope)
        return 0;
    return devices_v1_rows(rules, &whole, err) < 0 ? -1 : cgroup_systemd_update(location, &whole, err);
}

static int change_v1(const struct cgroup_location *location, const struct device_rules *rules,
                     const struct cgroup_directories *directories, struct error *err)
{
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
    auto_close int fd = cgroup_location_open_with(location, "devices.list");
    auto_free char *before = fd < 0 ? NULL : read_list(fd);

    if (!before)
        return fail(err, ENOTSUP, "linux.resources.devices: there is no devices controller here");
    if (devices_v1_change(rules, before, &rows, err) < 0 || tell_systemd(location, rules, err) < 0)
        return -1;
    if (cgroup_rows_write(&rows, directories, err) == 0)
        return 0;
    put_back(fd, before, directories);
    return -1;
}

static int change_v2(const struct cgroup_location *location, const struct device_rules *rules,
                     struct error *err)
{
    auto_close int fd = cgroup_location_open(location->created.items[0]);

    if (fd < 0)
        return fail_errno(err, "open the cgroup %s", location->created.items[0]);
    return devices_v2_apply(fd, rules, err);
}

int cgroup_update_devices(const struct cgroup_location *location, const struct oci_resources *resources,
                          const struct cgroup_directories *directories, struct error *err)
{
    auto_cleanup(device_rules_free) struct device_rules rules = { 0 };

    if (device_rules_make(resources, &rules, err) < 0)
        return -1;
    if (directories->count == 1 && !directories->items[0].controllers[0])
        return change_v2(location, &rules, err);
    return change_v1(location, &rules, directories, err);
}
