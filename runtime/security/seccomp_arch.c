/*
 * Architectures and their system call numbers. Pure. libseccomp's tables translate names; what is added here
 * are names that are younger than the library, and the direct numbers of system calls that once existed only
 * as parts of socketcall(2) and ipc(2): the library knows them, but tells them to nobody.
 */
#include "security/seccomp_internal.h"

#include "base/memory.h"

#include <elf.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif

/* What libseccomp answers for a part of a multiplexer that it calls PNR: -100 - part for socketcall, -200 -
 * part for ipc. */
#define SOCKET_PSEUDO 100
#define SOCKET_PARTS 21
#define IPC_PSEUDO 200
#define IPC_PARTS 25

/* Direct numbers by part; 0: there is none. */
struct seccomp_multiplexed {
    uint16_t socket[SOCKET_PARTS];
    uint16_t ipc[IPC_PARTS];
};

/* socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown
 * setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg */
#define IPC_DIRECT(base, semtimedop)                                                                         \
    {                                                                                                        \
        [2] = base + 393, [3] = base + 394, [4] = semtimedop, [11] = base + 400, [12] = base + 401,          \
        [13] = base + 399, [14] = base + 402, [21] = base + 397, [22] = base + 398, [23] = base + 395,       \
        [24] = base + 396,                                                                                   \
    }
static const struct seccomp_multiplexed multiplexed_x86 = {
    { 0, 359, 361, 362, 363, 0, 367, 368, 360, 0, 0, 369, 371, 373, 366, 365, 370, 372, 364, 337, 345 },
    IPC_DIRECT(0, 0),
};
static const struct seccomp_multiplexed multiplexed_s390 = {
    { 0, 359, 361, 362, 363, 0, 367, 368, 360, 0, 0, 369, 371, 373, 366, 365, 370, 372, 364, 357, 358 },
    IPC_DIRECT(0, 0),
};
static const struct seccomp_multiplexed multiplexed_s390x = {
    { 0, 359, 361, 362, 363, 0, 367, 368, 360, 0, 0, 369, 371, 373, 366, 365, 370, 372, 364, 357, 358 },
    IPC_DIRECT(0, 392),
};
static const struct seccomp_multiplexed multiplexed_ppc = {
    { 0, 326, 327, 328, 329, 330, 331, 332, 333, 334, 336, 335, 337, 338, 339, 340, 341, 342, 344, 343, 349 },
    IPC_DIRECT(0, 0),
};
static const struct seccomp_multiplexed multiplexed_ppc64 = {
    { 0, 326, 327, 328, 329, 330, 331, 332, 333, 334, 336, 335, 337, 338, 339, 340, 341, 342, 344, 343, 349 },
    IPC_DIRECT(0, 392),
};
static const struct seccomp_multiplexed multiplexed_mips = {
    { 0,    4183, 4169, 4170, 4174, 4168, 4172, 4171, 4184, 4178, 4175,
      4180, 4176, 4182, 4181, 4173, 4179, 4177, 4334, 4335, 4343 },
    IPC_DIRECT(4000, 0),
};
/* Architectures whose numbers libseccomp 2.5 does not have; later versions do it with the multiplexer alone.
 */
static const struct seccomp_multiplexed multiplexed_other = { { 0 }, IPC_DIRECT(0, 0) };

enum family { X86, ARM, MIPS, MIPSEL, PPC, PPCLE, S390, PARISC, RISCV, LOONGARCH, M68K, SH, SHEB };

static const struct seccomp_arch archs[] = {
    [OCI_ARCH_X86_64] = { AUDIT_ARCH_X86_64, X86, NULL, 0 },
    [OCI_ARCH_X86] = { AUDIT_ARCH_I386, X86, &multiplexed_x86, 0 },
    [OCI_ARCH_X32] = { SCMP_ARCH_X32, X86, NULL, 0x40000000 },
    [OCI_ARCH_AARCH64] = { AUDIT_ARCH_AARCH64, ARM, NULL, 0 },
    [OCI_ARCH_ARM] = { AUDIT_ARCH_ARM, ARM, NULL, 0 },
    [OCI_ARCH_MIPS] = { AUDIT_ARCH_MIPS, MIPS, &multiplexed_mips, 4000 },
    [OCI_ARCH_MIPS64] = { AUDIT_ARCH_MIPS64, MIPS, NULL, 5000 },
    [OCI_ARCH_MIPS64N32] = { SCMP_ARCH_MIPS64N32, MIPS, NULL, 6000 },
    [OCI_ARCH_MIPSEL] = { AUDIT_ARCH_MIPSEL, MIPSEL, &multiplexed_mips, 4000 },
    [OCI_ARCH_MIPSEL64] = { AUDIT_ARCH_MIPSEL64, MIPSEL, NULL, 5000 },
    [OCI_ARCH_MIPSEL64N32] = { SCMP_ARCH_MIPSEL64N32, MIPSEL, NULL, 6000 },
    [OCI_ARCH_PPC] = { AUDIT_ARCH_PPC, PPC, &multiplexed_ppc, 0 },
    [OCI_ARCH_PPC64] = { AUDIT_ARCH_PPC64, PPC, &multiplexed_ppc64, 0 },
    [OCI_ARCH_PPC64LE] = { AUDIT_ARCH_PPC64LE, PPCLE, &multiplexed_ppc64, 0 },
    [OCI_ARCH_S390] = { AUDIT_ARCH_S390, S390, &multiplexed_s390, 0 },
    [OCI_ARCH_S390X] = { AUDIT_ARCH_S390X, S390, &multiplexed_s390x, 0 },
    [OCI_ARCH_PARISC] = { AUDIT_ARCH_PARISC, PARISC, NULL, 0 },
    [OCI_ARCH_PARISC64] = { AUDIT_ARCH_PARISC64, PARISC, NULL, 0 },
    [OCI_ARCH_RISCV64] = { AUDIT_ARCH_RISCV64, RISCV, NULL, 0 },
    [OCI_ARCH_LOONGARCH64] = { AUDIT_ARCH_LOONGARCH64, LOONGARCH, NULL, 0 },
    [OCI_ARCH_M68K] = { AUDIT_ARCH_M68K, M68K, &multiplexed_other, 0 },
    [OCI_ARCH_SH] = { AUDIT_ARCH_SHEL, SH, &multiplexed_other, 0 },
    [OCI_ARCH_SHEB] = { AUDIT_ARCH_SH, SHEB, &multiplexed_other, 0 },
};

/* Younger than libseccomp 2.5.4. Since 2019 a new system call has the same number everywhere, above the
 * architecture's base. */
static const struct {
    const char *name;
    uint16_t number;
} newer_calls[] = {
    { "futex_waitv", 449 },       { "set_mempolicy_home_node", 450 },
    { "cachestat", 451 },         { "fchmodat2", 452 },
    { "map_shadow_stack", 453 },  { "futex_wake", 454 },
    { "futex_wait", 455 },        { "futex_requeue", 456 },
    { "statmount", 457 },         { "listmount", 458 },
    { "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 },
    { "lsm_list_modules", 461 },  { "mseal", 462 },
    { "setxattrat", 463 },        { "getxattrat", 464 },
    { "listxattrat", 465 },       { "removexattrat", 466 },
    { "open_tree_attr", 467 },    { "file_getattr", 468 },
    { "file_setattr", 469 },
};

const struct seccomp_arch *seccomp_arch_find(enum oci_seccomp_arch name)
{
    return name > 0 && name < array_length(archs) ? &archs[name] : NULL;
}

const struct seccomp_arch *seccomp_arch_of_token(uint32_t token)
{
    for (size_t i = 0; i < array_length(archs); i++)
        if (archs[i].token == token && token != 0)
            return &archs[i];
    return NULL;
}

uint32_t seccomp_arch_audit(const struct seccomp_arch *arch)
{
    return arch->token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch->token;
}

bool seccomp_arch_is_64_bit(const struct seccomp_arch *arch)
{
    /* n32 is marked as 64 bit for the kernel's audit, its arguments are not. */
    return (arch->token & __AUDIT_ARCH_64BIT) != 0 && arch->token != SCMP_ARCH_MIPS64N32 &&
           arch->token != SCMP_ARCH_MIPSEL64N32;
}

bool seccomp_arch_is_big_endian(const struct seccomp_arch *arch)
{
    return (arch->token & __AUDIT_ARCH_LE) == 0;
}

static bool find_newer(const struct seccomp_arch *arch, const char *name, struct seccomp_call *call)
{
    for (size_t i = 0; i < array_length(newer_calls); i++) {
        if (strcmp(newer_calls[i].name, name) == 0) {
            call->number = arch->base + newer_calls[i].number;
            return true;
        }
    }
    return false;
}

static void find_multiplexed(const struct seccomp_arch *arch, const char *name, unsigned part,
                             const uint16_t *direct, struct seccomp_call *call)
{
    int multiplexer = seccomp_syscall_resolve_name_rewrite(arch->token, name);

    call->late = true;
    if (direct[part] != 0)
        call->number = direct[part];
    if (multiplexer >= 0) {
        call->multiplexer = (uint32_t)multiplexer;
        call->part = part;
    }
}

bool seccomp_arch_call(const struct seccomp_arch *arch, const char *name, struct seccomp_call *call)
{
    int number = seccomp_syscall_resolve_name_arch(arch->token, name);

    *call = (struct seccomp_call){ .number = SECCOMP_NO_CALL, .multiplexer = SECCOMP_NO_CALL };
    if (number == __NR_SCMP_ERROR)
        return find_newer(arch, name, call);
    if (number >= 0)
        call->number = (uint32_t)number;
    else if (arch->multiplexed && -number > SOCKET_PSEUDO && -number < SOCKET_PSEUDO + SOCKET_PARTS)
        find_multiplexed(arch, name, (unsigned)(-number - SOCKET_PSEUDO), arch->multiplexed->socket, call);
    else if (arch->multiplexed && -number > IPC_PSEUDO && -number < IPC_PSEUDO + IPC_PARTS)
        find_multiplexed(arch, name, (unsigned)(-number - IPC_PSEUDO), arch->multiplexed->ipc, call);
    return true; /* another negative number: a system call of other architectures */
}
