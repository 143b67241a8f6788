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
#include "base/memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

bool label_apparmor_enabled(void)
{
    auto_free char *enabled = NULL;
    struct error ignored;

    return file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 4096, &enabled, NULL,
                        &ignored) == 0 &&
           enabled[0] == 'Y';
}

bool label_selinux_enabled(void)
{
    struct statfs status;

    return statfs("/sys/fs/selinux", &status) == 0 && (unsigned long)status.f_type == SELINUX_MAGIC;
}

/* 0 or an errno value. */
static int write_attribute(int procfs, const char *attribute, const char *value)
{
    char path[64];

    snprintf(path, sizeof path, "self/attr/%s", attribute);
    return file_write_string_at(procfs, path, value) < 0 ? errno : 0;
}

/*
 * podman looks for a file name in backticks and makes an error of its own kind of it, unless it finds "no
 * such file or directory" first and blames the executable (P7): so what is explained here has no errno text.
 */
static int fail_write(const char *attribute, int code, const char *problem, struct error *err)
{
    if (problem)
        return fail(err, code, "%s: write to `/proc/self/attr/%s`", problem, attribute);
    return fail(err, code, "write to `/proc/self/attr/%s`: %s", attribute, errno_text(code));
}

static int set_apparmor(const char *profile, int procfs, struct error *err)
{
    auto_free char *value = memory_format("exec %s", profile);
    const char *attribute = "apparmor/exec", *problem = NULL;
    bool own_file = true;
    int code = write_attribute(procfs, attribute, value);

    /* AppArmor's own directory is as old as Linux 5.8; before it the first security module had attr/exec. */
    if (code == ENOENT && faccessat(procfs, "self/attr/apparmor/exec", F_OK, 0) < 0) {
        attribute = "exec";
        own_file = false;
        code = write_attribute(procfs, attribute, value);
    }
    if (code == 0)
        return 0;
    if (code == EINVAL || (code == ENOENT && !own_file)) /* what the kernel answers without AppArmor */
        problem = "AppArmor is not enabled on this host";
    else if (code == ENOENT)
        problem = "the profile is not loaded";
    if (strcmp(profile, "unconfined") == 0 && (code == EINVAL || !own_file)) /* that it is already */
        return 0;
    fail_write(attribute, code, problem, err);
    return fail_in(err, "process.apparmorProfile: %s", profile);
}

static int set_selinux(const char *label, int procfs, struct error *err)
{
    int code = write_attribute(procfs, "exec", label);

    if (code == 0)
        return 0;
    /* runc refuses too; crun would go on without the label. The host's /sys is out of sight, so both causes
     * are named. */
    fail_write("exec", code,
               code == EINVAL || code == ENOENT ? "SELinux is not enabled on this host, or has no such label"
                                                : NULL,
               err);
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
    int code;

    if (!selinux_label || !*selinux_label)
        return 0;
    code = write_attribute(procfs, "keycreate", selinux_label);
    if (code == 0)
        return 0;
    fail_write("keycreate", code, NULL, err);
    return fail_in(err, "process.selinuxLabel: %s", selinux_label);
}
