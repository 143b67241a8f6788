/*
 * runtime/process and runtime/security/capabilities.c on the system: every step in a child of its own, which
 * ends with the number of the check that failed. Steps that need root are skipped without it.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "process/process.h"
#include "security/security.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* What went wrong in the child is written to its stderr, which Criterion shows. */
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, err.text);                    \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static void in_child(int (*run)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(run());
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "see stderr; status 0x%x", status);
}

static void need_root(void)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
}

static char *args[] = { (char[]){ "sh" }, NULL };

static struct oci_process base_process(void)
{
    return (struct oci_process){ .args = { args, 1 }, .cwd = (char[]){ "/" } };
}

/* ---- ids and capabilities --------------------------------------------------------------------------- */

static int get_caps(struct __user_cap_data_struct *halves)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return (int)syscall(SYS_capget, &header, halves);
}

/* Items 57, 59-62, 64: user 1234, CAP_NET_RAW everywhere, CAP_KILL permitted only. */
static int shed_to_user(void)
{
    struct process_plan plan = { .uid = 1234, .gid = 2345, .what = "process" };
    gid_t wanted[] = { 5, 2345 }, groups[8];
    struct __user_cap_data_struct halves[2];
    struct error err = { 0 };
    uid_t ids[3];

    plan.groups = wanted;
    plan.group_count = 2;
    plan.cap_bounding = plan.cap_permitted = 1u << CAP_NET_RAW | 1u << CAP_KILL;
    plan.cap_effective = plan.cap_inheritable = plan.cap_ambient = 1u << CAP_NET_RAW;
    CHECK(capabilities_drop_bounding(&plan, &err) == 0);
    CHECK(process_apply_ids(&plan, &err) == 0);
    CHECK(capabilities_apply(&plan, &err) == 0);
    CHECK(getresuid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == 1234 && ids[1] == 1234 && ids[2] == 1234);
    CHECK(getresgid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == 2345 && ids[1] == 2345 && ids[2] == 2345);
    CHECK(getgroups(8, groups) == 2 && groups[0] == 5 && groups[1] == 2345);
    CHECK(get_caps(halves) == 0);
    CHECK(halves[0].permitted == plan.cap_permitted && halves[1].permitted == 0);
    CHECK(halves[0].effective == 1u << CAP_NET_RAW && halves[0].inheritable == 1u << CAP_NET_RAW);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 1);
    for (int number = 0; number <= capability_last(); number++)
        CHECK(prctl(PR_CAPBSET_READ, number, 0, 0, 0) == (number == CAP_NET_RAW || number == CAP_KILL));
    return 0;
}

Test(process_apply, ids_and_capabilities)
{
    need_root();
    in_child(shed_to_user);
}

/* Item 63: no capabilities in the config, user 0: none stay, not even those that came as ambient. */
static int shed_all_as_root(void)
{
    struct process_plan plan = { .what = "process" };
    struct __user_cap_data_struct halves[2];
    struct error err = { 0 };

    CHECK(capabilities_drop_bounding(&plan, &err) == 0);
    CHECK(process_apply_ids(&plan, &err) == 0);
    CHECK(capabilities_apply(&plan, &err) == 0);
    CHECK(getgroups(0, NULL) == 0);
    CHECK(get_caps(halves) == 0);
    CHECK(!halves[0].permitted && !halves[1].permitted && !halves[0].effective && !halves[0].inheritable);
    for (int number = 0; number <= capability_last(); number++)
        CHECK(prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0);
    return 0;
}

Test(process_apply, no_capabilities_by_accident)
{
    need_root();
    in_child(shed_all_as_root);
}

/* Item 62: what the runtime does not have is left out; a second call lacks CAP_SETPCAP and finds nothing to
 * drop. */
static int ask_for_more_than_there_is(void)
{
    struct process_plan little = { .what = "process" }, much;
    struct __user_cap_data_struct halves[2];
    struct error err = { 0 };

    little.cap_bounding = little.cap_permitted = 1u << CAP_KILL;
    CHECK(capabilities_drop_bounding(&little, &err) == 0);
    CHECK(capabilities_apply(&little, &err) == 0);
    much = little;
    much.cap_permitted = much.cap_effective = 1u << CAP_KILL | 1u << CAP_CHOWN;
    CHECK(capabilities_drop_bounding(&much, &err) == 0);
    CHECK(capabilities_apply(&much, &err) == 0);
    CHECK(get_caps(halves) == 0);
    CHECK(halves[0].permitted == 1u << CAP_KILL && halves[0].effective == 1u << CAP_KILL);
    much.cap_bounding = 0;
    CHECK(capabilities_drop_bounding(&much, &err) == -1);
    CHECK(strcmp(err.text, "process.capabilities.bounding: drop CAP_KILL: operation not permitted") == 0);
    return 0;
}

Test(process_apply, ungrantable_capabilities)
{
    need_root();
    in_child(ask_for_more_than_there_is);
}

/* Item 64: ambient that an engine left on us goes, although the payload's inheritable set would hold it. */
static int inherit_ambient(void)
{
    struct process_plan plan = { .what = "process" };
    struct error err = { 0 };

    plan.cap_bounding = plan.cap_permitted = plan.cap_inheritable = plan.cap_ambient =
        1u << CAP_KILL | 1u << CAP_CHOWN;
    CHECK(capabilities_apply(&plan, &err) == 0);
    plan.cap_ambient = 1u << CAP_CHOWN;
    CHECK(capabilities_apply(&plan, &err) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 1);
    return 0;
}

Test(process_apply, ambient_is_not_inherited)
{
    need_root();
    in_child(inherit_ambient);
}

/* ---- attributes
 * -------------------------------------------------------------------------------------------- */

static int set_attributes(void)
{
    struct oci_rlimit rlimits[] = { { .type = OCI_RLIMIT_CORE, .soft = 0, .hard = 0 },
                                    { .type = OCI_RLIMIT_NOFILE, .soft = 100, .hard = 200 } };
    struct oci_scheduler scheduler = { .policy = OCI_SCHED_BATCH, .nice = 5 };
    struct oci_io_priority io_priority = { .io_class = OCI_IOPRIO_CLASS_IDLE, .priority = 3 };
    struct oci_process process = base_process();
    struct process_plan plan;
    struct error err = { 0 };
    struct rlimit limit;

    process.rlimits = rlimits;
    process.rlimits_count = 2;
    process.scheduler = &scheduler;
    process.io_priority = &io_priority;
    CHECK(process_plan_make(NULL, &process, "process", &plan, &err) == 0);
    CHECK(process_apply_rlimits(&plan, &err) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100 && limit.rlim_max == 200);
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
    CHECK(process_apply_scheduler(&plan, &err) == 0);
    CHECK(sched_getscheduler(0) == SCHED_BATCH);
    CHECK(syscall(SYS_ioprio_get, 1, 0) == (3 << 13 | 3));
    scheduler.policy = OCI_SCHED_ISO;
    scheduler.nice = 0;
    CHECK(process_apply_scheduler(&plan, &err) == -1);
    CHECK(strstr(err.text, "process.scheduler: sched_setattr SCHED_ISO: invalid argument (this kernel"));
    return 0;
}

/* <linux/sched/types.h> cannot be included beside <sched.h>. */
struct kernel_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* Every policy and parameter, read back from the kernel. What is absent becomes 0, whatever we had before. */
static int set_each_policy(void)
{
    enum oci_scheduler_flag reset[] = { OCI_SCHED_FLAG_RESET_ON_FORK };
    const struct {
        struct oci_scheduler wanted;
        struct kernel_attributes got;
    } rows[] = {
        { { .policy = OCI_SCHED_FIFO, .priority = 5 }, { .policy = 1, .priority = 5 } },
        { { .policy = OCI_SCHED_RR, .priority = 7, .flags = reset, .flags_count = 1 },
          { .policy = 2, .priority = 7, .flags = 1 } },
        { { .policy = OCI_SCHED_OTHER, .nice = -3 }, { .policy = 0, .nice = -3 } },
        { { .policy = OCI_SCHED_BATCH }, { .policy = 3 } },
        { { .policy = OCI_SCHED_IDLE }, { .policy = 5 } },
        { { .policy = OCI_SCHED_DEADLINE, .runtime = 1000000, .deadline = 20000000, .period = 30000000 },
          { .policy = 6, .runtime = 1000000, .deadline = 20000000, .period = 30000000 } },
    };
    struct oci_process process = base_process();
    struct process_plan plan = { .process = &process, .what = "process" };
    struct error err = { 0 };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_scheduler wanted = rows[i].wanted;
        const struct kernel_attributes *expected = &rows[i].got;
        struct kernel_attributes got = { 0 };

        process.scheduler = &wanted;
        CHECK(process_apply_scheduler(&plan, &err) == 0);
        CHECK(syscall(SYS_sched_getattr, 0, &got, sizeof got, 0) == 0);
        CHECK(got.policy == expected->policy && got.flags == expected->flags);
        CHECK(got.nice == expected->nice && got.priority == expected->priority);
        if (got.policy == 6) /* for others the kernel reports its own slice as runtime */
            CHECK(got.runtime == expected->runtime && got.deadline == expected->deadline &&
                  got.period == expected->period);
    }
    return 0;
}

Test(process_apply, items_73_74_every_policy)
{
    const struct sched_param real_time = { .sched_priority = 1 };

    if (sched_setscheduler(0, SCHED_FIFO, &real_time) < 0)
        cr_skip_test("real-time scheduling is not permitted here");
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
    in_child(set_each_policy);
}

Test(process_apply, rlimits_scheduler_io_priority)
{
    in_child(set_attributes);
}

/* Item 66: absent changes nothing. */
static int set_oom_score(void)
{
    auto_close int procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct oci_process process = base_process();
    struct process_plan plan = { .process = &process, .what = "process" };
    char text[16] = { 0 };
    struct error err = { 0 };

    process.oom_score_adj = 345;
    CHECK(process_apply_oom_score(&plan, -1, &err) == 0); /* not even a look at procfs */
    process.has_oom_score_adj = true;
    CHECK(process_apply_oom_score(&plan, procfs, &err) == 0);
    CHECK(pread(openat(procfs, "self/oom_score_adj", O_RDONLY), text, sizeof text - 1, 0) > 0);
    CHECK(strcmp(text, "345\n") == 0);
    process.oom_score_adj = 346;
    CHECK(process_apply_oom_score(&plan, -1, &err) == -1);
    CHECK(strcmp(err.text,
                 "process.oomScoreAdj: write 346 to /proc/self/oom_score_adj: bad file descriptor") == 0);
    return 0;
}

Test(process_apply, oom_score)
{
    in_child(set_oom_score);
}

static int set_personality(void)
{
    struct oci_personality wanted = { .domain = OCI_PERSONALITY_LINUX32 };
    struct oci_linux platform = { .personality = &wanted };
    struct oci_config config = { .linux = &platform };
    char *flags[] = { (char[]){ "X" }, NULL };
    struct error err = { 0 };

    CHECK(process_apply_personality(&config, &err) == 0);
    CHECK(personality(0xffffffff) == PER_LINUX32);
    wanted.flags = (struct strings){ flags, 1 };
    CHECK(process_apply_personality(&config, &err) == -1);
    CHECK(strcmp(err.text, "linux.personality.flags[0]: 'X' is not supported") == 0);
    return 0;
}

Test(process_apply, personality)
{
    in_child(set_personality);
}

/* Items 241-243. */
static int set_memory_policy(void)
{
    static const struct {
        enum oci_memory_policy_mode mode;
        const char *nodes;
        const char *error; /* NULL: works where the kernel has NUMA */
    } rows[] = {
        { OCI_MPOL_BIND, "0", NULL },
        { OCI_MPOL_INTERLEAVE, "0-0", NULL },
        { OCI_MPOL_PREFERRED, "", NULL },
        { OCI_MPOL_LOCAL, NULL, NULL },
        { OCI_MPOL_DEFAULT, "", NULL },
        { OCI_MPOL_BIND, "", "linux.memoryPolicy.nodes: MPOL_BIND needs at least one node" },
        { OCI_MPOL_LOCAL, "0", "linux.memoryPolicy.nodes: MPOL_LOCAL takes no nodes" },
        { OCI_MPOL_BIND, "0-",
          "linux.memoryPolicy.nodes: '0-' is not a list like 0-3,7 of numbers below 1024" },
        { OCI_MPOL_BIND, "1024",
          "linux.memoryPolicy.nodes: '1024' is not a list like 0-3,7 of numbers below 1024" },
        { OCI_MPOL_BIND, "1023", "linux.memoryPolicy: set_mempolicy MPOL_BIND: invalid argument" },
    };
    enum oci_memory_policy_flag both[] = { OCI_MPOL_F_STATIC_NODES, OCI_MPOL_F_RELATIVE_NODES };
    struct oci_memory_policy policy = { 0 };
    struct oci_linux platform = { .memory_policy = &policy };
    struct oci_config config = { .linux = &platform };
    struct error err = { 0 };

    for (size_t i = 0; i < array_length(rows); i++) {
        policy.mode = rows[i].mode;
        policy.nodes = (char *)(uintptr_t)rows[i].nodes;
        if (process_apply_memory_policy(&config, &err) == 0) {
            CHECK(rows[i].error == NULL);
            continue;
        }
        if (err.code == ENOSYS)
            continue;
        CHECK(rows[i].error && strcmp(err.text, rows[i].error) == 0);
    }
    policy = (struct oci_memory_policy){
        .mode = OCI_MPOL_BIND, .nodes = (char[]){ "0" }, .flags = both, .flags_count = 2
    };
    CHECK(process_apply_memory_policy(&config, &err) == -1);
    CHECK(strstr(err.text, "exclude each other"));
    return 0;
}

/* Items 241-243, read back from the kernel: <linux/mempolicy.h> has the numbers, old ones not all of them. */
static int set_each_mode(void)
{
    enum oci_memory_policy_flag balancing[] = { OCI_MPOL_F_NUMA_BALANCING };
    enum oci_memory_policy_flag fixed[] = { OCI_MPOL_F_STATIC_NODES };
    enum oci_memory_policy_flag relative[] = { OCI_MPOL_F_RELATIVE_NODES };
    const struct {
        struct oci_memory_policy wanted;
        int mode;
        unsigned long nodes;
    } rows[] = {
        { { .mode = OCI_MPOL_BIND, .nodes = (char[]){ "0" } }, 2, 1 },
        { { .mode = OCI_MPOL_INTERLEAVE, .nodes = (char[]){ "0" } }, 3, 1 },
        { { .mode = OCI_MPOL_PREFERRED, .nodes = (char[]){ "0" } }, 1, 1 },
        { { .mode = OCI_MPOL_LOCAL }, 4, 0 },
        { { .mode = OCI_MPOL_PREFERRED_MANY, .nodes = (char[]){ "0" } }, 5, 1 },
        { { .mode = OCI_MPOL_WEIGHTED_INTERLEAVE, .nodes = (char[]){ "0" } }, 6, 1 },
        { { .mode = OCI_MPOL_BIND, .nodes = (char[]){ "0" }, .flags = fixed, .flags_count = 1 },
          2 | 1 << 15,
          1 },
        { { .mode = OCI_MPOL_INTERLEAVE, .nodes = (char[]){ "0" }, .flags = relative, .flags_count = 1 },
          3 | 1 << 14,
          1 },
        { { .mode = OCI_MPOL_BIND, .nodes = (char[]){ "0" }, .flags = balancing, .flags_count = 1 },
          2 | 1 << 13,
          1 },
        { { .mode = OCI_MPOL_DEFAULT }, 0, 0 },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_memory_policy wanted = rows[i].wanted;
        struct oci_linux platform = { .memory_policy = &wanted };
        struct oci_config config = { .linux = &platform };
        unsigned long nodes[1024 / 8 / sizeof(long)] = { 0 };
        struct error err = { 0 };
        int mode = -1;

        if (process_apply_memory_policy(&config, &err) < 0) {
            CHECK(err.code == EINVAL && rows[i].mode > 4 && strstr(err.text, "set_mempolicy"));
            continue; /* the first five are as old as NUMA, the others may be newer than this kernel */
        }
        CHECK(syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, NULL, 0UL) == 0);
        CHECK(mode == rows[i].mode && nodes[0] == rows[i].nodes);
    }
    return 0;
}

Test(process_apply, memory_policy)
{
    in_child(set_memory_policy);
}

Test(process_apply, items_241_243_every_mode)
{
    int mode;

    if (syscall(SYS_get_mempolicy, &mode, NULL, 0UL, NULL, 0UL) < 0)
        cr_skip_test("the kernel has no NUMA policies");
    in_child(set_each_mode);
}

/* Items 76, 77. */
static int set_affinity(void)
{
    struct error err = { 0 };
    cpu_set_t before, after;

    CHECK(process_reset_affinity(&err) == 0);
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    CHECK(process_apply_affinity("0", &err) == 0);
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_COUNT(&after) == 1 && CPU_ISSET(0, &after));
    CHECK(process_apply_affinity("", &err) == 0);
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_COUNT(&after) == 1);
    CHECK(process_reset_affinity(&err) == 0);
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&before, &after));
    CHECK(process_apply_affinity("8000", &err) == -1);
    CHECK(strcmp(err.text, "CPUs 8000: sched_setaffinity: invalid argument") == 0);
    return 0;
}

Test(process_apply, affinity)
{
    in_child(set_affinity);
}

/* ---- inside a root of its own ----------------------------------------------------------------------- */

struct jail {
    char path[32];
    int fd;
};

static void jail_open(struct jail *jail)
{
    strcpy(jail->path, "/tmp/aril-unit.XXXXXX");
    cr_assert_not_null(mkdtemp(jail->path));
    cr_assert_eq(chmod(jail->path, 0755), 0);
    jail->fd = open(jail->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(jail->fd, 0);
}

static void jail_close(struct jail *jail)
{
    close(jail->fd);
    file_remove_tree_at(AT_FDCWD, jail->path);
}
#define auto_jail auto_cleanup(jail_close)

static void put_file(const struct jail *jail, const char *path, const char *content, mode_t mode)
{
    auto_close int fd = openat(jail->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(file_write_all(fd, content, strlen(content)), 0);
    cr_assert_eq(fchmod(fd, mode), 0);
}

static void check_home(const struct jail *jail, uid_t uid, const char *expected)
{
    struct oci_process process = base_process();
    auto_cleanup(process_plan_free) struct process_plan plan;
    struct error err = { 0 };

    cr_assert_eq(process_plan_make(NULL, &process, "process", &plan, &err), 0);
    plan.uid = uid;
    cr_assert_eq(process_set_home(&plan, jail->fd, &err), 0);
    cr_expect_str_eq(process_plan_get_env(&plan, "HOME"), expected);
}

/* Item 55, security rule 11. */
Test(process_apply, home)
{
    static const struct {
        const char *passwd;
        uid_t uid;
        const char *home;
    } rows[] = {
        { "root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/home/u:\n", 1000, "/home/u" },
        { "root:x:0:0:root:/root:/bin/sh\n", 0, "/root" },
        { "root:x:0:0:root:/root:/bin/sh\n", 7, "/" },
        { "u:x:7:7::/last/line", 7, "/last/line" },
        { "a:x:7:7::/first:\nb:x:7:7::/second:\n", 7, "/first" },
        { "a:x:07x:7::/no:\nb:x:7:\nc:x:7:7::relative:\n\n::::::\nd:x:7:7::/yes:\n", 7, "/yes" },
        { "+:x::0::/no:\n#u:x:1:1\n", 0, "/" },
        { "a:x:4294967303:7::/wraps:\n", 7, "/" },
        { "", 0, "/" },
    };
    auto_jail struct jail jail;

    jail_open(&jail);
    check_home(&jail, 0, "/");
    cr_assert_eq(mkdirat(jail.fd, "etc", 0755), 0);
    check_home(&jail, 0, "/");
    for (size_t i = 0; i < array_length(rows); i++) {
        put_file(&jail, "etc/passwd", rows[i].passwd, 0644);
        check_home(&jail, rows[i].uid, rows[i].home);
    }
}

Test(process_apply, home_of_hostile_images, .timeout = 10)
{
    auto_jail struct jail jail;
    auto_close int fd = -1;

    jail_open(&jail);
    cr_assert_eq(mkdirat(jail.fd, "etc", 0755), 0);
    cr_assert_eq(mkfifoat(jail.fd, "etc/passwd", 0644), 0);
    check_home(&jail, 0, "/");
    cr_assert_eq(unlinkat(jail.fd, "etc/passwd", 0), 0);
    cr_assert_eq(symlinkat("/../../../../../../../../etc/passwd", jail.fd, "etc/passwd"),
                 0); /* a loop inside the root */
    check_home(&jail, 0, "/");
    cr_assert_eq(unlinkat(jail.fd, "etc/passwd", 0), 0);
    cr_assert_eq(symlinkat("/real", jail.fd, "etc/passwd"), 0);
    put_file(&jail, "real", "root:x:0:0:root:/linked:/bin/sh\n", 0644);
    check_home(&jail, 0, "/linked");
    fd = openat(jail.fd, "real", O_WRONLY | O_CLOEXEC);
    cr_assert_eq(ftruncate(fd, 2 << 20), 0);
    check_home(&jail, 0, "/");
}

static struct jail *current_jail;

static int enter_root(const struct jail *jail)
{
    return chroot(jail->path) == 0 ? chdir("/") : -1;
}

static int find(const char *name, const char *path_variable, char **path, struct error *err)
{
    struct oci_process process = base_process();
    char *words[] = { (char *)(uintptr_t)name, NULL };
    char *env[] = { path_variable ? memory_format("PATH=%s", path_variable) : NULL, NULL };
    struct process_plan plan;

    process.args.items = words;
    process.env = (struct strings){ env, path_variable ? 1 : 0 };
    if (process_plan_make(NULL, &process, "process", &plan, err) < 0)
        return -1;
    return process_find_executable(&plan, path, err);
}

static const struct {
    const char *name, *path_variable, *found, *error;
} executables[] = {
    { "tool", "/bin:/usr/bin", "/usr/bin/tool", NULL },
    { "tool", "", NULL, "exec: \"tool\": executable file not found in $PATH: no such file or directory" },
    { "tool", NULL, "/usr/bin/tool", NULL }, /* the default PATH */
    { "tool", "usr/bin", "usr/bin/tool", NULL },
    { "here", "/bin:", "./here", NULL },
    { "here", ":/bin", "./here", NULL },
    { "here", "", "./here", NULL },
    { "x", "/bin:/usr/bin", NULL,
      "exec: \"x\": executable file not found in $PATH: no such file or directory" },
    { "", "/bin", NULL, "exec: \"\": executable file not found in $PATH: no such file or directory" },
    { "x", "/here/x:/none", NULL,
      "exec: \"x\": executable file not found in $PATH: no such file or directory" },
    { "plain", "/bin:/usr/bin", NULL, "exec: \"plain\": permission denied" },
    { "both", "/bin:/usr/bin", "/usr/bin/both", NULL }, /* not executable in /bin */
    { "dir", "/bin:/usr/bin", NULL, "exec: \"dir\": permission denied" },
    { "fifo", "/bin:/usr/bin", NULL, "exec: \"fifo\": permission denied" },
    { "loop", "/bin:/usr/bin", NULL, "exec: \"loop\": too many levels of symbolic links" },
    { "/usr/bin/tool", "/bin", "/usr/bin/tool", NULL },
    { "usr/bin/tool", "/bin", "usr/bin/tool", NULL },
    { "./here", "/bin", "./here", NULL },
    { "/none", NULL, NULL, "exec: \"/none\": no such file or directory" },
    { "/here/below", NULL, NULL, "exec: \"/here/below\": not a directory" },
    { "/bin/plain", NULL, NULL, "exec: \"/bin/plain\": permission denied" },
    { "/bin/dir", NULL, NULL, "exec: \"/bin/dir\": is a directory: permission denied" },
    { "/bin/fifo", NULL, NULL, "exec: \"/bin/fifo\": permission denied" },
    { "/bin/loop", NULL, NULL, "exec: \"/bin/loop\": too many levels of symbolic links" },
};

/* E4, E5, P7, D1: engines make 126 and 127 of these words. */
static int find_all(void)
{
    struct error err = { 0 };

    CHECK(enter_root(current_jail) == 0);
    for (size_t i = 0; i < array_length(executables); i++) {
        char *path = NULL;

        if (find(executables[i].name, executables[i].path_variable, &path, &err) == 0)
            snprintf(err.text, sizeof err.text, "found %s for %s", path, executables[i].name);
        CHECK(executables[i].found ? path && strcmp(path, executables[i].found) == 0
                                   : !path && strcmp(err.text, executables[i].error) == 0);
    }
    return 0;
}

static void make_programs(const struct jail *jail)
{
    cr_assert_eq(mkdirat(jail->fd, "bin", 0755), 0);
    cr_assert_eq(mkdirat(jail->fd, "bin/dir", 0755), 0);
    cr_assert_eq(mkdirat(jail->fd, "usr", 0755), 0);
    cr_assert_eq(mkdirat(jail->fd, "usr/bin", 0755), 0);
    cr_assert_eq(mkfifoat(jail->fd, "bin/fifo", 0755), 0);
    cr_assert_eq(symlinkat("loop", jail->fd, "bin/loop"), 0);
    put_file(jail, "bin/plain", "#!", 0644);
    put_file(jail, "bin/both", "#!", 0644);
    put_file(jail, "usr/bin/both", "text", 0755);
    put_file(jail, "usr/bin/tool", "text", 0755);
    put_file(jail, "here", "#!/no/interpreter\n", 0755);
}

Test(process_apply, executable, .timeout = 10)
{
    auto_jail struct jail jail;

    need_root();
    jail_open(&jail);
    make_programs(&jail);
    current_jail = &jail;
    in_child(find_all);
}

static int run_bad_programs(void)
{
    struct oci_process process = base_process();
    struct process_plan plan;
    struct error err = { 0 };

    CHECK(enter_root(current_jail) == 0);
    CHECK(process_plan_make(NULL, &process, "process", &plan, &err) == 0);
    process_execute(&plan, "/usr/bin/tool", &err); /* ENOEXEC: execvp would try /bin/sh */
    CHECK(strcmp(err.text, "exec /usr/bin/tool: exec format error") == 0);
    process_execute(&plan, "/here", &err);
    CHECK(strcmp(err.text,
                 "exec /here: no such file or directory (does its interpreter exist in the container?)") ==
          0);
    return 0;
}

Test(process_apply, execute)
{
    auto_jail struct jail jail;

    need_root();
    jail_open(&jail);
    make_programs(&jail);
    current_jail = &jail;
    in_child(run_bad_programs);
}

static int enter_cwd(const char *path, struct error *err)
{
    struct oci_process process = base_process();
    struct process_plan plan = { .process = &process, .what = "process" };

    process.cwd = (char *)(uintptr_t)path;
    return process_apply_cwd(&plan, err);
}

/* Item 54, CVE-2024-21626. */
static int enter_directories(void)
{
    auto_close int outside = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char here[64], magic[64];
    struct stat status;
    struct error err = { 0 };

    umask(077);
    CHECK(enter_root(current_jail) == 0);
    CHECK(enter_cwd("/a/b/c", &err) == 0);
    CHECK(getcwd(here, sizeof here) && strcmp(here, "/a/b/c") == 0);
    CHECK(stat("/a/b", &status) == 0 && (status.st_mode & 07777) == 0755);
    CHECK(enter_cwd("/", &err) == 0);
    CHECK(enter_cwd("/a/../a/./b", &err) == 0);
    CHECK(enter_cwd("/here", &err) == -1);
    CHECK(strcmp(err.text, "process.cwd: chdir /here: not a directory") == 0);
    CHECK(mkdir("/proc", 0755) == 0 && symlink("/", "/proc/loop") == 0);
    CHECK(enter_cwd("/proc/loop/a", &err) == 0);
    (void)magic;
    CHECK(fchdir(outside) == 0); /* as a descriptor of the host's would make it */
    CHECK(enter_cwd(".", &err) == -1);
    CHECK(strcmp(err.text, "process.cwd: . leads outside the container's root") == 0);
    return 0;
}

Test(process_apply, cwd)
{
    auto_jail struct jail jail;

    need_root();
    jail_open(&jail);
    make_programs(&jail);
    current_jail = &jail;
    in_child(enter_directories);
}

/* ---- labels
 * ------------------------------------------------------------------------------------------------ */

static void make_attributes(const struct jail *jail, bool apparmor_directory)
{
    cr_assert_eq(mkdirat(jail->fd, "self", 0755), 0);
    cr_assert_eq(mkdirat(jail->fd, "self/attr", 0755), 0);
    put_file(jail, "self/attr/exec", "", 0644);
    put_file(jail, "self/attr/keycreate", "", 0644);
    if (!apparmor_directory)
        return;
    cr_assert_eq(mkdirat(jail->fd, "self/attr/apparmor", 0755), 0);
    put_file(jail, "self/attr/apparmor/exec", "", 0644);
}

static void check_attribute(const struct jail *jail, const char *name, const char *expected)
{
    auto_free char *path = memory_format("self/attr/%s", name), *text = NULL;
    struct error err = { 0 };

    cr_assert_eq(file_read_at(jail->fd, path, 4096, &text, NULL, &err), 0, "%s", err.text);
    cr_expect_str_eq(text, expected, "%s", name);
}

/* Items 71, 72: what is written where, with a procfs that we play. */
Test(process_apply, labels_are_written)
{
    struct oci_process process = { .apparmor_profile = (char[]){ "some-profile" } };
    struct error err = { 0 };

    for (int has_directory = 0; has_directory < 2; has_directory++) {
        auto_jail struct jail jail;

        jail_open(&jail);
        make_attributes(&jail, has_directory);
        cr_expect_eq(label_set_exec(&process, jail.fd, &err), 0, "%s", err.text);
        if (has_directory)
            check_attribute(&jail, "apparmor/exec", "exec some-profile");
        check_attribute(&jail, "exec", has_directory ? "" : "exec some-profile");
        check_attribute(&jail, "keycreate", "");
    }
    process = (struct oci_process){ .selinux_label = (char[]){ "u:r:t:s0:c1,c2" } };
    auto_jail struct jail jail;

    jail_open(&jail);
    make_attributes(&jail, true);
    cr_expect_eq(label_set_exec(&process, jail.fd, &err), 0, "%s", err.text);
    cr_expect_eq(label_set_keyring(process.selinux_label, jail.fd, &err), 0, "%s", err.text);
    check_attribute(&jail, "exec", "u:r:t:s0:c1,c2");
    check_attribute(&jail, "keycreate", "u:r:t:s0:c1,c2");
    check_attribute(&jail, "apparmor/exec", "");
}

/* Items 71, 72: what cannot be had is refused. The words in backticks are podman's (P7). */
Test(process_apply, labels)
{
    auto_close int procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct oci_process process = { .apparmor_profile = (char[]){ "" }, .selinux_label = (char[]){ "" } };
    struct error err = { 0 };

    cr_expect_eq(label_set_exec(&process, procfs, &err), 0);
    cr_expect_eq(label_set_keyring("", procfs, &err), 0);
    cr_expect_eq(label_set_keyring(NULL, procfs, &err), 0);
    if (!label_apparmor_enabled()) {
        process.apparmor_profile = (char[]){ "unconfined" };
        cr_expect_eq(label_set_exec(&process, procfs, &err), 0);
        process.apparmor_profile = (char[]){ "none-such" };
        cr_expect_eq(label_set_exec(&process, procfs, &err), -1);
        cr_expect(strstr(err.text,
                         "process.apparmorProfile: none-such: AppArmor is not enabled on this host: write to "
                         "`/proc/self/attr/") == err.text,
                  "%s", err.text);
    }
    process.apparmor_profile = NULL;
    if (!label_selinux_enabled()) {
        process.selinux_label = (char[]){ "a:b:c:d" };
        cr_expect_eq(label_set_exec(&process, procfs, &err), -1);
        cr_expect(strstr(err.text,
                         "process.selinuxLabel: a:b:c:d: SELinux is not enabled on this host, or has no such "
                         "label: write to `/proc/self/attr/exec`") == err.text,
                  "%s", err.text);
        cr_expect_eq(label_set_keyring("a:b:c:d", procfs, &err), -1);
    }
}
