/*
 * The layers of a sandbox, tried one by one. Each runs in a child of its own, which changes itself as a
 * container's init would and tells over a pipe how that went; nothing outlives it but a scratch directory,
 * which is removed.
 */
#include "sandbox/probe.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/landlock.h"
#include "security/seccomp_presets.h"
#include "security/speculation.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

static const char active[] = "active", degraded[] = "degraded", unsupported[] = "unsupported";

/* ---- what children share ----------------------------------------------------------------------------------
 */

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

/* ---- the layers: each in its own child, NULL with err, or a state
 * ------------------------------------------- */

static const char *try_namespaces(const char *directory, struct error *err)
{
    (void)directory;
    return enter_namespaces(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
                                CLONE_NEWCGROUP,
                            err) < 0
               ? NULL
               : active;
}

static const char *try_user_namespace(const char *directory, struct error *err)
{
    (void)directory;
    return enter_user_namespace(err) < 0 ? NULL : active;
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
        return active;
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
    return active;
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
        return active;
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
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0) {
        fail_errno(err, "become user %d", NOBODY);
        if (err->code == EINVAL)
            fail_hint(err, "the user namespace around us does not map it");
        else
            fail_hint(
                err,
                "CAP_SETUID or CAP_SETGID is missing, or the user namespace around us has one group only");
        return NULL;
    }
    return active;
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
    return active;
}

/* What a default strict container loads, by its contents (S-6). NULL where it cannot be compiled. */
static char *seccomp_name(void)
{
    const struct seccomp_preset preset = { .builtin = true };
    struct seccomp_filter filter = { 0 };
    struct error ignored;
    struct oci_seccomp *rules = seccomp_preset_make(&preset, "seccomp", &ignored);
    char text[SHA256_TEXT_SIZE];

    if (!rules || seccomp_preset_compile(rules, &filter, &ignored) < 0) {
        schema_free(&oci_seccomp_schema, rules);
        return NULL;
    }
    sha256_text(filter.program.filter, filter.program.len * sizeof *filter.program.filter, text);
    seccomp_filter_free(&filter);
    schema_free(&oci_seccomp_schema, rules);
    return memory_string(text);
}

static const char *try_landlock(const char *directory, struct error *err)
{
    static const char *const names[] = { active, degraded, unsupported };
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
        return active;
    fail(err, 0, "the processor or the boot parameters offer %s of the two controls",
         state == SPECULATION_DEGRADED ? "one" : "none");
    return state == SPECULATION_DEGRADED ? degraded : unsupported;
}

static const struct layer {
    const char *name;
    bool needed; /* without it there is no sandbox at all */
    bool root_only;
    const char *(*try)(const char *directory, struct error *err);
} layers[] = {
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

/* ---- running them
 * ------------------------------------------------------------------------------------------- */

struct answer { /* over the pipe; the state as an index, since pointers do not travel */
    int state;
    struct error err;
};

static const char *const states[] = { active, degraded, unsupported };

static void answer_from_child(const struct layer *layer, const char *directory, int out)
{
    struct answer answer = { .state = 2 };
    const char *state = layer->try(directory, &answer.err);

    for (int i = 0; state && i < 3; i++)
        if (state == states[i])
            answer.state = i;
    if (write(out, &answer, sizeof answer) != sizeof answer)
        _exit(1);
    _exit(0);
}

static void try_in_child(const struct layer *layer, const char *directory, struct probe_result *result)
{
    struct answer answer = { .state = 2 };
    int ends[2];
    pid_t pid;

    result->state = unsupported;
    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fail_errno(&result->err, "fork");
        return;
    }
    if (pid == 0)
        answer_from_child(layer, directory, ends[1]);
    close(ends[1]);
    if (read(ends[0], &answer, sizeof answer) != sizeof answer)
        fail(&answer.err, ECHILD, "the child that tried it died");
    close(ends[0]);
    waitpid(pid, NULL, 0);
    result->state = states[answer.state];
    result->err = answer.err;
}

void probe_report_add(struct probe_report *report, const char *name, bool needed,
                      const struct probe_result *result)
{
    struct probe_layer *row = array_grow(report->layers, report->layers_count);

    row->name = memory_string(name);
    row->state = memory_string(result->state);
    if (strcmp(result->state, active) == 0)
        return;
    row->message = memory_string(result->err.text);
    if (needed && strcmp(result->state, unsupported) == 0 && report->available) {
        report->available = false;
        report->message = memory_format("%s: %s", name, result->err.text);
    }
}

static bool is_active(const struct probe_report *report, const char *name)
{
    for (size_t i = 0; i < report->layers_count; i++)
        if (strcmp(report->layers[i].name, name) == 0)
            return strcmp(report->layers[i].state, active) == 0;
    return false;
}

/* What follows from the layers. */
static void conclude(struct probe_report *report)
{
    report->seccomp_profile_sha256 = seccomp_name();
    report->landlock_abi = landlock_abi();
    report->has_landlock_abi = true;
    report->spec_ctrl = is_active(report, "speculation");
    report->has_spec_ctrl = true;
    report->userns = is_active(report, "userns");
    report->has_userns = true;
    strings_add(&report->workspace_modes, "rw");
    strings_add(&report->workspace_modes, "ro");
    if (is_active(report, geteuid() == 0 ? "overlay" : "overlay_userns"))
        strings_add(&report->workspace_modes, "overlay");
    report->has_workspace_modes = true;
}

/* Root of the machine, whose containers switch to any id; root of a user namespace has those that are mapped.
 */
static bool has_all_ids(void)
{
    auto_free char *map = NULL;
    struct error ignored;
    unsigned inside, outside, count;

    return geteuid() == 0 && file_read_at(AT_FDCWD, "/proc/self/uid_map", 4096, &map, NULL, &ignored) == 0 &&
           sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && count > NOBODY;
}

struct probe_report *probe_run(const char *directory)
{
    struct probe_report *report = memory_new(sizeof *report);
    bool superuser = has_all_ids();

    report->available = report->has_available = true;
    report->version = memory_string(PACKAGE_VERSION);
    for (size_t i = 0; i < array_length(layers); i++) {
        auto_free char *scratch = memory_format("%s/aril-probe.XXXXXX", directory);
        struct probe_result result = { .state = unsupported };

        if (!mkdtemp(scratch))
            fail_errno(&result.err, "%s", scratch);
        else
            try_in_child(&layers[i], scratch, &result);
        probe_report_add(report, layers[i].name, layers[i].needed && (superuser || !layers[i].root_only),
                         &result);

        auto_free char *work = memory_format("%s/work/work", scratch);

        chmod(work, 0700); /* overlayfs makes it with mode 000 */
        file_remove_tree_at(AT_FDCWD, scratch);
    }
    conclude(report);
    return report;
}
