/* `update`: new limits for a cgroup that exists; see cgroup.h. Works from the record, without config.json. */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/number.h"
#include "cgroup/location.h"
#include "cgroup/plan.h"
#include "cgroup/resources.h"
#include "cgroup/systemd.h"

#include <inttypes.h>
#include <string.h>

/* The directories of the record, each with the controllers of the hierarchy that it is in. */
static void find_directories(const struct cgroup_location *location,
                             const struct cgroup_hierarchies *hierarchies,
                             struct cgroup_directories *directories)
{
    for (size_t i = 0; i < location->created.count; i++) {
        const char *path = location->created.items[i];

        for (size_t k = 0; k < hierarchies->count; k++) {
            const struct cgroup_hierarchy *hierarchy = &hierarchies->items[k];
            size_t length = strlen(hierarchy->mount_point);

            if (strncmp(path, hierarchy->mount_point, length) == 0 && path[length] == '/') {
                cgroup_directories_add(directories, hierarchy->controllers, hierarchy->mount_point,
                                       path + length);
                break;
            }
        }
    }
}

/* A number from a file of the cgroup, -1 for "max" and what cannot be read. */
static int64_t read_number(int fd, const char *file)
{
    auto_free char *text = cgroup_file_read(fd, file);
    int64_t value;

    if (!text)
        return -1;
    text[strcspn(text, " ")] = '\0';
    return number_parse(text, 0, INT64_MAX, &value) ? value : -1;
}

/*
 * On v2 some values only make sense with another one, which an update may leave out: it then is the one in
 * force.
 */
static void complete_memory(int fd, struct oci_memory *memory)
{
    if (memory->swap > 0 && !memory->limit)
        memory->limit = read_number(fd, "memory.max");
}

static void complete_cpu(int fd, struct oci_cpu *cpu)
{
    if (cpu->period && !cpu->quota)
        cpu->quota = read_number(fd, "cpu.max");
}

/* v1's kernel refuses by itself; v2's would kill instead (item 186). */
static int check_usage(int fd, const struct oci_memory *memory, struct error *err)
{
    int64_t used = read_number(fd, "memory.current"), swapped = read_number(fd, "memory.swap.current");

    if (!memory->check_before_update)
        return 0;
    if (memory->limit > 0 && used > memory->limit)
        return fail(err, EBUSY,
                    "linux.resources.memory.limit: %" PRId64 " is less than the %" PRId64 " bytes in use",
                    memory->limit, used);
    if (memory->swap > 0 && memory->limit > 0 && swapped > memory->swap - memory->limit)
        return fail(err, EBUSY,
                    "linux.resources.memory.swap: leaves less than the %" PRId64 " bytes of swap in use",
                    swapped);
    return 0;
}

static int update(const struct cgroup_location *location, const struct oci_resources *resources,
                  const struct cgroup_hierarchies *hierarchies, struct cgroup_rows *rows, struct error *err)
{
    auto_cleanup(cgroup_directories_free) struct cgroup_directories directories = { 0 };
    auto_close int fd = hierarchies->unified ? cgroup_location_open(location->created.items[0]) : -1;
    struct oci_resources completed = *resources;
    struct oci_memory memory;
    struct oci_cpu cpu;

    if (hierarchies->unified && fd < 0)
        return fail_errno(err, "open the cgroup %s", location->created.items[0]);
    if (fd >= 0 && resources->memory) {
        memory = *resources->memory;
        complete_memory(fd, &memory);
        completed.memory = &memory;
        if (check_usage(fd, &memory, err) < 0)
            return -1;
    }
    if (fd >= 0 && resources->cpu) {
        cpu = *resources->cpu;
        complete_cpu(fd, &cpu);
        completed.cpu = &cpu;
    }
    find_directories(location, hierarchies, &directories);
    if (cgroup_plan_rows(&completed, hierarchies, rows, err) < 0)
        return -1;
    if (location->scope && cgroup_systemd_update(location, rows, err) < 0)
        return -1;
    return cgroup_rows_write(rows, &directories, err);
}

int cgroup_update(const struct cgroup_location *location, const struct oci_resources *resources,
                  struct error *err)
{
    auto_cleanup(cgroup_hierarchies_free) struct cgroup_hierarchies hierarchies = { 0 };
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };

    if (!location || location->created.count == 0)
        return fail(err, ENOTSUP, "the container has no cgroup");
    if (cgroup_hierarchies_read(&hierarchies, err) < 0)
        return -1;
    return update(location, resources, &hierarchies, &rows, err);
}
