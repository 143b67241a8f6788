/* See seccomp_machine.h. Knows the instructions that the kernel lets seccomp use, and the byte order of each
 * architecture. */
#include "seccomp_machine.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

size_t machine_steps;

static uint32_t load(const struct machine_call *call, uint32_t offset)
{
    const bool big_endian = (call->arch & __AUDIT_ARCH_LE) == 0;
    const size_t args = offsetof(struct seccomp_data, args);
    bool high;

    /* Plain conditions first: the assertions of Criterion are slow, and this runs millions of times. */
    if (offset % 4 != 0 || offset >= sizeof(struct seccomp_data))
        cr_assert_fail("load at %u", offset);
    if (offset == offsetof(struct seccomp_data, nr))
        return call->number;
    if (offset == offsetof(struct seccomp_data, arch))
        return call->arch;
    if (offset < args)
        cr_assert_fail("load at %u", offset);
    high = ((offset - args) % 8 == 4) != big_endian;
    return (uint32_t)(call->args[(offset - args) / 8] >> (high ? 32 : 0));
}

uint32_t machine_run(const struct sock_fprog *program, const struct machine_call *call)
{
    uint32_t accumulator = 0;

    machine_steps = 0;
    for (size_t position = 0;; position++) {
        const struct sock_filter *now = &program->filter[position];

        if (position >= program->len)
            cr_assert_fail("ran over the end");
        machine_steps++;
        switch (now->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = load(call, now->k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= now->k;
            break;
        case BPF_JMP | BPF_JA:
            position += now->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            position += accumulator == now->k ? now->jt : now->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            position += accumulator > now->k ? now->jt : now->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            position += accumulator >= now->k ? now->jt : now->jf;
            break;
        case BPF_RET | BPF_K:
            return now->k;
        default:
            cr_assert_fail("instruction 0x%x", now->code);
        }
    }
}
