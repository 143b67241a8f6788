/*
 * linux.seccomp (items 216-224, 228): what a profile's program returns for a call, and what is wrong with a
 * profile. Rows are JSON, as in config.json; a machine of our own runs the program. seccomp_oracle.c compares
 * with libseccomp.
 */
#include "seccomp_machine.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "security/seccomp_internal.h"
#include "security/security.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRNO(value) (SECCOMP_RET_ERRNO | (value))
#define NO_SUCH_CALL ERRNO(38)
#define X32 0x40000000u

static void free_profile(struct oci_seccomp **seccomp)
{
    schema_free(&oci_seccomp_schema, *seccomp);
}

static void free_program(struct sock_fprog *program)
{
    free(program->filter);
}

static struct oci_seccomp *parse(const char *text)
{
    struct error err = { 0 };
    struct oci_seccomp *seccomp = schema_parse(&oci_seccomp_schema, "profile", text, strlen(text), &err);

    cr_assert_not_null(seccomp, "%s: %s", text, err.text);
    return seccomp;
}

/* ---- one profile, one call -------------------------------------------------------------------------- */

struct row {
    const char *profile;
    struct machine_call call;
    uint32_t expected;
};

static void check_row(const struct row *row)
{
    auto_cleanup(free_profile) struct oci_seccomp *seccomp = parse(row->profile);
    auto_cleanup(free_program) struct sock_fprog program = { 0 };
    struct error err = { 0 };
    uint32_t actual;

    cr_assert_eq(seccomp_compile(seccomp, SCMP_ARCH_X86_64, &program, &err), 0, "%s", err.text);
    actual = machine_run(&program, &row->call);
    cr_expect_eq(actual, row->expected, "%s: arch %x nr %u: 0x%x instead of 0x%x", row->profile,
                 row->call.arch, row->call.number, actual, row->expected);
}

#define X64(number, ...)                                                                                     \
    {                                                                                                        \
        AUDIT_ARCH_X86_64, number,                                                                           \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define I386(number, ...)                                                                                    \
    {                                                                                                        \
        AUDIT_ARCH_I386, number,                                                                             \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define OPEN_IS(action)                                                                                      \
    "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['open'],'action':'" action "'}]}"
#define OPEN_WITH(more)                                                                                      \
    "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['open'],'action':'SCMP_ACT_ALLOW'," more "}]}"
#define OPEN_IF(op, value, two)                                                                              \
    OPEN_WITH("'args':[{'index':1,'op':'SCMP_CMP_" op "','value':" value ",'valueTwo':" two "}]")

static const struct row rows[] = {
    /* item 216: actions */
    { OPEN_IS("SCMP_ACT_ALLOW"), X64(2), SECCOMP_RET_ALLOW },
    { OPEN_IS("SCMP_ACT_LOG"), X64(2), SECCOMP_RET_LOG },
    { OPEN_IS("SCMP_ACT_TRAP"), X64(2), SECCOMP_RET_TRAP },
    { OPEN_IS("SCMP_ACT_ERRNO"), X64(2), ERRNO(1) },
    { OPEN_IS("SCMP_ACT_TRACE"), X64(2), SECCOMP_RET_TRACE | 1 },
    { OPEN_IS("SCMP_ACT_NOTIFY"), X64(2), SECCOMP_RET_USER_NOTIF },
    { OPEN_IS("SCMP_ACT_KILL_PROCESS"), X64(2), SECCOMP_RET_KILL_PROCESS },
    { OPEN_IS("SCMP_ACT_KILL_THREAD"), X64(2), SECCOMP_RET_KILL_THREAD },
    { OPEN_IS("SCMP_ACT_ALLOW"), X64(1), SECCOMP_RET_KILL_THREAD },
    /* items 217, 218: errnoRet */
    { "{'defaultAction':'SCMP_ACT_ERRNO'}", X64(2), ERRNO(1) },
    { "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38}", X64(2), ERRNO(38) },
    { "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':0}", X64(2), ERRNO(0) },
    { "{'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':7}", X64(2), SECCOMP_RET_TRACE | 7 },
    { "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['open','close'],'action':'SCMP_ACT_ERRNO','"
      "errnoRet':99}]}",
      X64(3), ERRNO(99) },
    /* item 219: operators, on 64 bits, unsigned */
    { OPEN_IF("EQ", "5", "0"), X64(2, 0, 5), SECCOMP_RET_ALLOW },
    { OPEN_IF("EQ", "5", "0"), X64(2, 5, 6), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("EQ", "5", "0"), X64(2, 5, 0x100000005), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("NE", "5", "0"), X64(2, 0, 5), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("NE", "5", "0"), X64(2, 0, 0x100000005), SECCOMP_RET_ALLOW },
    { OPEN_IF("LT", "4294967296", "0"), X64(2, 0, 0xffffffff), SECCOMP_RET_ALLOW },
    { OPEN_IF("LT", "4294967296", "0"), X64(2, 0, 0x100000000), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("LT", "1", "0"), X64(2, 0, UINT64_MAX), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("LE", "4294967296", "0"), X64(2, 0, 0x100000000), SECCOMP_RET_ALLOW },
    { OPEN_IF("LE", "4294967296", "0"), X64(2, 0, 0x100000001), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("GT", "5", "0"), X64(2, 0, 5), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("GT", "5", "0"), X64(2, 0, 0x100000000), SECCOMP_RET_ALLOW },
    { OPEN_IF("GE", "5", "0"), X64(2, 0, 5), SECCOMP_RET_ALLOW },
    { OPEN_IF("GE", "5", "0"), X64(2, 0, 4), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("MASKED_EQ", "2114060288", "0"), X64(2, 0, 0x1200011),
      SECCOMP_RET_ALLOW }, /* clone without namespaces */
    { OPEN_IF("MASKED_EQ", "2114060288", "0"), X64(2, 0, 0x10000000), SECCOMP_RET_KILL_THREAD },
    { OPEN_IF("MASKED_EQ", "240", "255"), X64(2, 0, 0xf7),
      SECCOMP_RET_ALLOW }, /* valueTwo & value, as libseccomp */
    { OPEN_IF("MASKED_EQ", "0", "0"), X64(2, 0, 9), SECCOMP_RET_ALLOW },
    /* all arguments of a rule must match … */
    { OPEN_WITH("'args':[{'index':0,'op':'SCMP_CMP_EQ','value':1},{'index':2,'op':'SCMP_CMP_EQ','value':2}]"),
      X64(2, 1, 0, 2), SECCOMP_RET_ALLOW },
    { OPEN_WITH("'args':[{'index':0,'op':'SCMP_CMP_EQ','value':1},{'index':2,'op':'SCMP_CMP_EQ','value':2}]"),
      X64(2, 1, 0, 3), SECCOMP_RET_KILL_THREAD },
    /* … but with one argument listed twice each counts for itself */
    { OPEN_WITH("'args':[{'index':0,'op':'SCMP_CMP_EQ','value':1},{'index':0,'op':'SCMP_CMP_EQ','value':2}]"),
      X64(2, 2), SECCOMP_RET_ALLOW },
    { OPEN_WITH("'args':[{'index':0,'op':'SCMP_CMP_EQ','value':1},{'index':0,'op':'SCMP_CMP_EQ','value':2},"
                "{'index':5,'op':'SCMP_CMP_EQ','value':9}]"),
      X64(2, 0, 0, 0, 0, 0, 9), SECCOMP_RET_ALLOW },
    { OPEN_WITH("'args':[{'index':0,'op':'SCMP_CMP_EQ','value':1},{'index':0,'op':'SCMP_CMP_EQ','value':2}]"),
      X64(2, 3), SECCOMP_RET_KILL_THREAD },
    /* several rules for one call: without conditions beats with, then the first */
    { "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['open'],'action':'SCMP_ACT_ALLOW','args':["
      "{'index':0,'op':'SCMP_CMP_EQ','value':1}]},{'names':['open'],'action':'SCMP_ACT_ERRNO'},"
      "{'names':['open'],'action':'SCMP_ACT_LOG'}]}",
      X64(2, 1), ERRNO(1) },
    { "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['open'],'action':'SCMP_ACT_ALLOW','args':["
      "{'index':0,'op':'SCMP_CMP_GT','value':1}]},{'names':['open'],'action':'SCMP_ACT_ERRNO','args':["
      "{'index':0,'op':'SCMP_CMP_GE','value':1}]}]}",
      X64(2, 2), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['open'],'action':'SCMP_ACT_ALLOW','args':["
      "{'index':0,'op':'SCMP_CMP_GT','value':1}]},{'names':['open'],'action':'SCMP_ACT_ERRNO','args':["
      "{'index':0,'op':'SCMP_CMP_GE','value':1}]}]}",
      X64(2, 1), ERRNO(1) },
    /* a rule with the default action is as good as none */
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['open'],'action':'SCMP_ACT_ERRNO'},"
      "{'names':['open'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'op':'SCMP_CMP_EQ','value':1}]}]}",
      X64(2, 1), SECCOMP_RET_ALLOW },
    /* item 220: other architectures are closed unless they are listed */
    { OPEN_IS("SCMP_ACT_ALLOW"), I386(5), SECCOMP_RET_KILL_THREAD },
    { "{'defaultAction':'SCMP_ACT_ALLOW'}", I386(5), SECCOMP_RET_KILL_THREAD },
    { "{'defaultAction':'SCMP_ACT_ALLOW'}", { AUDIT_ARCH_AARCH64, 5, { 0 } }, SECCOMP_RET_KILL_THREAD },
    { "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86']}", I386(5), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86']}", X64(5), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_S390X','SCMP_ARCH_ARM','SCMP_ARCH_SHEB']"
      "}",
      X64(5), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_KILL','architectures':['SCMP_ARCH_X86'],'syscalls':[{'names':['open'],"
      "'action':'SCMP_ACT_ALLOW'}]}",
      I386(5), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_KILL','architectures':['SCMP_ARCH_X86'],'syscalls':[{'names':['open'],"
      "'action':'SCMP_ACT_ALLOW'}]}",
      I386(2), SECCOMP_RET_KILL_THREAD },
    /* x32 shares x86_64's token */
    { "{'defaultAction':'SCMP_ACT_ALLOW'}", X64(X32 | 2), SECCOMP_RET_KILL_THREAD },
    { "{'defaultAction':'SCMP_ACT_ALLOW'}", X64(UINT32_MAX),
      SECCOMP_RET_ALLOW }, /* a tracer took the call away */
    { OPEN_IS("SCMP_ACT_ALLOW"), X64(X32 | 2), NO_SUCH_CALL },
    { "{'defaultAction':'SCMP_ACT_KILL','architectures':['SCMP_ARCH_X32'],'syscalls':[{'names':['open'],"
      "'action':'SCMP_ACT_ALLOW'}]}",
      X64(X32 | 2), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_KILL','architectures':['SCMP_ARCH_X32'],'syscalls':[{'names':['open'],"
      "'action':'SCMP_ACT_ALLOW'}]}",
      X64(X32 | 3), NO_SUCH_CALL },
    /* 32 bit architectures compare 32 bits */
    { "{'defaultAction':'SCMP_ACT_KILL','architectures':['SCMP_ARCH_X86'],'syscalls':[{'names':['open'],"
      "'action':'SCMP_ACT_ALLOW','args':[{'index':0,'op':'SCMP_CMP_EQ','value':7}]}]}",
      I386(5, 0xffffffff00000007), SECCOMP_RET_ALLOW },
    /* item 222: unknown names; calls that are younger than the library */
    { "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['no_such_call','open'],'action':'SCMP_ACT_"
      "ALLOW'}]}",
      X64(2), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['mseal'],'action':'SCMP_ACT_ALLOW'}]}",
      X64(462), SECCOMP_RET_ALLOW },
    /* item 223: newer than the newest of the profile */
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ALLOW'}]}",
      X64(437), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ALLOW'}]}",
      X64(436), ERRNO(1) },
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ALLOW'}]}",
      X64(438), NO_SUCH_CALL },
    { "{'defaultAction':'SCMP_ACT_KILL_PROCESS','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ERRNO'}]"
      "}",
      X64(438), NO_SUCH_CALL },
    { "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ERRNO'}]}",
      X64(438), SECCOMP_RET_ALLOW },
    { "{'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':['openat2'],'action':'SCMP_ACT_ERRNO'}]}",
      X64(438), SECCOMP_RET_LOG },
    { "{'defaultAction':'SCMP_ACT_ERRNO'}", X64(438), ERRNO(1) }, /* names nothing: nothing is newer */
};

/* Single quotes keep the rows readable. */
static char *with_double_quotes(const char *text)
{
    char *copy = memory_string(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

Test(seccomp, one_call)
{
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *profile = with_double_quotes(rows[i].profile);
        struct row row = rows[i];

        row.profile = profile;
        check_row(&row);
    }
}

/*
 * i386 can reach socket(2) through socketcall(2), whose arguments no filter sees. libseccomp permits the
 * whole part there when a rule with conditions permits some of it; here the condition cannot be sidestepped.
 */
Test(seccomp, socketcall_does_not_sidestep_conditions)
{
    static const char allow[] =
        "{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86'],'syscalls':[{'names':['socket'],"
        "'action':'SCMP_ACT_ALLOW','args':[{'index':0,'op':'SCMP_CMP_NE','value':40}]},"
        "{'names':['connect'],'action':'SCMP_ACT_ALLOW'}]}";
    static const char deny[] =
        "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86'],'syscalls':[{'names':['socket'],"
        "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'op':'SCMP_CMP_EQ','value':40}]}]}";
    const struct row cases[] = {
        { allow, I386(359, 1), SECCOMP_RET_ALLOW }, { allow, I386(359, 40), ERRNO(1) },
        { allow, I386(102, 1), ERRNO(1) },          { allow, I386(102, 3), SECCOMP_RET_ALLOW },
        { allow, I386(362, 0), SECCOMP_RET_ALLOW }, { allow, X64(41, 1), SECCOMP_RET_ALLOW },
        { deny, I386(359, 40), ERRNO(1) },          { deny, I386(102, 1), ERRNO(1) },
        { deny, I386(102, 2), SECCOMP_RET_ALLOW },  { deny, I386(359, 1), SECCOMP_RET_ALLOW },
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        auto_free char *profile = with_double_quotes(cases[i].profile);
        struct row row = cases[i];

        row.profile = profile;
        check_row(&row);
    }
}

/* ---- conditions against C --------------------------------------------------------------------------- */

static bool holds(const struct oci_seccomp_arg *arg, const uint64_t *args)
{
    const uint64_t actual = args[arg->index];

    switch (arg->op) {
    case OCI_CMP_NE:
        return actual != arg->value;
    case OCI_CMP_LT:
        return actual < arg->value;
    case OCI_CMP_LE:
        return actual <= arg->value;
    case OCI_CMP_EQ:
        return actual == arg->value;
    case OCI_CMP_GE:
        return actual >= arg->value;
    case OCI_CMP_GT:
        return actual > arg->value;
    default:
        return (actual & arg->value) == (arg->value_two & arg->value);
    }
}

static bool rule_holds(const struct oci_seccomp_syscall *rule, const uint64_t *args)
{
    unsigned seen = 0;
    bool repeated = false, all = true, any = false;

    for (size_t i = 0; i < rule->args_count; i++) {
        bool one = holds(&rule->args[i], args);

        repeated = repeated || seen & 1u << rule->args[i].index;
        seen |= 1u << rule->args[i].index;
        all = all && one;
        any = any || one;
    }
    return repeated ? any : all;
}

static const uint64_t values[] = { 0, 1, 0xff, 0x80000000, 0xffffffff, 1ull << 32, 0x500000001, UINT64_MAX };

static uint64_t random_value(unsigned *seed)
{
    return values[(size_t)rand_r(seed) % array_length(values)] + (uint64_t)(rand_r(seed) % 3) - 1;
}

static void random_rule(struct oci_seccomp_syscall *rule, struct oci_seccomp_arg *args, unsigned *seed)
{
    static char name[] = "openat";
    static char *names[] = { name, NULL };

    *rule = (struct oci_seccomp_syscall){ .names = { names, 1 }, .has_errno_ret = true, .args = args };
    rule->action = OCI_SECCOMP_ERRNO;
    rule->errno_ret = (uint32_t)rand_r(seed) % 4;
    rule->args_count = 1 + (size_t)rand_r(seed) % 6;
    for (size_t i = 0; i < rule->args_count; i++)
        args[i] = (struct oci_seccomp_arg){ .index = (uint32_t)rand_r(seed) % 6,
                                            .op = (enum oci_seccomp_operator)(OCI_CMP_NE + rand_r(seed) % 7),
                                            .value = random_value(seed),
                                            .value_two = random_value(seed) };
}

static void check_random(unsigned *seed)
{
    struct oci_seccomp_arg args[5][6];
    struct oci_seccomp_syscall rules[5];
    struct oci_seccomp seccomp = { .default_action = OCI_SECCOMP_ALLOW,
                                   .syscalls = rules,
                                   .syscalls_count = 5 };
    auto_cleanup(free_program) struct sock_fprog program = { 0 };
    struct error err = { 0 };

    for (size_t i = 0; i < 5; i++)
        random_rule(&rules[i], args[i], seed);
    cr_assert_eq(seccomp_compile(&seccomp, SCMP_ARCH_X86_64, &program, &err), 0, "%s", err.text);
    for (int round = 0; round < 100; round++) {
        struct machine_call call = { .arch = AUDIT_ARCH_X86_64, .number = 257 };
        uint32_t expected = SECCOMP_RET_ALLOW;

        for (size_t i = 0; i < 6; i++)
            call.args[i] = random_value(seed);
        for (size_t i = 5; i-- > 0;)
            if (rule_holds(&rules[i], call.args))
                expected = ERRNO(rules[i].errno_ret);
        if (machine_run(&program, &call) != expected)
            cr_assert_fail("not the first rule that matches");
    }
}

Test(seccomp, first_rule_that_matches)
{
    unsigned seed = 7;

    for (int i = 0; i < 300; i++)
        check_random(&seed);
}

/* ---- size ------------------------------------------------------------------------------------------- */

/* Every third name denied, the others allowed, on three architectures: larger than any real profile's
 * program. */
static char *large_profile(void)
{
    struct buffer text = { 0 };

    buffer_add_string(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\","
                             "\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[{\"names\":[\"read\"");
    for (int number = 1; number < 460; number++) {
        auto_free char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);

        if (name && number % 3)
            buffer_add_format(&text, ",\"%s\"", name);
    }
    buffer_add_string(&text, "],\"action\":\"SCMP_ACT_ALLOW\"}]}");
    return buffer_take(&text);
}

/* Loading costs the kernel one run for every number, so the longest path is what matters. */
Test(seccomp, is_a_tree)
{
    auto_free char *text = large_profile();
    auto_cleanup(free_profile) struct oci_seccomp *seccomp = parse(text);
    auto_cleanup(free_program) struct sock_fprog program = { 0 };
    struct error err = { 0 };

    cr_assert_eq(seccomp_compile(seccomp, SCMP_ARCH_X86_64, &program, &err), 0, "%s", err.text);
    cr_expect_lt(program.len, 1000, "%u instructions", program.len);
    for (uint32_t number = 0; number < 600; number++) {
        struct machine_call call = { AUDIT_ARCH_X86_64, number, { 0 } };

        machine_run(&program, &call);
        if (machine_steps > 22)
            cr_assert_fail("%zu instructions for number %u", machine_steps, number);
    }
}

Test(seccomp, too_many_conditions)
{
    struct buffer text = { 0 };
    auto_free char *profile = NULL;
    auto_cleanup(free_profile) struct oci_seccomp *seccomp = NULL;
    struct sock_fprog program = { 0 };
    struct error err = { 0 };

    buffer_add_string(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
    for (int i = 0; i < 1100; i++)
        buffer_add_format(
            &text,
            "%s{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"op\":"
            "\"SCMP_CMP_EQ\",\"value\":%d}]}",
            i ? "," : "", i);
    buffer_add_string(&text, "]}");
    profile = buffer_take(&text);
    seccomp = parse(profile);
    cr_assert_eq(seccomp_compile(seccomp, SCMP_ARCH_X86_64, &program, &err), -1);
    cr_assert_str_eq(err.text,
                     "linux.seccomp: the profile needs 4433 instructions, and the kernel takes 4096 at most");
}

/* ---- what is wrong with a profile ------------------------------------------------------------------- */

Test(seccomp, refused)
{
    static const struct {
        const char *profile, *error;
    } wrong[] = {
        { "{'defaultAction':'SCMP_ACT_KILL','defaultErrnoRet':1}",
          "linux.seccomp.defaultErrnoRet: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one" },
        { "{'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/x'}",
          "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would hold the runtime itself" },
        { "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],'action':'SCMP_ACT_ALLOW'},"
          "{'names':['b'],'action':'SCMP_ACT_LOG','errnoRet':3}]}",
          "linux.seccomp.syscalls[1].errnoRet: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one" },
        { "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],'action':'SCMP_ACT_NOTIFY'}]}",
          "linux.seccomp.listenerPath: is needed for SCMP_ACT_NOTIFY" },
        { "{'defaultAction':'SCMP_ACT_ALLOW','listenerMetadata':'x'}",
          "linux.seccomp.listenerMetadata: must not be set without listenerPath" },
    };

    for (size_t i = 0; i < array_length(wrong); i++) {
        auto_free char *profile = with_double_quotes(wrong[i].profile);
        auto_cleanup(free_profile) struct oci_seccomp *seccomp = parse(profile);
        struct seccomp_filter filter;
        struct error err = { 0 };

        cr_expect_eq(seccomp_filter_make(seccomp, &filter, &err), -1, "%s", profile);
        cr_expect_str_eq(err.text, wrong[i].error);
    }
}

/* Item 221. */
Test(seccomp, flags)
{
    static const struct {
        const char *profile;
        unsigned flags;
    } cases[] = {
        { "{'defaultAction':'SCMP_ACT_ALLOW'}", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "{'defaultAction':'SCMP_ACT_ALLOW','flags':null}", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "{'defaultAction':'SCMP_ACT_ALLOW','flags':[]}", 0 },
        { "{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_TSYNC']"
          "}",
          SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC },
        { "{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']}", 1u << 5 },
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        auto_free char *profile = with_double_quotes(cases[i].profile);
        auto_cleanup(free_profile) struct oci_seccomp *seccomp = parse(profile);
        auto_cleanup(seccomp_filter_free) struct seccomp_filter filter;
        struct error err = { 0 };

        cr_assert_eq(seccomp_filter_make(seccomp, &filter, &err), 0, "%s", err.text);
        cr_expect_eq(filter.flags, cases[i].flags, "%s", profile);
        cr_expect_not(filter.notify);
    }
}

/* ---- the kernel takes it ---------------------------------------------------------------------------- */

/* Loads a profile in a child and runs a check there; the child's exit status. */
static int in_filtered_child(const char *quoted, int (*check)(int listener))
{
    auto_free char *profile = with_double_quotes(quoted);
    auto_cleanup(free_profile) struct oci_seccomp *seccomp = parse(profile);
    auto_cleanup(seccomp_filter_free) struct seccomp_filter filter;
    struct error err = { 0 };
    int status, listener = -1;
    pid_t child;

    cr_assert_eq(seccomp_filter_make(seccomp, &filter, &err), 0, "%s", err.text);
    child = fork();
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_load(&filter, &listener, &err) < 0)
            _exit(99);
        _exit(check(listener));
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int check_uname(int listener)
{
    struct utsname name;

    return listener == -1 && uname(&name) < 0 && errno == 77 && getppid() > 0 ? 0 : 1;
}

#ifndef ARIL_SANITIZERS
static int check_allow_list(int listener)
{
    (void)listener;
    if (syscall(SYS_getuid) != -1 || errno != EPERM)
        return 1;
    if (syscall(461 + 100) != -1 || errno != ENOSYS)
        return 2;
    return 0;
}

#endif

static int check_listener(int listener)
{
    return listener >= 0 && syscall(SYS_getpid) > 0 ? 0 : 1;
}

Test(seccomp, loads)
{
    cr_expect_eq(in_filtered_child("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['uname'],"
                                   "'action':'SCMP_ACT_ERRNO','errnoRet':77}]}",
                                   check_uname),
                 0);
#ifndef ARIL_SANITIZERS /* whose own system calls this would deny */
    cr_expect_eq(in_filtered_child("{'defaultAction':'SCMP_ACT_ERRNO','flags':['SECCOMP_FILTER_FLAG_TSYNC',"
                                   "'SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],"
                                   "'syscalls':[{'names':['exit_group','exit'],'action':'SCMP_ACT_ALLOW'}]}",
                                   check_allow_list),
                 0);
#endif
    cr_expect_eq(in_filtered_child("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['exit_group'],"
                                   "'action':'SCMP_ACT_KILL_PROCESS'}]}",
                                   check_uname),
                 100 + SIGSYS);
    cr_expect_eq(in_filtered_child("{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/x','flags':["
                                   "'SECCOMP_FILTER_FLAG_TSYNC','SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],"
                                   "'syscalls':[{'names':['uname'],'action':'SCMP_ACT_NOTIFY'}]}",
                                   check_listener),
                 0);
}
