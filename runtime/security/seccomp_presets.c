/*
 * Built-in seccomp profiles, and chaining programs. Pure: runs in the runtime. Conditions compare only the 32
 * bits that the kernel looks at: an `int` argument with something in its upper half would pass a comparison
 * of 64 bits and still mean the same to the kernel.
 */
#include "security/seccomp_presets.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/seccomp_internal.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LOW_32_BITS UINT32_MAX

/* clone(2) has its flags second on s390. */
#if defined __s390__
#define CLONE_FLAGS_ARGUMENT 1
#else
#define CLONE_FLAGS_ARGUMENT 0
#endif

/* Calls that are never granted. One row per reason. */
static const char *const denied[] = {
    /* the mount table, with both interfaces, and changing roots */
    "mount",
    "umount",
    "umount2",
    "chroot",
    "pivot_root",
    "open_tree",
    "open_tree_attr",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    /* other processes */
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    /* the kernel itself */
    "init_module",
    "finit_module",
    "delete_module",
    "bpf",
    "seccomp",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "syslog",
    "perf_event_open",
    "userfaultfd",
    "lookup_dcookie",
    "personality",
    "nfsservctl",
    "uselib",
    "sysfs",
    "ustat",
    "vmsplice",
    "vhangup",
    "acct",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    /* keys do not know containers */
    "add_key",
    "request_key",
    "keyctl",
    /* hardware */
    "iopl",
    "ioperm",
    "modify_ldt",
    /* namespaces (clone is below) */
    "setns",
    "unshare",
    /* files by handle: around every path check (the "shocker" escape) */
    "name_to_handle_at",
    "open_by_handle_at",
    /* does I/O and sockets behind the back of every filter */
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    /* the clock is everybody's */
    "settimeofday",
    "clock_settime",
    "clock_settime64",
    "adjtimex",
    "clock_adjtime",
    "clock_adjtime64",
    "stime",
};

/* Calls denied with certain arguments. */
static const struct condition {
    const char *name;
    uint32_t index;
    uint64_t mask, value;
} conditions[] = {
    { "socket", 0, LOW_32_BITS, AF_VSOCK },
    { "socket", 0, LOW_32_BITS, AF_KEY },
    { "socket", 0, LOW_32_BITS, AF_ALG },
    { "socket", 0, LOW_32_BITS, 33 /* AF_RXRPC */ },
    { "ioctl", 1, 0xff00, 0xae00 /* KVM */ },
    { "ioctl", 1, LOW_32_BITS, TIOCSTI }, /* types into the terminal it shares with the caller */
    { "ioctl", 1, LOW_32_BITS, TIOCLINUX },
    /* clone with any new namespace: a rule for each bit, "any of" is not in the language */
    { "clone", CLONE_FLAGS_ARGUMENT, 0x00020000, 0x00020000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x02000000, 0x02000000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x04000000, 0x04000000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x08000000, 0x08000000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x10000000, 0x10000000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x20000000, 0x20000000 },
    { "clone", CLONE_FLAGS_ARGUMENT, 0x40000000, 0x40000000 },
};

static const char *const denied_with_network[] = { "io_uring_setup", "io_uring_enter", "io_uring_register" };

static const char *const denied_restricted[] = {
    "ptrace",   "process_vm_readv", "process_vm_writev", "connect",     "accept",   "accept4",
    "bind",     "listen",           "getpeername",       "getsockname", "shutdown", "sendto",
    "sendmmsg", "recvmmsg",         "getsockopt",        "setsockopt",
};

/* What a filter that denies them could never start, or end. */
static const char *const needed[] = { "execve", "execveat", "exit_group", "exit" };

static struct oci_seccomp_syscall *add_rule(struct oci_seccomp *seccomp, enum seccomp_denial denial)
{
    struct oci_seccomp_syscall *rule = array_grow(seccomp->syscalls, seccomp->syscalls_count);

    if (denial == SECCOMP_DENY_KILL) {
        rule->action = OCI_SECCOMP_KILL_PROCESS;
        return rule;
    }
    rule->action = OCI_SECCOMP_ERRNO;
    rule->has_errno_ret = true;
    rule->errno_ret = denial == SECCOMP_DENY_EACCES ? EACCES : EPERM;
    return rule;
}

static void add_name(struct oci_seccomp_syscall *rule, const char *name)
{
    strings_add(&rule->names, name);
    rule->has_names = true;
}

static void add_names(struct oci_seccomp *seccomp, enum seccomp_denial denial, const char *const *names,
                      size_t count)
{
    struct oci_seccomp_syscall *rule = add_rule(seccomp, denial);

    for (size_t i = 0; i < count; i++)
        add_name(rule, names[i]);
}

static void add_condition(struct oci_seccomp *seccomp, enum seccomp_denial denial, const char *name,
                          struct oci_seccomp_arg condition)
{
    struct oci_seccomp_syscall *rule = add_rule(seccomp, denial);

    add_name(rule, name);
    *array_grow(rule->args, rule->args_count) = condition;
}

static void add_builtin(struct oci_seccomp *seccomp, enum seccomp_denial denial)
{
    struct oci_seccomp_syscall *clone3;

    add_names(seccomp, denial, denied, array_length(denied));
    for (size_t i = 0; i < array_length(conditions); i++)
        add_condition(seccomp, denial, conditions[i].name,
                      (struct oci_seccomp_arg){ .index = conditions[i].index,
                                                .value = conditions[i].mask,
                                                .value_two = conditions[i].value,
                                                .has_value_two = true,
                                                .op = OCI_CMP_MASKED_EQ });
    clone3 = add_rule(seccomp, SECCOMP_DENY_EPERM); /* its flags are in memory, where no filter can look */
    add_name(clone3, "clone3");
    clone3->errno_ret = ENOSYS;
}

static void add_network(struct oci_seccomp *seccomp, const struct seccomp_preset *preset)
{
    static const char *const calls[] = { "socket", "socketpair" };

    if (preset->network == SECCOMP_NETWORK_ANY)
        return;
    /* The upper half set is "not AF_UNIX" here, too: denied, although the kernel would ignore it. */
    for (size_t i = 0; i < array_length(calls); i++)
        add_condition(seccomp, preset->denial, calls[i],
                      (struct oci_seccomp_arg){ .index = 0, .value = AF_UNIX, .op = OCI_CMP_NE });
    add_names(seccomp, preset->denial, denied_with_network, array_length(denied_with_network));
    if (preset->network == SECCOMP_NETWORK_RESTRICTED)
        add_names(seccomp, preset->denial, denied_restricted, array_length(denied_restricted));
}

static int add_deny_list(struct oci_seccomp *seccomp, const struct seccomp_preset *preset, const char *what,
                         struct error *err)
{
    const struct seccomp_arch *native = seccomp_arch_of_token(seccomp_arch_native());
    struct oci_seccomp_syscall *rule;
    struct seccomp_call call;

    if (!preset->deny || preset->deny->count == 0)
        return 0;
    rule = add_rule(seccomp, preset->denial);
    for (size_t i = 0; i < preset->deny->count; i++) {
        const char *name = preset->deny->items[i];

        for (size_t j = 0; j < array_length(needed); j++)
            if (strcmp(name, needed[j]) == 0)
                return fail(err, EINVAL, "%s: %s cannot be denied: nothing could run", what, name);
        if (native && !seccomp_arch_call(native, name, &call))
            log_warning("%s: unknown system call %s, ignored", what, name);
        add_name(rule, name);
    }
    return 0;
}

static void add_architectures(struct oci_seccomp *seccomp, const struct seccomp_preset *preset)
{
    if (preset->network != SECCOMP_NETWORK_ANY)
        return;
    for (size_t i = 0; i < preset->architecture_count; i++)
        *array_grow(seccomp->architectures, seccomp->architectures_count) = preset->architectures[i];
    seccomp->has_architectures = seccomp->architectures_count > 0;
}

struct oci_seccomp *seccomp_preset_make(const struct seccomp_preset *preset, const char *what,
                                        struct error *err)
{
    struct oci_seccomp *seccomp = memory_new(sizeof *seccomp);

    seccomp->default_action = OCI_SECCOMP_ALLOW;
    seccomp->has_flags = true; /* an empty list: no SPEC_ALLOW */
    add_architectures(seccomp, preset);
    if (preset->builtin)
        add_builtin(seccomp, preset->denial);
    add_network(seccomp, preset);
    if (add_deny_list(seccomp, preset, what, err) == 0)
        return seccomp;
    schema_free(&oci_seccomp_schema, seccomp);
    return NULL;
}

/* ---- programs ------------------------------------------------------------------------------------------ */

static bool returns(const struct sock_filter *instruction, uint32_t value)
{
    return instruction->code == (BPF_RET | BPF_K) && instruction->k == value;
}

/* The compiler ends foreign architectures with KILL_THREAD, as config.json wants it; presets have no other
 * use of it. */
int seccomp_preset_compile(const struct oci_seccomp *preset, struct seccomp_filter *filter, struct error *err)
{
    if (seccomp_filter_make(preset, filter, err) < 0)
        return -1;
    for (unsigned i = 0; i < filter->program.len; i++)
        if (returns(&filter->program.filter[i], SECCOMP_RET_KILL_THREAD))
            filter->program.filter[i].k = SECCOMP_RET_KILL_PROCESS;
    return 0;
}

int seccomp_filter_chain(struct seccomp_filter *filter, struct seccomp_filter *first, struct error *err)
{
    const unsigned length = first->program.len, total = length + filter->program.len;
    struct sock_filter *code;

    if (filter->program.len == 0) {
        seccomp_filter_free(filter);
        *filter = *first;
        *first = (struct seccomp_filter){ 0 };
        return 0;
    }
    if (total > BPF_MAXINSNS)
        return fail(err, E2BIG, "seccomp: both filters together have %u instructions, %d are possible", total,
                    BPF_MAXINSNS);
    code = memory_new_array(total, sizeof *code);
    memcpy(code, first->program.filter, length * sizeof *code);
    memcpy(code + length, filter->program.filter, filter->program.len * sizeof *code);
    for (unsigned i = 0; i < length; i++) /* "allow" becomes "go on with the other one" */
        if (returns(&code[i], SECCOMP_RET_ALLOW))
            code[i] = (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = length - i - 1 };
    free(filter->program.filter);
    filter->program = (struct sock_fprog){ .len = (unsigned short)total, .filter = code };
    seccomp_filter_free(first);
    return 0;
}
