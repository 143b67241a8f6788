/*
 * The layers that a sandbox adds, as plain data: Landlock plans (L-2), the answers of the speculation control
 * (G-1) and the built-in seccomp filters (S-2 to S-5), the latter run on a machine of our own.
 */
#include "seccomp_machine.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/landlock.h"
#include "security/seccomp_presets.h"
#include "security/speculation.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define ERRNO(value) (SECCOMP_RET_ERRNO | (value))
#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define X32 0x40000000u

/* ---- Landlock ------------------------------------------------------------------------------------------ */

Test(landlock, L2_each_abi_offers_what_it_brought)
{
    static const struct {
        int abi;
        uint64_t files, ports, scopes;
    } rows[] = {
        { 0, 0, 0, 0 },      { 1, 0x1fff, 0, 0 }, { 2, 0x3fff, 0, 0 },
        { 3, 0x7fff, 0, 0 }, { 4, 0x7fff, 3, 0 }, { 5, 0xffff, 3, 0 },
        { 6, 0xffff, 3, 3 }, { 7, 0xffff, 3, 3 }, { 99, 0xffff, 3, 3 },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct landlock_offer offer = landlock_offer(rows[i].abi);

        cr_assert_eq(offer.files, rows[i].files, "ABI %d", rows[i].abi);
        cr_assert_eq(offer.ports, rows[i].ports, "ABI %d", rows[i].abi);
        cr_assert_eq(offer.scopes, rows[i].scopes, "ABI %d", rows[i].abi);
        cr_assert_eq(offer.flags != 0, rows[i].abi >= 7);
    }
}

Test(landlock, L2_best_effort_and_required)
{
    static const struct {
        int abi;
        uint64_t ports, scopes;
        enum landlock_state state;
        const char *error; /* of the same plan when it is required */
    } rows[] = {
        { 7, 3, 3, LANDLOCK_ACTIVE, NULL },
        { 6, 0, 3, LANDLOCK_ACTIVE, NULL },
        { 5, 3, 0, LANDLOCK_ACTIVE, NULL },
        { 5, 0, 1, LANDLOCK_DEGRADED, "unavailable: landlock: is required with ABI 6, but this kernel has 5" },
        { 1, 0, 0, LANDLOCK_DEGRADED, "unavailable: landlock: is required with ABI 5, but this kernel has 1" },
        { 0, 0, 0, LANDLOCK_UNSUPPORTED, "unavailable: landlock: is required, but this kernel has none" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct landlock_plan plan;
        enum landlock_state state;
        struct error err = { 0 };

        landlock_plan_init(&plan, false);
        plan.ports = rows[i].ports;
        plan.scopes = rows[i].scopes;
        cr_assert_eq(landlock_plan_check(&plan, rows[i].abi, &state, &err), 0, "row %zu", i);
        cr_assert_eq(state, rows[i].state, "row %zu", i);
        plan.required = true;
        cr_assert_eq(landlock_plan_check(&plan, rows[i].abi, &state, &err), rows[i].error ? -1 : 0);
        cr_assert_str_eq(err.text, rows[i].error ? rows[i].error : "");
    }
}

Test(landlock, L6_missing_paths)
{
    struct landlock_plan plan;
    enum landlock_state state;
    struct error err = { 0 };
    int ruleset;

    if (landlock_abi() == 0)
        cr_skip_test("this kernel has no Landlock");
    landlock_plan_init(&plan, false);
    plan.scopes = 0;
    landlock_plan_allow(&plan, "/", LANDLOCK_READ, false);
    landlock_plan_allow_quietly(&plan, "/no-such", LANDLOCK_DEVICE);
    landlock_plan_allow(&plan, "/dev/null", LANDLOCK_ALL,
                        false); /* a file: rights of directories are left out */
    cr_assert_eq(landlock_make_ruleset(&plan, &ruleset, &state, &err), 0, "%s", err.text);
    cr_assert_eq(state, landlock_abi() >= 5 ? LANDLOCK_ACTIVE : LANDLOCK_DEGRADED);
    close(ruleset);
    landlock_plan_allow(&plan, "/no-such", LANDLOCK_ALL, true);
    cr_assert_eq(landlock_make_ruleset(&plan, &ruleset, &state, &err), 0, "%s", err.text);
    cr_assert_eq(state, LANDLOCK_DEGRADED);
    close(ruleset);
    landlock_plan_allow(&plan, "/no-such/root", LANDLOCK_ALL, false);
    cr_assert_eq(landlock_make_ruleset(&plan, &ruleset, &state, &err), -1);
    cr_assert_str_eq(err.text, "landlock: /no-such/root: no such file or directory");
    cr_assert_eq(ruleset, -1);
    landlock_plan_free(&plan);
}

/* ---- speculation --------------------------------------------------------------------------------------- */

Test(speculation, G1_answers_of_the_kernel)
{
    static const struct {
        int get;
        bool off;
    } rows[] = {
        { -1, false },     /* ENODEV, EINVAL */
        { 0, true },       /* the CPU is not affected */
        { 2, false },      /* enabled, no say */
        { 1 | 2, false },  /* enabled, but could be disabled */
        { 1 | 4, false },  /* disabled, but could be enabled again */
        { 1 | 8, true },   /* forced */
        { 4, true },       /* disabled for everybody */
        { 1 | 16, false }, /* until the next execve */
    };

    for (size_t i = 0; i < array_length(rows); i++)
        cr_assert_eq(speculation_is_off(rows[i].get), rows[i].off, "%d", rows[i].get);
}

/* ---- seccomp ------------------------------------------------------------------------------------------- */

#if defined __x86_64__
static void compile(const struct seccomp_preset *preset, struct seccomp_filter *filter)
{
    struct error err = { 0 };
    struct oci_seccomp *seccomp = seccomp_preset_make(preset, "list", &err);

    cr_assert_not_null(seccomp, "%s", err.text);
    cr_assert_eq(seccomp_preset_compile(seccomp, filter, &err), 0, "%s", err.text);
    schema_free(&oci_seccomp_schema, seccomp);
}

static void expect(const struct seccomp_filter *filter, uint32_t arch, uint32_t number, uint64_t arg0,
                   uint64_t arg1, uint32_t expected)
{
    const struct machine_call call = { arch, number, { arg0, arg1 } };
    uint32_t value = machine_run(&filter->program, &call);

    cr_assert_eq(value, expected, "arch %x call %u (%lx, %lx): %x instead of %x", arch, number,
                 (unsigned long)arg0, (unsigned long)arg1, value, expected);
}

/* The list of the requirement, by name: what this machine has of it is denied. */
Test(seccomp_presets, S2_every_call)
{
    static const char names[] =
        "mount umount2 chroot pivot_root ptrace process_vm_readv process_vm_writev kcmp init_module "
        "finit_module "
        "delete_module bpf seccomp personality add_key request_key keyctl iopl ioperm reboot syslog swapon "
        "swapoff "
        "setns unshare name_to_handle_at open_by_handle_at userfaultfd kexec_load kexec_file_load acct "
        "open_tree "
        "move_mount fsopen fsconfig fsmount fspick mount_setattr open_tree_attr perf_event_open pidfd_getfd "
        "io_uring_setup io_uring_enter io_uring_register quotactl quotactl_fd settimeofday clock_settime "
        "clock_settime64 adjtimex clock_adjtime stime modify_ldt lookup_dcookie vmsplice vhangup nfsservctl "
        "uselib "
        "sysfs ustat";
    static const uint64_t families[] = { AF_VSOCK, AF_KEY, AF_ALG, 33 /* AF_RXRPC */ };
    static const uint64_t flags[] = { 0x00020000, 0x02000000, 0x04000000, 0x08000000,
                                      0x10000000, 0x20000000, 0x40000000 };
    auto_free char *copy = memory_string(names);
    struct seccomp_filter filter;
    char *rest = copy, *name;
    int known = 0;

    compile(&(struct seccomp_preset){ .builtin = true }, &filter);
    while ((name = strsep(&rest, " "))) {
        int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);

        if (number < 0) /* of another architecture, or newer than the library */
            continue;
        expect(&filter, AUDIT_ARCH_X86_64, (uint32_t)number, 0, 0, ERRNO(1));
        known++;
    }
    cr_expect_geq(known, 55);
    for (size_t i = 0; i < array_length(families); i++)
        expect(&filter, AUDIT_ARCH_X86_64, SYS_socket, families[i], 0, ERRNO(1));
    for (size_t i = 0; i < array_length(flags); i++)
        expect(&filter, AUDIT_ARCH_X86_64, SYS_clone, flags[i] | 17, 0, ERRNO(1));
    seccomp_filter_free(&filter);
}

Test(seccomp_presets, S2_S3_S4_builtin)
{
    static const struct {
        uint32_t arch, number;
        uint64_t arg0, arg1;
        uint32_t expected;
    } rows[] = {
        { AUDIT_ARCH_X86_64, SYS_read, 0, 0, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_execve, 0, 0, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_memfd_create, 0, 0, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_mount, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 429 /* move_mount */, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 428 /* open_tree */, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 442 /* mount_setattr */, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 438 /* pidfd_getfd */, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 425 /* io_uring_setup */, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_perf_event_open, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_seccomp, 0, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, 435 /* clone3 */, 0, 0, ERRNO(38) },
        { AUDIT_ARCH_X86_64, SYS_clone, 0x01200011, 0, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_clone, 0x10000011, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_clone, 0x00020011, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_clone, 0x02000011, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_unshare, 0x80, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_ioctl, 0, TIOCGWINSZ, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_ioctl, 0, TIOCSTI, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0x100000000u | TIOCSTI, ERRNO(1) }, /* the kernel drops the rest */
        { AUDIT_ARCH_X86_64, SYS_ioctl, 0, TIOCLINUX, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0xae01, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_socket, AF_INET, 0, ALLOW },
        { AUDIT_ARCH_X86_64, SYS_socket, AF_VSOCK, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_socket, 0x100000000u | AF_VSOCK, 0, ERRNO(1) },
        { AUDIT_ARCH_X86_64, SYS_socket, AF_ALG, 0, ERRNO(1) },
        { AUDIT_ARCH_I386, 3 /* read */, 0, 0, KILL },
        { AUDIT_ARCH_X86_64, X32 | SYS_read, 0, 0, KILL },
        { AUDIT_ARCH_AARCH64, 63 /* read */, 0, 0, KILL },
    };
    struct seccomp_filter filter;

    compile(&(struct seccomp_preset){ .builtin = true }, &filter);
    for (size_t i = 0; i < array_length(rows); i++)
        expect(&filter, rows[i].arch, rows[i].number, rows[i].arg0, rows[i].arg1, rows[i].expected);
    seccomp_filter_free(&filter);
    compile(&(struct seccomp_preset){ .builtin = true, .denial = SECCOMP_DENY_EACCES }, &filter);
    expect(&filter, AUDIT_ARCH_X86_64, SYS_mount, 0, 0, ERRNO(13));
    expect(&filter, AUDIT_ARCH_X86_64, 435, 0, 0, ERRNO(38));
    seccomp_filter_free(&filter);
    compile(&(struct seccomp_preset){ .builtin = true, .denial = SECCOMP_DENY_KILL }, &filter);
    expect(&filter, AUDIT_ARCH_X86_64, SYS_mount, 0, 0, KILL);
    seccomp_filter_free(&filter);
}

Test(seccomp_presets, S4_architectures_of_the_config_stay_open)
{
    const enum oci_seccomp_arch archs[] = { OCI_ARCH_X86_64, OCI_ARCH_X86 };
    struct seccomp_preset preset = { .builtin = true, .architectures = archs, .architecture_count = 2 };
    struct seccomp_filter filter;

    compile(&preset, &filter);
    expect(&filter, AUDIT_ARCH_I386, 3 /* read */, 0, 0, ALLOW);
    expect(&filter, AUDIT_ARCH_I386, 21 /* mount */, 0, 0, ERRNO(1));
    expect(&filter, AUDIT_ARCH_X86_64, X32 | SYS_read, 0, 0, KILL);
    seccomp_filter_free(&filter);
    preset.network = SECCOMP_NETWORK_UNIX_ONLY; /* S-5: closed whatever is listed */
    compile(&preset, &filter);
    expect(&filter, AUDIT_ARCH_I386, 359 /* socket */, AF_INET, 0, KILL);
    expect(&filter, AUDIT_ARCH_I386, 102 /* socketcall */, 1, 0, KILL);
    seccomp_filter_free(&filter);
}

Test(seccomp_presets, S5_network_modes)
{
    static const struct {
        uint32_t number;
        uint64_t arg0;
        uint32_t unix_only, restricted;
    } rows[] = {
        { SYS_socket, AF_UNIX, ALLOW, ALLOW },
        { SYS_socket, AF_INET, ERRNO(1), ERRNO(1) },
        { SYS_socket, AF_INET6, ERRNO(1), ERRNO(1) },
        { SYS_socket, AF_NETLINK, ERRNO(1), ERRNO(1) },
        { SYS_socket, 0x100000000u | AF_INET, ERRNO(1), ERRNO(1) },
        { SYS_socketpair, AF_UNIX, ALLOW, ALLOW },
        { SYS_socketpair, AF_INET, ERRNO(1), ERRNO(1) },
        { SYS_connect, 3, ALLOW, ERRNO(1) },
        { SYS_sendto, 3, ALLOW, ERRNO(1) },
        { SYS_recvfrom, 3, ALLOW, ALLOW },
        { SYS_setsockopt, 3, ALLOW, ERRNO(1) },
        { 425 /* io_uring_setup */, 0, ERRNO(1), ERRNO(1) },
        { SYS_mount, 0, ALLOW, ALLOW }, /* the built-in list is another matter */
    };
    struct seccomp_filter unix_only, restricted;

    compile(&(struct seccomp_preset){ .network = SECCOMP_NETWORK_UNIX_ONLY }, &unix_only);
    compile(&(struct seccomp_preset){ .network = SECCOMP_NETWORK_RESTRICTED }, &restricted);
    for (size_t i = 0; i < array_length(rows); i++) {
        expect(&unix_only, AUDIT_ARCH_X86_64, rows[i].number, rows[i].arg0, 0, rows[i].unix_only);
        expect(&restricted, AUDIT_ARCH_X86_64, rows[i].number, rows[i].arg0, 0, rows[i].restricted);
    }
    seccomp_filter_free(&unix_only);
    seccomp_filter_free(&restricted);
}

/* A preset may not be undone by what config.json allows, nor the other way round. */
Test(seccomp_presets, S1_chain)
{
    static const char text[] =
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"mount\",\"read\","
        "\"socket\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
    struct error err = { 0 };
    struct oci_seccomp *config = schema_parse(&oci_seccomp_schema, "p", text, strlen(text), &err);
    struct seccomp_filter filter, first;

    cr_assert_eq(seccomp_filter_make(config, &filter, &err), 0);
    compile(&(struct seccomp_preset){ .builtin = true }, &first);
    cr_assert_eq(seccomp_filter_chain(&filter, &first, &err), 0);
    cr_assert_null(first.program.filter);
    expect(&filter, AUDIT_ARCH_X86_64, SYS_read, 0, 0, ALLOW);
    expect(&filter, AUDIT_ARCH_X86_64, SYS_write, 0, 0, ERRNO(1));
    expect(&filter, AUDIT_ARCH_X86_64, SYS_mount, 0, 0, ERRNO(1));
    expect(&filter, AUDIT_ARCH_X86_64, SYS_socket, AF_UNIX, 0, ALLOW);
    expect(&filter, AUDIT_ARCH_X86_64, SYS_socket, AF_VSOCK, 0, ERRNO(1));
    expect(&filter, AUDIT_ARCH_I386, 3, 0, 0, KILL);
    seccomp_filter_free(&filter);
    schema_free(&oci_seccomp_schema, config);
}
#endif

Test(seccomp_presets, S1_deny_list)
{
    static const char *const rows[] = { "execve", "execveat", "exit_group" };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct strings deny = { 0 };
        struct error err = { 0 };

        strings_add(&deny, rows[i]);
        cr_assert_null(seccomp_preset_make(&(struct seccomp_preset){ .deny = &deny }, "list", &err));
        cr_assert(strstr(err.text, rows[i]), "%s", err.text);
        strings_free(&deny);
    }
}
