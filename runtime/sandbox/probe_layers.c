/*
 * What is tried: see probe.h. Each runs in a child of its own, which changes itself as a container's init
 * would, and which nothing outlives but its scratch directory.
 */
#include "sandbox/probe_layers.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"
#include "oci-specs/types.h"
#include "security/landlock.h"
#include "security/seccomp_presets.h"
#include "security/speculation.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

const char probe_active[] = "active", probe_degraded[] = "degraded", probe_unsupported[] = "unsupported";

/* ---- what they share ----------------------------------------------------------------------------------- */

static int explain_user_namespace(struct error *err)
{
    if (err->code == ENOSPC)
        return fail_hint(err, "sysctl user.max_user_namespaces is 0, or reached");
    if (err->code == EPERM)
        return fail_hint(
            err, "sysctl kernel.unprivileged_userns_clone, a security module, or the seccomp filter of "
                 "an outer container or sandbox");
    return -1;
}

/* The caller becomes root of a new user namespace. */
static int enter_user_namespace(struct error *err)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWUSER) < 0) {
        fail_errno(err, "new user namespace");
        return explain_user_namespace(err);
    }
    snprintf(map, sizeof map, "0 %u 1\n", (unsigned)uid);
    if (file_write_string_at(AT_FDCWD, "/proc/self/uid_map", map) < 0) {
        fail_errno(err, "write uid_map");
        return err->code != EPERM ? -1
               : uid == 0 ? fail_hint(err, "root needs CAP_SETFCAP for that; an ordinary user does not")
                          : fail_hint(err, "a security module gives no capabilities in it: sysctl "
                                           "kernel.apparmor_restrict_unprivileged_userns");
    }
    snprintf(map, sizeof map, "0 %u 1\n", (unsigned)gid);
    if (file_write_string_at(AT_FDCWD, "/proc/self/setgroups", "deny") < 0 ||
        file_write_string_at(AT_FDCWD, "/proc/self/gid_map", map) < 0)
        return fail_errno(err, "write gid_map");
    return 0;
}

/* As containers of this user do it: only root needs no user namespace. */
static int enter_namespaces(int flags, struct error *err)
{
    if (geteuid() != 0 && enter_user_namespace(err) < 0)
        return -1;
    if (unshare(flags) < 0) {
        fail_errno(err, "new namespaces");
        return err->code == EPERM
                   ? fail_hint(err, "an outer container must grant CAP_SYS_ADMIN and let pass unshare, "
                                    "clone and mount, or allow user namespaces to a user")
                   : -1;
    }
    if ((flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail_errno(err, "make / private");
    return 0;
}

/* ---- the layers ---------------------------------------------------------------------------------------- */

static const char *try_namespaces(const char *directory, struct error *err)
{
    (void)directory;
    return enter_namespaces(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
                                CLONE_NEWCGROUP,
                            err) < 0
               ? NULL
               : probe_active;
}

static const char *try_user_namespace(const char *directory, struct error *err)
{
    (void)directory;
    return enter_user_namespace(err) < 0 ? NULL : probe_active;
}

static const char *try_proc(const char *directory, struct error *err)
{
    int status;
    pid_t pid;

    if (enter_namespaces(CLONE_NEWNS | CLONE_NEWPID, err) < 0)
        return NULL;
    pid = fork(); /* the first process of the pid namespace */
    if (pid == 0)
        _exit(mount("proc", directory, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? errno : 0);
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) {
        fail_errno(err, "fork");
        return NULL;
    }
    errno = WEXITSTATUS(status);
    if (errno == 0)
        return probe_active;
    fail_errno(err, "mount proc");
    if (err->code == EPERM)
        fail_hint(err, "an outer container masks parts of its /proc: give it an unmasked one");
    return NULL;
}

static const char *try_tmpfs(const char *directory, struct error *err)
{
    if (enter_namespaces(CLONE_NEWNS, err) < 0)
        return NULL;
    if (mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64k") < 0) {
        fail_errno(err, "mount tmpfs");
        return NULL;
    }
    return probe_active;
}

static int make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    return fd < 0 ? -1 : close(fd);
}

/* What sessions do with an overlay: whiteouts, merged directories that go, renames. */
static const char *use_overlay(const char *options, struct error *err)
{
    const char *failed = NULL;

    if (mkdir("lower", 0755) < 0 || mkdir("upper", 0755) < 0 || mkdir("work", 0755) < 0 ||
        mkdir("merged", 0755) < 0 || mkdir("lower/dir", 0755) < 0 || make_file("lower/dir/file") < 0 ||
        make_file("lower/gone") < 0 || make_file("lower/old") < 0)
        failed = "make directories";
    else if (mount("overlay", "merged", "overlay", MS_NOSUID | MS_NODEV, options) < 0)
        failed = "mount overlay";
    else if (unlink("merged/gone") < 0)
        failed = "overlay: make a whiteout";
    else if (unlink("merged/dir/file") < 0 || rmdir("merged/dir") < 0)
        failed = "overlay: rmdir of a merged directory";
    else if (rename("merged/old", "merged/new") < 0)
        failed = "overlay: rename";
    if (!failed)
        return probe_active;
    fail_errno(err, "%s", failed);
    return NULL;
}

static const char *try_overlay(const char *directory, struct error *err)
{
    if (geteuid() != 0) {
        fail(err, EPERM, "needs root (overlay_userns is the one for users)");
        return NULL;
    }
    if (enter_namespaces(CLONE_NEWNS, err) < 0)
        return NULL;
    if (chdir(directory) < 0) {
        fail_errno(err, "%s", directory);
        return NULL;
    }
    return use_overlay("lowerdir=lower,upperdir=upper,workdir=work", err);
}

static const char *try_overlay_userns(const char *directory, struct error *err)
{
    if (enter_user_namespace(err) < 0)
        return NULL;
    if (unshare(CLONE_NEWNS) < 0 || chdir(directory) < 0) {
        fail_errno(err, "%s", directory);
        return NULL;
    }
    return use_overlay("lowerdir=lower,upperdir=upper,workdir=work,userxattr", err);
}

static const char *try_identity(const char *directory, struct error *err)
{
    (void)directory;
    if (geteuid() != 0) {
        fail(err, EPERM, "needs root: a user's sandbox runs as that user");
        return NULL;
    }
    if (setgroups(0, NULL) < 0 || setresgid(PROBE_NOBODY, PROBE_NOBODY, PROBE_NOBODY) < 0 ||
        setresuid(PROBE_NOBODY, PROBE_NOBODY, PROBE_NOBODY) < 0) {
        fail_errno(err, "become user %d", PROBE_NOBODY);
        if (err->code == EINVAL)
            fail_hint(err, "the user namespace around us does not map it");
        else
            fail_hint(
                err,
                "CAP_SETUID or CAP_SETGID is missing, or the user namespace around us has one group only");
        return NULL;
    }
    return probe_active;
}

static const char *try_seccomp(const char *directory, struct error *err)
{
    const struct seccomp_preset preset = { .builtin = true };
    struct oci_seccomp *rules = seccomp_preset_make(&preset, "seccomp", err);
    struct seccomp_filter filter = { 0 };
    int none = -1;

    (void)directory;
    if (!rules || seccomp_preset_compile(rules, &filter, err) < 0)
        return NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        fail_errno(err, "no_new_privs");
        return NULL;
    }
    if (seccomp_filter_load(&filter, &none, err) < 0)
        return NULL;
    if (unshare(CLONE_NEWNS) == 0 || errno != EPERM) {
        fail(err, EPROTO, "the filter is loaded, but unshare is not refused");
        return NULL;
    }
    return probe_active;
}

static const char *try_landlock(const char *directory, struct error *err)
{
    static const char *const names[] = { probe_active, probe_degraded, probe_unsupported };
    struct landlock_plan plan;
    enum landlock_state state;
    auto_free char *path = memory_format("%s/file", directory);
    int ruleset = -1;

    landlock_plan_init(&plan, false);
    landlock_plan_allow(&plan, "/", LANDLOCK_READ, false);
    if (landlock_make_ruleset(&plan, &ruleset, &state, err) < 0)
        return NULL;
    if (state == LANDLOCK_UNSUPPORTED) {
        fail(err, ENOSYS, "not in this kernel, or not in its list of security modules (lsm=)");
        return NULL;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_enforce(ruleset, err) < 0)
        return NULL;
    if (make_file(path) == 0 || errno != EACCES) {
        fail(err, EPROTO, "the ruleset is enforced, but a file can be made all the same");
        return NULL;
    }
    if (state == LANDLOCK_DEGRADED)
        fail(err, 0, "ABI %d lacks some rights", landlock_abi());
    return names[state];
}

static const char *try_speculation(const char *directory, struct error *err)
{
    enum speculation_state state;

    (void)directory;
    if (speculation_guard(false, &state, err) < 0)
        return NULL;
    if (state == SPECULATION_ACTIVE)
        return probe_active;
    fail(err, 0, "the processor or the boot parameters offer %s of the two controls",
         state == SPECULATION_DEGRADED ? "one" : "none");
    return state == SPECULATION_DEGRADED ? probe_degraded : probe_unsupported;
}

const struct probe_trial probe_trials[] = {
    { "namespaces", true, false, try_namespaces },
    { "userns", false, false, try_user_namespace },
    { "proc", true, false, try_proc },
    { "tmpfs", true, false, try_tmpfs },
    { "overlay", false, true, try_overlay },
    { "overlay_userns", false, false, try_overlay_userns },
    { "identity", true, true, try_identity },
    { "seccomp", true, false, try_seccomp },
    { "landlock", false, false, try_landlock },
    { "speculation", false, false, try_speculation },
};
const size_t probe_trial_count = array_length(probe_trials);
