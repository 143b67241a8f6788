/* runtime/cgroup/stats_format.c: the files of a cgroup as the JSON of `events` (contract O6, O7). */
#include "base/buffer.h"
#include "base/memory.h"
#include "cgroup/stats.h"

#include <criterion/criterion.h>
#include <string.h>

struct file {
    const char *controller, *name, *text;
};

static char *read_test_file(void *context, const char *controller, const char *name)
{
    for (const struct file *file = context; file->name; file++)
        if (strcmp(file->name, name) == 0 && strcmp(file->controller, controller) == 0)
            return memory_string(file->text);
    return NULL;
}

static void check(bool unified, const struct file *files, const char *expected)
{
    static const char *const sizes[] = { "2MB", "1GB", NULL };
    const struct stats_source source = { .unified = unified,
                                         .v2_controllers = "rdma,pids", /* beside v1 */
                                         .read = read_test_file,
                                         .context = (void *)files,
                                         .page_sizes = sizes,
                                         .intel_rdt = "{}" };
    struct buffer out = { 0 }, whole = { 0 };

    buffer_add_format(&whole, "{\"type\":\"stats\",\"id\":\"web1\",\"data\":{%s%s", expected,
                      *expected ? "," : "");
    if (!strstr(expected, "\"hugetlb\"")) /* there at any rate, like the last two */
        buffer_add_string(&whole, "\"hugetlb\":{},");
    buffer_add_string(&whole, "\"intel_rdt\":{},\"network_interfaces\":null}}\n");
    stats_format(&source, "web1", &out);
    cr_expect_str_eq(out.data, whole.data, "%s", out.data);
    buffer_free(&out);
    buffer_free(&whole);
}

Test(cgroup_stats, rows)
{
    static const struct {
        bool unified;
        struct file files[4];
        const char *expected;
    } rows[] = {
        { true, { { NULL } }, "" },
        /* O7: nanoseconds */
        { true,
          { { "", "cpu.stat",
              "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 7\nnr_throttled 1\nthrottled_usec "
              "9\n" } },
          "\"cpu\":{\"usage\":{\"total\":5000,\"kernel\":2000,\"user\":3000},"
          "\"throttling\":{\"periods\":7,\"throttledPeriods\":1,\"throttledTime\":9000}}" },
        { false,
          { { "cpuacct", "cpuacct.usage", "12345\n" },
            { "cpuacct", "cpuacct.usage_percpu", "12000 345 \n" },
            { "cpuacct", "cpuacct.stat", "user 1\nsystem 2\n" } },
          "\"cpu\":{\"usage\":{\"total\":12345,\"percpu\":[12000,345],\"kernel\":20000000,\"user\":10000000}"
          "}" },
        /* O7: no limit is 2^64-1; pids are 0 then */
        { true,
          { { "", "memory.max", "max\n" }, { "", "memory.current", "4096\n" }, { "", "pids.max", "max\n" } },
          "\"memory\":{\"usage\":{\"limit\":18446744073709551615,\"usage\":4096}},\"pids\":{\"limit\":0}" },
        { true,
          { { "", "pids.max", "5\n" }, { "", "pids.current", "2\n" } },
          "\"pids\":{\"current\":2,\"limit\":5}" },
        /* v2 counts swap alone, v1 and the format swap and memory */
        { true,
          { { "", "memory.current", "4096\n" },
            { "", "memory.swap.current", "1000\n" },
            { "", "memory.swap.max", "max\n" } },
          "\"memory\":{\"usage\":{\"usage\":4096},\"swap\":{\"usage\":5096}}" },
        { true,
          { { "", "memory.max", "7\n" }, { "", "memory.swap.max", "max\n" } },
          "\"memory\":{\"usage\":{\"limit\":7},\"swap\":{\"limit\":18446744073709551615}}" },
        { true,
          { { "", "memory.stat", "anon 5\nfile 6\nkernel 7\nbad line here\nsock x\n" } },
          "\"memory\":{\"cache\":6,\"kernel\":{\"usage\":7},\"raw\":{\"anon\":5,\"file\":6,\"kernel\":7}}" },
        { true, { { "", "memory.stat", "" } }, "\"memory\":{\"raw\":{}}" },
        { false, { { "memory", "memory.failcnt", "3\n" } }, "\"memory\":{\"usage\":{\"failcnt\":3}}" },
        { false, { { "cpuset", "cpuset.cpus", "0-2,5\n" } }, "\"cpuset\":{\"cpus\":[0,1,2,5]}" },
        { true, { { "", "cpuset.cpus.effective", "\n" } }, "\"cpuset\":{\"cpus\":[]}" },
        { false,
          { { "cpuset", "cpuset.sched_relax_domain_level", "-1\n" } },
          "\"cpuset\":{\"sched_relax_domain_level\":-1}" },
        { true,
          { { "", "cpu.pressure", "some avg10=0.05 avg60=1.50 avg300=0.00 total=77\n" } },
          "\"cpu\":{\"psi\":{\"some\":{\"avg10\":0.05,\"avg60\":1.50,\"avg300\":0.00,\"total\":77}}}" },
        { true,
          { { "", "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:16 \nnonsense\n" } },
          "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":1},"
          "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":2},{\"major\":8,\"minor\":0,\"op\":"
          "\"Discard\",\"value\":5}],"
          "\"ioServicedRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":3},"
          "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":4},{\"major\":8,\"minor\":0,\"op\":"
          "\"Discard\",\"value\":6}]}" },
        { false,
          { { "blkio", "blkio.throttle.io_service_bytes_recursive",
              "8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n" },
            { "blkio", "blkio.bfq.sectors_recursive", "8:0 12\n" } },
          "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":4096},"
          "{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":4096}],"
          "\"sectorsRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"\",\"value\":12}]}" },
        { true,
          { { "", "hugetlb.2MB.current", "4\n" },
            { "", "hugetlb.1GB.current", "0\n" },
            { "", "hugetlb.1GB.events", "max 2\n" } },
          "\"hugetlb\":{\"2MB\":{\"usage\":4},\"1GB\":{\"usage\":0,\"failcnt\":2}}" },
        { false,
          { { "hugetlb", "hugetlb.2MB.max_usage_in_bytes", "9\n" } },
          "\"hugetlb\":{\"2MB\":{\"max\":9}}" },
        /* v1 with one controller on v2 */
        { false,
          { { "memory", "memory.failcnt", "3\n" },
            { "", "pids.max", "max\n" },
            { "pids", "pids.current", "1\n" } },
          "\"memory\":{\"usage\":{\"failcnt\":3}},\"pids\":{\"limit\":0}" },
        /* what the kernel does not write */
        { true, { { "", "cpu.stat", "usage_usec\nusage_usecs 5\n" }, { "", "pids.max", "-5\n" } }, "" },
        { true, { { "", "memory.current", "99999999999999999999\n" } }, "" },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        check(rows[i].unified, rows[i].files, rows[i].expected);
}
