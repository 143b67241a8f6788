/*
 * Writes BPF for seccomp, backwards: see seccomp_internal.h. Pure. Knows the instruction set and the layout
 * of seccomp_data; nothing of profiles.
 */
#include "security/seccomp_internal.h"

#include "base/memory.h"

#include <linux/seccomp.h>
#include <stdlib.h>

/* jt and jf of an instruction are one byte. */
#define NEAR 255
/* A return this far away is written again: the jumps to it are not written yet and will be farther. */
#define SHARED_RETURN_DISTANCE 200

static size_t add(struct seccomp_program *program, unsigned code, uint32_t value, size_t yes, size_t no)
{
    struct sock_filter *instruction = array_grow(program->code, program->count);

    instruction->code = (uint16_t)code;
    instruction->jt = (uint8_t)yes;
    instruction->jf = (uint8_t)no;
    instruction->k = value;
    return program->count;
}

/* How many instructions the next one would have to jump over to get to a label. */
static size_t distance(const struct seccomp_program *program, size_t label)
{
    return program->count - label;
}

static size_t add_far_jump(struct seccomp_program *program, size_t label)
{
    return add(program, BPF_JMP | BPF_JA, (uint32_t)distance(program, label), 0, 0);
}

size_t seccomp_program_return(struct seccomp_program *program, uint32_t value)
{
    struct seccomp_return *found = NULL;

    for (size_t i = 0; i < program->return_count && !found; i++)
        if (program->returns[i].value == value)
            found = &program->returns[i];
    if (found && distance(program, found->label) < SHARED_RETURN_DISTANCE)
        return found->label;
    if (!found)
        found = array_grow(program->returns, program->return_count);
    found->value = value;
    found->label = add(program, BPF_RET | BPF_K, value, 0, 0);
    return found->label;
}

size_t seccomp_program_branch(struct seccomp_program *program, unsigned operation, uint32_t value, size_t yes,
                              size_t no)
{
    if (yes == no)
        return yes;
    if (distance(program, yes) >= NEAR) /* one less: the other far jump may come between */
        yes = add_far_jump(program, yes);
    if (distance(program, no) > NEAR)
        no = add_far_jump(program, no);
    return add(program, BPF_JMP | operation | BPF_K, value, distance(program, yes), distance(program, no));
}

/* Makes sure that the instruction which is written next is followed by the one of the label. */
static void lead_to(struct seccomp_program *program, size_t label)
{
    if (label != program->count)
        add_far_jump(program, label);
}

size_t seccomp_program_load(struct seccomp_program *program, uint32_t offset, size_t next)
{
    lead_to(program, next);
    return add(program, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* One half of an argument under a mask. */
static size_t load_half(struct seccomp_program *program, uint32_t offset, uint32_t mask, size_t next)
{
    if (mask != UINT32_MAX) {
        lead_to(program, next);
        next = add(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    }
    return seccomp_program_load(program, offset, next);
}

struct halves {
    uint32_t low_offset, high_offset;
    uint32_t low, high;           /* of the value that is compared with */
    uint32_t low_mask, high_mask; /* UINT32_MAX but for MASKED_EQ */
};

/* (argument & mask) == value. A half that the mask hides is not looked at: its bits of the value are zero. */
static size_t compare_equal(struct seccomp_program *program, const struct halves *halves, bool wide,
                            size_t yes, size_t no)
{
    size_t low = yes;

    if (halves->low_mask != 0) {
        low = seccomp_program_branch(program, BPF_JEQ, halves->low, yes, no);
        low = load_half(program, halves->low_offset, halves->low_mask, low);
    }
    if (!wide || halves->high_mask == 0)
        return low;
    low = seccomp_program_branch(program, BPF_JEQ, halves->high, low, no);
    return load_half(program, halves->high_offset, halves->high_mask, low);
}

/* argument > value (BPF_JGT) or >= (BPF_JGE), unsigned. */
static size_t compare_order(struct seccomp_program *program, const struct halves *halves, bool wide,
                            unsigned operation, size_t yes, size_t no)
{
    size_t low = seccomp_program_branch(program, operation, halves->low, yes, no);
    size_t high;

    low = seccomp_program_load(program, halves->low_offset, low);
    if (!wide)
        return low;
    high = seccomp_program_branch(program, BPF_JEQ, halves->high, low, no);
    high = seccomp_program_branch(program, BPF_JGT, halves->high, yes, high);
    return seccomp_program_load(program, halves->high_offset, high);
}

static struct halves split(const struct seccomp_arch *arch, const struct oci_seccomp_arg *arg)
{
    const uint32_t offset = (uint32_t)(offsetof(struct seccomp_data, args) + arg->index * sizeof(uint64_t));
    const bool big_endian = seccomp_arch_is_big_endian(arch), masked = arg->op == OCI_CMP_MASKED_EQ;
    const uint64_t mask =
        masked ? arg->value : UINT64_MAX; /* item 219: value is the mask, valueTwo what is compared */
    const uint64_t value = masked ? arg->value_two & mask : arg->value;

    return (struct halves){
        .low_offset = offset + (big_endian ? 4 : 0),
        .high_offset = offset + (big_endian ? 0 : 4),
        .low = (uint32_t)value,
        .high = (uint32_t)(value >> 32),
        .low_mask = (uint32_t)mask,
        .high_mask = (uint32_t)(mask >> 32),
    };
}

size_t seccomp_program_compare(struct seccomp_program *program, const struct seccomp_arch *arch,
                               const struct oci_seccomp_arg *arg, size_t yes, size_t no)
{
    const struct halves halves = split(arch, arg);
    const bool wide = seccomp_arch_is_64_bit(arch); /* else the kernel uses 32 bits, and so do we */

    switch (arg->op) {
    case OCI_CMP_EQ:
    case OCI_CMP_MASKED_EQ:
        return compare_equal(program, &halves, wide, yes, no);
    case OCI_CMP_NE:
        return compare_equal(program, &halves, wide, no, yes);
    case OCI_CMP_GT:
        return compare_order(program, &halves, wide, BPF_JGT, yes, no);
    case OCI_CMP_GE:
        return compare_order(program, &halves, wide, BPF_JGE, yes, no);
    case OCI_CMP_LE:
        return compare_order(program, &halves, wide, BPF_JGT, no, yes);
    case OCI_CMP_LT:
        return compare_order(program, &halves, wide, BPF_JGE, no, yes);
    default:
        return no;
    }
}

int seccomp_program_finish(struct seccomp_program *program, struct sock_fprog *result, struct error *err)
{
    if (program->count > BPF_MAXINSNS)
        return fail(err, E2BIG,
                    "linux.seccomp: the profile needs %zu instructions, and the kernel takes %d at most",
                    program->count, BPF_MAXINSNS);
    for (size_t i = 0, j = program->count; i + 1 < j--; i++) {
        struct sock_filter swapped = program->code[i];

        program->code[i] = program->code[j];
        program->code[j] = swapped;
    }
    result->len = (unsigned short)program->count;
    result->filter = program->code;
    program->code = NULL;
    program->count = 0;
    return 0;
}

void seccomp_program_free(struct seccomp_program *program)
{
    free(program->code);
    free(program->returns);
}
