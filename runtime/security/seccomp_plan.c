/*
 * linux.seccomp as a BPF program (items 216-223). Pure: runs in the runtime before anything is made. This
 * file checks the profile and turns its words into numbers; seccomp_compile.c makes the program.
 */
#include "security/seccomp_internal.h"
#include "security/security.h"

#include "base/memory.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct {
    uint32_t value;
    bool has_errno; /* carries errnoRet in its low 16 bits */
} actions[] = {
    [OCI_SECCOMP_KILL] = { SECCOMP_RET_KILL_THREAD, false },
    [OCI_SECCOMP_KILL_PROCESS] = { SECCOMP_RET_KILL_PROCESS, false },
    [OCI_SECCOMP_KILL_THREAD] = { SECCOMP_RET_KILL_THREAD, false },
    [OCI_SECCOMP_TRAP] = { SECCOMP_RET_TRAP, false },
    [OCI_SECCOMP_ERRNO] = { SECCOMP_RET_ERRNO, true },
    [OCI_SECCOMP_TRACE] = { SECCOMP_RET_TRACE, true },
    [OCI_SECCOMP_ALLOW] = { SECCOMP_RET_ALLOW, false },
    [OCI_SECCOMP_LOG] = { SECCOMP_RET_LOG, false },
    [OCI_SECCOMP_NOTIFY] = { SECCOMP_RET_USER_NOTIF, false },
};

static const unsigned flag_bits[] = {
    [OCI_SECCOMP_FLAG_TSYNC] = SECCOMP_FILTER_FLAG_TSYNC,
    [OCI_SECCOMP_FLAG_LOG] = SECCOMP_FILTER_FLAG_LOG,
    [OCI_SECCOMP_FLAG_SPEC_ALLOW] = SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    [OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV] = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

uint32_t seccomp_action_value(enum oci_seccomp_action action, bool has_errno, uint32_t errno_value)
{
    if (!actions[action].has_errno)
        return actions[action].value;
    return actions[action].value | ((has_errno ? errno_value : EPERM) & SECCOMP_RET_DATA);
}

static int check_action(enum oci_seccomp_action action, bool has_errno, const char *path,
                        const char *action_name, const char *errno_name, struct error *err)
{
    if (action <= 0 || action >= array_length(actions))
        return fail(err, EINVAL, "%s.%s: is missing", path, action_name);
    if (has_errno && !actions[action].has_errno) /* items 217, 218 */
        return fail(err, EINVAL, "%s.%s: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one", path, errno_name);
    return 0;
}

static int check_rule(const struct oci_seccomp_syscall *rule, size_t index, struct error *err)
{
    char path[64];

    snprintf(path, sizeof path, "linux.seccomp.syscalls[%zu]", index);
    if (check_action(rule->action, rule->has_errno_ret, path, "action", "errnoRet", err) < 0)
        return -1;
    if (rule->names.count == 0)
        return fail(err, EINVAL, "%s.names: must not be empty", path);
    for (size_t i = 0; i < rule->args_count; i++) {
        if (rule->args[i].index > 5)
            return fail(err, EINVAL, "%s.args[%zu].index: %u is above 5", path, i, rule->args[i].index);
        if (!rule->args[i].op)
            return fail(err, EINVAL, "%s.args[%zu].op: is missing", path, i);
    }
    return 0;
}

/* Items 225 to 228. */
static int check_listener(const struct oci_seccomp *seccomp, bool notify, struct error *err)
{
    const bool has_path = seccomp->listener_path && *seccomp->listener_path;

    if (seccomp->default_action == OCI_SECCOMP_NOTIFY)
        return fail(err, EINVAL,
                    "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would hold the runtime itself");
    if (notify && !has_path)
        return fail(err, EINVAL, "linux.seccomp.listenerPath: is needed for SCMP_ACT_NOTIFY");
    if (seccomp->listener_metadata && *seccomp->listener_metadata && !has_path)
        return fail(err, EINVAL, "linux.seccomp.listenerMetadata: must not be set without listenerPath");
    return 0;
}

static int check_profile(const struct oci_seccomp *seccomp, bool *notify, struct error *err)
{
    if (check_action(seccomp->default_action, seccomp->has_default_errno_ret, "linux.seccomp",
                     "defaultAction", "defaultErrnoRet", err) < 0)
        return -1;
    *notify = false;
    for (size_t i = 0; i < seccomp->syscalls_count; i++) {
        if (check_rule(&seccomp->syscalls[i], i, err) < 0)
            return -1;
        *notify = *notify || seccomp->syscalls[i].action == OCI_SECCOMP_NOTIFY;
    }
    return check_listener(seccomp, *notify, err);
}

/* Item 221: no list at all means SPEC_ALLOW with both peers, an empty one means none. */
unsigned seccomp_flags(const struct oci_seccomp *seccomp)
{
    unsigned flags = seccomp->has_flags ? 0 : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

    for (size_t i = 0; i < seccomp->flags_count; i++)
        flags |= flag_bits[seccomp->flags[i]];
    return flags;
}

int seccomp_filter_make(const struct oci_seccomp *seccomp, struct seccomp_filter *filter, struct error *err)
{
    *filter = (struct seccomp_filter){ 0 };
    if (check_profile(seccomp, &filter->notify, err) < 0)
        return -1;
    filter->flags = seccomp_flags(seccomp);
    return seccomp_compile(seccomp, seccomp_arch_native(), &filter->program, err);
}
