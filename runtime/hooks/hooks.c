/*
 * Runs hooks one after another and judges them: see hooks.h. In the runtime and in the container's init;
 * knows nothing of which hooks belong where, nor of the container.
 */
#include "hooks/hooks.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "hooks/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_KEPT 1024          /* bytes of output in the error: its end says what went wrong */
#define PIPE_CAPACITY (64 * 1024) /* bytes that can be left when the hook has ended */
#define KILL_PATIENCE_MS                                                                                     \
    (10 * 1000) /* for a killed process that hangs in the kernel (item 257: never stuck) */

struct hook_output {
    int fd; /* -1: at its end */
    size_t length;
    bool cut;
    char text[OUTPUT_KEPT + 1];
};

/* ---- output ---------------------------------------------------------------------------------------- */

/* Keeps the last OUTPUT_KEPT bytes. */
static void output_add(struct hook_output *output, const char *data, size_t length)
{
    size_t excess;

    if (length > OUTPUT_KEPT) {
        data += length - OUTPUT_KEPT;
        length = OUTPUT_KEPT;
        output->cut = true;
    }
    if (output->length + length > OUTPUT_KEPT) {
        excess = output->length + length - OUTPUT_KEPT;
        memmove(output->text, output->text + excess, output->length - excess);
        output->length -= excess;
        output->cut = true;
    }
    memcpy(output->text + output->length, data, length);
    output->length += length;
}

/* Reads once. Returns how much, 0 when there is nothing now or ever. */
static size_t output_read(struct hook_output *output)
{
    char chunk[4096];
    ssize_t got;

    if (output->fd < 0)
        return 0;
    got = read(output->fd, chunk, sizeof chunk);
    if (got > 0) {
        output_add(output, chunk, (size_t)got);
        return (size_t)got;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(output->fd);
        output->fd = -1;
    }
    return 0;
}

/* What is in the pipe now; a background process that keeps writing must not keep us. */
static void output_drain(struct hook_output *output)
{
    size_t total = 0, got;

    do {
        got = output_read(output);
        total += got;
    } while (got > 0 && total < PIPE_CAPACITY);
}

/* The text in a shape that is fit for an error: no half character in front, nothing blank around it. */
static const char *output_text(struct hook_output *output)
{
    char *start = output->text;

    output->text[output->length] = '\0';
    for (size_t i = 0; i < output->length; i++)
        if (output->text[i] == '\0')
            output->text[i] = ' ';
    if (output->cut)
        while ((*start & 0xc0) == 0x80)
            start++;
    start += strspn(start, " \t\r\n");
    while (output->length > 0 && strchr(" \t\r\n", output->text[output->length - 1]))
        output->text[--output->length] = '\0';
    return start < output->text + output->length ? start : "";
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the process has ended or `deadline` (ms, -1: none) has passed; reads the output on the way. Has it
 * ended? */
static bool wait_until(int pidfd, struct hook_output *output, int64_t deadline)
{
    for (;;) {
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = output->fd, .events = POLLIN } };
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();

        if (deadline >= 0 && left <= 0)
            return false;
        if (poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left) <= 0)
            continue; /* a signal, or the deadline: the check above decides */
        if (fds[0].revents) {
            output_drain(output);
            return true;
        }
        output_read(output);
    }
}

/* item 253. The group still exists for certain: its leader is not reaped yet. */
static void kill_group(const struct hook_process *process, struct hook_output *output)
{
    kill(-process->pid, SIGKILL);
    if (wait_until(process->pidfd, output, now_ms() + KILL_PATIENCE_MS))
        waitid(P_PIDFD, (id_t)process->pidfd, &(siginfo_t){ 0 }, WEXITED);
}

/* `what` happened, and what the hook had to say. */
static int fail_with_output(struct hook_output *output, int code, const char *what, struct error *err)
{
    const char *text = output_text(output);

    if (!*text)
        return fail(err, code, "%s", what);
    return fail(err, code, "%s: %s%s", what, output->cut ? "..." : "", text);
}

static int judge(int pidfd, struct hook_output *output, struct error *err)
{
    siginfo_t info = { 0 };
    char what[64];

    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        if (errno != EINTR)
            return fail_errno(err, "wait");
    if (info.si_code == CLD_EXITED && info.si_status == 0)
        return 0;
    if (info.si_code == CLD_EXITED)
        snprintf(what, sizeof what, "exit status %d", info.si_status);
    else
        snprintf(what, sizeof what, "killed by signal %d", info.si_status);
    return fail_with_output(output, 0, what, err);
}

static int timed_out(const struct hook_process *process, int timeout, struct hook_output *output,
                     struct error *err)
{
    char what[64];

    kill_group(process, output);
    snprintf(what, sizeof what, "timed out after %d s", timeout);
    return fail_with_output(output, ETIMEDOUT, what, err);
}

/* ---- one hook -------------------------------------------------------------------------------------- */

static struct hook_command command_of(const struct oci_hook *hook, const struct hook_context *context,
                                      char *only_path[2])
{
    static char *const no_env[] = { NULL };
    struct hook_command command = { .path = hook->path, .cwd = context->cwd, .input = -1, .output = -1 };

    only_path[0] = hook->path;
    only_path[1] = NULL;
    command.args = hook->args.count > 0 ? hook->args.items : only_path;
    /*
     * CVE-2025-23266: nothing of the image's environment may reach a hook (LD_PRELOAD made one run the
     * image's code as root on the host), so an empty list in config.json means empty, and the caller decides
     * what absent means.
     */
    command.env = hook->has_env ? hook->env.items : context->default_env;
    if (!command.env)
        command.env = no_env;
    return command;
}

static int spawn_with_pipes(struct hook_command *command, const char *state_json, struct hook_output *output,
                            struct hook_process *process, struct error *err)
{
    auto_close int input = hook_input_open(state_json, err);
    auto_close int write_end = -1;
    int fds[2];

    if (input < 0)
        return -1;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return fail_errno(err, "pipe");
    output->fd = fds[0];
    write_end = fds[1];
    if (fcntl(output->fd, F_SETFL, O_NONBLOCK) < 0)
        return fail_errno(err, "fcntl");
    command->input = input;
    command->output = write_end;
    return hook_spawn(command, process, err);
}

static int run_one(const struct oci_hook *hook, const struct hook_context *context,
                   struct hook_output *output, struct error *err)
{
    char *only_path[2];
    struct hook_command command = command_of(hook, context, only_path);
    struct hook_process process = { .pidfd = -1 };
    int64_t deadline = hook->has_timeout ? now_ms() + (int64_t)hook->timeout * 1000 : -1;
    int result = spawn_with_pipes(&command, context->state_json, output, &process, err);

    if (result < 0)
        return -1;
    if (wait_until(process.pidfd, output, deadline))
        result = judge(process.pidfd, output, err);
    else
        result = timed_out(&process, hook->timeout, output, err);
    close(process.pidfd);
    return result;
}

static int run_named(const struct oci_hook *hooks, size_t index, const struct hook_context *context,
                     struct error *err)
{
    const struct oci_hook *hook = &hooks[index];
    struct hook_output output = { .fd = -1 };
    int result = run_one(hook, context, &output, err);

    if (output.fd >= 0)
        close(output.fd);
    if (result < 0)
        return fail_in(err, "%s hook[%zu] (%s)", context->kind, index, hook->path);
    if (output.length > 0)
        log_debug("%s hook[%zu] (%s): %s", context->kind, index, hook->path, output_text(&output));
    return 0;
}

int hooks_run(const struct oci_hook *hooks, size_t count, const struct hook_context *context,
              struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (run_named(hooks, i, context, err) < 0)
            return -1;
    return 0;
}

void hooks_run_all(const struct oci_hook *hooks, size_t count, const struct hook_context *context)
{
    struct error err = { 0 };

    for (size_t i = 0; i < count; i++)
        if (run_named(hooks, i, context, &err) < 0)
            log_warning("%s", err.text);
}
