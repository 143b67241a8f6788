/*
 * How linux.seccomp becomes BPF. seccomp_plan.c checks the profile, seccomp_arch.c turns names into numbers,
 * seccomp_compile.c decides what happens to which number, seccomp_program.c writes instructions. Only for
 * runtime/security.
 *
 * Why not libseccomp's own compiler: for a profile like Docker's it takes milliseconds at every start and
 * makes a program of 750 instructions; this one makes 350 in 0.2 ms. The unit tests compare both programs over
 * every architecture and system call.
 *
 * Why no cache: measured in a fresh process, podman's default profile (437 names, three architectures) takes 0.21 ms
 * of CPU to compile; to find its program in a cache (write the profile in canonical form, SHA-256 of it, open, read
 * and check the file) takes 0.08 ms. What it would save is 2 % of a `run`, and the price is a file that decides what
 * every container may do: one more thing to own, check, expire and attack.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- seccomp_arch.c --------------------------------------------------------------------------------- */

struct seccomp_multiplexed;

struct seccomp_arch {
    uint32_t token; /* SCMP_ARCH_x; AUDIT_ARCH_x but for x32 */
    int family;     /* architectures of one family can run on the same machine */
    const struct seccomp_multiplexed
        *multiplexed; /* has socketcall(2) and ipc(2); numbers of the direct calls, or NULL */
    uint32_t base;    /* added to the numbers of new system calls */
};

const struct seccomp_arch *seccomp_arch_find(enum oci_seccomp_arch name);
const struct seccomp_arch *seccomp_arch_of_token(uint32_t token);

/* What the kernel puts into seccomp_data.arch. */
uint32_t seccomp_arch_audit(const struct seccomp_arch *arch);
bool seccomp_arch_is_64_bit(const struct seccomp_arch *arch);
bool seccomp_arch_is_big_endian(const struct seccomp_arch *arch);

#define SECCOMP_NO_CALL UINT32_MAX

/* The numbers of a name on one architecture. */
struct seccomp_call {
    uint32_t number;      /* or SECCOMP_NO_CALL */
    uint32_t multiplexer; /* socketcall or ipc, with arg 0 == part; or SECCOMP_NO_CALL */
    uint32_t part;
    bool late; /* number is a later addition beside the multiplexer */
};

/* False when the name is unknown on every architecture. */
bool seccomp_arch_call(const struct seccomp_arch *arch, const char *name, struct seccomp_call *call);

/* ---- seccomp_program.c ------------------------------------------------------------------------------ */

/*
 * Instructions are written from the last one backwards: BPF jumps only forwards, so every target is known
 * when a jump to it is written. A label is the number of instructions from its instruction to the end.
 */
struct seccomp_program {
    struct sock_filter *code; /* reversed */
    size_t count;
    struct seccomp_return {
        uint32_t value;
        size_t label;
    } * returns; /* the last one written of each value, to be shared */
    size_t return_count;
};

size_t seccomp_program_return(struct seccomp_program *program, uint32_t value);
/* Goes to `yes` when A `operation` (BPF_JEQ, BPF_JGT, BPF_JGE) value, else to `no`. */
size_t seccomp_program_branch(struct seccomp_program *program, unsigned operation, uint32_t value, size_t yes,
                              size_t no);
/* A = the 32 bits at `offset` of seccomp_data, then goes to `next`. */
size_t seccomp_program_load(struct seccomp_program *program, uint32_t offset, size_t next);
/* Compares an argument of the system call as `arg` says. */
size_t seccomp_program_compare(struct seccomp_program *program, const struct seccomp_arch *arch,
                               const struct oci_seccomp_arg *arg, size_t yes, size_t no);
/* Puts the instructions into their order and hands them over. */
int seccomp_program_finish(struct seccomp_program *program, struct sock_fprog *result, struct error *err);
void seccomp_program_free(struct seccomp_program *program);

/* ---- seccomp_compile.c ------------------------------------------------------------------------------ */

/* A checked profile as a program for a machine whose own architecture is `native` (a SCMP_ARCH_x token). */
int seccomp_compile(const struct oci_seccomp *seccomp, uint32_t native, struct sock_fprog *result,
                    struct error *err);

/* ---- seccomp_plan.c --------------------------------------------------------------------------------- */

/* SECCOMP_FILTER_FLAG_x of the profile. */
unsigned seccomp_flags(const struct oci_seccomp *seccomp);

/* What the program returns to the kernel for an action. */
uint32_t seccomp_action_value(enum oci_seccomp_action action, bool has_errno, uint32_t errno_value);
