/*
 * linux.resources as rows for cgroup v1. Pure. The order of rows is the order of writes: what one value
 * limits of another comes first on a fresh cgroup; `retry` covers the other direction on an update.
 */
#include "cgroup/resources.h"

#include <inttypes.h>
#include <stdio.h>

#define MEMORY "linux.resources.memory."
#define CPU "linux.resources.cpu."
#define BLOCK_IO "linux.resources.blockIO."

static void add_cpuset(const struct oci_cpu *cpu, struct cgroup_rows *rows)
{
    if (cpu->cpus && *cpu->cpus)
        cgroup_rows_add(rows, "cpuset", "cpuset.cpus", CPU "cpus", "%s", cpu->cpus);
    if (cpu->mems && *cpu->mems)
        cgroup_rows_add(rows, "cpuset", "cpuset.mems", CPU "mems", "%s", cpu->mems);
}

/* Outside this range the kernel would quietly take the nearest one. */
static int add_shares(const struct oci_cpu *cpu, struct cgroup_rows *rows, struct error *err)
{
    if (!cpu->shares ||
        (cpu->has_idle && cpu->idle)) /* an idle group has no weight: the kernel refuses one (item 192) */
        return 0;
    if (cpu->shares < 2)
        return fail(err, ERANGE, CPU "shares: the minimum allowed cpu-shares is 2");
    if (cpu->shares > 262144)
        return fail(err, ERANGE, CPU "shares: the maximum allowed cpu-shares is 262144");
    cgroup_rows_add(rows, "cpu", "cpu.shares", CPU "shares", "%" PRIu64, cpu->shares);
    return 0;
}

static int add_cpu(const struct oci_cpu *cpu, struct cgroup_rows *rows, struct error *err)
{
    if (cpu->has_idle)
        cgroup_rows_add(rows, "cpu", "cpu.idle", CPU "idle", "%" PRId64, cpu->idle);
    if (add_shares(cpu, rows, err) < 0)
        return -1;
    /* burst ≤ quota, and quota : period within the parent's: each may have to come before or after the others
     */
    if (cpu->has_burst)
        cgroup_rows_add(rows, "cpu", "cpu.cfs_burst_us", CPU "burst", "%" PRIu64, cpu->burst)->retry = true;
    if (cpu->period)
        cgroup_rows_add(rows, "cpu", "cpu.cfs_period_us", CPU "period", "%" PRIu64, cpu->period)->retry =
            true;
    if (cpu->quota)
        cgroup_rows_add(rows, "cpu", "cpu.cfs_quota_us", CPU "quota", "%" PRId64, cpu->quota)->retry = true;
    if (cpu->realtime_period)
        cgroup_rows_add(rows, "cpu", "cpu.rt_period_us", CPU "realtimePeriod", "%" PRIu64,
                        cpu->realtime_period)
            ->retry = true;
    if (cpu->realtime_runtime)
        cgroup_rows_add(rows, "cpu", "cpu.rt_runtime_us", CPU "realtimeRuntime", "%" PRId64,
                        cpu->realtime_runtime)
            ->retry = true;
    add_cpuset(cpu, rows);
    return 0;
}

static void add_memory_limits(const struct oci_memory *memory, struct cgroup_rows *rows)
{
    /* limit ≤ memsw at any moment: raising both needs memsw first (item 181), which `retry` does */
    if (memory->limit)
        cgroup_rows_add(rows, "memory", "memory.limit_in_bytes", MEMORY "limit", "%" PRId64, memory->limit)
            ->retry = true;
    if (memory->swap)
        cgroup_rows_add(rows, "memory", "memory.memsw.limit_in_bytes", MEMORY "swap", "%" PRId64,
                        memory->swap)
            ->retry = true;
    else if (memory->limit ==
             -1) /* no limit on memory is none on memory plus swap; the file needs swap accounting */
        cgroup_rows_add(rows, "memory", "memory.memsw.limit_in_bytes", MEMORY "limit", "-1")->rule =
            ROW_OPTIONAL;
    if (memory->reservation)
        cgroup_rows_add(rows, "memory", "memory.soft_limit_in_bytes", MEMORY "reservation", "%" PRId64,
                        memory->reservation);
    if (memory->kernel)
        cgroup_rows_add(rows, "memory", "memory.kmem.limit_in_bytes", MEMORY "kernel", "%" PRId64,
                        memory->kernel)
            ->doubted = memory->kernel > 0; /* Linux 5.16 */
    if (memory->kernel_tcp)
        cgroup_rows_add(rows, "memory", "memory.kmem.tcp.limit_in_bytes", MEMORY "kernelTCP", "%" PRId64,
                        memory->kernel_tcp)
            ->doubted = memory->kernel_tcp > 0;
}

static void add_memory(const struct oci_memory *memory, struct cgroup_rows *rows)
{
    if (memory->has_use_hierarchy)
        cgroup_rows_add(rows, "memory", "memory.use_hierarchy", MEMORY "useHierarchy", "%d",
                        memory->use_hierarchy);
    add_memory_limits(memory, rows);
    if (memory->has_swappiness)
        cgroup_rows_add(rows, "memory", "memory.swappiness", MEMORY "swappiness", "%" PRIu64,
                        memory->swappiness);
    if (memory->has_disable_oom_killer)
        cgroup_rows_add(rows, "memory", "memory.oom_control", MEMORY "disableOOMKiller", "%d",
                        memory->disable_oom_killer);
}

/* With the bfq scheduler built in, the file of the weight has its name in it and the plain one does not
 * exist. */
static void add_weight(const struct oci_block_io *io, struct cgroup_rows *rows)
{
    if (io->weight) {
        cgroup_rows_add(rows, "blkio", "blkio.weight", BLOCK_IO "weight", "%" PRIu32, io->weight)->rule =
            ROW_OR_NEXT;
        cgroup_rows_add(rows, "blkio", "blkio.bfq.weight", BLOCK_IO "weight", "%" PRIu32, io->weight);
    }
    if (io->leaf_weight)
        cgroup_rows_add(rows, "blkio", "blkio.leaf_weight", BLOCK_IO "leafWeight", "%" PRIu32,
                        io->leaf_weight);
}

static void add_device_weights(const struct oci_block_io *io, struct cgroup_rows *rows)
{
    for (size_t i = 0; i < io->weight_device_count; i++) {
        const struct oci_weight_device *device = &io->weight_device[i];
        char property[80];

        if (device->has_weight) {
            snprintf(property, sizeof property, BLOCK_IO "weightDevice[%zu].weight", i);
            cgroup_rows_add(rows, "blkio", "blkio.weight_device", property,
                            "%" PRId64 ":%" PRId64 " %" PRIu32, device->major, device->minor, device->weight)
                ->rule = ROW_OR_NEXT;
            cgroup_rows_add(rows, "blkio", "blkio.bfq.weight_device", property,
                            "%" PRId64 ":%" PRId64 " %" PRIu32, device->major, device->minor, device->weight);
        }
        if (device->has_leaf_weight) {
            snprintf(property, sizeof property, BLOCK_IO "weightDevice[%zu].leafWeight", i);
            cgroup_rows_add(rows, "blkio", "blkio.leaf_weight_device", property,
                            "%" PRId64 ":%" PRId64 " %" PRIu32, device->major, device->minor,
                            device->leaf_weight);
        }
    }
}

static void add_throttle(const struct cgroup_throttle *throttle, struct cgroup_rows *rows)
{
    for (size_t i = 0; i < throttle->count; i++) {
        const struct oci_throttle_device *device = &throttle->devices[i];
        char property[80];

        snprintf(property, sizeof property, BLOCK_IO "%s[%zu]", throttle->name, i);
        cgroup_rows_add(rows, "blkio", throttle->v1_file, property, "%" PRId64 ":%" PRId64 " %" PRIu64,
                        device->major, device->minor, device->rate);
    }
}

static void add_block_io(const struct oci_block_io *io, struct cgroup_rows *rows)
{
    struct cgroup_throttle throttles[CGROUP_THROTTLES];

    add_weight(io, rows);
    add_device_weights(io, rows);
    cgroup_resources_throttles(io, throttles);
    for (size_t i = 0; i < CGROUP_THROTTLES; i++)
        add_throttle(&throttles[i], rows);
}

static void add_network(const struct oci_network *network, struct cgroup_rows *rows)
{
    if (network->has_class_id)
        cgroup_rows_add(rows, "net_cls", "net_cls.classid", "linux.resources.network.classID", "%" PRIu32,
                        network->class_id);
    for (size_t i = 0; i < network->priorities_count; i++) {
        char property[80];

        snprintf(property, sizeof property, "linux.resources.network.priorities[%zu]", i);
        cgroup_rows_add(rows, "net_prio", "net_prio.ifpriomap", property, "%s %" PRIu32,
                        network->priorities[i].name, network->priorities[i].priority);
    }
}

int cgroup_resources_v1(const struct oci_resources *resources, struct cgroup_rows *rows, struct error *err)
{
    if (cgroup_resources_check(resources, err) < 0)
        return -1;
    if (resources->unified.count > 0)
        return cgroup_unsupported(err, "linux.resources.unified", 1);
    if (resources->memory)
        add_memory(resources->memory, rows);
    if (resources->cpu && add_cpu(resources->cpu, rows, err) < 0)
        return -1;
    if (resources->block_io)
        add_block_io(resources->block_io, rows);
    cgroup_resources_huge_pages(resources, "limit_in_bytes", rows);
    if (resources->network)
        add_network(resources->network, rows);
    cgroup_resources_pids(resources, rows);
    cgroup_resources_rdma(resources, rows);
    return 0;
}
