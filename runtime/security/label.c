/*
 * AppArmor profiles and SELinux labels (items 71, 72). Runs in the container's init and in exec'd processes,
 * just before execve: the kernel keeps what is written to attr/exec for the next one. Writes through a
 * verified procfs, because an image could have put a file of its own over these names (CVE-2019-16884,
 * CVE-2025-52881). What is asked for and cannot be had is an error: a container that runs without its
 * confinement must not look as if it had it.
 */
#include "security/security.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

bool label_apparmor_enabled(void)
{
    auto_free char *enabled = NULL;
    struct error ignored;

    return file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &enabled, NULL, &ignored) ==
               0 &&
           enabled[0] == 'Y';
}

bool label_selinux_enabled(void)
{
    struct statfs status;

    return statfs("/sys/fs/selinux", &status) == 0 && (unsigned long)status.f_type == SELINUX_MAGIC;
}

/* The name in backticks: podman looks for that and makes an error of its own kind of it (P7). */
static int write_attribute(int procfs, const char *attribute, const char *value, struct error *err)
{
    auto_free char *path = memory_format("self/attr/%s", attribute);

    if (file_write_string_at(procfs, path, value) < 0)
        return fail_errno(err, "write to `/proc/%s`", path);
    return 0;
}

/* AppArmor's own directory is as old as Linux 5.8; before it the first security module owned attr/exec. */
static int write_apparmor(int procfs, const char *value, struct error *err)
{
    if (write_attribute(procfs, "apparmor/exec", value, err) == 0)
        return 0;
    return err->code == ENOENT && faccessat(procfs, "self/attr/apparmor/exec", F_OK, 0) < 0
               ? write_attribute(procfs, "exec", value, err)
               : -1;
}

static int set_apparmor(const char *profile, int procfs, struct error *err)
{
    auto_free char *value = memory_format("exec %s", profile);

    if (write_apparmor(procfs, value, err) == 0)
        return 0;
    /* Without AppArmor the kernel answers EINVAL, or there is no such file; a profile that is not loaded:
     * ENOENT. */
    if (err->code == EINVAL || faccessat(procfs, "self/attr/apparmor/exec", F_OK, 0) < 0) {
        if (strcmp(profile, "unconfined") == 0) {
            log_debug("process.apparmorProfile: unconfined, and AppArmor is not enabled on this host");
            return 0;
        }
        return fail_in(err, "process.apparmorProfile: %s: AppArmor is not enabled on this host", profile);
    }
    return fail_in(err, "process.apparmorProfile: %s", profile);
}

static int set_selinux(const char *label, int procfs, struct error *err)
{
    if (write_attribute(procfs, "exec", label, err) == 0)
        return 0;
    /* runc refuses too; crun would go on without the label. The host's /sys is out of sight here, so both
     * causes are named. */
    if (err->code == EINVAL || err->code == ENOENT)
        return fail_in(err,
                       "process.selinuxLabel: %s: SELinux is not enabled on this host, or has no such label",
                       label);
    return fail_in(err, "process.selinuxLabel: %s", label);
}

int label_set_exec(const struct oci_process *process, int procfs, struct error *err)
{
    const char *profile = process->apparmor_profile, *label = process->selinux_label;

    if (profile && *profile && set_apparmor(profile, procfs, err) < 0)
        return -1;
    if (label && *label && set_selinux(label, procfs, err) < 0)
        return -1;
    return 0;
}

int label_set_keyring(const char *selinux_label, int procfs, struct error *err)
{
    if (!selinux_label || !*selinux_label)
        return 0;
    if (write_attribute(procfs, "keycreate", selinux_label, err) < 0)
        return fail_in(err, "process.selinuxLabel: %s", selinux_label);
    return 0;
}
