/*
 * The systemd driver: see systemd.h. Runs in the runtime. systemd makes a scope around init and keeps the
 * limits that it knows; the files of the cgroup are then written as with the other driver (apply.c), because
 * systemd does not cover all of them (item 210).
 */
#include "cgroup/systemd.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/privilege.h"
#include "cgroup/plan.h"
#include "cgroup/systemd_bus.h"
#include "cgroup/systemd_name.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INIT_SCOPE "/init.scope"

/* ---- where the manager is ---------------------------------------------------------------------------- */

/* The hierarchy that systemd keeps its units in. */
static const struct cgroup_hierarchy *systemd_hierarchy(const struct cgroup_hierarchies *hierarchies)
{
    for (size_t i = 0; i < hierarchies->count; i++)
        if (cgroup_hierarchy_has(&hierarchies->items[i], "name=systemd"))
            return &hierarchies->items[i];
    return hierarchies->unified ? &hierarchies->items[0] : NULL;
}

/* The system's manager is process 1 in its init.scope, which in a container may be below another cgroup. */
static char *system_manager(void)
{
    auto_cleanup(cgroup_hierarchies_free) struct cgroup_hierarchies hierarchies = { 0 };
    struct error ignored = { 0 };
    const struct cgroup_hierarchy *hierarchy;
    const char *own;
    size_t length;

    if (cgroup_hierarchies_read_of(1, &hierarchies, &ignored) < 0)
        return memory_string("");
    hierarchy = systemd_hierarchy(&hierarchies);
    own = hierarchy && hierarchy->own ? hierarchy->own : "";
    length = strlen(own);
    if (length < strlen(INIT_SCOPE) || strcmp(own + length - strlen(INIT_SCOPE), INIT_SCOPE) != 0)
        return memory_string("");
    return memory_string_n(own, length - strlen(INIT_SCOPE));
}

/* The user's manager is user@UID.service: the one that we are in ourselves, or where logind puts it. */
static char *user_manager(const struct cgroup_hierarchies *hierarchies, uid_t uid)
{
    auto_free char *service = memory_format("/user@%u.service", (unsigned)uid);
    const struct cgroup_hierarchy *hierarchy = systemd_hierarchy(hierarchies);
    const char *found = hierarchy && hierarchy->own ? strstr(hierarchy->own, service) : NULL;
    const char *end = found ? found + strlen(service) : NULL;

    if (end && (*end == '/' || !*end))
        return memory_string_n(hierarchy->own, (size_t)(end - hierarchy->own));
    return memory_format("/user.slice/user-%u.slice%s", (unsigned)uid, service);
}

/* What a uid of our user namespace is in the one around it. */
static uid_t outer_uid(uid_t uid)
{
    auto_free char *map = NULL;
    struct error ignored = { 0 };
    unsigned inside, outside, size;
    int length;

    if (file_read_at(AT_FDCWD, "/proc/self/uid_map", 1 << 16, &map, NULL, &ignored) < 0)
        return uid;
    for (const char *line = map; sscanf(line, "%u %u %u%n", &inside, &outside, &size, &length) == 3;
         line += length)
        if (uid >= inside && uid - inside < size)
            return outside + (uid - inside);
    return uid;
}

/*
 * In a user namespace we may be called root; the manager is that of the user who made it. The directory of
 * the session has the uid that the host knows, also from a namespace in a namespace; the map only the one
 * outside.
 */
static uid_t session_user(void)
{
    const char *directory = getenv("XDG_RUNTIME_DIR");
    unsigned long uid;
    char *end;

    if (directory && strncmp(directory, "/run/user/", 10) == 0) {
        uid = strtoul(directory + 10, &end, 10);
        if (end != directory + 10 && (!*end || *end == '/') && uid < (uid_t)-1)
            return (uid_t)uid;
    }
    return outer_uid(geteuid());
}

char *cgroup_unit_path(const char *manager, const char *slice, const char *unit)
{
    auto_free char *slices = unit_slice_path(slice);

    return memory_format("%s%s/%s", manager, slices ? slices : "", unit);
}

/* ---- planning ---------------------------------------------------------------------------------------- */

void cgroup_unit_free(struct cgroup_unit *unit)
{
    free(unit->name);
    unit_properties_free(&unit->properties);
}

/* v1 has one list of device rules: ours, which is written after systemd's. On v2 the programs of both hold.
 */
static int refuse_device_policy(const struct string_map *annotations, struct error *err)
{
    static const char *const names[] = { "org.systemd.property.DevicePolicy",
                                         "org.systemd.property.DeviceAllow" };

    for (size_t i = 0; i < array_length(names); i++)
        if (string_map_get(annotations, names[i]))
            return fail(err, ENOTSUP,
                        "annotations.%s: on cgroup v1 only the rules of linux.resources.devices hold",
                        names[i]);
    return 0;
}

static int plan_properties(struct cgroup_plan *plan, const struct oci_config *config, const char *id,
                           const char *slice, struct error *err)
{
    struct unit_properties *properties = &plan->unit.properties;

    unit_properties_base(id, slice, plan->unified, properties);
    unit_properties_limits(&plan->rows, properties);
    if (unit_properties_devices(&plan->rows, properties, err) < 0)
        return -1;
    if (!plan->unified && refuse_device_policy(&config->annotations, err) < 0)
        return -1;
    return unit_properties_annotations(&config->annotations, properties, err);
}

int cgroup_systemd_plan(struct cgroup_plan *plan, const struct oci_config *config, const char *id,
                        const struct cgroup_hierarchies *hierarchies, char **path, struct error *err)
{
    auto_cleanup(unit_name_free) struct unit_name name = { 0 };
    auto_free char *manager = NULL;

    plan->unit.user = !privilege_of_host();
    if (unit_name_parse(config->linux ? config->linux->cgroups_path : NULL, id, plan->unit.user, &name, err) <
        0)
        return -1;
    if (plan_properties(plan, config, id, name.slice, err) < 0)
        return -1;
    manager = plan->unit.user ? user_manager(hierarchies, session_user()) : system_manager();
    *path = cgroup_unit_path(manager, name.slice, name.unit);
    plan->unit.name = take_ptr(name.unit);
    return 0;
}

/* ---- doing ------------------------------------------------------------------------------------------- */

static int check_place(const struct cgroup_plan *plan, pid_t pid, struct error *err)
{
    auto_cleanup(cgroup_hierarchies_free) struct cgroup_hierarchies hierarchies = { 0 };
    const struct cgroup_hierarchy *hierarchy;

    if (cgroup_hierarchies_read_of(pid, &hierarchies, err) < 0)
        return -1;
    hierarchy = systemd_hierarchy(&hierarchies);
    if (hierarchy && hierarchy->own && strcmp(hierarchy->own, plan->path) == 0)
        return 0;
    return fail(err, EXDEV, "systemd put unit %s into %s, not into %s", plan->unit.name,
                hierarchy && hierarchy->own ? hierarchy->own : "a cgroup that cannot be seen", plan->path);
}

int cgroup_systemd_start(const struct cgroup_plan *plan, pid_t pid, int pidfd, struct error *err)
{
    struct systemd_bus *bus = systemd_bus_open(plan->unit.user, err);
    int result;

    if (!bus)
        return fail_in(err, "start unit %s", plan->unit.name);
    result = systemd_bus_start(bus, plan->unit.name, &plan->unit.properties, pid, pidfd, err);
    if (result < 0) {
        fail_in(err, "start unit");
    } else if (check_place(plan, pid, err) < 0) {
        systemd_bus_stop(bus, plan->unit.name, &(struct error){ 0 });
        result = -1;
    }
    systemd_bus_close(bus);
    return result;
}

int cgroup_systemd_stop(const struct cgroup_location *location, struct error *err)
{
    struct systemd_bus *bus = systemd_bus_open(!privilege_of_host(), err);
    int result;

    if (!bus)
        return fail_in(err, "stop unit %s", location->scope);
    result = systemd_bus_stop(bus, location->scope, err);
    systemd_bus_close(bus);
    return result < 0 ? fail_in(err, "stop unit") : 0;
}

int cgroup_systemd_update(const struct cgroup_location *location, const struct cgroup_rows *rows,
                          struct error *err)
{
    auto_cleanup(unit_properties_free) struct unit_properties properties = { 0 };
    struct systemd_bus *bus;
    int result;

    unit_properties_limits(rows, &properties);
    if (unit_properties_devices(rows, &properties, err) < 0)
        return -1;
    if (properties.count == 0)
        return 0;
    bus = systemd_bus_open(!privilege_of_host(), err);
    if (!bus)
        return fail_in(err, "change unit %s", location->scope);
    result = systemd_bus_set(bus, location->scope, &properties, err);
    systemd_bus_close(bus);
    return result < 0 ? fail_in(err, "change unit") : 0;
}
