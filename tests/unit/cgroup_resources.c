/* runtime/cgroup: linux.resources as rows, v1 and v2 (contract items 177-201). No root needed. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/convert.h"
#include "cgroup/resources.h"

#include <criterion/criterion.h>
#include <inttypes.h>

/* "file=value", with ? optional, | or the next one, ~ retried. */
static char *rows_text(const struct cgroup_rows *rows)
{
    struct buffer out = { 0 };

    buffer_add_string(&out, "");
    for (size_t i = 0; i < rows->count; i++) {
        const struct cgroup_row *row = &rows->items[i];

        buffer_add_format(&out, "%s%s=%s%s%s%s", i ? "; " : "", row->file, row->value,
                          row->rule == ROW_OPTIONAL ? "?" : "", row->rule == ROW_OR_NEXT ? "|" : "",
                          row->retry ? "~" : "");
    }
    return buffer_take(&out);
}

typedef int convert(const struct oci_resources *resources, struct cgroup_rows *rows, struct error *err);

static void check(convert *function, const char *version, const struct oci_resources *resources,
                  const char *expected)
{
    struct cgroup_rows rows = { 0 };
    struct error err = { 0 };
    int result = function(resources, &rows, &err);
    auto_free char *text = result < 0 ? memory_string(err.text) : rows_text(&rows);

    cr_expect_str_eq(text, expected, "%s: '%s', not '%s'", version, text, expected);
    cgroup_rows_free(&rows);
}

#define MEMORY(...)                                                                                          \
    {                                                                                                        \
        .memory = &(struct oci_memory)                                                                       \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define CPU(...)                                                                                             \
    {                                                                                                        \
        .cpu = &(struct oci_cpu)                                                                             \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define PIDS(n)                                                                                              \
    {                                                                                                        \
        .pids = &(struct oci_pids)                                                                           \
        {                                                                                                    \
            .limit = n, .has_limit = true                                                                    \
        }                                                                                                    \
    }
#define IO(...)                                                                                              \
    {                                                                                                        \
        .block_io = &(struct oci_block_io)                                                                   \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define WEIGHTS(...)                                                                                         \
    {                                                                                                        \
        .block_io = &(struct oci_block_io)                                                                   \
        {                                                                                                    \
            .weight_device = &(struct oci_weight_device){ __VA_ARGS__ }, .weight_device_count = 1            \
        }                                                                                                    \
    }
#define THROTTLE(member, n)                                                                                  \
    {                                                                                                        \
        .block_io = &(struct oci_block_io)                                                                   \
        {                                                                                                    \
            .member = &(struct oci_throttle_device){ .major = 8, .minor = 16, .rate = n },                   \
            .member##_count = 1                                                                              \
        }                                                                                                    \
    }
#define HUGE(size, n)                                                                                        \
    {                                                                                                        \
        .hugepage_limits = &(struct oci_hugepage_limit){ .page_size = (char *)size, .limit = n },            \
        .hugepage_limits_count = 1                                                                           \
    }
#define NETWORK(...)                                                                                         \
    {                                                                                                        \
        .network = &(struct oci_network)                                                                     \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define RDMA(...)                                                                                            \
    {                                                                                                        \
        .rdma = &(struct oci_rdma){ .device = (char *)"mlx5_1", __VA_ARGS__ }, .rdma_count = 1               \
    }
#define UNIFIED(k, v)                                                                                        \
    {                                                                                                        \
        .unified = {.items = &(struct string_pair){ .key = (char *)k, .value = (char *)v }, .count = 1 }     \
    }

Test(cgroup_resources, become_rows)
{
    const struct {
        struct oci_resources resources;
        const char *v1, *v2;
    } rows[] = {
        { { 0 }, "", "" },
        /* 178, 180: limits of memory and swap */
        { MEMORY(.limit = 1048576, .has_limit = true), "memory.limit_in_bytes=1048576~",
          "memory.max=1048576" },
        { MEMORY(.limit = 0, .has_limit = true), "", "" },
        { MEMORY(.limit = -1), "memory.limit_in_bytes=-1~; memory.memsw.limit_in_bytes=-1?",
          "memory.swap.max=max?; memory.max=max" },
        { MEMORY(.limit = 100, .swap = 300, .has_swap = true),
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=300~",
          "memory.swap.max=200; memory.max=100" },
        { MEMORY(.limit = 100, .swap = 100, .has_swap = true),
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=100~",
          "memory.swap.max=0?; memory.max=100" },
        { MEMORY(.limit = 100, .swap = -1, .has_swap = true),
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=-1~",
          "memory.swap.max=max?; memory.max=100" },
        { MEMORY(.swap = -1, .has_swap = true), "memory.memsw.limit_in_bytes=-1~", "memory.swap.max=max?" },
        { MEMORY(.swap = 100, .has_swap = true), "memory.memsw.limit_in_bytes=100~",
          "linux.resources.memory.swap: needs linux.resources.memory.limit: it is the sum of memory and "
          "swap" },
        { MEMORY(.limit = 200, .swap = 100, .has_swap = true),
          "linux.resources.memory.swap: 100 is memory plus swap and must be at least the limit of 200",
          "linux.resources.memory.swap: 100 is memory plus swap and must be at least the limit of 200" },
        /* 179 */
        { MEMORY(.reservation = 50), "memory.soft_limit_in_bytes=50", "memory.low=50" },
        { MEMORY(.reservation = -1), "memory.soft_limit_in_bytes=-1", "memory.low=0" },
        /* 182-185, 200: what only v1 has */
        { MEMORY(.kernel = 7), "memory.kmem.limit_in_bytes=7",
          "linux.resources.memory.kernel: not supported on cgroup v2" },
        { MEMORY(.kernel = -1), "memory.kmem.limit_in_bytes=-1", "" },
        { MEMORY(.kernel_tcp = 7), "memory.kmem.tcp.limit_in_bytes=7",
          "linux.resources.memory.kernelTCP: not supported on cgroup v2" },
        { MEMORY(.swappiness = 0, .has_swappiness = true), "memory.swappiness=0",
          "linux.resources.memory.swappiness: not supported on cgroup v2" },
        { MEMORY(.disable_oom_killer = true, .has_disable_oom_killer = true), "memory.oom_control=1",
          "linux.resources.memory.disableOOMKiller: not supported on cgroup v2" },
        { MEMORY(.disable_oom_killer = false, .has_disable_oom_killer = true), "memory.oom_control=0", "" },
        { MEMORY(.use_hierarchy = true, .has_use_hierarchy = true), "memory.use_hierarchy=1", "" },
        { MEMORY(.use_hierarchy = false, .has_use_hierarchy = true), "memory.use_hierarchy=0",
          "linux.resources.memory.useHierarchy: not supported on cgroup v2" },
        /* 187 */
        { CPU(.shares = 1024), "cpu.shares=1024", "cpu.weight=100" },
        { CPU(.shares = 0, .has_shares = true), "", "" },
        { CPU(.shares = 1), "linux.resources.cpu.shares: the minimum allowed cpu-shares is 2",
          "cpu.weight=1" },
        { CPU(.shares = 262145), "linux.resources.cpu.shares: the maximum allowed cpu-shares is 262144",
          "cpu.weight=10000" },
        /* 188 */
        { CPU(.quota = 50000), "cpu.cfs_quota_us=50000~", "cpu.max=50000~" },
        { CPU(.period = 20000), "cpu.cfs_period_us=20000~", "cpu.max=max 20000~" },
        { CPU(.quota = 50000, .period = 20000), "cpu.cfs_period_us=20000~; cpu.cfs_quota_us=50000~",
          "cpu.max=50000 20000~" },
        { CPU(.quota = -1, .has_quota = true), "cpu.cfs_quota_us=-1~", "cpu.max=max~" },
        /* 189 */
        { CPU(.burst = 1000, .has_burst = true, .quota = 2000),
          "cpu.cfs_burst_us=1000~; cpu.cfs_quota_us=2000~", "cpu.max.burst=1000~; cpu.max=2000~" },
        { CPU(.burst = 3000, .has_burst = true, .quota = 2000),
          "linux.resources.cpu.burst: 3000 is more than the quota of 2000",
          "linux.resources.cpu.burst: 3000 is more than the quota of 2000" },
        { CPU(.burst = 3000, .has_burst = true, .quota = -1), "cpu.cfs_burst_us=3000~; cpu.cfs_quota_us=-1~",
          "cpu.max.burst=3000~; cpu.max=max~" },
        /* 190 */
        { CPU(.realtime_runtime = 5, .realtime_period = 10), "cpu.rt_period_us=10~; cpu.rt_runtime_us=5~",
          "linux.resources.cpu.realtimeRuntime: not supported on cgroup v2" },
        { CPU(.realtime_period = 10), "cpu.rt_period_us=10~",
          "linux.resources.cpu.realtimePeriod: not supported on cgroup v2" },
        /* 191, 192 */
        { CPU(.cpus = (char *)"0-1", .mems = (char *)"0"), "cpuset.cpus=0-1; cpuset.mems=0",
          "cpuset.cpus=0-1; cpuset.mems=0" },
        { CPU(.cpus = (char *)"", .mems = (char *)""), "", "" },
        { CPU(.idle = 1, .has_idle = true, .shares = 512), "cpu.idle=1", "cpu.idle=1" },
        { CPU(.idle = 0, .has_idle = true, .shares = 512), "cpu.idle=0; cpu.shares=512",
          "cpu.idle=0; cpu.weight=59" },
        /* 193 */
        { IO(.weight = 500), "blkio.weight=500|; blkio.bfq.weight=500",
          "io.bfq.weight=500|; io.weight=4950" },
        { IO(.weight = 0, .has_weight = true), "", "" },
        { IO(.weight = 9), "linux.resources.blockIO.weight: 9 is not within 10 and 1000",
          "linux.resources.blockIO.weight: 9 is not within 10 and 1000" },
        { IO(.leaf_weight = 10), "blkio.leaf_weight=10",
          "linux.resources.blockIO.leafWeight: not supported on cgroup v2" },
        { WEIGHTS(.major = 8, .minor = 0, .weight = 10, .has_weight = true),
          "blkio.weight_device=8:0 10|; blkio.bfq.weight_device=8:0 10",
          "io.bfq.weight=8:0 10|; io.weight=8:0 1" },
        { WEIGHTS(.major = 8, .leaf_weight = 10, .has_leaf_weight = true), "blkio.leaf_weight_device=8:0 10",
          "linux.resources.blockIO.weightDevice[0].leafWeight: not supported on cgroup v2" },
        { WEIGHTS(.major = 8), "linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight",
          "linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight" },
        { THROTTLE(throttle_read_bps_device, 9), "blkio.throttle.read_bps_device=8:16 9",
          "io.max=8:16 rbps=9" },
        { THROTTLE(throttle_write_bps_device, 9), "blkio.throttle.write_bps_device=8:16 9",
          "io.max=8:16 wbps=9" },
        { THROTTLE(throttle_read_iops_device, 9), "blkio.throttle.read_iops_device=8:16 9",
          "io.max=8:16 riops=9" },
        { THROTTLE(throttle_write_iops_device, 0), "blkio.throttle.write_iops_device=8:16 0",
          "io.max=8:16 wiops=max" },
        /* 194 */
        { HUGE("2MB", 4194304),
          "hugetlb.2MB.rsvd.limit_in_bytes=4194304?; hugetlb.2MB.limit_in_bytes=4194304",
          "hugetlb.2MB.rsvd.max=4194304?; hugetlb.2MB.max=4194304" },
        { HUGE("../x", 1),
          "linux.resources.hugepageLimits[0].pageSize: '../x' is not a size like 64KB, 2MB or 1GB",
          "linux.resources.hugepageLimits[0].pageSize: '../x' is not a size like 64KB, 2MB or 1GB" },
        { HUGE("02MB", 1),
          "linux.resources.hugepageLimits[0].pageSize: '02MB' is not a size like 64KB, 2MB or 1GB",
          "linux.resources.hugepageLimits[0].pageSize: '02MB' is not a size like 64KB, 2MB or 1GB" },
        { HUGE("64", 1),
          "linux.resources.hugepageLimits[0].pageSize: '64' is not a size like 64KB, 2MB or 1GB",
          "linux.resources.hugepageLimits[0].pageSize: '64' is not a size like 64KB, 2MB or 1GB" },
        /* 195 */
        { NETWORK(.class_id = 1048577, .has_class_id = true), "net_cls.classid=1048577",
          "linux.resources.network.classID: not supported on cgroup v2" },
        { NETWORK(.priorities = &(struct oci_interface_priority){ .name = (char *)"eth0", .priority = 5 },
                  .priorities_count = 1),
          "net_prio.ifpriomap=eth0 5", "linux.resources.network.priorities: not supported on cgroup v2" },
        /* 196 */
        { PIDS(100), "pids.max=100", "pids.max=100" },
        { PIDS(0), "pids.max=1", "pids.max=1" },
        { PIDS(-1), "pids.max=max", "pids.max=max" },
        /* 197 */
        { RDMA(.hca_handles = 3, .has_hca_handles = true, .hca_objects = 10000, .has_hca_objects = true),
          "rdma.max=mlx5_1 hca_handle=3 hca_object=10000", "rdma.max=mlx5_1 hca_handle=3 hca_object=10000" },
        { RDMA(.hca_objects = 0, .has_hca_objects = true), "rdma.max=mlx5_1 hca_object=0",
          "rdma.max=mlx5_1 hca_object=0" },
        { RDMA(.hca_handles = 0), "linux.resources.rdma.mlx5_1: needs hcaHandles or hcaObjects",
          "linux.resources.rdma.mlx5_1: needs hcaHandles or hcaObjects" },
        /* 198, 199, 201 */
        { UNIFIED("memory.high", "1"), "linux.resources.unified: not supported on cgroup v1",
          "memory.high=1" },
        { UNIFIED("io.max", "8:0 rbps=1\n8:16 rbps=2\n"),
          "linux.resources.unified: not supported on cgroup v1", "io.max=8:0 rbps=1; io.max=8:16 rbps=2" },
        { UNIFIED("made.up", "x"), "linux.resources.unified: not supported on cgroup v1", "made.up=x" },
        { UNIFIED("../x.y", "1"), "linux.resources.unified: not supported on cgroup v1",
          "linux.resources.unified.../x.y: not the name of a cgroup file" },
        { UNIFIED("tasks", "1"), "linux.resources.unified: not supported on cgroup v1",
          "linux.resources.unified.tasks: not the name of a cgroup file" },
        { UNIFIED("cgroup.procs", "1"), "linux.resources.unified: not supported on cgroup v1",
          "linux.resources.unified.cgroup.procs: not a limit" },
        { UNIFIED("cgroup.max.depth", "2"), "linux.resources.unified: not supported on cgroup v1",
          "cgroup.max.depth=2" },
        { UNIFIED("memory.high", ""), "linux.resources.unified: not supported on cgroup v1",
          "linux.resources.unified.memory.high: empty value" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        check(cgroup_resources_v1, "v1", &rows[i].resources, rows[i].v1);
        check(cgroup_resources_v2, "v2", &rows[i].resources, rows[i].v2);
    }
}

/* Item 198: what is unified comes after everything that v1-style values were converted to. */
Test(cgroup_resources, unified_is_last)
{
    struct oci_resources resources = UNIFIED("memory.max", "5");

    resources.memory = &(struct oci_memory){ .limit = 9 };
    resources.pids = &(struct oci_pids){ .limit = 3 };
    check(cgroup_resources_v2, "v2", &resources, "memory.max=9; pids.max=3; memory.max=5");
}

/* Item 187: the values that crun and runc print for these shares. */
Test(cgroup_convert, cpu_weight)
{
    static const uint64_t rows[][2] = {
        { 0, 1 },      { 1, 1 },          { 2, 1 },          { 512, 59 },           { 1024, 100 },
        { 2048, 174 }, { 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
    };
    uint64_t previous = 0;

    for (size_t i = 0; i < array_length(rows); i++)
        cr_expect_eq(cgroup_cpu_weight(rows[i][0]), rows[i][1], "%" PRIu64 " gives %" PRIu64, rows[i][0],
                     cgroup_cpu_weight(rows[i][0]));
    for (uint64_t shares = 2; shares <= 262144; shares += 7) {
        uint64_t weight = cgroup_cpu_weight(shares);

        cr_assert(weight >= previous && weight >= 1 && weight <= 10000);
        previous = weight;
    }
}

Test(cgroup_convert, io_weight)
{
    cr_expect_eq(cgroup_io_weight(10), 1);
    cr_expect_eq(cgroup_io_weight(1000), 10000);
    cr_expect_eq(cgroup_io_weight(100), 910);
}
