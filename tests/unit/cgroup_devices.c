/* runtime/cgroup: device rules (contract items 167-170), v1's writes and v2's program run in an interpreter.
 * No root needed. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/device_rules.h"
#include "cgroup/devices_v1.h"
#include "cgroup/devices_v2.h"

#include <criterion/criterion.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The few instructions that the program may use; anything else is a bug. Returns 0, 1, or -1 for a bad
 * program. */
static int interpret(const struct device_program *program, const struct bpf_cgroup_dev_ctx *context)
{
    uint64_t registers[11] = { 0 };
    size_t steps = 0;

    for (size_t pc = 0; pc < program->count && steps++ < 10000; pc++) {
        const struct bpf_insn *i = &program->instructions[pc];
        uint64_t *to = &registers[i->dst_reg];

        switch (i->code) {
        case BPF_LDX | BPF_MEM | BPF_W:
            if (i->src_reg != 1 || i->off < 0 || i->off > 8)
                return -1;
            *to = ((const uint32_t *)context)[i->off / 4];
            break;
        case BPF_ALU | BPF_X | BPF_MOV:
            *to = (uint32_t)registers[i->src_reg];
            break;
        case BPF_ALU | BPF_K | BPF_RSH:
            *to = (uint32_t)*to >> i->imm;
            break;
        case BPF_ALU | BPF_K | BPF_AND:
            *to = (uint32_t)*to & (uint32_t)i->imm;
            break;
        case BPF_ALU64 | BPF_K | BPF_MOV:
            *to = (uint64_t)(int64_t)i->imm;
            break;
        case BPF_JMP32 | BPF_K | BPF_JNE:
            pc += (uint32_t)*to != (uint32_t)i->imm ? (size_t)i->off : 0;
            break;
        case BPF_JMP32 | BPF_K | BPF_JSET:
            pc += (uint32_t)*to & (uint32_t)i->imm ? (size_t)i->off : 0;
            break;
        case BPF_JMP | BPF_JA:
            pc += (size_t)i->off;
            break;
        case BPF_JMP | BPF_EXIT:
            return (int)registers[0];
        default:
            return -1;
        }
    }
    return -1;
}

/* What the rules mean, written another way: every access bit by itself, the last match wins. */
static bool reference(const struct device_rules *rules, char type, uint32_t major, uint32_t minor,
                      unsigned access)
{
    for (unsigned bit = 1; bit <= 4; bit <<= 1) {
        bool allowed = rules->allow;

        if (!(access & bit))
            continue;
        for (size_t i = 0; i < rules->count; i++) {
            const struct device_rule *rule = &rules->items[i];

            if (rule->type == type && (rule->major == -1 || rule->major == major) &&
                (rule->minor == -1 || rule->minor == minor) && (rule->access & bit))
                allowed = rule->allow;
        }
        if (!allowed)
            return false;
    }
    return true;
}

static unsigned access_bits(const char *text)
{
    return (strchr(text, 'r') ? DEVICE_READ : 0u) | (strchr(text, 'w') ? DEVICE_WRITE : 0u) |
           (strchr(text, 'm') ? DEVICE_MKNOD : 0u);
}

static int verdict(const struct device_rules *rules, char type, uint32_t major, uint32_t minor,
                   unsigned access)
{
    struct device_program program = devices_v2_program(rules);
    struct bpf_cgroup_dev_ctx context = {
        .access_type = access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
        .major = major,
        .minor = minor,
    };
    int result = interpret(&program, &context);

    free(program.instructions);
    return result;
}

#define RULE(allow_, type_, major_, minor_, access_)                                                         \
    {                                                                                                        \
        .allow = allow_, .has_allow = true, .type = type_, .major = major_, .has_major = true,               \
        .minor = minor_, .has_minor = true, .access = (char *)access_                                        \
    }
#define DENY_ALL                                                                                             \
    {                                                                                                        \
        .allow = false, .access = (char *)"rwm"                                                              \
    }
#define ALLOW_ALL                                                                                            \
    {                                                                                                        \
        .allow = true, .access = (char *)"rwm"                                                               \
    }
#define ANY OCI_DEVICE_RULE_ALL
#define CHAR OCI_DEVICE_RULE_CHAR
#define BLOCK OCI_DEVICE_RULE_BLOCK
#define RULES_MAX 6

static const struct {
    const char *name;
    struct oci_device_rule rules[RULES_MAX];
    size_t count;
    char type;
    uint32_t major, minor;
    const char *access;
    int verdict;
} verdicts[] = {
    { "no rules: default deny", { { 0 } }, 0, 'b', 8, 0, "r", 0 },
    { "no rules: /dev/null", { { 0 } }, 0, 'c', 1, 3, "rw", 1 },
    { "no rules: a pty", { { 0 } }, 0, 'c', 136, 77, "rwm", 1 },
    { "no rules: /dev/console's own number", { { 0 } }, 0, 'c', 5, 1, "r", 0 },
    { "deny all keeps /dev/null", { DENY_ALL }, 1, 'c', 1, 3, "rw", 1 },
    { "deny all keeps mknod", { DENY_ALL }, 1, 'c', 200, 1, "m", 1 },
    { "deny all keeps mknod of block devices", { DENY_ALL }, 1, 'b', 8, 0, "m", 1 },
    { "mknod does not open", { DENY_ALL }, 1, 'c', 200, 1, "rm", 0 },
    { "deny all denies a disk", { DENY_ALL }, 1, 'b', 8, 0, "r", 0 },
    { "an explicit rule ends mknod", { DENY_ALL, RULE(false, CHAR, -1, -1, "m") }, 2, 'c', 200, 1, "m", 0 },
    { "... of all kinds", { DENY_ALL, RULE(false, ANY, -1, -1, "m") }, 2, 'b', 8, 0, "m", 0 },
    { "... and leaves opening alone", { DENY_ALL, RULE(false, ANY, -1, -1, "m") }, 2, 'c', 1, 3, "rw", 1 },
    { "a default can be denied", { DENY_ALL, RULE(false, CHAR, 10, 200, "rwm") }, 2, 'c', 10, 200, "r", 0 },
    { "what is before deny all is void", { RULE(true, BLOCK, 8, 0, "rwm"), DENY_ALL }, 2, 'b', 8, 0, "r", 0 },
    { "what is after it counts", { DENY_ALL, RULE(true, BLOCK, 8, 0, "r") }, 2, 'b', 8, 0, "r", 1 },
    { "access is exact", { DENY_ALL, RULE(true, BLOCK, 8, 0, "r") }, 2, 'b', 8, 0, "rw", 0 },
    { "two rules add up",
      { DENY_ALL, RULE(true, BLOCK, 8, 0, "r"), RULE(true, BLOCK, 8, 0, "w") },
      3,
      'b',
      8,
      0,
      "rw",
      1 },
    { "the last match wins",
      { DENY_ALL, RULE(true, BLOCK, 8, -1, "rw"), RULE(false, BLOCK, 8, 1, "w") },
      3,
      'b',
      8,
      1,
      "rw",
      0 },
    { "... for its own bits",
      { DENY_ALL, RULE(true, BLOCK, 8, -1, "rw"), RULE(false, BLOCK, 8, 1, "w") },
      3,
      'b',
      8,
      1,
      "r",
      1 },
    { "... for its own device",
      { DENY_ALL, RULE(true, BLOCK, 8, -1, "rw"), RULE(false, BLOCK, 8, 1, "w") },
      3,
      'b',
      8,
      2,
      "rw",
      1 },
    { "type matters", { DENY_ALL, RULE(true, BLOCK, 8, 0, "r") }, 2, 'c', 8, 0, "r", 0 },
    { "allow all", { ALLOW_ALL }, 1, 'b', 8, 0, "rwm", 1 },
    { "allow all but one", { ALLOW_ALL, RULE(false, BLOCK, 8, 0, "w") }, 2, 'b', 8, 0, "rw", 0 },
    { "deny all after allow all", { ALLOW_ALL, DENY_ALL }, 2, 'b', 8, 0, "r", 0 },
    { "any type but not all access is two rules",
      { DENY_ALL, RULE(true, ANY, -1, -1, "r") },
      2,
      'b',
      8,
      0,
      "r",
      1 },
    { "any type with a number", { DENY_ALL, RULE(true, ANY, 8, 0, "rwm") }, 2, 'c', 8, 0, "r", 1 },
    { "absent access is all", { { .allow = false } }, 1, 'b', 8, 0, "r", 0 },
    { "large numbers", { DENY_ALL, RULE(true, CHAR, 4095, 1048575, "r") }, 2, 'c', 4095, 1048575, "r", 1 },
};

static struct device_rules make_rules(const struct oci_device_rule *rules, size_t count)
{
    struct oci_resources resources = { .devices = (struct oci_device_rule *)rules, .devices_count = count };
    struct device_rules made = { 0 };
    struct error err = { 0 };

    cr_assert_eq(device_rules_make(&resources, &made, &err), 0, "%s", err.text);
    return made;
}

Test(cgroup_devices, verdicts)
{
    for (size_t i = 0; i < array_length(verdicts); i++) {
        struct device_rules rules = make_rules(verdicts[i].rules, verdicts[i].count);
        unsigned access = access_bits(verdicts[i].access);

        cr_expect_eq(verdict(&rules, verdicts[i].type, verdicts[i].major, verdicts[i].minor, access),
                     verdicts[i].verdict, "%s", verdicts[i].name);
        cr_expect_eq(reference(&rules, verdicts[i].type, verdicts[i].major, verdicts[i].minor, access),
                     verdicts[i].verdict, "reference: %s", verdicts[i].name);
        device_rules_free(&rules);
    }
}

/* Random lists over few numbers, so that rules meet: the program and the reference must agree on every
 * request. */
Test(cgroup_devices, program_means_the_rules)
{
    static const char *const accesses[] = { "r", "w", "m", "rw", "rm", "wm", "rwm" };
    static const enum oci_device_rule_type types[] = { ANY, CHAR, BLOCK, oci_device_rule_type_unset };

    srand(1);
    for (int round = 0; round < 300; round++) {
        struct oci_device_rule list[RULES_MAX] = { 0 };
        struct device_rules rules;

        for (size_t i = 0; i < RULES_MAX; i++)
            list[i] = (struct oci_device_rule)RULE(rand() & 1, types[rand() % 4], rand() % 3 - 1,
                                                   rand() % 3 - 1, accesses[rand() % 7]);
        rules = make_rules(list, RULES_MAX);
        for (unsigned request = 0; request < 2 * 3 * 3 * 8; request++) {
            char type = request & 1 ? 'c' : 'b';
            unsigned access = request >> 1 & 7, major = request / 16 % 3, minor = request / 48 % 3;

            if (access)
                cr_assert_eq(verdict(&rules, type, major, minor, access),
                             reference(&rules, type, major, minor, access), "round %d: %c %u:%u %u", round,
                             type, major, minor, access);
        }
        device_rules_free(&rules);
    }
}

#define DEFAULTS                                                                                             \
    "c *:* m; b *:* m; c 1:3 rwm; c 1:5 rwm; c 1:7 rwm; c 1:8 rwm; c 1:9 rwm; c 5:0 rwm; c 5:2 rwm; c "      \
    "136:* rwm; c 10:200 rwm"

/* Item 170. */
static const struct {
    const char *name;
    struct oci_device_rule rules[RULES_MAX];
    size_t count;
    const char *expected;
} writes[] = {
    { "no rules", { { 0 } }, 0, "deny a; allow " DEFAULTS },
    { "deny all", { DENY_ALL }, 1, "deny a; allow " DEFAULTS },
    { "allow all on a new cgroup is nothing", { ALLOW_ALL }, 1, "" },
    { "all but one", { ALLOW_ALL, RULE(false, BLOCK, 8, 0, "rwm") }, 2, "deny b 8:0 rwm" },
    { "a rule of the config",
      { DENY_ALL, RULE(true, BLOCK, 8, 0, "r") },
      2,
      "deny a; allow " DEFAULTS "; b 8:0 r" },
    { "same device, more access",
      { DENY_ALL, RULE(true, BLOCK, 8, 0, "r"), RULE(true, BLOCK, 8, 0, "w") },
      3,
      "deny a; allow " DEFAULTS "; b 8:0 rw" },
    { "taken back in part",
      { DENY_ALL, RULE(true, BLOCK, 8, 0, "rw"), RULE(false, BLOCK, 8, 0, "w") },
      3,
      "deny a; allow " DEFAULTS "; b 8:0 r" },
    { "Docker takes back fuse, which only mknod allows",
      { DENY_ALL, RULE(false, CHAR, 10, 229, "rwm") },
      2,
      "deny a; allow " DEFAULTS },
    { "mknod can be ended",
      { DENY_ALL, RULE(false, ANY, -1, -1, "m") },
      2,
      "deny a; allow c 1:3 rw; c 1:5 rw; c 1:7 rw; c 1:8 rw; c 1:9 rw; c 5:0 rw; c 5:2 rw; c 136:* rw; c "
      "10:200 rw" },
    { "one out of many cannot be said",
      { DENY_ALL, RULE(true, BLOCK, 8, -1, "rw"), RULE(false, BLOCK, 8, 1, "w") },
      3,
      "linux.resources.devices[2]: cgroup v1 cannot except 'b 8:1 w' from the wider devices[1] ('b 8:* "
      "rw')" },
    { "bad access",
      { DENY_ALL, RULE(true, BLOCK, 8, 1, "rx") },
      2,
      "linux.resources.devices[1].access: 'rx' is not made of r, w and m" },
};

#define DEFAULT_LIST                                                                                         \
    "c *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\nc 5:0 rwm\nc 5:2 rwm\n"        \
    "c 136:* rwm\nc 10:200 rwm\n"

static char *rows_text(const struct cgroup_rows *rows)
{
    struct buffer out = { 0 };
    const char *file = "";

    buffer_add_string(&out, "");
    for (size_t i = 0; i < rows->count; i++) {
        buffer_add_string(&out, i ? "; " : "");
        if (strcmp(rows->items[i].file, file) != 0)
            buffer_add_format(&out, "%s ", rows->items[i].file + strlen("devices."));
        buffer_add_string(&out, rows->items[i].value);
        file = rows->items[i].file;
    }
    return buffer_take(&out);
}

static char *written(const struct oci_device_rule *rules, size_t count)
{
    struct oci_resources resources = { .devices = (struct oci_device_rule *)rules, .devices_count = count };
    auto_cleanup(device_rules_free) struct device_rules made = { 0 };
    auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
    struct error err = { 0 };

    if (device_rules_make(&resources, &made, &err) < 0 || devices_v1_rows(&made, &rows, &err) < 0)
        return memory_string(err.text);
    return rows_text(&rows);
}

Test(cgroup_devices, v1_writes)
{
    for (size_t i = 0; i < array_length(writes); i++) {
        auto_free char *text = written(writes[i].rules, writes[i].count);

        cr_expect_str_eq(text, writes[i].expected, "%s: %s", writes[i].name, text);
    }
}

/* In another container the cgroup above may forbid a default of ours; a rule of the config must be kept or
 * fail. */
Test(cgroup_devices, v1_only_defaults_may_be_refused)
{
    struct device_rules rules =
        make_rules((struct oci_device_rule[]){ DENY_ALL, RULE(true, BLOCK, 8, 0, "r") }, 2);
    struct cgroup_rows rows = { 0 };
    struct error err = { 0 };

    cr_assert_eq(devices_v1_rows(&rules, &rows, &err), 0);
    cr_expect_eq(rows.items[1].rule, ROW_IF_PERMITTED);
    cr_expect_eq(rows.items[rows.count - 1].rule, ROW_REQUIRED);
    cr_expect_str_eq(rows.items[rows.count - 1].property, "linux.resources.devices[1]");
    cgroup_rows_free(&rows);
    device_rules_free(&rules);
}

/* Items 170, 281: an update first allows what is new, then takes back what is gone. */
Test(cgroup_devices, v1_changes)
{
    static const struct {
        const char *name, *list;
        struct oci_device_rule rules[RULES_MAX];
        size_t count;
        const char *expected;
    } changes[] = {
        { "nothing", DEFAULT_LIST, { DENY_ALL }, 1, "" },
        { "one more", DEFAULT_LIST, { DENY_ALL, RULE(true, BLOCK, 8, 0, "r") }, 2, "allow b 8:0 r" },
        { "one less", DEFAULT_LIST "c 10:229 rw\n", { DENY_ALL }, 1, "deny c 10:229 rw" },
        { "less of one",
          DEFAULT_LIST "c 10:229 rwm\n",
          { DENY_ALL, RULE(true, CHAR, 10, 229, "r") },
          2,
          "deny c 10:229 wm" },
        { "more of one",
          DEFAULT_LIST "c 10:229 r\n",
          { DENY_ALL, RULE(true, CHAR, 10, 229, "rw") },
          2,
          "allow c 10:229 w" },
        { "one of the defaults",
          DEFAULT_LIST,
          { DENY_ALL, RULE(false, CHAR, 1, 5, "r") },
          2,
          "deny c 1:5 r" },
        { "a wide one for a narrow one",
          DEFAULT_LIST "b 8:0 rw\n",
          { DENY_ALL, RULE(true, BLOCK, 8, -1, "rw") },
          2,
          "allow b 8:* rw; deny b 8:0 rw" },
        { "to all",
          DEFAULT_LIST,
          { ALLOW_ALL },
          1,
          "linux.resources.devices: cgroup v1 can only change rules that deny what they do not name" },
        { "from all",
          "a *:* rwm\n",
          { DENY_ALL },
          1,
          "linux.resources.devices: cgroup v1 can only change rules that deny what they do not name" },
    };

    for (size_t i = 0; i < array_length(changes); i++) {
        struct device_rules rules = make_rules(changes[i].rules, changes[i].count);
        auto_cleanup(cgroup_rows_free) struct cgroup_rows rows = { 0 };
        struct error err = { 0 };
        int result = devices_v1_change(&rules, changes[i].list, &rows, &err);
        auto_free char *text = result < 0 ? memory_string(err.text) : rows_text(&rows);

        cr_expect_str_eq(text, changes[i].expected, "%s: %s", changes[i].name, text);
        device_rules_free(&rules);
    }
}

/* As an ordinary kernel before 5.11 would with little locked memory: every bpf(2) ends with EPERM. */
static void refuse_bpf(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { array_length(filter), filter };

    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Item 169: the limit that is lifted for the program is not the container's. */
Test(cgroup_devices, locked_memory_is_as_before)
{
    const struct rlimit limit = { 65536, 65536 };
    struct device_rules rules = make_rules((struct oci_device_rule[]){ DENY_ALL }, 1);
    struct rlimit after;
    struct error err = { 0 };

    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    refuse_bpf();
    cr_expect_eq(devices_v2_apply(-1, &rules, &err), -1);
    cr_expect_str_eq(err.text, "linux.resources.devices: load a BPF program: operation not permitted", "%s",
                     err.text);
    cr_assert_eq(getrlimit(RLIMIT_MEMLOCK, &after), 0);
    cr_expect_eq(after.rlim_cur, limit.rlim_cur);
    cr_expect_eq(after.rlim_max, limit.rlim_max);
    device_rules_free(&rules);
}
