/* aril probe: what of the sandbox works on this machine, for this user (C-1 … C-4). */
#include "sandbox/probe.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "policy/policy.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/schema.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct probe_options {
    const char *upper_root;
    bool json;
};

static const struct option_row options[] = {
    { "json", 0, OPTION_FLAG, offsetof(struct probe_options, json), NULL, "print JSON, for programs" },
    { "upper-root", 0, OPTION_STRING, offsetof(struct probe_options, upper_root), "DIR",
      "where overlays would keep what is written (default: $TMPDIR, or /tmp)" },
    { 0 },
};

static void write_text(const struct probe_report *report, struct buffer *out)
{
    struct table table = { .columns = 3 };

    table_add(&table, "LAYER");
    table_add(&table, "STATE");
    table_add(&table, "MESSAGE");
    for (size_t i = 0; i < report->layers_count; i++) {
        table_add(&table, report->layers[i].name);
        table_add(&table, report->layers[i].state);
        table_add(&table, report->layers[i].message ? report->layers[i].message : "");
    }
    table_format(&table, out);
    table_free(&table);
    if (report->available)
        buffer_add_string(out, "sandboxes work here\n");
    else
        buffer_add_format(out, "sandboxes do not work here: %s\n", report->message);
}

/* The whole, by the same code as any container: this program once more, as `sandbox-exec -- true`. */
static void try_sandbox(struct probe_report *report)
{
    struct probe_result result = { .state = "unsupported" };
    auto_free char *text = NULL;
    size_t length = 0;
    int ends[2], status = -1;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fail_errno(&result.err, "fork");
        probe_report_add(report, "sandbox", true, &result);
        return;
    }
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        execl("/proc/self/exe", "aril", "sandbox-exec", "--", "true", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    if (file_read_fd(ends[0], 65536, "sandbox-exec", &text, &length, &result.err) == 0) {
        text[strcspn(text, "\n")] = '\0';
        fail(&result.err, 0, "%s", text);
    }
    close(ends[0]);
    if (waitpid(pid, &status, 0) == pid && status == 0)
        result.state = "active";
    probe_report_add(report, "sandbox", true, &result);
}

/* Kept sessions are not there yet, and nothing says that they were. */
static void add_sessions(struct probe_report *report)
{
    report->has_share_net_overridable = report->share_net_overridable = true;
    report->has_diff_supported = report->has_commit_supported = true;
    report->persist = memory_new(sizeof *report->persist);
    report->persist->has_available = true;
}

/* An operator's file that cannot be used makes every container with a policy fail, so it is a layer, too. */
static void add_policy(struct probe_report *report)
{
    struct probe_result result = { .state = "active" };

    if (policy_describe(&report->profiles, &report->allowed_writable, &result.err) < 0)
        result.state = "unsupported";
    report->has_profiles = report->has_allowed_writable = true;
    probe_report_add(report, "policy", true, &result);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct probe_options *chosen = invocation->options;
    const char *directory = chosen->upper_root ? chosen->upper_root : getenv("TMPDIR");
    auto_buffer struct buffer text = { 0 };
    struct probe_report *report = probe_run(directory && directory[0] == '/' ? directory : "/tmp");
    int status;

    try_sandbox(report);
    add_policy(report);
    add_sessions(report);
    status = report->available ? 0 : 1;

    if (chosen->json) {
        schema_write(&probe_report_schema, report, SCHEMA_SPACES_2, &text);
        buffer_add_char(&text, '\n');
    } else {
        write_text(report, &text);
    }
    schema_free(&probe_report_schema, report);
    return cli_print_buffer(&text, err) < 0 ? -1 : status;
}

const struct command command_probe = {
    .name = "probe",
    .summary = "Try every layer of the sandbox and say which ones work here",
    .options = options,
    .options_size = sizeof(struct probe_options),
    .run = run,
};
