/* runtime/cgroup: where a cgroup goes and what is written, on given hierarchies (contract items 162-164,
 * 203). No root needed. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/owner.h"
#include "cgroup/path.h"
#include "cgroup/plan.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct cgroup_hierarchy v1[] = {
    { (char *)"memory", (char *)"/cg/memory", (char *)"/own/sub" },
    { (char *)"cpu,cpuacct", (char *)"/cg/cpu,cpuacct", (char *)"/" },
    { (char *)"freezer", (char *)"/cg/freezer", (char *)"/" },
    { (char *)"name=systemd", (char *)"/cg/systemd", NULL },
};
static struct cgroup_hierarchy hybrid[] = {
    { (char *)"devices", (char *)"/cg/devices", (char *)"/" },
    { (char *)"memory", (char *)"/cg/memory", (char *)"/" },
    { (char *)"", (char *)"/cg/unified", (char *)"/" },
};
static struct cgroup_hierarchy modern[] = {
    { (char *)"devices", (char *)"/cg/devices", (char *)"/" },
    { (char *)"", (char *)"/cg/unified", (char *)"/" },
};
static struct cgroup_hierarchy v2[] = { { (char *)"", (char *)"/cg", (char *)"/a/b" } };
static struct cgroup_hierarchy v2_root[] = { { (char *)"", (char *)"/cg", (char *)"/" } };
static struct cgroup_hierarchy v2_lost[] = { { (char *)"", (char *)"/cg", NULL } };

static const struct cgroup_hierarchies on_v1 = { v1, 3, false }, on_named = { v1, 4, false },
                                       on_hybrid = { hybrid, 3, false }, on_modern = { modern, 2, false },
                                       on_v2 = { v2, 1, true }, on_v2_root = { v2_root, 1, true },
                                       on_v2_lost = { v2_lost, 1, true };

static struct cgroup_plan *plan_of(const char *path, struct oci_resources *resources,
                                   enum cgroup_driver driver, const struct cgroup_hierarchies *hierarchies,
                                   struct error *err)
{
    struct oci_linux linux_part = { .cgroups_path = (char *)path, .resources = resources };
    struct oci_config config = { .linux = &linux_part };

    return cgroup_plan_make_on(&config, "web1", driver, hierarchies, err);
}

static char *directories_text(const struct cgroup_plan *plan)
{
    struct buffer out = { 0 };

    buffer_add_string(&out, "");
    for (size_t i = 0; i < plan->directories.count; i++)
        buffer_add_format(&out, "%s%s", i ? " " : "", plan->directories.items[i].path);
    return buffer_take(&out);
}

Test(cgroup_plan, places)
{
    static const struct {
        const char *path;
        const struct cgroup_hierarchies *hierarchies;
        const char *expected;
    } rows[] = {
        { NULL, &on_v1, "/cg/freezer/web1 /cg/memory/web1 /cg/cpu,cpuacct/web1" },
        { "", &on_v1, "/cg/freezer/web1 /cg/memory/web1 /cg/cpu,cpuacct/web1" },
        { "/pod/x", &on_v1, "/cg/freezer/pod/x /cg/memory/pod/x /cg/cpu,cpuacct/pod/x" },
        { "//pod/.//x/", &on_v1, "/cg/freezer/pod/x /cg/memory/pod/x /cg/cpu,cpuacct/pod/x" },
        { "pod/x", &on_v1, "/cg/freezer/pod/x /cg/memory/own/sub/pod/x /cg/cpu,cpuacct/pod/x" },
        { "/x", &on_named, "/cg/freezer/x /cg/memory/x /cg/cpu,cpuacct/x /cg/systemd/x" },
        { "x", &on_named, "linux.cgroupsPath: 'x' is relative, and our own cgroup is not below /cg/systemd" },
        { "/x", &on_hybrid, "/cg/devices/x /cg/memory/x" },
        { "/x", &on_modern, "/cg/devices/x /cg/unified/x" },
        { NULL, &on_v2, "/cg/web1" },
        { "/x", &on_v2, "/cg/x" },
        { "x/y", &on_v2, "/cg/a/x/y" },
        { "x/y", &on_v2_root, "/cg/x/y" },
        { "x", &on_v2_lost, "linux.cgroupsPath: 'x' is relative, and our own cgroup is not below /cg" },
        { "/x/../../y", &on_v2, "linux.cgroupsPath: '/x/../../y': '..' is not allowed" },
        { "..", &on_v1, "linux.cgroupsPath: '..': '..' is not allowed" },
        { "/x..y/...", &on_v2, "/cg/x..y/..." },
        { "/", &on_v2, "linux.cgroupsPath: '/' is the root of the hierarchy" },
        { "./.", &on_v1, "linux.cgroupsPath: './.' is the root of the hierarchy" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct error err = { 0 };
        struct cgroup_plan *plan =
            plan_of(rows[i].path, NULL, CGROUP_DRIVER_CGROUPFS, rows[i].hierarchies, &err);
        auto_free char *text = plan ? directories_text(plan) : memory_string(err.text);

        cr_expect_str_eq(text, rows[i].expected, "%s: %s", rows[i].path ? rows[i].path : "(none)", text);
        cgroup_plan_free(plan);
    }
}

/* A hybrid system's v2 hierarchy is used for what only it has, and joined only then, or when v1 has no
 * memory. */
Test(cgroup_plan, hybrid_uses_both)
{
    struct string_pair pair = { (char *)"cpu.weight", (char *)"5" };
    struct oci_hugepage_limit limit = { .page_size = (char *)"2MB", .limit = 0 };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 7 },
        .hugepage_limits = &limit,
        .hugepage_limits_count = 1,
        .unified = { &pair, 1 },
        .devices = &(struct oci_device_rule){ .allow = true },
        .devices_count = 1,
    };
    struct error err = { 0 };
    struct cgroup_plan *plan = plan_of("/x", &resources, CGROUP_DRIVER_CGROUPFS, &on_hybrid, &err);
    struct buffer out = { 0 };

    cr_assert(plan, "%s", err.text);
    cgroup_plan_describe(plan, &out);
    cr_expect_str_eq(out.data,
                     "[{\"controller\":\"devices\",\"file\":\".\",\"value\":\"/cg/devices/x\"},"
                     "{\"controller\":\"memory\",\"file\":\".\",\"value\":\"/cg/memory/x\"},"
                     "{\"controller\":\"\",\"file\":\".\",\"value\":\"/cg/unified/x\"},"
                     "{\"controller\":\"memory\",\"file\":\"memory.limit_in_bytes\",\"value\":\"7\"},"
                     "{\"controller\":\"hugetlb\",\"file\":\"hugetlb.2MB.rsvd.max\",\"value\":\"0\"},"
                     "{\"controller\":\"hugetlb\",\"file\":\"hugetlb.2MB.max\",\"value\":\"0\"},"
                     "{\"controller\":\"cpu\",\"file\":\"cpu.weight\",\"value\":\"5\"}]",
                     "%s", out.data);
    cr_expect_not(plan->rows.items[0].v2);
    cr_expect(plan->rows.items[1].v2);
    buffer_free(&out);
    cgroup_plan_free(plan);
}

/* linux.resources.cpu is about two controllers, which may be in different hierarchies. */
Test(cgroup_plan, hybrid_splits_cpu)
{
    static struct cgroup_hierarchy items[] = {
        { (char *)"cpu,cpuacct", (char *)"/cg/cpu,cpuacct", (char *)"/" },
        { (char *)"", (char *)"/cg/unified", (char *)"/" },
    };
    const struct cgroup_hierarchies hierarchies = { items, 2, false };
    struct oci_cpu cpu = { .shares = 512, .cpus = (char *)"0-1" };
    const struct oci_resources resources = { .cpu = &cpu };
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
    struct error err = { 0 };

    cr_assert_eq(cgroup_plan_rows(&resources, &hierarchies, &rows, &err), 0, "%s", err.text);
    cr_assert_eq(rows.count, 2);
    cr_expect_str_eq(rows.items[0].file, "cpu.shares");
    cr_expect_not(rows.items[0].v2);
    cr_expect_str_eq(rows.items[1].file, "cpuset.cpus");
    cr_expect(rows.items[1].v2);
}

Test(cgroup_plan, unified_describes_devices)
{
    struct oci_device_rule rule = { .allow = true, .type = OCI_DEVICE_RULE_ALL, .access = (char *)"rwm" };
    struct oci_resources resources = { .devices = &rule, .devices_count = 1 };
    struct error err = { 0 };
    struct cgroup_plan *plan = plan_of("/x\"\\\x01", &resources, CGROUP_DRIVER_CGROUPFS, &on_v2, &err);
    struct buffer out = { 0 };

    cr_assert(plan, "%s", err.text);
    cgroup_plan_describe(plan, &out);
    cr_expect_str_eq(out.data, "[{\"controller\":\"\",\"file\":\".\",\"value\":\"/cg/x\\\"\\\\\\u0001\"},"
                               "{\"controller\":\"devices\",\"file\":\"bpf\",\"value\":\"allow a\"}]");
    buffer_free(&out);
    cgroup_plan_free(plan);
}

/* Item 174: all that later commands need. */
Test(cgroup_plan, location)
{
    struct error err = { 0 };
    struct cgroup_plan *plan = plan_of("pod/x", NULL, CGROUP_DRIVER_CGROUPFS, &on_v1, &err);
    struct cgroup_location *location = cgroup_plan_location(plan);

    cr_expect_eq(location->driver, CGROUP_DRIVER_CGROUPFS);
    cr_expect_str_eq(location->path, "/pod/x");
    cr_assert_eq(location->created.count, 3);
    cr_expect_str_eq(location->created.items[0], "/cg/freezer/pod/x", "the freezer is what `state` asks");
    cr_expect_null(location->created.items[3]);
    for (size_t i = 0; i < location->created.count; i++)
        free(location->created.items[i]);
    free(location->created.items);
    free(location->path);
    free(location);
    cgroup_plan_free(plan);
}

Test(cgroup_plan, other_drivers)
{
    static const char *const names[] = { "pids.limit", "memory.swappiness", "unified" };
    struct string_pair pair = { (char *)"cpu.weight", (char *)"5" };
    struct oci_resources limits[] = {
        { .pids = &(struct oci_pids){ .limit = 5 } },
        { .memory = &(struct oci_memory){ .has_swappiness = true } },
        { .unified = { &pair, 1 } },
    };
    struct oci_resources devices = { .devices_count = 0 };
    struct error err = { 0 };
    struct cgroup_plan *plan = plan_of("/x", &devices, CGROUP_DRIVER_DISABLED, &on_v1, &err);

    cr_assert(plan, "%s", err.text);
    cr_expect_eq(plan->directories.count, 0);
    cr_expect_eq(plan->rows.count, 0);
    cgroup_plan_free(plan);
    for (size_t i = 0; i < array_length(limits); i++) {
        auto_free char *expected =
            memory_format("linux.resources.%s: cgroups are disabled (--cgroup-manager=disabled)", names[i]);

        cr_expect_null(plan_of("/x", &limits[i], CGROUP_DRIVER_DISABLED, &on_v1, &err));
        cr_expect_str_eq(err.text, expected, "%s", err.text);
    }
    cr_expect_null(plan_of("a:b:c", NULL, CGROUP_DRIVER_SYSTEMD, &on_v2, &err));
    cr_expect_str_eq(err.text, "linux.cgroupsPath: 'a:b:c': 'a' is not the name of a slice");
}

/* v1 has one list of device rules, and ours are in it. */
Test(cgroup_plan, device_policy_of_systemd)
{
    struct string_pair pair = { (char *)"org.systemd.property.DeviceAllow", (char *)"@a(ss) []" };
    struct oci_config config = { .annotations = { &pair, 1 } };
    struct error err = { 0 };
    struct cgroup_plan *plan = cgroup_plan_make_on(&config, "web1", CGROUP_DRIVER_SYSTEMD, &on_v2, &err);

    cr_expect(plan, "%s", err.text);
    cgroup_plan_free(plan);
    cr_expect_null(cgroup_plan_make_on(&config, "web1", CGROUP_DRIVER_SYSTEMD, &on_v1, &err));
    cr_expect_str_eq(err.text,
                     "annotations.org.systemd.property.DeviceAllow: on cgroup v1 only the rules of "
                     "linux.resources.devices hold",
                     "%s", err.text);
}

/* A config without `linux` at all, and no hierarchy at all. */
Test(cgroup_plan, nothing)
{
    struct oci_config config = { 0 };
    struct cgroup_hierarchies none = { 0 };
    struct error err = { 0 };
    struct cgroup_plan *plan = cgroup_plan_make_on(&config, "x", CGROUP_DRIVER_CGROUPFS, &none, &err);

    cr_assert(plan, "%s", err.text);
    cr_expect_eq(plan->directories.count, 0);
    cr_expect_not(plan->requested);
    cgroup_plan_free(plan);
}

/* Item 166: who gets the cgroup. */
Test(cgroup_plan, owner)
{
    static char *ro[] = { (char *)"nosuid", (char *)"ro", NULL }, *rw[] = { (char *)"nosuid", NULL };
    static const struct {
        const char *namespace_path, *destination, *source;
        char **options;
        uint32_t uid, container_id, host_id, size;
        bool wanted;
        uid_t owner;
        bool in_user_namespace;
    } rows[] = {
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 0, 0, 100000, 65536, true, 100000 },
        { "", "/sys/fs/cgroup", "cgroup", rw, 7, 0, 100000, 65536, true, 100007 },
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 7, 5, 1000, 3, true, 1002 },
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 8, 5, 1000, 3, false, 0 },
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 33, 0, 0, 0, true, 33 },
        { NULL, "/sys/fs/cgroup", "cgroup", ro, 0, 0, 100000, 65536, false, 0 },
        { NULL, "/sys/fs/cgroup", "cgroup2", rw, 0, 0, 100000, 65536, false, 0 },
        { NULL, "/cg", "cgroup", rw, 0, 0, 100000, 65536, false, 0 },
        { "/proc/1/ns/cgroup", "/sys/fs/cgroup", "cgroup", rw, 0, 0, 100000, 65536, false, 0 },
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 7, 0, 100000, 65536, true, 100007, true },
        { NULL, "/sys/fs/cgroup", "cgroup", rw, 1000, 0, 0, 0, false, 0, true }, /* mappings not known */
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_namespace namespaces[] = { { OCI_NAMESPACE_CGROUP, (char *)rows[i].namespace_path },
                                              { OCI_NAMESPACE_USER, (char *)"/proc/1/ns/user" } };
        struct oci_id_mapping map = { .container_id = rows[i].container_id,
                                      .host_id = rows[i].host_id,
                                      .size = rows[i].size };
        struct oci_mount mount = { .destination = (char *)rows[i].destination,
                                   .source = (char *)rows[i].source,
                                   .options = { rows[i].options, rows[i].options == ro ? 2 : 1 } };
        struct oci_user user = { .uid = rows[i].uid };
        struct oci_process process = { .user = &user };
        struct oci_linux linux_part = { .namespaces = namespaces,
                                        .namespaces_count = rows[i].in_user_namespace ? 2 : 1,
                                        .uid_mappings = &map,
                                        .uid_mappings_count = rows[i].size ? 1 : 0 };
        struct oci_config config = {
            .linux = &linux_part, .mounts = &mount, .mounts_count = 1, .process = &process
        };
        uid_t owner = 0;

        cr_expect_eq(cgroup_owner_find(&config, &owner), rows[i].wanted, "row %zu", i);
        if (rows[i].wanted)
            cr_expect_eq(owner, rows[i].owner, "row %zu: %u", i, owner);
    }
}

/* exec --cgroup names a cgroup inside the container's, never another. */
Test(cgroup_plan, below)
{
    char *items[] = { (char *)"/cg/memory/x", (char *)"/cg/pids/x", NULL };
    struct cgroup_location location = { .driver = CGROUP_DRIVER_CGROUPFS,
                                        .path = (char *)"/x",
                                        .created = { items, 2 } };
    struct error err = { 0 };
    struct cgroup_location *below = cgroup_location_below(&location, "a//b", &err);

    cr_assert(below, "%s", err.text);
    cr_expect_str_eq(below->path, "/x/a/b");
    cr_expect_str_eq(below->created.items[0], "/cg/memory/x/a/b");
    cr_expect_str_eq(below->created.items[1], "/cg/pids/x/a/b");
    cr_expect_null(cgroup_location_below(&location, "../y", &err));
    cr_expect_str_eq(err.text, "'../y' is not the name of a cgroup in the container's");
    for (size_t i = 0; i < 2; i++)
        free(below->created.items[i]);
    free(below->created.items);
    free(below->path);
    free(below);
}
