/*
 * linux.resources as rows for cgroup v2. Pure. v1 values are converted where v2 has the same idea
 * (convert.h); where it has none, a value that asks for nothing (0, -1, false) is dropped and any other is an
 * error (contract item 200).
 */
#include "cgroup/resources.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEMORY "linux.resources.memory."
#define CPU "linux.resources.cpu."
#define BLOCK_IO "linux.resources.blockIO."

/* A number, or "max" for -1. */
static struct cgroup_row *add_limit(struct cgroup_rows *rows, const char *controller, const char *file,
                                    const char *property, int64_t value)
{
    if (value < 0)
        return cgroup_rows_add(rows, controller, file, property, "max");
    return cgroup_rows_add(rows, controller, file, property, "%" PRId64, value);
}

/* v1 limits memory plus swap, v2 swap alone (item 180). */
static int add_swap(const struct oci_memory *memory, struct cgroup_rows *rows, struct error *err)
{
    static const char file[] = "memory.swap.max";
    int64_t swap;

    if (!memory->swap) { /* no limit on memory alone was none on both together in v1 */
        if (memory->limit == -1)
            add_limit(rows, "memory", file, MEMORY "limit", -1)->rule = ROW_OPTIONAL;
        return 0;
    }
    if (memory->swap > 0 && memory->limit <= 0)
        return fail(err, EINVAL,
                    MEMORY "swap: needs linux.resources.memory.limit: it is the sum of memory and swap");
    swap = memory->swap < 0 ? -1 : memory->swap - memory->limit;
    /* Without swap accounting there is no file; nothing, or all, is then what the kernel does anyway. */
    add_limit(rows, "memory", file, MEMORY "swap", swap)->rule = swap <= 0 ? ROW_OPTIONAL : ROW_REQUIRED;
    return 0;
}

static int refuse_memory(const struct oci_memory *memory, struct error *err)
{
    if (memory->kernel > 0)
        return cgroup_unsupported(err, MEMORY "kernel", 2);
    if (memory->kernel_tcp > 0)
        return cgroup_unsupported(err, MEMORY "kernelTCP", 2);
    if (memory->has_swappiness)
        return cgroup_unsupported(err, MEMORY "swappiness", 2);
    if (memory->disable_oom_killer)
        return cgroup_unsupported(err, MEMORY "disableOOMKiller", 2);
    if (memory->has_use_hierarchy && !memory->use_hierarchy) /* v2 always counts the children too */
        return cgroup_unsupported(err, MEMORY "useHierarchy", 2);
    return 0;
}

static int add_memory(const struct oci_memory *memory, struct cgroup_rows *rows, struct error *err)
{
    if (refuse_memory(memory, err) < 0 || add_swap(memory, rows, err) < 0)
        return -1;
    if (memory->limit)
        add_limit(rows, "memory", "memory.max", MEMORY "limit", memory->limit);
    /* v1's soft limit of -1 is no protection from reclaim; memory.low=max would be all of it. */
    if (memory->reservation)
        add_limit(rows, "memory", "memory.low", MEMORY "reservation",
                  memory->reservation < 0 ? 0 : memory->reservation);
    return 0;
}

/* A value alone leaves the period as it is; there is no way to give the period alone. */
static void add_bandwidth(const struct oci_cpu *cpu, struct cgroup_rows *rows)
{
    char quota[24] = "max", period[24] = "";

    if (!cpu->quota && !cpu->period)
        return;
    if (cpu->quota > 0)
        snprintf(quota, sizeof quota, "%" PRId64, cpu->quota);
    if (cpu->period)
        snprintf(period, sizeof period, " %" PRIu64, cpu->period);
    cgroup_rows_add(rows, "cpu", "cpu.max", cpu->quota ? CPU "quota" : CPU "period", "%s%s", quota, period)
        ->retry = true;
}

static int add_cpu(const struct oci_cpu *cpu, struct cgroup_rows *rows, struct error *err)
{
    if (cpu->realtime_runtime > 0)
        return cgroup_unsupported(err, CPU "realtimeRuntime", 2);
    if (cpu->realtime_period)
        return cgroup_unsupported(err, CPU "realtimePeriod", 2);
    if (cpu->has_idle)
        cgroup_rows_add(rows, "cpu", "cpu.idle", CPU "idle", "%" PRId64, cpu->idle);
    if (cpu->shares &&
        !(cpu->has_idle && cpu->idle)) /* an idle group has no weight: the kernel refuses one */
        cgroup_rows_add(rows, "cpu", "cpu.weight", CPU "shares", "%" PRIu64, cgroup_cpu_weight(cpu->shares));
    if (cpu->has_burst)
        cgroup_rows_add(rows, "cpu", "cpu.max.burst", CPU "burst", "%" PRIu64, cpu->burst)->retry = true;
    add_bandwidth(cpu, rows);
    if (cpu->cpus && *cpu->cpus)
        cgroup_rows_add(rows, "cpuset", "cpuset.cpus", CPU "cpus", "%s", cpu->cpus);
    if (cpu->mems && *cpu->mems)
        cgroup_rows_add(rows, "cpuset", "cpuset.mems", CPU "mems", "%s", cpu->mems);
    return 0;
}

/* bfq takes v1's numbers (1..1000); the cost model's file has a range of its own. */
static int add_weights(const struct oci_block_io *io, struct cgroup_rows *rows, struct error *err)
{
    if (io->leaf_weight)
        return cgroup_unsupported(err, BLOCK_IO "leafWeight", 2);
    if (io->weight) {
        cgroup_rows_add(rows, "io", "io.bfq.weight", BLOCK_IO "weight", "%" PRIu32, io->weight)->rule =
            ROW_OR_NEXT;
        cgroup_rows_add(rows, "io", "io.weight", BLOCK_IO "weight", "%" PRIu64, cgroup_io_weight(io->weight));
    }
    for (size_t i = 0; i < io->weight_device_count; i++) {
        const struct oci_weight_device *device = &io->weight_device[i];
        char property[80];

        snprintf(property, sizeof property, BLOCK_IO "weightDevice[%zu].leafWeight", i);
        if (device->has_leaf_weight)
            return cgroup_unsupported(err, property, 2);
        snprintf(property, sizeof property, BLOCK_IO "weightDevice[%zu].weight", i);
        cgroup_rows_add(rows, "io", "io.bfq.weight", property, "%" PRId64 ":%" PRId64 " %" PRIu32,
                        device->major, device->minor, device->weight)
            ->rule = ROW_OR_NEXT;
        cgroup_rows_add(rows, "io", "io.weight", property, "%" PRId64 ":%" PRId64 " %" PRIu64, device->major,
                        device->minor, cgroup_io_weight(device->weight));
    }
    return 0;
}

static void add_throttle(const struct cgroup_throttle *throttle, struct cgroup_rows *rows)
{
    for (size_t i = 0; i < throttle->count; i++) {
        const struct oci_throttle_device *device = &throttle->devices[i];
        char property[80], rate[24] = "max"; /* v1 lifts a limit with 0 */

        snprintf(property, sizeof property, BLOCK_IO "%s[%zu]", throttle->name, i);
        if (device->rate)
            snprintf(rate, sizeof rate, "%" PRIu64, device->rate);
        cgroup_rows_add(rows, "io", "io.max", property, "%" PRId64 ":%" PRId64 " %s=%s", device->major,
                        device->minor, throttle->v2_key, rate);
    }
}

static int add_block_io(const struct oci_block_io *io, struct cgroup_rows *rows, struct error *err)
{
    struct cgroup_throttle throttles[CGROUP_THROTTLES];

    if (add_weights(io, rows, err) < 0)
        return -1;
    cgroup_resources_throttles(io, throttles);
    for (size_t i = 0; i < CGROUP_THROTTLES; i++)
        add_throttle(&throttles[i], rows);
    return 0;
}

static int refuse_network(const struct oci_network *network, struct error *err)
{
    if (network->class_id)
        return cgroup_unsupported(err, "linux.resources.network.classID", 2);
    if (network->priorities_count > 0)
        return cgroup_unsupported(err, "linux.resources.network.priorities", 2);
    return 0;
}

/* Files that move, kill or free processes instead of limiting them would reach beyond the container or undo
 * `create`. */
static bool is_not_a_limit(const char *file)
{
    static const char *const names[] = { "cgroup.procs",  "cgroup.threads", "cgroup.kill",
                                         "cgroup.freeze", "cgroup.type",    "cgroup.subtree_control" };

    for (size_t i = 0; i < array_length(names); i++)
        if (strcmp(file, names[i]) == 0)
            return true;
    return false;
}

/* The kernel takes one line per write (item 201). */
static void add_lines(struct cgroup_rows *rows, const char *controller, const char *file,
                      const char *property, const char *value)
{
    do {
        size_t length = strcspn(value, "\n");

        if (length > 0)
            cgroup_rows_add(rows, controller, file, property, "%.*s", (int)length, value);
        value += length + (value[length] == '\n');
    } while (*value);
}

/* Any file, known or not, is written as it stands (item 198), after everything else. */
static int add_unified(const struct string_map *unified, struct cgroup_rows *rows, struct error *err)
{
    for (size_t i = 0; i < unified->count; i++) {
        const char *file = unified->items[i].key;
        auto_free char *controller = memory_string_n(file, strcspn(file, "."));
        auto_free char *property = memory_format("linux.resources.unified.%s", file);

        if (!strchr(file, '.') || file[0] == '.' || strchr(file, '/'))
            return fail(err, EINVAL, "%s: not the name of a cgroup file", property);
        if (is_not_a_limit(file))
            return fail(err, EINVAL, "%s: not a limit", property);
        if (!unified->items[i].value[strspn(unified->items[i].value, "\n")])
            return fail(err, EINVAL, "%s: empty value", property);
        add_lines(rows, strcmp(controller, "cgroup") == 0 ? "" : controller, file, property,
                  unified->items[i].value);
    }
    return 0;
}

int cgroup_resources_v2(const struct oci_resources *resources, struct cgroup_rows *rows, struct error *err)
{
    if (cgroup_resources_check(resources, err) < 0)
        return -1;
    if (resources->memory && add_memory(resources->memory, rows, err) < 0)
        return -1;
    if (resources->cpu && add_cpu(resources->cpu, rows, err) < 0)
        return -1;
    if (resources->block_io && add_block_io(resources->block_io, rows, err) < 0)
        return -1;
    cgroup_resources_huge_pages(resources, "max", rows);
    if (resources->network && refuse_network(resources->network, err) < 0)
        return -1;
    cgroup_resources_pids(resources, rows);
    cgroup_resources_rdma(resources, rows);
    return add_unified(&resources->unified, rows, err);
}
