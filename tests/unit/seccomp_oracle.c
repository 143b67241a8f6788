/*
 * runtime/security/seccomp_compile.c against libseccomp's own compiler: random profiles, every system call
 * number of every architecture, arguments around the values that rules compare with. Both programs must
 * return the same (items 216-220). Left out: what is decided otherwise on purpose (several rules with
 * conditions and different actions for one call; conditions on parts of socketcall), which
 * tests/unit/seccomp.c pins down.
 */
#include "seccomp_machine.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp_internal.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_LIMIT 1024
#define X32_FIRST 0x40000000u
#define ARM_PRIVATE_FIRST 0xf0000u
#define NO_SUCH_CALL (SECCOMP_RET_ERRNO | 38u)

static const struct {
    uint32_t native;
    enum oci_seccomp_arch archs[3];
    size_t arch_count;
} machines[] = {
    { SCMP_ARCH_X86_64, { OCI_ARCH_X86_64, OCI_ARCH_X86, OCI_ARCH_X32 }, 3 },
    { SCMP_ARCH_X86_64, { OCI_ARCH_X86 }, 1 },
    { SCMP_ARCH_X86_64, { OCI_ARCH_X32 }, 1 },
    { SCMP_ARCH_X86_64, { 0 }, 0 },
    { SCMP_ARCH_X86, { OCI_ARCH_X86_64 }, 1 },
    { SCMP_ARCH_AARCH64, { OCI_ARCH_ARM }, 1 },
    { SCMP_ARCH_PPC64LE, { 0 }, 0 },
    { SCMP_ARCH_PPC64, { OCI_ARCH_PPC }, 1 },
    { SCMP_ARCH_S390X, { OCI_ARCH_S390 }, 1 },
    { SCMP_ARCH_RISCV64, { 0 }, 0 },
    { SCMP_ARCH_MIPS64, { OCI_ARCH_MIPS, OCI_ARCH_MIPS64N32 }, 2 },
    { SCMP_ARCH_MIPSEL64, { OCI_ARCH_MIPSEL, OCI_ARCH_MIPSEL64N32 }, 2 },
    { SCMP_ARCH_PARISC64, { OCI_ARCH_PARISC }, 1 },
};

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* ---- profiles ----------------------------------------------------------------------------------------- */

/* libseccomp names other architectures' calls by pseudo numbers of this one, and a few of those stand for two
 * names. */
static bool is_translatable(const char *name)
{
    auto_free char *back =
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, seccomp_syscall_resolve_name(name));

    return back && strcmp(back, name) == 0;
}

static size_t all_names(char **names)
{
    static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_ARM, SCMP_ARCH_S390X,
                                       SCMP_ARCH_PPC64 };
    size_t count = 0;

    for (size_t i = 0; i < array_length(tokens); i++) {
        for (int number = 0; number < 460; number++) {
            char *name = seccomp_syscall_resolve_num_arch(tokens[i], number);
            bool known = !name || !is_translatable(name);

            for (size_t j = 0; j < count && !known; j++)
                known = strcmp(names[j], name) == 0;
            if (known)
                free(name);
            else
                names[count++] = name;
        }
    }
    cr_assert_lt(count, NAME_LIMIT);
    cr_assert_gt(count, 400);
    return count;
}

static bool is_multiplexed(const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);

    return (number <= -100 && number > -300) || strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0;
}

static const uint64_t values[] = {
    0, 1, 2, 0xff, 0x80000000, 0xffffffff, 1ull << 32, 0x500000001, 0x7e020000, UINT64_MAX, 0xffffffff00000000
};

static struct oci_seccomp_arg random_arg(uint32_t index)
{
    return (struct oci_seccomp_arg){
        .index = index,
        .op = (enum oci_seccomp_operator)(OCI_CMP_NE + random_below(OCI_CMP_MASKED_EQ - OCI_CMP_NE + 1)),
        .value = values[random_below(array_length(values))],
        .value_two = values[random_below(array_length(values))],
    };
}

static void add_rule(struct oci_seccomp *seccomp, char *name, enum oci_seccomp_action action,
                     uint32_t errno_value, bool conditions, bool alternatives)
{
    struct oci_seccomp_syscall *rule = array_grow(seccomp->syscalls, seccomp->syscalls_count);

    rule->names.items = memory_new_array(2, sizeof(char *));
    rule->names.items[0] = name;
    rule->names.count = 1;
    rule->action = action;
    if (action == OCI_SECCOMP_ERRNO) {
        rule->has_errno_ret = true;
        rule->errno_ret = errno_value;
    }
    if (!conditions)
        return;
    rule->args_count = 1 + random_below(3);
    rule->args = memory_new_array(rule->args_count, sizeof *rule->args);
    for (uint32_t i = 0; i < rule->args_count;
         i++) /* with `alternatives` sometimes the same argument again */
        rule->args[i] = random_arg(alternatives ? random_below(6) : i * 2 + random_below(2));
}

static struct oci_seccomp *random_profile(char **names, size_t name_count, bool conditions)
{
    static const enum oci_seccomp_action actions[] = { OCI_SECCOMP_ERRNO,        OCI_SECCOMP_ALLOW,
                                                       OCI_SECCOMP_KILL_PROCESS, OCI_SECCOMP_LOG,
                                                       OCI_SECCOMP_TRAP,         OCI_SECCOMP_KILL };
    struct oci_seccomp *seccomp = memory_new(sizeof *seccomp);
    uint32_t share = 1 + random_below(10);

    seccomp->default_action = actions[random_below(array_length(actions))];
    for (size_t i = 0; i < name_count; i++) {
        enum oci_seccomp_action action = actions[random_below(random_below(4) ? 2 : array_length(actions))];
        uint32_t errno_value = random_below(3);
        bool conditional = conditions && random_below(8) == 0 && !is_multiplexed(names[i]);

        if (random_below(10) >= share)
            continue;
        add_rule(seccomp, names[i], action, errno_value, conditional, false);
    }
    return seccomp;
}

static void free_profile(struct oci_seccomp *seccomp)
{
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        free(seccomp->syscalls[i].names.items);
        free(seccomp->syscalls[i].args);
    }
    free(seccomp->syscalls);
    free(seccomp);
}

/* ---- what libseccomp makes of it ----------------------------------------------------------------------- */

static uint32_t value_of(const struct oci_seccomp_syscall *rule)
{
    return seccomp_action_value(rule->action, rule->has_errno_ret, rule->errno_ret);
}

static void oracle_add(scmp_filter_ctx context, const struct oci_seccomp_syscall *rule)
{
    static const enum scmp_compare operators[] = {
        [OCI_CMP_NE] = SCMP_CMP_NE,
        [OCI_CMP_LT] = SCMP_CMP_LT,
        [OCI_CMP_LE] = SCMP_CMP_LE,
        [OCI_CMP_EQ] = SCMP_CMP_EQ,
        [OCI_CMP_GE] = SCMP_CMP_GE,
        [OCI_CMP_GT] = SCMP_CMP_GT,
        [OCI_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
    };
    int number = seccomp_syscall_resolve_name(rule->names.items[0]);
    struct scmp_arg_cmp conditions[3];
    int status;

    for (size_t i = 0; i < rule->args_count; i++)
        conditions[i] = (struct scmp_arg_cmp){ rule->args[i].index, operators[rule->args[i].op],
                                               rule->args[i].value, rule->args[i].value_two };
    status = seccomp_rule_add_array(context, value_of(rule), number, (unsigned)rule->args_count, conditions);
    cr_assert(status == 0 || status == -EEXIST, "%s: %s", rule->names.items[0], strerror(-status));
}

static void oracle_export(scmp_filter_ctx context, bool big_endian, struct sock_fprog *program)
{
    FILE *file = tmpfile();
    long size;

    cr_assert_eq(seccomp_export_bpf(context, fileno(file)), 0);
    size = lseek(fileno(file), 0, SEEK_END);
    program->len = (unsigned short)(size / (long)sizeof *program->filter);
    program->filter = memory_new((size_t)size);
    cr_assert_eq(pread(fileno(file), program->filter, (size_t)size, 0), size);
    for (size_t i = 0; big_endian && i < program->len; i++) {
        program->filter[i].code = __builtin_bswap16(program->filter[i].code);
        program->filter[i].k = __builtin_bswap32(program->filter[i].k);
    }
    fclose(file);
}

static void oracle_make(const struct oci_seccomp *seccomp, uint32_t native, struct sock_fprog *program)
{
    uint32_t default_value = seccomp_action_value(seccomp->default_action, false, 0);
    scmp_filter_ctx context = seccomp_init(default_value);

    if (native != seccomp_arch_native()) {
        cr_assert_eq(seccomp_arch_remove(context, SCMP_ARCH_NATIVE), 0);
        cr_assert_eq(seccomp_arch_add(context, native), 0);
    }
    for (size_t i = 0; i < seccomp->architectures_count; i++) {
        int status = seccomp_arch_add(context, seccomp_arch_find(seccomp->architectures[i])->token);

        cr_assert(status == 0 || status == -EEXIST);
    }
    for (size_t i = 0; i < seccomp->syscalls_count; i++)
        if (value_of(&seccomp->syscalls[i]) != default_value)
            oracle_add(context, &seccomp->syscalls[i]);
    oracle_export(context, (native & __AUDIT_ARCH_LE) == 0, program);
    seccomp_release(context);
}

/* ---- the ENOSYS rule, which libseccomp does not have ------------------------------------------------ */

static int64_t newest_number(const struct oci_seccomp *seccomp, uint32_t token)
{
    int64_t newest = -1;

    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        int number = seccomp_syscall_resolve_name_arch(token, seccomp->syscalls[i].names.items[0]);

        if (number > newest && !(token == SCMP_ARCH_ARM && number >= (int)ARM_PRIVATE_FIRST))
            newest = number;
    }
    return newest;
}

static bool lists(const struct oci_seccomp *seccomp, enum oci_seccomp_arch arch)
{
    for (size_t i = 0; i < seccomp->architectures_count; i++)
        if (seccomp->architectures[i] == arch)
            return true;
    return false;
}

struct comparison {
    const struct oci_seccomp *seccomp;
    struct sock_fprog ours, oracle;
    uint32_t default_value;
    uint32_t arch;
    int64_t newest, newest_x32;
};

/* The library turns the bytes of some return values round for a machine of the other byte order, and forgets
 * others. */
static uint32_t oracle_run(const struct comparison *comparison, const struct machine_call *call)
{
    uint32_t value = machine_run(&comparison->oracle, call);
    /* Straight ones end in a small errno or nothing; 0x00050002 turned is 0x02000500, 0x80000000 is 0x80. */
    bool turned =
        (value & 0xffff) > 2 || (value & 0xff000000) == 0x02000000 || (value & 0xff000000) == 0x01000000;

    return (call->arch & __AUDIT_ARCH_LE) == 0 && turned ? __builtin_bswap32(value) : value;
}

/* Is the number newer than all of the profile? An architecture that is not listed is left to the oracle. */
static bool is_newer(const struct comparison *comparison, const struct machine_call *call)
{
    const struct oci_seccomp *seccomp = comparison->seccomp;
    int64_t newest = comparison->newest;

    if (seccomp->default_action == OCI_SECCOMP_ALLOW || seccomp->default_action == OCI_SECCOMP_LOG)
        return false;
    if (call->arch == AUDIT_ARCH_ARM && call->number >= ARM_PRIVATE_FIRST)
        return false;
    if (call->arch == AUDIT_ARCH_X86_64 && call->number >= X32_FIRST && lists(seccomp, OCI_ARCH_X32))
        newest = comparison->newest_x32;
    if (newest < 0 || (int64_t)call->number <= newest)
        return false;
    /* A direct call that was added beside a multiplexer may be above the newest and have a rule. */
    return call->number >= X32_FIRST || oracle_run(comparison, call) == comparison->default_value;
}

/* ---- comparing
 * --------------------------------------------------------------------------------------------- */

/* The rules about a call that went wrong. */
static void explain(const struct oci_seccomp *seccomp, const struct machine_call *call)
{
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        const struct oci_seccomp_syscall *rule = &seccomp->syscalls[i];
        uint32_t number = (uint32_t)seccomp_syscall_resolve_name_arch(call->arch, rule->names.items[0]);

        if (number != call->number)
            continue;
        fprintf(stderr, "rule %zu: %s 0x%x", i, rule->names.items[0], value_of(rule));
        for (size_t j = 0; j < rule->args_count; j++)
            fprintf(stderr, ", arg %u op %d 0x%lx 0x%lx", rule->args[j].index, rule->args[j].op,
                    (unsigned long)rule->args[j].value, (unsigned long)rule->args[j].value_two);
        fprintf(stderr, "\n");
    }
}

static void compare_call(const struct comparison *comparison, const struct machine_call *call)
{
    uint32_t expected = oracle_run(comparison, call), actual = machine_run(&comparison->ours, call);

    if (is_newer(comparison, call))
        expected = NO_SUCH_CALL;
    if (actual == expected)
        return;
    explain(comparison->seccomp, call);
    cr_assert_fail("arch %x nr %u args %lx %lx %lx: 0x%x instead of 0x%x", call->arch, call->number,
                   (unsigned long)call->args[0], (unsigned long)call->args[1], (unsigned long)call->args[2],
                   actual, expected);
}

static void compare_number(const struct comparison *comparison, uint32_t number)
{
    for (int round = 0; round < 8; round++) {
        struct machine_call call = { .arch = comparison->arch, .number = number };

        for (size_t i = 0; i < 6; i++)
            call.args[i] =
                values[random_below(array_length(values))] + (random_below(2) ? 0 : random_below(3) - 1);
        if (round < 3) /* small numbers: the parts of socketcall and ipc */
            call.args[0] = random_below(26);
        compare_call(comparison, &call);
    }
}

static uint32_t first_number(uint32_t arch)
{
    return arch == AUDIT_ARCH_MIPS || arch == AUDIT_ARCH_MIPSEL           ? 4000
           : arch == AUDIT_ARCH_MIPS64 || arch == AUDIT_ARCH_MIPSEL64     ? 5000
           : arch == SCMP_ARCH_MIPS64N32 || arch == SCMP_ARCH_MIPSEL64N32 ? 6000
                                                                          : 0;
}

static void compare_arch(struct comparison *comparison, uint32_t arch)
{
    static const uint32_t edges[] = {
        0,          1,          3999,       4999,      X32_FIRST - 1, X32_FIRST, ARM_PRIVATE_FIRST - 1,
        0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff
    };
    const uint32_t first = first_number(arch);

    comparison->arch = arch;
    comparison->newest = newest_number(comparison->seccomp, arch);
    comparison->newest_x32 = newest_number(comparison->seccomp, SCMP_ARCH_X32);
    for (uint32_t number = 0; number < 480; number++)
        compare_number(comparison, first + number);
    for (size_t i = 0; i < array_length(edges); i++)
        compare_number(comparison, edges[i]);
    for (uint32_t number = 0; arch == AUDIT_ARCH_X86_64 && number < 560; number++)
        compare_number(comparison, X32_FIRST + number);
    for (uint32_t number = 0; arch == AUDIT_ARCH_ARM && number < 10; number++)
        compare_number(comparison, ARM_PRIVATE_FIRST + number);
}

static void compare_profile(const struct oci_seccomp *seccomp, uint32_t native)
{
    struct comparison comparison = { .seccomp = seccomp };
    struct error err = { 0 };

    comparison.default_value = seccomp_action_value(seccomp->default_action, false, 0);
    cr_assert_eq(seccomp_compile(seccomp, native, &comparison.ours, &err), 0, "%s", err.text);
    oracle_make(seccomp, native, &comparison.oracle);
    compare_arch(&comparison, seccomp_arch_audit(seccomp_arch_of_token(native)));
    for (size_t i = 0; i < seccomp->architectures_count; i++)
        compare_arch(&comparison, seccomp_arch_audit(seccomp_arch_find(seccomp->architectures[i])));
    compare_arch(&comparison, 0x12345678 & ~__AUDIT_ARCH_LE); /* not a machine that is listed */
    free(comparison.ours.filter);
    free(comparison.oracle.filter);
}

static void compare_machines(bool conditions, int rounds)
{
    static char *names[NAME_LIMIT];
    size_t name_count = all_names(names);

    for (size_t i = 0; i < array_length(machines); i++) {
        for (int round = 0; round < rounds; round++) {
            struct oci_seccomp *seccomp = random_profile(names, name_count, conditions);
            enum oci_seccomp_arch archs[3];

            memcpy(archs, machines[i].archs, sizeof archs);
            seccomp->architectures = archs;
            seccomp->architectures_count = machines[i].arch_count;
            compare_profile(seccomp, machines[i].native);
            free_profile(seccomp);
        }
    }
    for (size_t i = 0; i < name_count; i++)
        free(names[i]);
}

Test(seccomp_oracle, agrees_without_conditions) /* items 216, 220 */
{
    compare_machines(false, 1);
}

Test(seccomp_oracle, agrees_with_conditions) /* item 219 */
{
    compare_machines(true, 2);
}
