/*
 * Capability sets, with capset(2) and prctl(2) themselves: libcap would read files and touch pages at every
 * start. Runs in the container's init and in exec'd processes. Which sets are wanted is decided in
 * process/plan.c.
 */
#include "process/process.h"
#include "security/security.h"

#include "base/log.h"
#include "base/memory.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

/* Linux 5.4, the oldest we support, has them up to CAP_AUDIT_READ. */
#define LAST_IN_EVERY_KERNEL 37
#define NUMBER_LIMIT 64 /* capset() has no more bits */

static uint64_t bit(int number)
{
    return UINT64_C(1) << number;
}

int capability_from_name(const char *name)
{
    if (strncmp(name, "CAP_", 4) != 0)
        return -1;
    for (size_t i = 0; i < array_length(names); i++)
        if (strcmp(name + 4, names[i] + 4) == 0)
            return (int)i;
    return -1;
}

const char *capability_name(int number)
{
    return number >= 0 && (size_t)number < array_length(names) ? names[number] : NULL;
}

static const char *name_or_unknown(int number)
{
    const char *name = capability_name(number);

    return name ? name : "a capability without a name";
}

int capability_last(void)
{
    int last = (int)array_length(names) - 1;

    while (last > LAST_IN_EVERY_KERNEL && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
        last--;
    while (last < NUMBER_LIMIT - 1 && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    return last;
}

static void warn_ungrantable(uint64_t bits, const char *reason)
{
    for (int number = 0; number < NUMBER_LIMIT; number++)
        if (bits & bit(number))
            log_warning("process.capabilities: %s cannot be granted: %s", name_or_unknown(number), reason);
}

/* Item 62: capset() drops bits of the future in silence; say so. */
static void warn_unknown_to_kernel(const struct process_plan *plan)
{
    const uint64_t wanted = plan->cap_bounding | plan->cap_permitted;

    if (wanted >> (LAST_IN_EVERY_KERNEL + 1) != 0)
        warn_ungrantable(wanted & ~(UINT64_MAX >> (NUMBER_LIMIT - 1 - capability_last())),
                         "the kernel does not have it");
}

/*
 * One prctl() a capability: the kernel offers nothing shorter, and asking first which ones are there costs
 * the same. Numbers that we have no name for are dropped too; the first that the kernel does not know ends
 * the row.
 */
int capabilities_drop_bounding(const struct process_plan *plan, struct error *err)
{
    if (log_enabled(LOG_LEVEL_WARNING))
        warn_unknown_to_kernel(plan);
    for (int number = 0; number < NUMBER_LIMIT; number++) {
        int there = 1;

        if (plan->cap_bounding & bit(number) || prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0)
            continue;
        if (errno == EPERM) /* without CAP_SETPCAP, before the kernel looks at the number */
            there = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
        if (there < 0 || errno == EINVAL)
            return 0;
        if (there == 0)
            continue;
        errno = EPERM;
        return fail_errno(err, "process.capabilities.bounding: drop %s", name_or_unknown(number));
    }
    return 0;
}

struct capability_sets {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct halves[2]; /* low 32 bits, high 32 bits */
};

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct capability_sets sets = { .header.version = _LINUX_CAPABILITY_VERSION_3 };

    for (int half = 0; half < 2; half++) {
        sets.halves[half].effective = (uint32_t)(effective >> (32 * half));
        sets.halves[half].permitted = (uint32_t)(permitted >> (32 * half));
        sets.halves[half].inheritable = (uint32_t)(inheritable >> (32 * half));
    }
    return (int)syscall(SYS_capset, &sets.header, sets.halves);
}

static int get_permitted(uint64_t *permitted)
{
    struct capability_sets sets = { .header.version = _LINUX_CAPABILITY_VERSION_3 };

    if (syscall(SYS_capget, &sets.header, sets.halves) < 0)
        return -1;
    *permitted = sets.halves[0].permitted | (uint64_t)sets.halves[1].permitted << 32;
    return 0;
}

/* What the runtime itself may: the rest of the wish is dropped with a warning (item 62), and only asked for
 * after a failure. */
static int set_grantable(const struct process_plan *plan, struct error *err)
{
    uint64_t ours;

    if (get_permitted(&ours) < 0)
        return fail_errno(err, "capget");
    warn_ungrantable((plan->cap_permitted | plan->cap_inheritable) & ~ours, "the runtime does not have it");
    if (set_capabilities(plan->cap_effective & ours, plan->cap_permitted & ours,
                         plan->cap_inheritable & ours) < 0)
        return fail_errno(err, "process.capabilities: capset");
    return 0;
}

/* Items 62 and 64: what cannot be raised is a warning. */
static void raise_ambient(const struct process_plan *plan)
{
    for (int number = 0; number < NUMBER_LIMIT; number++)
        if (plan->cap_ambient & bit(number) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)number, 0UL, 0UL) < 0)
            log_warning("process.capabilities.ambient: %s: %s", name_or_unknown(number), errno_text(errno));
}

int capabilities_apply(const struct process_plan *plan, struct error *err)
{
    if (set_capabilities(plan->cap_effective, plan->cap_permitted, plan->cap_inheritable) < 0 &&
        set_grantable(plan, err) < 0)
        return -1;
    /*
     * The kernel keeps ambient within permitted and inheritable, so with nothing inheritable capset() has
     * emptied it. What came with us from an engine that has ambient capabilities must not stay otherwise.
     */
    if (plan->cap_inheritable & plan->cap_permitted &&
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0)
        return fail_errno(err, "process.capabilities.ambient: clear");
    raise_ambient(plan);
    return 0;
}
