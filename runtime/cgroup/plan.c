/*
 * Plans a container's cgroup: see cgroup.h. Runs in the runtime. Pure but for finding the hierarchies, which
 * decides between the files of v1 and of v2; plans on given hierarchies are what the unit tests check.
 */
#include "cgroup/plan.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/devices_v1.h"
#include "cgroup/owner.h"
#include "cgroup/path.h"
#include "cgroup/resources.h"

#include <stdlib.h>
#include <string.h>

static const struct oci_resources *config_resources(const struct oci_config *config)
{
    return config->linux ? config->linux->resources : NULL;
}

static bool has_controller(const struct cgroup_hierarchies *hierarchies, const char *controller)
{
    for (size_t i = 0; i < hierarchies->count; i++)
        if (cgroup_hierarchy_has(&hierarchies->items[i], controller))
            return true;
    return false;
}

static bool has_v2(const struct cgroup_hierarchies *hierarchies)
{
    return hierarchies->count > 0 && cgroup_hierarchy_is_v2(&hierarchies->items[hierarchies->count - 1]);
}

/* linux.resources.cpu is about two controllers. */
struct cpu_parts {
    struct oci_cpu v1, v2;
};

static void split_cpu(const struct cgroup_hierarchies *hierarchies, struct oci_resources *v1,
                      struct oci_resources *v2, struct cpu_parts *parts)
{
    const struct oci_cpu *whole = v1->cpu;

    if (!whole)
        return;
    *parts = (struct cpu_parts){ 0 };
    *(has_controller(hierarchies, "cpu") ? &parts->v1 : &parts->v2) = *whole;
    parts->v1.cpus = parts->v1.mems = parts->v2.cpus = parts->v2.mems = NULL;
    if (has_controller(hierarchies, "cpuset")) {
        parts->v1.cpus = whole->cpus;
        parts->v1.mems = whole->mems;
    } else {
        parts->v2.cpus = whole->cpus;
        parts->v2.mems = whole->mems;
    }
    v1->cpu = &parts->v1;
    v2->cpu = &parts->v2;
}

/* Moves to `v2` the parts that only the v2 hierarchy of a hybrid system can hold. */
static void split(const struct cgroup_hierarchies *hierarchies, struct oci_resources *v1,
                  struct oci_resources *v2, struct cpu_parts *parts)
{
#define MOVE(controller, member)                                                                             \
    if (!has_controller(hierarchies, controller)) {                                                          \
        v2->member = v1->member;                                                                             \
        memset(&v1->member, 0, sizeof v1->member);                                                           \
    }
    MOVE("memory", memory)
    MOVE("pids", pids)
    MOVE("blkio", block_io)
    MOVE("hugetlb", hugepage_limits)
    MOVE("hugetlb", hugepage_limits_count)
    MOVE("rdma", rdma)
    MOVE("rdma", rdma_count)
    MOVE("", unified)
#undef MOVE
    split_cpu(hierarchies, v1, v2, parts);
}

int cgroup_plan_rows(const struct oci_resources *resources, const struct cgroup_hierarchies *hierarchies,
                     struct cgroup_rows *rows, struct error *err)
{
    struct oci_resources v1 = *resources, v2 = { 0 };
    struct cpu_parts parts;
    size_t start;

    if (hierarchies->unified)
        v2 = *resources;
    else if (has_v2(hierarchies))
        split(hierarchies, &v1, &v2, &parts);
    if (!hierarchies->unified && cgroup_resources_v1(&v1, rows, err) < 0)
        return -1;
    start = rows->count;
    if (cgroup_resources_v2(&v2, rows, err) < 0)
        return -1;
    for (size_t i = start; i < rows->count; i++)
        rows->items[i].v2 = true;
    return 0;
}

static bool has_v2_rows(const struct cgroup_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].v2)
            return true;
    return false;
}

/*
 * Where the path is in one hierarchy (item 162). A relative one is below our own cgroup, as runc has it; on
 * v2 beside it, because a cgroup with processes, like ours, cannot hand controllers down.
 */
static int place(const struct cgroup_hierarchy *hierarchy, const char *path, bool relative, char **placed,
                 struct error *err)
{
    const char *own = hierarchy->own;
    auto_free char *above = NULL;
    size_t length;

    *placed = NULL;
    if (relative && !own)
        return fail(err, EINVAL, "linux.cgroupsPath: '%s' is relative, and our own cgroup is not below %s",
                    path + 1, hierarchy->mount_point);
    length = relative ? strlen(own) : 0;
    if (length > 0 && cgroup_hierarchy_is_v2(hierarchy))
        length = (size_t)(strrchr(own, '/') - own);
    if (length == 1)
        length = 0; /* "/" */
    above = memory_string_n(relative ? own : "", length);
    *placed = memory_join(above, path, "");
    return 0;
}

static int add_directory(struct cgroup_plan *plan, const struct cgroup_hierarchy *hierarchy, const char *path,
                         bool relative, struct error *err)
{
    auto_free char *placed = NULL;

    if (place(hierarchy, path, relative, &placed, err) < 0)
        return -1;
    cgroup_directories_add(&plan->directories, hierarchy->controllers, hierarchy->mount_point, placed);
    if (!plan->path)
        plan->path = take_ptr(placed);
    return 0;
}

/*
 * Every v1 hierarchy is joined, wanted or not: engines read statistics from the cgroups in /proc/PID/cgroup
 * and would get the parent's. The freezer comes first because it is what `state` asks. v2 beside v1 only when
 * rows need it, or it has the memory controller (newer kernels lack v1's): for statistics and `update`.
 */
static int add_directories(struct cgroup_plan *plan, const struct cgroup_hierarchies *hierarchies,
                           const char *path, bool relative, struct error *err)
{
    bool with_v2 = hierarchies->unified || has_v2_rows(&plan->rows) || !has_controller(hierarchies, "memory");

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < hierarchies->count; i++) {
            const struct cgroup_hierarchy *hierarchy = &hierarchies->items[i];

            if (cgroup_hierarchy_has(hierarchy, "freezer") != (pass == 0))
                continue;
            if (cgroup_hierarchy_is_v2(hierarchy) && !with_v2)
                continue;
            if (add_directory(plan, hierarchy, path, relative, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int plan_limits(struct cgroup_plan *plan, const struct oci_resources *resources,
                       const struct cgroup_hierarchies *hierarchies, struct error *err)
{
    if (resources && cgroup_plan_rows(resources, hierarchies, &plan->rows, err) < 0)
        return -1;
    plan->requested = plan->rows.count > 0;
    if (device_rules_make(resources, &plan->devices, err) < 0)
        return -1;
    if (hierarchies->unified) /* apply.c makes a program of them */
        return 0;
    /* Without the controller too: the rows for it fail then, where they are needed. */
    return devices_v1_rows(&plan->devices, &plan->rows, err);
}

static int plan_place(struct cgroup_plan *plan, const struct oci_config *config, const char *id,
                      const struct cgroup_hierarchies *hierarchies, struct error *err)
{
    const char *wanted = config->linux ? config->linux->cgroups_path : NULL;
    auto_free char *fallback = memory_format("/%s", id), *path = NULL;
    bool relative = false;

    if (plan->driver == CGROUP_DRIVER_SYSTEMD) {
        if (cgroup_systemd_plan(plan, config, id, hierarchies, &path, err) < 0)
            return -1;
        return add_directories(plan, hierarchies, path, false, err);
    }
    path = cgroup_path_clean(wanted && *wanted ? wanted : fallback, &relative, err);
    if (!path)
        return -1;
    return add_directories(plan, hierarchies, path, relative, err);
}

/* Without cgroups a limit cannot be kept, and quietly running without it is not what the config says. */
static int plan_disabled(const struct oci_resources *resources, struct error *err)
{
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
    struct oci_resources all_but_unified = resources ? *resources : (struct oci_resources){ 0 };
    const char *property = all_but_unified.unified.count > 0 ? "linux.resources.unified" : NULL;

    all_but_unified.unified.count = 0;
    if (cgroup_resources_v1(&all_but_unified, &rows, err) < 0) /* v1 has a file for each */
        return -1;
    if (rows.count > 0)
        property = rows.items[0].property;
    return property ? fail(err, ENOTSUP, "%s: cgroups are disabled (--cgroup-manager=disabled)", property)
                    : 0;
}

static int make(struct cgroup_plan *plan, const struct oci_config *config, const char *id,
                const struct cgroup_hierarchies *hierarchies, struct error *err)
{
    const struct oci_resources *resources = config_resources(config);

    if (plan->driver == CGROUP_DRIVER_DISABLED)
        return plan_disabled(resources, err);
    plan->unified = hierarchies->unified;
    plan->owned = plan->unified && cgroup_owner_find(config, &plan->owner);
    if (plan_limits(plan, resources, hierarchies, err) < 0)
        return -1;
    return plan_place(plan, config, id, hierarchies, err);
}

struct cgroup_plan *cgroup_plan_make_on(const struct oci_config *config, const char *id,
                                        enum cgroup_driver driver,
                                        const struct cgroup_hierarchies *hierarchies, struct error *err)
{
    struct cgroup_plan *plan = memory_new(sizeof *plan);

    plan->driver = driver == cgroup_driver_unset ? CGROUP_DRIVER_CGROUPFS : driver;
    if (make(plan, config, id, hierarchies, err) == 0)
        return plan;
    cgroup_plan_free(plan);
    return NULL;
}

struct cgroup_plan *cgroup_plan_make(const struct oci_config *config, const char *id,
                                     enum cgroup_driver driver, struct error *err)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    struct cgroup_plan *plan = NULL;

    if (driver == CGROUP_DRIVER_DISABLED || cgroup_hierarchies_read(&hierarchies, err) == 0)
        plan = cgroup_plan_make_on(config, id, driver, &hierarchies, err);
    if (plan)
        plan->listing = take_ptr(hierarchies.listing);
    cgroup_hierarchies_free(&hierarchies);
    return plan;
}

const char *cgroup_plan_listing(const struct cgroup_plan *plan)
{
    return plan->listing;
}

void cgroup_plan_free(struct cgroup_plan *plan)
{
    if (!plan)
        return;
    cgroup_directories_free(&plan->directories);
    cgroup_rows_free(&plan->rows);
    device_rules_free(&plan->devices);
    cgroup_unit_free(&plan->unit);
    free(plan->path);
    free(plan->listing);
    free(plan);
}

struct cgroup_location *cgroup_plan_location(const struct cgroup_plan *plan)
{
    struct cgroup_location *location = memory_new(sizeof *location);
    size_t count = plan->directories.count;

    location->driver = plan->driver;
    location->path = memory_string(plan->path);
    location->scope = memory_string(plan->unit.name);
    location->created.items = memory_new_array(count + 1, sizeof *location->created.items);
    location->created.count = count;
    location->has_created = true;
    for (size_t i = 0; i < count; i++)
        location->created.items[i] = memory_string(plan->directories.items[i].path);
    return location;
}

void cgroup_plan_drop_absent(const struct cgroup_plan *plan, struct cgroup_location *location)
{
    struct strings *created = &location->created;
    size_t kept = 0;

    for (size_t i = 0; i < created->count && i < plan->directories.count; i++) {
        if (plan->directories.items[i].absent)
            free(created->items[i]);
        else
            created->items[kept++] = created->items[i];
    }
    created->items[kept] = NULL;
    created->count = kept;
}
