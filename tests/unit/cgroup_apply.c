/*
 * runtime/cgroup on this machine's own hierarchies, and on v2 alone in a private mount namespace (contract
 * items 5, 164, 165, 171-175, 181, 202; security rule 9). Needs root; leaves nothing behind.
 */
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"
#include "cgroup/cgroup.h"
#include "cgroup/hierarchies.h"
#include "cgroup/in_force.h"
#include "cgroup/location.h"
#include "cgroup/members.h"
#include "cgroup/plan.h"
#include "cgroup/tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a container's worth of cgroup --------------------------------------------------------------- */

struct box {
    struct cgroup_plan *plan;
    struct cgroup_location *location;
    char path[64];
    int into;
    pid_t child;
    uint64_t namespaces; /* CLONE_NEW… for the child */
    struct error err;
};

static void need_cgroups(void)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    struct error err = { 0 };
    bool usable;

    cgroup_hierarchies_read(&hierarchies, &err);
    usable = hierarchies.count > 0 && access(hierarchies.items[0].mount_point, W_OK) == 0;
    cgroup_hierarchies_free(&hierarchies);
    if (geteuid() != 0 || !usable)
        cr_skip_test("needs root and a writable cgroup hierarchy");
}

/* v2 as the only hierarchy: where it is not, over the v1 ones, seen by this test process alone. */
static void need_v2(void)
{
    need_cgroups();
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        return;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
        cr_skip_test("needs the right to mount cgroup2");
}

static int box_plan(struct box *box, const char *path, struct oci_resources *resources)
{
    struct oci_linux linux_part = { .cgroups_path = box->path, .resources = resources };
    struct oci_config config = { .linux = &linux_part };

    snprintf(box->path, sizeof box->path, "/aril-test-%d%s", (int)getpid(), path);
    box->into = -1;
    box->plan = cgroup_plan_make(&config, "unused", CGROUP_DRIVER_CGROUPFS, &box->err);
    if (!box->plan)
        return -1;
    box->location = cgroup_plan_location(box->plan);
    return 0;
}

static void box_create(struct box *box, const char *path, struct oci_resources *resources)
{
    cr_assert_eq(box_plan(box, path, resources), 0, "%s", box->err.text);
    cr_assert_eq(cgroup_create(box->plan, &box->into, &box->err), 0, "%s", box->err.text);
}

/* A child inside the cgroup: cloned into it on v2, joining by itself on v1. Runs `work`, then sleeps. */
static void box_run(struct box *box, void (*work)(struct box *))
{
    struct sys_clone_args arguments = { .flags = box->namespaces, .exit_signal = SIGCHLD };
    int ready[2];
    char answer = 0;

    cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
    if (box->into >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)box->into;
    }
    box->child = sys_clone3(&arguments);
    cr_assert_geq(box->child, 0, "%s", strerror(errno));
    if (box->child == 0) {
        struct error err = { 0 };

        if (box->into < 0 && cgroup_attach(box->location, 0, &err) < 0)
            _exit(1);
        if (work)
            work(box);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &answer, 1), 1, "the child could not join");
    close(ready[0]);
}

static bool anything_left(const struct box *box)
{
    for (size_t i = 0; i < box->location->created.count; i++)
        if (access(box->location->created.items[i], F_OK) == 0)
            return true;
    return false;
}

/* Ends everything; the parents that the test made go too. */
static void box_destroy(struct box *box)
{
    cr_expect_eq(cgroup_destroy(box->location, &box->err), 0, "%s", box->err.text);
    cr_expect_not(anything_left(box));
    if (box->child > 0)
        waitpid(box->child, NULL, 0);
    for (size_t i = 0; i < box->location->created.count; i++) {
        char *slash = strrchr(box->location->created.items[i], '/');

        if (strcmp(box->path + 1, strrchr(box->path, '/') + 1) != 0) {
            *slash = '\0';
            rmdir(box->location->created.items[i]);
        }
        free(box->location->created.items[i]);
    }
    if (box->into >= 0)
        close(box->into);
    free(box->location->created.items);
    free(box->location->path);
    free(box->location);
    cgroup_plan_free(box->plan);
}

static char *box_read(const struct box *box, const char *file)
{
    auto_close int fd = cgroup_location_open_with(box->location, file);
    char *text = fd < 0 ? NULL : cgroup_file_read(fd, file);

    return text ? text : memory_string("(missing)");
}

#define expect_file(box, file, expected)                                                                     \
    do {                                                                                                     \
        auto_free char *text_ = box_read(box, file);                                                         \
        cr_expect_str_eq(text_, expected, "%s is '%s', not '%s'", file, text_, expected);                    \
    } while (0)

/* ---- v1 or hybrid ---------------------------------------------------------------------------------- */

static bool has_file(const char *path)
{
    return access(path, F_OK) == 0;
}

static void need_v1_memory(void)
{
    need_cgroups();
    if (!has_file("/sys/fs/cgroup/memory/memory.limit_in_bytes") ||
        !has_file("/sys/fs/cgroup/cpu/cpu.shares"))
        cr_skip_test("needs cgroup v1 with memory and cpu");
}

Test(cgroup_apply, limits_are_in_force, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 64 << 20, .swap = 128 << 20, .reservation = 32 << 20 },
        .cpu = &(struct oci_cpu){ .shares = 512,
                                  .quota = 50000,
                                  .period = 100000,
                                  .burst = 1000,
                                  .has_burst = true,
                                  .cpus = (char *)"0",
                                  .mems = (char *)"0" },
        .pids = &(struct oci_pids){ .limit = 17 },
    };

    box_create(&box, "/deep/web1", &resources);
    expect_file(&box, "memory.limit_in_bytes", "67108864");
    expect_file(&box, "memory.memsw.limit_in_bytes", "134217728");
    expect_file(&box, "memory.soft_limit_in_bytes", "33554432");
    expect_file(&box, "cpu.shares", "512");
    expect_file(&box, "cpu.cfs_quota_us", "50000");
    expect_file(&box, "cpu.cfs_burst_us", "1000");
    expect_file(&box, "cpuset.cpus", "0");
    expect_file(&box, "pids.max", "17");
    expect_file(&box, "devices.list", "c *:* m");
    box_destroy(&box);
    (void)!system(
        "rmdir /sys/fs/cgroup/*/aril-test-$PPID 2>/dev/null"); /* delete keeps parents, as crun and runc do */
}

/* Item 181: raising both limits needs the second file first, lowering them the first. */
Test(cgroup_apply, update_orders_writes, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 64 << 20, .swap = 128 << 20 },
        .cpu = &(struct oci_cpu){ .quota = 20000, .burst = 20000, .has_burst = true },
    };
    struct oci_memory raised = { .limit = 256 << 20, .swap = 512 << 20 },
                      lowered = { .limit = 16 << 20, .swap = 32 << 20 };
    struct oci_cpu more = { .quota = 90000, .burst = 90000, .has_burst = true },
                   less = { .quota = 5000, .burst = 5000, .has_burst = true };
    struct oci_pids bad = { .limit = INT64_MAX };

    box_create(&box, "", &resources);
    cr_expect_eq(
        cgroup_update(box.location, &(struct oci_resources){ .memory = &raised, .cpu = &more }, &box.err), 0,
        "%s", box.err.text);
    expect_file(&box, "memory.limit_in_bytes", "268435456");
    expect_file(&box, "memory.memsw.limit_in_bytes", "536870912");
    expect_file(&box, "cpu.cfs_quota_us", "90000");
    cr_expect_eq(
        cgroup_update(box.location, &(struct oci_resources){ .memory = &lowered, .cpu = &less }, &box.err), 0,
        "%s", box.err.text);
    expect_file(&box, "memory.limit_in_bytes", "16777216");
    expect_file(&box, "memory.memsw.limit_in_bytes", "33554432");
    expect_file(&box, "cpu.cfs_burst_us", "5000");
    cr_expect_eq(cgroup_update(box.location, &(struct oci_resources){ .pids = &bad }, &box.err), -1);
    cr_expect_str_eq(box.err.text,
                     "linux.resources.pids.limit: write '9223372036854775807' to pids.max: invalid argument",
                     "%s", box.err.text);
    box_destroy(&box);
}

/* 8 MiB that no kernel can drop. */
static void uses_memory(struct box *box)
{
    (void)box;
    memset(memory_new(8 << 20), 1, 8 << 20);
}

/* Item 186: found out before anything is written; v1's kernel says no only after that. */
Test(cgroup_apply, update_checks_usage, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = { .memory = &(struct oci_memory){ .limit = 64 << 20 },
                                       .cpu = &(struct oci_cpu){ .shares = 512 } };
    struct oci_memory tiny = { .limit = 4 << 20, .check_before_update = true },
                      sum = { .swap = 4 << 20, .check_before_update = true },
                      enough = { .limit = 32 << 20, .swap = 64 << 20, .check_before_update = true };
    struct oci_cpu more = { .shares = 2048 };

    box_create(&box, "", &resources);
    box_run(&box, uses_memory);
    cr_expect_eq(
        cgroup_update(box.location, &(struct oci_resources){ .memory = &tiny, .cpu = &more }, &box.err), -1);
    cr_expect(strstr(box.err.text, "linux.resources.memory.limit: 4194304 is less than the "), "%s",
              box.err.text);
    if (has_file("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")) {
        cr_expect_eq(
            cgroup_update(box.location, &(struct oci_resources){ .memory = &sum, .cpu = &more }, &box.err),
            -1);
        cr_expect(strstr(box.err.text, "linux.resources.memory.swap: 4194304 is less than the "), "%s",
                  box.err.text);
    } else {
        enough.swap = 0;
    }
    expect_file(&box, "memory.limit_in_bytes", "67108864");
    expect_file(&box, "cpu.shares", "512");
    cr_expect_eq(
        cgroup_update(box.location, &(struct oci_resources){ .memory = &enough, .cpu = &more }, &box.err), 0,
        "%s", box.err.text);
    expect_file(&box, "memory.limit_in_bytes", "33554432");
    expect_file(&box, "cpu.shares", "2048");
    box_destroy(&box);
}

/* An update that fails at its last value puts the first ones back, whatever order that takes. */
Test(cgroup_apply, failed_update_changes_nothing, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 64 << 20, .swap = 128 << 20 },
        .cpu = &(struct oci_cpu){ .quota = 20000, .burst = 20000, .has_burst = true, .cpus = (char *)"0" },
    };
    struct oci_resources change = {
        .memory = &(struct oci_memory){ .limit = 256 << 20, .swap = 512 << 20 },
        .cpu = &(struct oci_cpu){ .quota = 90000, .burst = 90000, .has_burst = true, .shares = 77 },
        .pids = &(struct oci_pids){ .limit = INT64_MAX },
    };

    box_create(&box, "", &resources);
    cr_expect_eq(cgroup_update(box.location, &change, &box.err), -1);
    cr_expect(strstr(box.err.text, "linux.resources.pids.limit"), "%s", box.err.text);
    expect_file(&box, "memory.limit_in_bytes", "67108864");
    expect_file(&box, "memory.memsw.limit_in_bytes", "134217728");
    expect_file(&box, "cpu.cfs_quota_us", "20000");
    expect_file(&box, "cpu.cfs_burst_us", "20000");
    expect_file(&box, "cpu.shares", "1024");
    expect_file(&box, "cpuset.cpus", "0");
    box_destroy(&box);
}

/* What writes a value back. */
Test(cgroup_apply, values_in_force)
{
    static const struct {
        const char *file, *text, *value, *expected;
    } rows[] = {
        { "memory.max", "max\n", "5", "max" },
        { "cpuset.cpus", "\n", "0-1", "\n" },
        { "cpu.max", "max 100000\n", "50000 20000", "max 100000" },
        { "io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=7 riops=max wiops=max\n",
          "8:16 rbps=9", "8:16 rbps=max wbps=7 riops=max wiops=max" },
        { "io.max", "8:160 rbps=1\n", "8:16 rbps=9", "8:16 rbps=max wbps=max riops=max wiops=max" },
        { "io.max", "", "8:16 rbps=9", "8:16 rbps=max wbps=max riops=max wiops=max" },
        { "io.weight", "default 100\n8:0 50\n", "42", "default 100" },
        { "io.weight", "default 100\n8:0 50\n", "8:0 42", "8:0 50" },
        { "io.weight", "default 100\n", "8:0 42", "8:0 default" },
        { "blkio.throttle.read_bps_device", "", "8:0 42", "8:0 0" },
        { "rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n", "mlx4_0 hca_handle=5",
          "mlx4_0 hca_handle=2 hca_object=max" },
        { "net_prio.ifpriomap", "lo 0\neth0 3\n", "eth0 5", "eth0 3" },
        { "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", "0", "1" },
        { "made.up", "a 1\n", "b 2", NULL },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *value = cgroup_value_in_force(rows[i].file, rows[i].text, rows[i].value);

        cr_expect(rows[i].expected ? value && strcmp(value, rows[i].expected) == 0 : !value, "row %zu: %s", i,
                  value ? value : "(none)");
    }
}

/* Item 24: a failed create leaves the machine as it was, parents included. */
Test(cgroup_apply, failure_undoes_everything, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = { .cpu = &(struct oci_cpu){ .cpus = (char *)"4000" } };
    char parent[128];

    cr_assert_eq(box_plan(&box, "/below/leaf", &resources), 0);
    cr_expect_eq(cgroup_create(box.plan, &box.into, &box.err), -1);
    cr_expect(strstr(box.err.text, "linux.resources.cpu.cpus: write '4000' to cpuset.cpus: "), "%s",
              box.err.text);
    snprintf(parent, sizeof parent, "/sys/fs/cgroup/memory/aril-test-%d", (int)getpid());
    cr_expect_not(has_file(parent));
    box_destroy(&box);
}

/* Item 177: a limit whose controller is missing is an error that names it. */
Test(cgroup_apply, missing_controller_is_named, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = { .network =
                                           &(struct oci_network){ .class_id = 1, .has_class_id = true } };

    if (has_file("/sys/fs/cgroup/net_cls"))
        cr_skip_test("net_cls is mounted here");
    cr_assert_eq(box_plan(&box, "", &resources), 0);
    cr_expect_eq(cgroup_create(box.plan, &box.into, &box.err), -1);
    cr_expect_str_eq(box.err.text, "linux.resources.network.classID: there is no net_cls controller here");
    box_destroy(&box);
}

/* Items 167, 170: v1 without a devices controller cannot keep device rules; root's container may not run
 * then. */
Test(cgroup_apply, device_rules_need_their_controller, .init = need_v1_memory)
{
    auto_cleanup(cgroup_hierarchies_free) struct cgroup_hierarchies hierarchies = { 0 };
    struct oci_linux linux_part = { .cgroups_path = (char *)"/aril-test-no-devices" };
    struct oci_config config = { .linux = &linux_part };
    struct cgroup_plan *plan;
    struct error err = { 0 };
    int into;

    cr_assert_eq(cgroup_hierarchies_read(&hierarchies, &err), 0);
    for (size_t i = 0; i < hierarchies.count; i++)
        if (strcmp(hierarchies.items[i].controllers, "devices") == 0)
            hierarchies.items[i].controllers[0] = 'x';
    plan = cgroup_plan_make_on(&config, "unused", CGROUP_DRIVER_CGROUPFS, &hierarchies, &err);
    cr_assert(plan, "%s", err.text);
    cr_expect_eq(cgroup_create(plan, &into, &err), -1);
    cr_expect_str_eq(err.text, "linux.resources.devices: there is no devices controller here", "%s",
                     err.text);
    cgroup_plan_free(plan);
}

/* The huge page controller of a hybrid machine is in its v2 hierarchy. */
Test(cgroup_apply, hybrid_huge_pages, .init = need_v1_memory)
{
    struct box box = { 0 };
    struct oci_hugepage_limit limit = { .page_size = (char *)"2MB", .limit = 4 << 20 };
    struct oci_resources resources = { .hugepage_limits = &limit, .hugepage_limits_count = 1 };

    if (!has_file("/sys/fs/cgroup/unified/cgroup.controllers") || has_file("/sys/fs/cgroup/hugetlb"))
        cr_skip_test("needs a hybrid machine with hugetlb in v2");
    box_create(&box, "", &resources);
    expect_file(&box, "hugetlb.2MB.max", "4194304");
    expect_file(&box, "hugetlb.2MB.rsvd.max", "4194304");
    cr_expect_eq(box.into, -1);
    box_run(&box, NULL);
    box_destroy(&box);
}

/* ---- both, by the same bodies ------------------------------------------------------------------------ */

static void lifecycle(void)
{
    struct box box = { 0 };
    auto_free pid_t *pids = NULL;
    size_t count = 0;
    char line[64];

    box_create(&box, "", NULL);
    box_run(&box, NULL);
    cr_expect_eq(cgroup_pids(box.location, &pids, &count, &box.err), 0, "%s", box.err.text);
    cr_assert_eq(count, 1);
    cr_expect_eq(pids[0], box.child);
    for (size_t i = 0; i < box.location->created.count;
         i++) { /* item 163: the child is in every one of them */
        auto_close int fd = open(box.location->created.items[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_free char *first = cgroup_file_read(fd, "cgroup.procs");

        snprintf(line, sizeof line, "%d", (int)box.child);
        cr_expect_str_eq(first, line, "%s", box.location->created.items[i]);
    }
    cr_expect_not(cgroup_is_frozen(box.location));
    cr_expect_eq(cgroup_freeze(box.location, true, &box.err), 0, "%s", box.err.text);
    cr_expect(cgroup_is_frozen(box.location));
    cr_expect_eq(cgroup_freeze(box.location, false, &box.err), 0, "%s", box.err.text);
    cr_expect_not(cgroup_is_frozen(box.location));
    cr_expect_eq(cgroup_kill(box.location, SIGKILL, &box.err), 0, "%s", box.err.text);
    box_destroy(&box);
}

Test(cgroup_apply, lifecycle, .init = need_cgroups)
{
    lifecycle();
}
Test(cgroup_apply_v2, lifecycle, .init = need_v2)
{
    lifecycle();
}

/* The child joins by itself right after the clone, before its ids are mapped. */
Test(cgroup_apply, joins_from_new_namespaces, .init = need_cgroups)
{
    struct box box = { .namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID };
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    box_create(&box, "", NULL);
    box_run(&box, NULL);
    cr_expect_eq(cgroup_pids(box.location, &pids, &count, &box.err), 0, "%s", box.err.text);
    cr_assert_eq(count, 1);
    cr_expect_eq(pids[0], box.child);
    box_destroy(&box);
}

/* Item 165. */
static void refuses_a_cgroup_in_use(void)
{
    struct box first = { 0 }, second = { 0 };

    box_create(&first, "", NULL);
    box_run(&first, NULL);
    cr_assert_eq(box_plan(&second, "", NULL), 0);
    cr_expect_eq(cgroup_create(second.plan, &second.into, &second.err), -1);
    cr_expect_str_eq(second.err.text, "container's cgroup is not empty: 1 process(es) found", "%s",
                     second.err.text);
    cr_expect(anything_left(&first), "the failed create took the directories of the other one");
    box_destroy(&first);
    box_destroy(&second);
}

Test(cgroup_apply, refuses_a_cgroup_in_use, .init = need_cgroups)
{
    refuses_a_cgroup_in_use();
}
Test(cgroup_apply_v2, refuses_a_cgroup_in_use, .init = need_v2)
{
    refuses_a_cgroup_in_use();
}

/* Item 175: nothing in a threaded cgroup can be listed or killed. */
Test(cgroup_apply_v2, refuses_a_threaded_cgroup, .init = need_v2)
{
    struct box first = { 0 }, second = { 0 };
    FILE *type;
    char path[128];

    box_create(&first, "", NULL);
    snprintf(path, sizeof path, "%s/cgroup.type", first.location->created.items[0]);
    type = fopen(path, "we");
    if (!type || fputs("threaded", type) < 0 || fclose(type) < 0)
        cr_skip_test("this cgroup cannot be threaded");
    cr_assert_eq(box_plan(&second, "", NULL), 0);
    cr_expect_eq(cgroup_create(second.plan, &second.into, &second.err), -1);
    cr_expect(strstr(second.err.text, "is part of a threaded cgroup, which takes no containers"), "%s",
              second.err.text);
    box_destroy(&first);
    box_destroy(&second);
}

static void refuses_a_frozen_cgroup(void)
{
    struct box first = { 0 }, second = { 0 };

    box_create(&first, "", NULL);
    cr_assert_eq(cgroup_freeze(first.location, true, &first.err), 0, "%s", first.err.text);
    cr_assert_eq(box_plan(&second, "", NULL), 0);
    cr_expect_eq(cgroup_create(second.plan, &second.into, &second.err), -1);
    cr_expect_str_eq(second.err.text, "container's cgroup unexpectedly frozen", "%s", second.err.text);
    box_destroy(&first);
    box_destroy(&second);
}

Test(cgroup_apply, refuses_a_frozen_cgroup, .init = need_cgroups)
{
    refuses_a_frozen_cgroup();
}
Test(cgroup_apply_v2, refuses_a_frozen_cgroup, .init = need_v2)
{
    refuses_a_frozen_cgroup();
}

/* An empty one is used: `cgroupsPath` may name what the engine made. */
Test(cgroup_apply, takes_an_empty_cgroup, .init = need_cgroups)
{
    struct box first = { 0 }, second = { 0 };

    box_create(&first, "", NULL);
    box_create(&second, "", NULL);
    box_run(&second, NULL);
    box_destroy(&second);
    box_destroy(&first); /* missing is success */
}

static void bomb(struct box *box)
{
    (void)box;
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 4; i++) {
        if (fork() != 0)
            continue;
        while (fork() == 0) /* the child goes on, the parent ends: the pid changes all the time */
            ;
        _exit(0);
    }
}

static void kills_a_fork_bomb(void)
{
    struct oci_pids limit = { .limit = 64 };
    struct oci_resources resources = { .pids = &limit };
    struct box box = { 0 };
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    if (!has_file("/sys/fs/cgroup/pids"))
        resources.pids = NULL;
    box_create(&box, "", &resources);
    box_run(&box, bomb);
    cr_expect_eq(cgroup_kill(box.location, SIGKILL, &box.err), 0, "%s", box.err.text);
    waitpid(box.child, NULL, 0);
    box.child = 0;
    for (int i = 0; i < 100; i++) { /* v2 kills at once, but the dead take a moment */
        free(take_ptr(pids));
        cr_assert_eq(cgroup_pids(box.location, &pids, &count, &box.err), 0);
        if (count == 0)
            break;
        usleep(10000);
    }
    cr_expect_eq(count, 0);
    box_destroy(&box);
}

Test(cgroup_apply, kills_a_fork_bomb, .init = need_cgroups) /* item 173 */
{
    kills_a_fork_bomb();
}
Test(cgroup_apply_v2, kills_a_fork_bomb, .init = need_v2) /* item 173 */
{
    kills_a_fork_bomb();
}

static void leave(int number)
{
    _exit(number);
}

/* v2 lets a signal that is fatal by default through to the frozen; one with a handler waits on both. */
static void handles_term(struct box *box)
{
    (void)box;
    signal(SIGTERM, leave);
}

/* A signal to a paused container waits; SIGKILL does not. */
static void paused_containers_and_signals(void)
{
    struct box box = { 0 };

    box_create(&box, "", NULL);
    box_run(&box, handles_term);
    cr_assert_eq(cgroup_freeze(box.location, true, &box.err), 0, "%s", box.err.text);
    cr_expect_eq(cgroup_kill(box.location, SIGTERM, &box.err), 0, "%s", box.err.text);
    cr_expect(cgroup_is_frozen(box.location));
    cr_expect_eq(waitpid(box.child, NULL, WNOHANG), 0);
    cr_expect_eq(cgroup_kill(box.location, SIGKILL, &box.err), 0, "%s", box.err.text);
    cr_expect_eq(waitpid(box.child, NULL, 0), box.child);
    box.child = 0;
    box_destroy(&box);
}

Test(cgroup_apply, paused_containers_and_signals, .init = need_cgroups)
{
    paused_containers_and_signals();
}
Test(cgroup_apply_v2, paused_containers_and_signals, .init = need_v2)
{
    paused_containers_and_signals();
}

/* More than are opened at once. */
static void fork_many(struct box *box)
{
    (void)box;
    for (int i = 0; i < 600; i++)
        if (fork() == 0)
            for (;;)
                pause();
}

/* A pid of an earlier list that is none of the cgroup's now, as when it was reused, is left alone; no member
 * is missed. */
static void signals_members_alone(void)
{
    struct box box = { 0 };
    auto_free pid_t *pids = NULL, *listed = NULL;
    auto_close int fd = -1;
    pid_t stranger = fork();
    size_t count = 0;

    if (stranger == 0)
        for (;;)
            pause();
    cr_assert_gt(stranger, 0);
    box_create(&box, "", NULL);
    box_run(&box, fork_many);
    fd = cgroup_location_open_with(box.location, "cgroup.procs");
    cr_assert_eq(cgroup_tree_pids(fd, &pids, &count), 0);
    cr_expect_eq(count, 601, "%zu processes", count);
    listed = memory_new_array(count + 2, sizeof *listed);
    listed[0] = stranger;
    listed[1] = getpid();
    memcpy(listed + 2, pids, count * sizeof *pids);
    cr_expect_eq(cgroup_members_signal_listed(fd, listed, count + 2, SIGKILL, &box.err), 0, "%s",
                 box.err.text);
    cr_expect_eq(waitpid(box.child, NULL, 0), box.child);
    box.child = 0;
    for (int i = 0; i < 3000 && count > 0; i++) { /* the dead take a moment */
        free(take_ptr(pids));
        cr_assert_eq(cgroup_tree_pids(fd, &pids, &count), 0);
        if (count > 0)
            usleep(10000);
    }
    cr_expect_eq(count, 0, "%zu processes are left", count);
    cr_expect_eq(waitpid(stranger, NULL, WNOHANG), 0, "the stranger was killed");
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    box_destroy(&box);
}

Test(cgroup_apply, signals_members_alone, .init = need_cgroups) /* item 172 */
{
    signals_members_alone();
}
Test(cgroup_apply_v2, signals_members_alone, .init = need_v2) /* item 172 */
{
    signals_members_alone();
}

/* A payload with its own cgroups, deeper than any path can name, and a process at the bottom. */
static void nest(struct box *box)
{
    for (size_t i = 0; i < box->location->created.count; i++) {
        int fd = open(box->location->created.items[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (strstr(box->location->created.items[i], "cpuset"))
            continue;
        for (int depth = 0; depth < 40; depth++) {
            char name[201];
            int next;

            memset(name, 'a' + depth % 26, 200);
            name[200] = '\0';
            if (mkdirat(fd, name, 0755) < 0)
                break;
            next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            mkdirat(fd, "sibling", 0755);
            close(fd);
            fd = next;
        }
        dprintf(openat(fd, "cgroup.procs", O_WRONLY), "0");
    }
}

static void destroys_nested_cgroups(void)
{
    struct box box = { 0 };
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    box_create(&box, "", NULL);
    box_run(&box, nest);
    cr_expect_eq(cgroup_pids(box.location, &pids, &count, &box.err), 0, "%s", box.err.text);
    cr_expect_eq(count, 1, "%zu processes", count);
    box_destroy(&box);
}

Test(cgroup_apply, destroys_nested_cgroups, .init = need_cgroups) /* item 172 */
{
    destroys_nested_cgroups();
}
Test(cgroup_apply_v2, destroys_nested_cgroups, .init = need_v2) /* item 172 */
{
    destroys_nested_cgroups();
}

/* Item 171: without the right to make cgroups, only a container that asks for limits fails. */
static void rootless(void)
{
    struct box box = { 0 }, limited = { 0 };
    struct oci_resources resources = { .pids = &(struct oci_pids){ .limit = 5 } };

    cr_assert_eq(setresuid(65534, 65534, 65534), 0);
    box_create(&box, "/free", NULL);
    cr_expect_eq(box.into, -1);
    cr_expect_not(anything_left(&box));
    cgroup_plan_drop_absent(box.plan, box.location);
    cr_expect_eq(box.location->created.count, 0);
    cr_expect_eq(cgroup_attach(box.location, 0, &box.err), 0, "%s", box.err.text);
    cr_expect_eq(cgroup_freeze(box.location, true, &box.err), -1);
    cr_expect_eq(box.err.code, ENOTSUP);
    cr_assert_eq(box_plan(&limited, "/limited", &resources), 0);
    cr_expect_eq(cgroup_create(limited.plan, &limited.into, &limited.err), -1);
    cr_expect(strstr(limited.err.text, "permission denied (linux.resources.pids.limit needs a cgroup that"),
              "%s", limited.err.text);
    box_destroy(&limited);
    box_destroy(&box);
}

Test(cgroup_apply, rootless, .init = need_cgroups)
{
    rootless();
}
Test(cgroup_apply_v2, rootless, .init = need_v2)
{
    rootless();
}

/* Item 166. */
Test(cgroup_apply_v2, is_given_to_the_containers_user, .init = need_v2)
{
    struct box box = { 0 };
    struct stat status;
    auto_free char *procs = NULL;

    cr_assert_eq(box_plan(&box, "", NULL), 0);
    box.plan->owned = true;
    box.plan->owner = 4321;
    cr_assert_eq(cgroup_create(box.plan, &box.into, &box.err), 0, "%s", box.err.text);
    procs = memory_format("%s/cgroup.procs", box.location->created.items[0]);
    cr_expect(stat(procs, &status) == 0 && status.st_uid == 4321);
    cr_expect(fstat(box.into, &status) == 0 && status.st_uid == 4321);
    free(take_ptr(procs));
    procs = memory_format("%s/cgroup.max.depth", box.location->created.items[0]);
    cr_expect(stat(procs, &status) == 0 && status.st_uid == 0);
    box_destroy(&box);
}

/* Item 175: where init is, when the container has moved it below. */
static void moves_below(struct box *box)
{
    auto_free char *child = memory_format("%s/sub", box->location->created.items[0]);
    char *items[] = { child, NULL };
    struct cgroup_location location = { .created = { items, 1 } };
    struct error err = { 0 };

    if (mkdir(child, 0755) < 0 || cgroup_attach(&location, 0, &err) < 0)
        _exit(1);
}

Test(cgroup_apply_v2, finds_where_init_is, .init = need_v2)
{
    struct box box = { 0 };
    auto_close int fd = -1;
    struct stat found, expected;
    auto_free char *child = NULL;

    box_create(&box, "", NULL);
    box_run(&box, moves_below);
    fd = cgroup_open_of(box.child);
    child = memory_format("%s/sub", box.location->created.items[0]);
    cr_expect(fd >= 0 && fstat(fd, &found) == 0 && stat(child, &expected) == 0 &&
              found.st_ino == expected.st_ino);
    cr_expect_eq(cgroup_open_of(INT32_MAX), -1);
    box_destroy(&box);
}

/* Security rule 9: the record is written first; the cgroup may never have come, or only in part. */
Test(cgroup_apply, destroys_what_is_half_made, .init = need_cgroups)
{
    struct box box = { 0 };

    cr_assert_eq(box_plan(&box, "", NULL), 0);
    cr_expect_eq(cgroup_destroy(box.location, &box.err), 0, "%s", box.err.text);
    cr_assert_eq(mkdir(box.location->created.items[0], 0755), 0);
    box_destroy(&box);
}

/* A damaged record must not make us remove or signal anything outside the cgroup file systems. */
Test(cgroup_apply, damaged_records_are_harmless, .init = need_cgroups)
{
    char directory[] = "/tmp/aril-test-XXXXXX", *items[] = { directory, NULL };
    struct cgroup_location location = { .created = { items, 1 } };
    struct error err = { 0 };
    auto_free pid_t *pids = NULL;
    auto_free char *inside = NULL;
    size_t count = 1;

    cr_assert(mkdtemp(directory));
    inside = memory_format("%s/kept", directory);
    cr_assert_eq(mkdir(inside, 0700), 0);
    cr_expect_eq(cgroup_pids(&location, &pids, &count, &err), 0);
    cr_expect_eq(count, 0);
    cr_expect_eq(cgroup_destroy(&location, &err), -1);
    cr_expect_eq(access(inside, F_OK), 0);
    rmdir(inside);
    rmdir(directory);
    cr_expect_eq(cgroup_destroy(NULL, &err), 0);
    cr_expect_eq(cgroup_destroy(&(struct cgroup_location){ 0 }, &err), 0);
}

/* Without a descriptor to spare nothing can be listed or killed, which is an error and not an empty cgroup.
 */
Test(cgroup_apply, no_descriptors_is_no_empty_cgroup, .init = need_cgroups)
{
    struct box box = { 0 };
    struct rlimit before, none;
    pid_t *pids = NULL;
    size_t count = 0;
    int kill_result, list_result;

    box_create(&box, "", NULL);
    box_run(&box, NULL);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ 0, before.rlim_max };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    kill_result = cgroup_kill(box.location, SIGTERM, &box.err);
    list_result = cgroup_pids(box.location, &pids, &count, &box.err);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect_eq(kill_result, -1);
    cr_expect_eq(list_result, -1);
    cr_expect_str_eq(box.err.text, "open the cgroup: too many open files", "%s", box.err.text);
    box_destroy(&box);
}

/* The device rules hold for real: a node that may be made cannot be opened (items 167-169). */
static int try_device(const char *name, unsigned major, unsigned minor)
{
    char path[64];
    int fd, result;

    snprintf(path, sizeof path, "/tmp/aril-test-%s-%d", name, (int)getpid());
    if (mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0)
        return -errno;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    result = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    unlink(path);
    return result;
}

static void tries_devices(struct box *box)
{
    (void)box;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/tmp", "tmpfs", 0, NULL) < 0) /* the machine's may be nodev */
        _exit(1);
    if (try_device("null", 1, 3) != 0)
        _exit(2);
    if (try_device("kmsg", 1, 11) != EPERM)
        _exit(3);
    if (try_device("odd", 10, 229) != EPERM)
        _exit(4);
}

static void device_rules_hold(void)
{
    struct box box = { 0 };
    struct oci_device_rule deny_all = { .allow = false, .has_allow = true, .access = (char *)"rwm" };
    struct oci_resources resources = { .devices = &deny_all, .devices_count = 1 };

    box_create(&box, "", &resources);
    box_run(&box, tries_devices);
    cr_expect_eq(waitpid(box.child, NULL, WNOHANG), 0);
    box_destroy(&box);
}

Test(cgroup_apply, device_rules_hold, .init = need_cgroups)
{
    device_rules_hold();
}
Test(cgroup_apply_v2, device_rules_hold, .init = need_v2)
{
    if (has_file("/sys/fs/cgroup/cgroup.controllers")) /* v1's rules of the machine's own cgroup allow all */
        device_rules_hold();
}

static void need_v2_memory(void)
{
    auto_free char *controllers = NULL;
    auto_close int fd = -1;

    need_v2();
    fd = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    controllers = cgroup_file_read(fd, "cgroup.controllers");
    if (!controllers || !strstr(controllers, "memory") || !strstr(controllers, "cpu"))
        cr_skip_test("needs memory and cpu in cgroup v2");
}

Test(cgroup_apply_v2, limits_are_in_force, .init = need_v2_memory)
{
    struct box box = { 0 };
    struct string_pair pair = { (char *)"memory.high", (char *)"50331648" };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 64 << 20, .swap = 64 << 20, .reservation = 32 << 20 },
        .cpu = &(struct oci_cpu){ .shares = 2048, .quota = 50000, .burst = 1000, .has_burst = true },
        .pids = &(struct oci_pids){ .limit = 17 },
        .unified = { &pair, 1 },
    };

    box_create(&box, "/deep/web1", &resources);
    box_run(&box, NULL);
    expect_file(&box, "memory.max", "67108864");
    expect_file(&box, "memory.low", "33554432");
    expect_file(&box, "memory.high", "50331648");
    expect_file(&box, "cpu.weight", "174");
    expect_file(&box, "cpu.max", "50000 100000");
    expect_file(&box, "cpu.max.burst", "1000");
    expect_file(&box, "pids.max", "17");
    box_destroy(&box);
    (void)!system("rmdir /sys/fs/cgroup/aril-test-$PPID 2>/dev/null");
}

/* What an update leaves out stays as it is (items 180, 188), and checkBeforeUpdate refuses instead of killing
 * (186). */
Test(cgroup_apply_v2, update_completes_values, .init = need_v2_memory)
{
    struct box box = { 0 };
    struct oci_resources resources = {
        .memory = &(struct oci_memory){ .limit = 64 << 20 },
        .cpu = &(struct oci_cpu){ .quota = 30000, .period = 60000 },
    };
    struct oci_memory swap = { .swap = 96 << 20 }, tiny = { .limit = 4096, .check_before_update = true };
    struct oci_cpu period = { .period = 90000 }, unlimited = { .quota = -1 };

    box_create(&box, "", &resources);
    box_run(&box, NULL);
    cr_expect_eq(cgroup_update(box.location, &(struct oci_resources){ .cpu = &period }, &box.err), 0, "%s",
                 box.err.text);
    expect_file(&box, "cpu.max", "30000 90000");
    cr_expect_eq(cgroup_update(box.location, &(struct oci_resources){ .cpu = &unlimited }, &box.err), 0, "%s",
                 box.err.text);
    expect_file(&box, "cpu.max", "max 90000");
    if (cgroup_update(box.location, &(struct oci_resources){ .memory = &swap }, &box.err) == 0)
        expect_file(&box, "memory.swap.max", "33554432");
    else
        cr_expect(strstr(box.err.text, "has no memory.swap.max"), "%s", box.err.text);
    expect_file(&box, "memory.max", "67108864");
    cr_expect_eq(cgroup_update(box.location, &(struct oci_resources){ .memory = &tiny }, &box.err), -1);
    cr_expect(strstr(box.err.text, "linux.resources.memory.limit: 4096 is less than the "), "%s",
              box.err.text);
    expect_file(&box, "memory.max", "67108864");
    box_destroy(&box);
}

static void opens_kmsg(struct box *box)
{
    (void)box;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || try_device("kmsg", 1, 11) != 0)
        _exit(1);
}

/* Replaced in place: were the first program still there, which denies, the second one would allow nothing
 * (items 169, 281). */
static void update_replaces_the_rules(const struct oci_resources *rules, void (*then)(struct box *))
{
    struct box box = { 0 };

    box_create(&box, "", NULL);
    for (; rules->devices_count > 0; rules++)
        cr_expect_eq(cgroup_update(box.location, rules, &box.err), 0, "%s", box.err.text);
    box_run(&box, then);
    box_destroy(&box);
}

#define RULES(...)                                                                                           \
    {                                                                                                        \
        .devices = (struct oci_device_rule[]){ __VA_ARGS__ },                                                \
        .devices_count = sizeof((struct oci_device_rule[]){ __VA_ARGS__ }) / sizeof(struct oci_device_rule)  \
    }
#define DENY_ALL                                                                                             \
    {                                                                                                        \
        .allow = false, .has_allow = true, .access = (char *)"rwm"                                           \
    }
#define ALLOW_KMSG                                                                                           \
    {                                                                                                        \
        .allow = true, .has_allow = true, .type = OCI_DEVICE_RULE_CHAR, .major = 1, .has_major = true,       \
        .minor = 11, .has_minor = true, .access = (char *)"rwm"                                              \
    }

static const struct oci_resources opened[] = { RULES(DENY_ALL, ALLOW_KMSG), { 0 } };
static const struct oci_resources closed[] = { RULES(DENY_ALL, ALLOW_KMSG), RULES(DENY_ALL), { 0 } };

Test(cgroup_apply, update_opens_a_device, .init = need_v1_memory)
{
    update_replaces_the_rules(opened, opens_kmsg);
}
Test(cgroup_apply, update_closes_a_device, .init = need_v1_memory)
{
    update_replaces_the_rules(closed, tries_devices);
}
Test(cgroup_apply_v2, update_opens_a_device, .init = need_v2)
{
    update_replaces_the_rules(opened, opens_kmsg);
}
Test(cgroup_apply_v2, update_closes_a_device, .init = need_v2)
{
    update_replaces_the_rules(closed, tries_devices);
}

/* exec clones into it; v1 has nothing to clone into. */
Test(cgroup_apply_v2, opens_for_clone, .init = need_v2) /* item 175 */
{
    struct box box = { 0 };
    auto_close int fd = -1;

    box_create(&box, "/a/b/c", NULL);
    cr_expect_geq(box.into, 0);
    fd = cgroup_open_for_clone(box.location);
    cr_expect_geq(fd, 0);
    box_destroy(&box);
    (void)!system("rmdir -p --ignore-fail-on-non-empty /sys/fs/cgroup/aril-test-$PPID/a 2>/dev/null");
}

/* A controller that v2 has here, through three levels (item 202); the file is there only when all of them
 * hand it down. */
Test(cgroup_apply_v2, controllers_are_handed_down, .init = need_v2)
{
    struct box box = { 0 };
    struct oci_hugepage_limit limit = { .page_size = (char *)"2MB", .limit = 2 << 20 };
    struct oci_resources resources = { .hugepage_limits = &limit, .hugepage_limits_count = 1 };
    struct string_pair pair = { (char *)"nonsense.max", (char *)"1" };

    if (!has_file("/sys/kernel/mm/hugepages/hugepages-2048kB"))
        cr_skip_test("needs huge pages of 2 MB");
    box_create(&box, "/a", &resources);
    expect_file(&box, "hugetlb.2MB.max", "2097152");
    cr_expect_eq(cgroup_update(box.location, &(struct oci_resources){ .unified = { &pair, 1 } }, &box.err),
                 -1);
    cr_expect(strstr(box.err.text, "linux.resources.unified.nonsense.max: /sys/fs/cgroup/aril-test-"), "%s",
              box.err.text);
    cr_expect(strstr(box.err.text, "has no nonsense.max (is the nonsense controller enabled there?)"), "%s",
              box.err.text);
    box_destroy(&box);
}
