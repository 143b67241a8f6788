/*
 * The layers of a sandbox, tried one by one, and the report on them. Each trial runs in a child that tells
 * over a pipe how it went; its scratch directory is removed.
 */
#include "sandbox/probe.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "sandbox/probe_layers.h"
#include "security/landlock.h"
#include "security/seccomp_presets.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- running them -------------------------------------------------------------------------------------- */

struct answer { /* over the pipe; the state as an index, since pointers do not travel */
    int state;
    struct error err;
};

static const char *const states[] = { probe_active, probe_degraded, probe_unsupported };

static void answer_from_child(const struct probe_trial *trial, const char *directory, int out)
{
    struct answer answer = { .state = 2 };
    const char *state = trial->try(directory, &answer.err);

    for (int i = 0; state && i < 3; i++)
        if (state == states[i])
            answer.state = i;
    if (write(out, &answer, sizeof answer) != sizeof answer)
        _exit(1);
    _exit(0);
}

static void try_in_child(const struct probe_trial *trial, const char *directory, struct probe_result *result)
{
    struct answer answer = { .state = 2 };
    int ends[2];
    pid_t pid;

    result->state = probe_unsupported;
    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fail_errno(&result->err, "fork");
        return;
    }
    if (pid == 0)
        answer_from_child(trial, directory, ends[1]);
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
    if (strcmp(result->state, probe_active) == 0)
        return;
    row->message = memory_string(result->err.text);
    if (needed && strcmp(result->state, probe_unsupported) == 0 && report->available) {
        report->available = false;
        report->message = memory_format("%s: %s", name, result->err.text);
    }
}

static bool is_active(const struct probe_report *report, const char *name)
{
    for (size_t i = 0; i < report->layers_count; i++)
        if (strcmp(report->layers[i].name, name) == 0)
            return strcmp(report->layers[i].state, probe_active) == 0;
    return false;
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
           sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && count > PROBE_NOBODY;
}

struct probe_report *probe_run(const char *directory)
{
    struct probe_report *report = memory_new(sizeof *report);
    bool superuser = has_all_ids();

    report->available = report->has_available = true;
    report->version = memory_string(PACKAGE_VERSION);
    for (size_t i = 0; i < probe_trial_count; i++) {
        auto_free char *scratch = memory_format("%s/aril-probe.XXXXXX", directory);
        struct probe_result result = { .state = probe_unsupported };

        if (!mkdtemp(scratch))
            fail_errno(&result.err, "%s", scratch);
        else
            try_in_child(&probe_trials[i], scratch, &result);
        probe_report_add(report, probe_trials[i].name,
                         probe_trials[i].needed && (superuser || !probe_trials[i].root_only), &result);

        auto_free char *work = memory_format("%s/work/work", scratch);

        chmod(work, 0700); /* overlayfs makes it with mode 000 */
        file_remove_tree_at(AT_FDCWD, scratch);
    }
    conclude(report);
    return report;
}
