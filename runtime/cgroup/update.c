/* `update`: new limits for a cgroup that exists; see cgroup.h. Works from the record, without config.json. */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "cgroup/in_force.h"
#include "cgroup/location.h"
#include "cgroup/plan.h"
#include "cgroup/resources.h"
#include "cgroup/systemd.h"
#include "cgroup/update_devices.h"

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

/* The number at the start of a text, -1 for "max" and what is none. */
static int64_t first_number(const char *text)
{
    auto_free char *word = memory_string_n(text, strcspn(text, " "));
    int64_t value;

    return number_parse(word, 0, INT64_MAX, &value) ? value : -1;
}

/* That of a file of the cgroup; also -1 when it cannot be read. */
static int64_t read_number(int fd, const char *file)
{
    auto_free char *text = cgroup_file_read(fd, file);

    return text ? first_number(text) : -1;
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

struct bandwidth {
    int64_t quota, period;
};

static struct bandwidth read_bandwidth(int fd, bool v2)
{
    auto_free char *text = v2 ? cgroup_file_read(fd, "cpu.max") : NULL;
    const char *second = text ? strchr(text, ' ') : NULL;

    if (!v2)
        return (struct bandwidth){ read_number(fd, "cpu.cfs_quota_us"),
                                   read_number(fd, "cpu.cfs_period_us") };
    return (struct bandwidth){ text ? first_number(text) : -1, second ? first_number(second + 1) : -1 };
}

/* v2's file cannot be given a period alone. systemd computes a rate: it needs both, on both versions. */
static int prepare_cpu(const struct cgroup_directories *directories, bool has_unit, struct oci_cpu *cpu,
                       struct error *err)
{
    const struct cgroup_directory *directory = find_controller(directories, "cpu");
    struct bandwidth now;
    auto_close int fd = -1;

    if (!directory || (!is_v2(directory) && !has_unit) || !cpu->quota == !cpu->period)
        return 0;
    fd = cgroup_location_open(directory->path);
    if (fd < 0)
        return fail_errno(err, "open the cgroup %s", directory->path);
    now = read_bandwidth(fd, is_v2(directory));
    if (!cpu->quota)
        cpu->quota = now.quota;
    if (!cpu->period && has_unit && now.period > 0)
        cpu->period = (uint64_t)now.period;
    return 0;
}

/* What `resources` means to the cgroup as it is now, once it is known that it may be done. */
struct prepared {
    struct oci_resources resources;
    struct oci_memory memory;
    struct oci_cpu cpu;
};

static int prepare(const struct oci_resources *resources, const struct cgroup_directories *directories,
                   bool has_unit, struct prepared *prepared, struct error *err)
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
        if (prepare_cpu(directories, has_unit, &prepared->cpu, err) < 0)
            return -1;
    }
    return 0;
}

static int apply(const struct cgroup_location *location, const struct cgroup_rows *rows,
                 const struct cgroup_directories *directories, struct error *err)
{
    if (location->scope && cgroup_systemd_update(location, rows, err) < 0)
        return -1;
    return cgroup_rows_write(rows, directories, err);
}

static void restore(const struct cgroup_location *location, const struct cgroup_rows *old,
                    const struct cgroup_directories *directories)
{
    if (location->scope)
        cgroup_systemd_update(location, old, &(struct error){ 0 });
    cgroup_rows_restore(old, directories);
}

static int update(const struct cgroup_location *location, const struct oci_resources *resources,
                  const struct cgroup_hierarchies *hierarchies, struct error *err)
{
    auto_cleanup(cgroup_directories_free) struct cgroup_directories directories = { 0 };
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 }, old = { 0 };
    struct prepared prepared;

    find_directories(location, hierarchies, &directories);
    if (prepare(resources, &directories, location->scope, &prepared, err) < 0)
        return -1;
    if (cgroup_plan_rows(&prepared.resources, hierarchies, &rows, err) < 0)
        return -1;
    cgroup_rows_in_force(&rows, &directories, &old);
    if (apply(location, &rows, &directories, err) == 0 &&
        (resources->devices_count == 0 || cgroup_update_devices(location, resources, &directories, err) == 0))
        return 0;
    restore(location, &old, &directories);
    return -1;
}

int cgroup_update(const struct cgroup_location *location, const struct oci_resources *resources,
                  struct error *err)
{
    auto_cleanup(cgroup_hierarchies_free) struct cgroup_hierarchies hierarchies = { 0 };

    if (!location || location->created.count == 0)
        return fail(err, ENOTSUP, "the container has no cgroup");
    if (cgroup_hierarchies_read(&hierarchies, err) < 0)
        return -1;
    return update(location, resources, &hierarchies, err);
}
