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

/* The directory of a controller: the one in its own hierarchy of v1, else the one on v2, also of a hybrid. */
static const struct cgroup_directory *find_controller(const struct cgroup_directories *directories,
                                                      const char *controller)
{
    const struct cgroup_directory *found =
        cgroup_directory_of(directories, &(struct cgroup_row){ .controller = (char *)controller });

    return found ? found : cgroup_directory_of(directories, &(struct cgroup_row){ .v2 = true });
}

static bool is_v2(const struct cgroup_directory *directory)
{
    return !directory->controllers[0];
}

static int fail_usage(struct error *err, const char *property, int64_t wanted, int64_t used)
{
    return fail(err, EBUSY,
                "linux.resources.memory.%s: %" PRId64 " is less than the %" PRId64 " bytes in use", property,
                wanted, used);
}

/*
 * Item 186, before anything is written. v2's kernel would kill; v1's refuses, but only after other files of
 * the same update were written, and not what it can swap out or drop from its caches.
 */
static int check_usage(int fd, bool v2, const struct oci_memory *memory, struct error *err)
{
    int64_t used = read_number(fd, v2 ? "memory.current" : "memory.usage_in_bytes");
    int64_t both = read_number(fd, v2 ? "memory.swap.current" : "memory.memsw.usage_in_bytes");

    if (memory->limit > 0 && used > memory->limit)
        return fail_usage(err, "limit", memory->limit, used);
    if (!v2)
        return memory->swap > 0 && both > memory->swap ? fail_usage(err, "swap", memory->swap, both) : 0;
    if (memory->swap > 0 && memory->limit > 0 && both > memory->swap - memory->limit)
        return fail(err, EBUSY,
                    "linux.resources.memory.swap: leaves less than the %" PRId64 " bytes of swap in use",
                    both);
    return 0;
}

/* On v2 a value may only make sense with another one, which an update may leave out: it is the one in force.
 */
static int prepare_memory(const struct cgroup_directories *directories, struct oci_memory *memory,
                          struct error *err)
{
    const struct cgroup_directory *directory = find_controller(directories, "memory");
    auto_close int fd = directory ? cgroup_location_open(directory->path) : -1;

    if (!directory)
        return 0; /* the row for its limit says so */
    if (fd < 0)
        return fail_errno(err, "open the cgroup %s", directory->path);
    if (is_v2(directory) && memory->swap > 0 && !memory->limit)
        memory->limit = read_number(fd, "memory.max");
    return memory->check_before_update ? check_usage(fd, is_v2(directory), memory, err) : 0;
}

static int prepare_cpu(const struct cgroup_directories *directories, struct oci_cpu *cpu, struct error *err)
{
    const struct cgroup_directory *directory = find_controller(directories, "cpu");
    auto_close int fd = -1;

    if (!directory || !is_v2(directory) || !cpu->period || cpu->quota)
        return 0;
    fd = cgroup_location_open(directory->path);
    if (fd < 0)
        return fail_errno(err, "open the cgroup %s", directory->path);
    cpu->quota = read_number(fd, "cpu.max");
    return 0;
}

/* What `resources` means to the cgroup as it is now, once it is known that it may be done. */
struct prepared {
    struct oci_resources resources;
    struct oci_memory memory;
    struct oci_cpu cpu;
};

static int prepare(const struct oci_resources *resources, const struct cgroup_directories *directories,
                   struct prepared *prepared, struct error *err)
{
    prepared->resources = *resources;
    if (resources->memory) {
        prepared->memory = *resources->memory;
        prepared->resources.memory = &prepared->memory;
        if (prepare_memory(directories, &prepared->memory, err) < 0)
            return -1;
    }
    if (resources->cpu) {
        prepared->cpu = *resources->cpu;
        prepared->resources.cpu = &prepared->cpu;
        if (prepare_cpu(directories, &prepared->cpu, err) < 0)
            return -1;
    }
    return 0;
}

static int update(const struct cgroup_location *location, const struct oci_resources *resources,
                  const struct cgroup_hierarchies *hierarchies, struct cgroup_rows *rows, struct error *err)
{
    auto_cleanup(cgroup_directories_free) struct cgroup_directories directories = { 0 };
    struct prepared prepared;

    find_directories(location, hierarchies, &directories);
    if (prepare(resources, &directories, &prepared, err) < 0)
        return -1;
    if (cgroup_plan_rows(&prepared.resources, hierarchies, rows, err) < 0)
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
