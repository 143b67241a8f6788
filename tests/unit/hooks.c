/* runtime/hooks: contract items 245-257 and what hostile hooks do. */
#include "hooks/hooks.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/process_info.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })
#define SH .path = (char *)"/bin/sh"

static char *const *runtime_env(void)
{
    static const char *const env[] = { "PATH=/usr/bin:/bin", "FROM=runtime", NULL };

    return (char *const *)env;
}

/* Runs `script` with sh as createRuntime hook[0]; the error text is "" on success. */
static int run_script(const char *script, int timeout, const char *state, struct error *err)
{
    struct oci_hook hook = { SH, .args = { WORDS("argv0", "-c", script), 3 }, .has_args = true,
                             .timeout = timeout, .has_timeout = timeout > 0 };
    struct hook_context context = { "createRuntime", state, NULL, runtime_env() };

    *err = (struct error){ 0 };
    return hooks_run(&hook, 1, &context, err);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

Test(hooks, result_is_in_the_error)
{
    static const struct {
        const char *script;
        const char *error; /* after "createRuntime hook[0] (/bin/sh): ", NULL: success */
    } rows[] = {
        { "exit 0", NULL },
        { "echo fine; echo fine >&2", NULL },
        { "exit 3", "exit status 3" },
        { "echo no such network >&2; exit 1", "exit status 1: no such network" },
        { "echo out; echo err >&2; exit 1", "exit status 1: out err" },
        { "printf '\\n\\n  a\\tb\\n\\n'; exit 1", "exit status 1: a b" },
        { "printf '\\n \\n'; exit 1", "exit status 1" },
        { "kill -9 $$", "killed by signal 9" },
        { "echo why; kill -TERM $$", "killed by signal 15: why" },
        { "printf 'one\\033[31mtwo'; exit 2", "exit status 2: one [31mtwo" },
        { "exec >&- 2>&-; exit 4", "exit status 4" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct error err;
        auto_free char *expected = memory_format("createRuntime hook[0] (/bin/sh): %s", rows[i].error);

        cr_expect_eq(run_script(rows[i].script, 0, "{}", &err), rows[i].error ? -1 : 0, "%s", rows[i].script);
        cr_expect_str_eq(err.text, rows[i].error ? expected : "", "%s: %s", rows[i].script, err.text);
    }
}

Test(hooks, cannot_be_started)
{
    static const struct {
        const char *path, *cwd, *error;
    } rows[] = {
        { "/nonexistent/hook", NULL,
          "poststop hook[0] (/nonexistent/hook): exec: no such file or directory" },
        { "/etc/passwd", NULL, "poststop hook[0] (/etc/passwd): exec: permission denied" },
        { "/bin", NULL, "poststop hook[0] (/bin): exec: permission denied" },
        { "/bin/true", "/nonexistent", "poststop hook[0] (/bin/true): chdir: no such file or directory" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_hook hook = { .path = (char *)rows[i].path };
        struct hook_context context = { "poststop", "{}", rows[i].cwd, NULL };
        struct error err = { 0 };

        cr_expect_eq(hooks_run(&hook, 1, &context, &err), -1);
        cr_expect_str_eq(err.text, rows[i].error);
        cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
    }
}

Test(hooks, items_246_run_in_order_and_stop_at_the_first_failure)
{
    char file[] = "/tmp/aril-hooks-XXXXXX";
    auto_close int fd = mkstemp(file);
    auto_free char *first = memory_format("echo 1 >> %s", file);
    auto_free char *second = memory_format("echo 2 >> %s; exit 9", file);
    auto_free char *third = memory_format("echo 3 >> %s", file);
    struct oci_hook hooks[3] = {
        { SH, .args = { WORDS("sh", "-c", first), 3 } },
        { SH, .args = { WORDS("sh", "-c", second), 3 } },
        { SH, .args = { WORDS("sh", "-c", third), 3 } },
    };
    struct hook_context context = { "prestart", "{}", "/", NULL };
    struct error err = { 0 };
    char text[16] = "";

    cr_assert_eq(hooks_run(hooks, 3, &context, &err), -1);
    cr_assert_str_eq(err.text, "prestart hook[1] (/bin/sh): exit status 9");
    cr_assert_eq(pread(fd, text, sizeof text, 0), 4);
    cr_assert_str_eq(text, "1\n2\n");

    /* item 37: poststop hooks all run */
    cr_assert_eq(ftruncate(fd, 0), 0);
    hooks_run_all(hooks, 3, &context);
    cr_assert_eq(pread(fd, text, sizeof text, 0), 6);
    cr_assert_str_eq(text, "1\n2\n3\n");
    unlink(file);
}

Test(hooks, item_246_state_on_stdin)
{
    struct error err;

    cr_assert_eq(run_script("test \"$(cat)\" = '{\"id\":\"web1\"}'", 10, "{\"id\":\"web1\"}", &err), 0, "%s",
                 err.text);
    /* scripts name it, too */
    cr_assert_eq(run_script("test \"$(cat /dev/stdin)\" = '{}'", 10, "{}", &err), 0, "%s", err.text);
}

Test(hooks, state_larger_than_a_pipe)
{
    static const size_t sizes[] = { 65535, 65536, 65537, 5u << 20 };

    for (size_t i = 0; i < array_length(sizes); i++) {
        auto_free char *state = memory_new(sizes[i] + 1);
        auto_free char *script = memory_format("test \"$(wc -c)\" -eq %zu", sizes[i]);
        struct error err;

        memset(state, 'x', sizes[i]);
        cr_expect_eq(run_script(script, 10, state, &err), 0, "%s", err.text);
        cr_expect_eq(run_script("exec <&-; exit 0", 10, state, &err), 0, "%s", err.text); /* never reads */
    }
}

Test(hooks, item_245_args_absent)
{
    struct oci_hook hook = { .path = (char *)"/bin/true" };
    struct hook_context context = { "poststart", "{}", NULL, NULL };
    struct error err = { 0 };

    cr_assert_eq(hooks_run(&hook, 1, &context, &err), 0, "%s", err.text);
}

/* item 254, CVE-2025-23266 */
Test(hooks, environment_is_exactly_what_was_asked_for)
{
    static const struct {
        bool has_env, empty, has_default;
        const char *expected;
    } rows[] = {
        { false, false, true, "PATH=/usr/bin:/bin FROM=runtime " },
        { false, false, false, "" },
        { true, false, true, "A=1 B=two words " },
        { true, true, true, "" },
    };

    setenv("LD_PRELOAD_CANARY", "1", 1);
    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_hook hook = { .path = (char *)"/bin/cat",
                                 .has_env = rows[i].has_env,
                                 .args = { WORDS("cat", "/proc/self/environ", "/nonexistent"), 3 } };
        struct hook_context context = { "prestart", "{}", NULL, rows[i].has_default ? runtime_env() : NULL };
        struct error err = { 0 };
        auto_free char *expected = memory_format(
            "prestart hook[0] (/bin/cat): exit status 1: %scat: /nonexistent: No such file or directory",
            rows[i].expected);

        char **own = WORDS("A=1", "B=two words");

        if (rows[i].has_env && !rows[i].empty)
            hook.env = (struct strings){ own, 2 };
        cr_expect_eq(hooks_run(&hook, 1, &context, &err), -1);
        cr_expect_str_eq(err.text, expected);
    }
}

/* item 255 */
Test(hooks, working_directory)
{
    struct oci_hook hook = { SH, .args = { WORDS("sh", "-c", "pwd; exit 1"), 3 } };
    struct hook_context context = { "prestart", "{}", "/usr", NULL };
    struct error err = { 0 };

    cr_assert_eq(hooks_run(&hook, 1, &context, &err), -1);
    cr_assert_str_eq(err.text, "prestart hook[0] (/bin/sh): exit status 1: /usr");
}

/* item 257 */
Test(hooks, inherits_no_signal_state_and_no_fds)
{
    struct error err;
    sigset_t all;
    int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec */

    cr_assert_geq(leaked, 3);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGRTMIN, SIG_IGN);
    syscall(SYS_rt_sigaction, 32, (const uint64_t[8]){ (uintptr_t)SIG_IGN }, NULL,
            8); /* libc refuses this one */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    cr_assert_eq(
        run_script("set -- $(grep -E '^Sig(Blk|Ign)' /proc/self/status); echo $2 $4; exit 1", 10, "{}", &err),
        -1);
    cr_assert_str_eq(err.text,
                     "createRuntime hook[0] (/bin/sh): exit status 1: 0000000000000000 0000000000000000");
    cr_assert_eq(
        run_script("for fd in $(seq 3 30); do test ! -e /proc/$$/fd/$fd || exit 1; done", 10, "{}", &err), 0);
    cr_assert_eq(run_script("set -- $(cat /proc/$$/stat); test $5 = $$ && test $6 = $$", 10, "{}", &err), 0,
                 "%s", err.text);
    close(leaked);
}

/* item 253 */
Test(hooks, timeout_kills_the_whole_group)
{
    char file[] = "/tmp/aril-hooks-XXXXXX";
    auto_close int fd = mkstemp(file);
    auto_free char *script = memory_format("sleep 60 & echo $! > %s; echo waiting; sleep 60", file);
    double start = seconds();
    struct process_info info = { .state = 'Z' };
    struct error err;
    char text[32] = "";

    cr_assert_eq(run_script(script, 1, "{}", &err), -1);
    cr_assert_str_eq(err.text, "createRuntime hook[0] (/bin/sh): timed out after 1 s: waiting");
    cr_assert_eq(err.code, ETIMEDOUT);
    cr_assert_lt(seconds() - start, 5);
    cr_assert_gt(pread(fd, text, sizeof text - 1, 0), 0);
    usleep(50000);
    process_info_read(atoi(text), &info); /* gone, or waiting for whoever inherited it */
    cr_assert_eq(info.state, 'Z', "%s is %c", text, info.state);
    unlink(file);
}

Test(hooks, timeout_of_a_hook_that_never_stops_writing)
{
    struct error err;

    cr_assert_eq(run_script("yes", 1, "{}", &err), -1);
    cr_assert_eq(strncmp(err.text, "createRuntime hook[0] (/bin/sh): timed out after 1 s: ...", 57), 0, "%s",
                 err.text);
}

/* A daemon that a hook leaves behind keeps the output pipe: that is no reason to wait. */
Test(hooks, background_processes_do_not_hold_us)
{
    static const char *const scripts[] = {
        "sleep 20 & echo started; exit 1",
        "(while :; do echo started; done) & sleep 0.1; exit 1",
        "setsid sleep 20 & echo started; exit 1",
    };

    for (size_t i = 0; i < array_length(scripts); i++) {
        double start = seconds();
        struct error err;

        cr_expect_eq(run_script(scripts[i], 0, "{}", &err), -1);
        cr_expect_lt(seconds() - start, 3);
        cr_expect(strstr(err.text, "started") != NULL, "%s", err.text);
    }
}

/* item 256 */
Test(hooks, long_output_is_kept_at_its_end)
{
    struct error err;

    cr_assert_eq(run_script("seq 1 100000; echo the reason; exit 1", 0, "{}", &err), -1);
    cr_assert(strstr(err.text, "exit status 1: ...") != NULL, "%s", err.text);
    cr_assert(strstr(err.text, " 99999 100000 the reason") != NULL, "%s", err.text);
    cr_assert_leq(strlen(err.text), 1024 + 80);
    /* never half a character in front */
    cr_assert_eq(
        run_script("i=0; while [ $i -lt 600 ]; do printf '\\303\\244'; i=$((i+1)); done; printf x; exit 1", 0,
                   "{}", &err),
        -1);
    cr_assert(strstr(err.text, "status 1: ...\303\244\303\244") != NULL, "%s", err.text);
}

Test(hooks, leaves_no_descriptors_behind)
{
    struct error err;
    int before = dup(0), after;

    close(before);
    run_script("exit 0", 0, "{}", &err);
    run_script("exit 1", 5, "{}", &err);
    run_script("exec sleep 5", 1, "{}", &err);
    run_script("kill $$", 0, "{}", &err);
    after = dup(0);
    cr_assert_eq(before, after);
}
