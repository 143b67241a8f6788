/* Rules of linux.seccomp (items 216-228). Pure. Which syscalls exist is for security/. */
#include "oci-specs/validate.h"

#include "oci-specs/edit.h"

static bool has_errno(enum oci_seccomp_action action)
{
    return action == OCI_SECCOMP_ERRNO || action == OCI_SECCOMP_TRACE;
}

/* Items 218, 228: the runtime itself writes to its socket under the filter, and nobody would answer yet. */
static int check_syscall(const struct oci_seccomp *seccomp, size_t index, const char *what, struct error *err)
{
    const struct oci_seccomp_syscall *syscall = &seccomp->syscalls[index];

    if (syscall->has_errno_ret && !has_errno(syscall->action))
        return fail(err, EINVAL, "%s.syscalls[%zu].errnoRet: %s returns no errno", what, index,
                    oci_seccomp_action_name(syscall->action));
    if (syscall->action != OCI_SECCOMP_NOTIFY)
        return 0;
    if (!is_set(seccomp->listener_path))
        return fail(err, EINVAL, "%s.syscalls[%zu].action: SCMP_ACT_NOTIFY needs %s.listenerPath", what,
                    index, what);
    if (strings_contain(&syscall->names, "write"))
        return fail(err, EINVAL, "%s.syscalls[%zu].action: SCMP_ACT_NOTIFY cannot be used for write", what,
                    index);
    return 0;
}

int validate_seccomp(const struct oci_seccomp *seccomp, const char *what, struct error *err)
{
    if (seccomp->has_default_errno_ret && !has_errno(seccomp->default_action))
        return fail(err, EINVAL, "%s.defaultErrnoRet: %s returns no errno", what,
                    oci_seccomp_action_name(seccomp->default_action));
    if (seccomp->default_action == OCI_SECCOMP_NOTIFY)
        return fail(err, EINVAL, "%s.defaultAction: SCMP_ACT_NOTIFY cannot be the default action", what);
    if (is_set(seccomp->listener_metadata) && !is_set(seccomp->listener_path))
        return fail(err, EINVAL, "%s.listenerMetadata: needs listenerPath", what);
    for (size_t i = 0; i < seccomp->syscalls_count; i++)
        if (check_syscall(seccomp, i, what, err) < 0)
            return -1;
    return 0;
}
