/*
 * Decides what a profile does to every system call number, and writes that as a search tree. Pure.
 *
 *     load arch ── x86_64 ─▶ load nr ─▶ tree of ranges ─▶ action
 *              ├── i386 ───▶ load nr ─▶ tree of ranges ─▶ comparisons of arguments ─▶ action
 *              └── other ──▶ KILL_THREAD
 *
 * Numbers next to each other with the same fate are one range, so a list of 300 allowed calls is a tree of
 * some 100 ranges. The kernel runs the program for every number once when it is loaded; the depth of the tree
 * is what that costs.
 *
 * Rules about the same call, as with libseccomp: one without conditions beats those with; of several the
 * first one counts; a rule with the default action is as good as none. Beyond it: calls that are newer than
 * every call the profile names get ENOSYS, as with runc, so that libraries fall back to what its author knew
 * (item 223).
 */
#include "security/seccomp_internal.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define X32_FIRST 0x40000000u
#define ARM_PRIVATE_FIRST 0x0f0000u /* cacheflush and the like: not a sign of how new a profile is */
#define SKIPPED_CALL UINT32_MAX     /* nr -1: a tracer took the call away */

static const uint32_t no_such_call = SECCOMP_RET_ERRNO | ENOSYS;

/* One system call number that one rule is about. */
struct use {
    uint32_t number;
    uint32_t rule;
    uint32_t part; /* of a multiplexer; else 0 */
    const struct seccomp_arch *arch;
};

/* From `first` up to the next range: either `uses` with conditions, or (use_count 0) one action. */
struct range {
    uint32_t first;
    uint32_t value;
    const struct use *uses;
    size_t use_count;
};

/* Numbers that belong together: x86_64 has those of x32 in a second region. */
struct region {
    uint32_t first;
    uint32_t value;  /* for numbers that no rule is about */
    uint32_t newest; /* above it: ENOSYS; UINT32_MAX: everything has `value` */
};

struct compiler {
    const struct oci_seccomp *seccomp;
    uint32_t default_value;
    bool strict; /* the default action denies: ENOSYS for what is newer */
    struct seccomp_program program;
    /* of the architecture in work */
    struct use *uses;
    size_t use_count;
    struct range *ranges;
    size_t range_count;
    uint32_t newest[2]; /* plus one; of the first and second region */
    uint32_t second_region;
};

static uint32_t rule_value(const struct oci_seccomp_syscall *rule)
{
    return seccomp_action_value(rule->action, rule->has_errno_ret, rule->errno_ret);
}

/* ---- which rules are about which number -------------------------------------------------------------- */

static void add_use(struct compiler *compiler, const struct seccomp_arch *arch, uint32_t number,
                    uint32_t part, size_t rule)
{
    struct use *use = array_grow(compiler->uses, compiler->use_count);

    *use = (struct use){ .number = number, .rule = (uint32_t)rule, .part = part, .arch = arch };
}

/*
 * The parts of socketcall(2) have their arguments in memory, where no filter can look. Conditions of a rule
 * that permits more than the default would be sidestepped there, so it does not reach them; one that denies
 * reaches all calls of the part.
 */
static bool reaches_multiplexer(const struct compiler *compiler, const struct oci_seccomp_syscall *rule)
{
    return rule->args_count == 0 || (int32_t)rule_value(rule) <= (int32_t)compiler->default_value;
}

static void note_newest(struct compiler *compiler, uint32_t number)
{
    uint32_t *newest = &compiler->newest[number >= compiler->second_region];

    if (number >= *newest)
        *newest = number + 1;
}

static bool add_name(struct compiler *compiler, const struct seccomp_arch *arch, size_t index,
                     const char *name)
{
    const struct oci_seccomp_syscall *rule = &compiler->seccomp->syscalls[index];
    struct seccomp_call call;

    if (!seccomp_arch_call(arch, name, &call))
        return false;
    if (call.number != SECCOMP_NO_CALL && !call.late)
        note_newest(compiler, call.number);
    if (rule_value(rule) == compiler->default_value)
        return true;
    if (call.number != SECCOMP_NO_CALL)
        add_use(compiler, arch, call.number, 0, index);
    if (call.multiplexer != SECCOMP_NO_CALL && reaches_multiplexer(compiler, rule))
        add_use(compiler, arch, call.multiplexer, call.part, index);
    return true;
}

static void add_names(struct compiler *compiler, const struct seccomp_arch *arch, bool report)
{
    for (size_t i = 0; i < compiler->seccomp->syscalls_count; i++) {
        const struct strings *names = &compiler->seccomp->syscalls[i].names;

        for (size_t j = 0; j < names->count; j++)
            if (!add_name(compiler, arch, i, names->items[j]) && report) /* item 222 */
                log_debug("linux.seccomp.syscalls[%zu].names[%zu]: unknown system call %s, ignored", i, j,
                          names->items[j]);
    }
}

/* One byte of the numbers, in a way that keeps the order of equal ones. False: all have the same byte. */
static bool sort_by_byte(const struct use *from, struct use *to, size_t count, unsigned shift)
{
    size_t ends[256] = { 0 };

    for (size_t i = 0; i < count; i++)
        ends[from[i].number >> shift & 0xff]++;
    if (ends[from[0].number >> shift & 0xff] == count)
        return false;
    for (size_t byte = 1; byte < 256; byte++)
        ends[byte] += ends[byte - 1];
    for (size_t i = count; i-- > 0;)
        to[--ends[from[i].number >> shift & 0xff]] = from[i];
    return true;
}

/* By number, the rules about one number in the profile's order. Radix sort: qsort() would be a fifth of all
 * the work. */
static void sort_uses(struct compiler *compiler)
{
    struct use *other;

    if (compiler->use_count == 0)
        return;
    other = memory_new_array(compiler->use_count, sizeof *other);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        if (sort_by_byte(compiler->uses, other, compiler->use_count, shift)) {
            struct use *sorted = other;

            other = compiler->uses;
            compiler->uses = sorted;
        }
    }
    free(other);
}

/* ---- from rules to ranges ----------------------------------------------------------------------------- */

static void add_range(struct compiler *compiler, struct range range)
{
    struct range *last = compiler->range_count ? &compiler->ranges[compiler->range_count - 1] : NULL;

    if (last && last->first == range.first)
        compiler->range_count--;
    last = compiler->range_count ? &compiler->ranges[compiler->range_count - 1] : NULL;
    if (last && !last->use_count && !range.use_count && last->value == range.value)
        return;
    *array_grow(compiler->ranges, compiler->range_count) = range;
}

static void add_plain_range(struct compiler *compiler, uint32_t first, uint32_t value)
{
    add_range(compiler, (struct range){ .first = first, .value = value });
}

/* The fate of one number: `count` uses, sorted by rule. */
static struct range decide(const struct compiler *compiler, const struct use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct oci_seccomp_syscall *rule = &compiler->seccomp->syscalls[uses[i].rule];

        if (rule->args_count == 0 && uses[i].part == 0)
            return (struct range){ .first = uses->number, .value = rule_value(rule) };
    }
    return (struct range){ .first = uses->number, .uses = uses, .use_count = count };
}

static size_t count_same_number(const struct compiler *compiler, size_t start)
{
    size_t end = start + 1;

    while (end < compiler->use_count && compiler->uses[end].number == compiler->uses[start].number)
        end++;
    return end - start;
}

static uint32_t value_of_gap(const struct region *region, uint32_t number)
{
    return number > region->newest ? no_such_call : region->value;
}

/* The ranges of a region, from uses[*next] up to the number `end`. */
static void add_region(struct compiler *compiler, const struct region *region, uint64_t end, size_t *next)
{
    bool newest_done = region->newest == UINT32_MAX;

    add_plain_range(compiler, region->first, value_of_gap(region, region->first));
    while (*next < compiler->use_count && compiler->uses[*next].number < end) {
        const struct use *uses = &compiler->uses[*next];
        size_t count = count_same_number(compiler, *next);

        if (!newest_done && uses->number > region->newest) {
            add_plain_range(compiler, region->newest + 1, no_such_call);
            newest_done = true;
        }
        add_range(compiler, decide(compiler, uses, count));
        if (uses->number + 1 < end)
            add_plain_range(compiler, uses->number + 1, value_of_gap(region, uses->number + 1));
        *next += count;
    }
    if (!newest_done && region->newest + 1 < end)
        add_plain_range(compiler, region->newest + 1, no_such_call);
}

static uint32_t region_newest(const struct compiler *compiler, int region)
{
    return compiler->strict && compiler->newest[region] ? compiler->newest[region] - 1 : UINT32_MAX;
}

/* What x32 numbers get when the profile does not list x32: they are another architecture's, never x86_64's
 * own. */
static uint32_t value_of_closed_x32(const struct compiler *compiler)
{
    return region_newest(compiler, 0) != UINT32_MAX ? no_such_call : SECCOMP_RET_KILL_THREAD;
}

static void make_ranges(struct compiler *compiler, uint32_t audit, bool x32)
{
    struct region first = { 0, compiler->default_value, region_newest(compiler, 0) };
    struct region second = { compiler->second_region, compiler->default_value, region_newest(compiler, 1) };
    size_t next = 0;

    compiler->range_count = 0;
    sort_uses(compiler);
    add_region(compiler, &first, second.first, &next);
    if (second.first == UINT32_MAX)
        return;
    if (audit == AUDIT_ARCH_X86_64 && !x32)
        second.value = value_of_closed_x32(compiler);
    add_region(compiler, &second, UINT64_C(1) << 32, &next);
    if (second.value == SECCOMP_RET_KILL_THREAD && compiler->default_value != second.value)
        add_plain_range(compiler, SKIPPED_CALL, compiler->default_value);
}

/* ---- from ranges to instructions -------------------------------------------------------------------- */

/* Several conditions on one argument cannot all be meant: runc and crun take each for a rule of its own (item
 * 219). */
static bool is_alternative(const struct oci_seccomp_syscall *rule)
{
    unsigned seen = 0;

    for (size_t i = 0; i < rule->args_count; i++) {
        if (seen & 1u << rule->args[i].index)
            return true;
        seen |= 1u << rule->args[i].index;
    }
    return false;
}

/* One rule with conditions: to its action, or on to `no`. */
static size_t write_use(struct compiler *compiler, const struct use *use, size_t no)
{
    const struct oci_seccomp_syscall *rule = &compiler->seccomp->syscalls[use->rule];
    const bool alternative = is_alternative(rule);
    const size_t action = seccomp_program_return(&compiler->program, rule_value(rule));
    size_t label = action, otherwise = no;

    if (use->part != 0) { /* the rule's own conditions cannot be checked there */
        const struct oci_seccomp_arg part = { .index = 0, .value = use->part, .op = OCI_CMP_EQ };

        return seccomp_program_compare(&compiler->program, use->arch, &part, action, no);
    }
    for (size_t i = rule->args_count; i-- > 0;) {
        label = seccomp_program_compare(&compiler->program, use->arch, &rule->args[i],
                                        alternative ? action : label, otherwise);
        if (alternative)
            otherwise = label;
    }
    return label;
}

static size_t write_range(struct compiler *compiler, const struct range *range)
{
    size_t label;

    if (range->use_count == 0)
        return seccomp_program_return(&compiler->program, range->value);
    label = seccomp_program_return(&compiler->program, compiler->default_value);
    for (size_t i = range->use_count; i-- > 0;)
        label = write_use(compiler, &range->uses[i], label);
    return label;
}

static bool same_action(const struct range *a, const struct range *b)
{
    return !a->use_count && !b->use_count && a->value == b->value;
}

/* A search in ranges[first … last], with the number in A. */
static size_t write_tree(struct compiler *compiler, size_t first, size_t last)
{
    const struct range *ranges = &compiler->ranges[first];
    const size_t middle = first + (last - first + 1) / 2;
    size_t low, high;

    if (first == last)
        return write_range(compiler, ranges);
    if (last - first == 2 && same_action(&ranges[0], &ranges[2]) && ranges[1].first + 1 == ranges[2].first) {
        high = write_range(compiler, &ranges[1]); /* one number that differs from those around it */
        low = write_range(compiler, &ranges[0]);
        return seccomp_program_branch(&compiler->program, BPF_JEQ, ranges[1].first, high, low);
    }
    high = write_tree(compiler, middle, last);
    low = write_tree(compiler, first, middle - 1);
    return seccomp_program_branch(&compiler->program, BPF_JGE, compiler->ranges[middle].first, high, low);
}

/* ---- architectures ---------------------------------------------------------------------------------- */

/* The profile's architectures that this machine can run, the native one first and always there (item 220). */
static size_t list_archs(const struct oci_seccomp *seccomp, const struct seccomp_arch *native,
                         const struct seccomp_arch **list, size_t limit)
{
    size_t count = 0;

    list[count++] = native;
    for (size_t i = 0; i < seccomp->architectures_count && count < limit; i++) {
        const struct seccomp_arch *arch = seccomp_arch_find(seccomp->architectures[i]);
        bool listed = false;

        for (size_t j = 0; j < count; j++)
            listed = listed || list[j] == arch;
        if (arch && !listed && arch->family == native->family)
            list[count++] = arch;
    }
    return count;
}

static uint32_t second_region(uint32_t audit)
{
    return audit == AUDIT_ARCH_X86_64 ? X32_FIRST : audit == AUDIT_ARCH_ARM ? ARM_PRIVATE_FIRST : UINT32_MAX;
}

/* All architectures of the list that the kernel calls `audit`: one, or x86_64 with x32. */
static size_t write_arch(struct compiler *compiler, const struct seccomp_arch *const *list, size_t count,
                         uint32_t audit)
{
    bool x32 = false;
    size_t label;

    compiler->use_count = 0;
    compiler->newest[0] = compiler->newest[1] = 0;
    compiler->second_region = second_region(audit);
    for (size_t i = 0; i < count; i++) {
        if (seccomp_arch_audit(list[i]) != audit)
            continue;
        x32 = x32 || list[i]->token == SCMP_ARCH_X32;
        add_names(compiler, list[i], i == 0);
    }
    make_ranges(compiler, audit, x32);
    label = write_tree(compiler, 0, compiler->range_count - 1);
    return seccomp_program_load(&compiler->program, offsetof(struct seccomp_data, nr), label);
}

static bool seen_before(const struct seccomp_arch *const *list, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (seccomp_arch_audit(list[i]) == seccomp_arch_audit(list[index]))
            return true;
    return false;
}

static int compile(struct compiler *compiler, const struct seccomp_arch *native, struct sock_fprog *result,
                   struct error *err)
{
    const struct seccomp_arch *list[4]; /* the largest family has three */
    size_t count = list_archs(compiler->seccomp, native, list, array_length(list));
    size_t label = seccomp_program_return(&compiler->program, SECCOMP_RET_KILL_THREAD);

    for (size_t i = count; i-- > 0;) {
        uint32_t audit = seccomp_arch_audit(list[i]);
        size_t section;

        if (seen_before(list, i))
            continue;
        section = write_arch(compiler, list, count, audit);
        label = seccomp_program_branch(&compiler->program, BPF_JEQ, audit, section, label);
    }
    seccomp_program_load(&compiler->program, offsetof(struct seccomp_data, arch), label);
    return seccomp_program_finish(&compiler->program, result, err);
}

int seccomp_compile(const struct oci_seccomp *seccomp, uint32_t native, struct sock_fprog *result,
                    struct error *err)
{
    const struct seccomp_arch *arch = seccomp_arch_of_token(native);
    struct compiler compiler = {
        .seccomp = seccomp,
        .default_value = seccomp_action_value(seccomp->default_action, seccomp->has_default_errno_ret,
                                              seccomp->default_errno_ret),
        /* Log and trace let calls through too: a tracer can answer ENOSYS itself. */
        .strict = seccomp->default_action != OCI_SECCOMP_ALLOW &&
                  seccomp->default_action != OCI_SECCOMP_LOG && seccomp->default_action != OCI_SECCOMP_TRACE,
    };
    int status;

    if (!arch)
        return fail(err, ENOTSUP, "linux.seccomp: architecture 0x%x is not supported", native);
    status = compile(&compiler, arch, result, err);
    free(compiler.uses);
    free(compiler.ranges);
    seccomp_program_free(&compiler.program);
    return status;
}
