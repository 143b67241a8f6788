/* runtime/cli/options.c, signals.c: argv to values, or the exact error (contract items 277, 286, 288, E10).
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cli/options.h"
#include "cli/signals.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct values {
    const char *bundle;
    const char *format;
    struct option_values env;
    enum option_switch tty;
    int fds;
    bool detach;
    bool all;
};

struct global_values {
    const char *root;
    bool debug;
};

static const struct option_row rows[] = {
    { "bundle", 'b', OPTION_STRING, offsetof(struct values, bundle), "DIR", "" },
    { "format", 'f', OPTION_CHOICE, offsetof(struct values, format), "table|json", "" },
    { "env", 'e', OPTION_LIST, offsetof(struct values, env), "X", "" },
    { "tty", 't', OPTION_SWITCH, offsetof(struct values, tty), NULL, "" },
    { "preserve-fds", 0, OPTION_COUNT, offsetof(struct values, fds), "N", "" },
    { "detach", 'd', OPTION_FLAG, offsetof(struct values, detach), NULL, "" },
    { "all", 'a', OPTION_FLAG, offsetof(struct values, all), NULL, "" },
    { "no-subreaper", 0, OPTION_FLAG, OPTION_IGNORED, NULL, NULL },
    { "rootless", 0, OPTION_STRING, OPTION_IGNORED, "X", NULL },
    { 0 },
};

static const struct option_row global_rows[] = {
    { "root", 0, OPTION_STRING, offsetof(struct global_values, root), "DIR", "" },
    { "debug", 0, OPTION_FLAG, offsetof(struct global_values, debug), NULL, "" },
    { 0 },
};

/* All that was parsed as one line, so that a row of a table can say what it expects. */
static void describe(const struct values *values, const struct global_values *globals,
                     const struct option_values *positional, struct buffer *out)
{
    if (globals->root)
        buffer_add_format(out, "root=%s ", globals->root);
    if (globals->debug)
        buffer_add_string(out, "debug ");
    if (values->bundle)
        buffer_add_format(out, "bundle=%s ", values->bundle);
    if (values->format)
        buffer_add_format(out, "format=%s ", values->format);
    for (size_t i = 0; i < values->env.count; i++)
        buffer_add_format(out, "env=%s ", values->env.items[i]);
    if (values->tty)
        buffer_add_string(out, values->tty == OPTION_ON ? "tty " : "no-tty ");
    if (values->fds)
        buffer_add_format(out, "fds=%d ", values->fds);
    if (values->detach)
        buffer_add_string(out, "detach ");
    if (values->all)
        buffer_add_string(out, "all ");
    buffer_add_char(out, ':');
    for (size_t i = 0; i < positional->count; i++)
        buffer_add_format(out, " %s", positional->items[i]);
}

/* Words of argv separated by spaces; "''" is an empty word. */
static size_t split(char *text, const char *argv[], size_t max)
{
    size_t count = 0;
    char *word;

    while ((word = strsep(&text, " ")) && count + 1 < max)
        argv[count++] = strcmp(word, "''") == 0 ? "" : word;
    argv[count] = NULL;
    return count;
}

static void check_parse(const char *line, enum option_order order, const char *expected)
{
    struct values values = { 0 };
    struct global_values globals = { 0 };
    struct option_table tables[] = { { rows, &values }, { global_rows, &globals } };
    struct option_values positional = { 0 };
    auto_free char *copy = memory_string(line);
    auto_buffer struct buffer got = { 0 };
    struct error err = { 0 };
    const char *argv[32];

    split(copy, argv, array_length(argv));
    if (options_parse(argv, tables, array_length(tables), order, &positional, &err) < 0)
        buffer_add_format(&got, "%s", err.text);
    else
        describe(&values, &globals, &positional, &got);
    cr_expect_str_eq(got.data, expected, "'%s': got '%s', expected '%s'", line, got.data, expected);
    options_free_values(rows, &values);
    option_values_free(&positional);
}

Test(cli_options, anywhere) /* item 288 */
{
    static const struct {
        const char *line, *expected;
    } table[] = {
        { "web1", ": web1" },
        { "--bundle /b web1", "bundle=/b : web1" },
        { "--bundle=/b web1", "bundle=/b : web1" },
        { "-bundle /b web1", "bundle=/b : web1" }, /* G11: one dash */
        { "-bundle=/b web1", "bundle=/b : web1" },
        { "-b /b web1", "bundle=/b : web1" },
        { "-b=/b web1", "bundle=/b : web1" },
        { "--b /b web1", "bundle=/b : web1" },
        { "--bundle=a=b", "bundle=a=b :" },
        { "--bundle= web1", ": web1" }, /* empty: as if not given */
        { "--bundle '' web1", ": web1" },
        { "--bundle /a --bundle /b", "bundle=/b :" },
        { "--bundle --detach", "bundle=--detach :" }, /* a value may look like an option */
        { "web1 --detach", "detach : web1" },         /* options behind the id */
        { "web1 --root /r --debug", "root=/r debug : web1" },
        { "--no-subreaper -no-subreaper --rootless=true --rootless auto web1", ": web1" },
        { "-da web1", "detach all : web1" },
        { "-db /b web1", "bundle=/b detach : web1" },
        { "--detach=false --all=true", "all :" },
        { "--detach=1 -a=f", "detach :" },
        { "--tty", "tty :" },
        { "--tty=false", "no-tty :" },
        { "--tty=true x", "tty : x" },
        { "-e A=1 --env=B=2 -env C=3", "env=A=1 env=B=2 env=C=3 :" },
        { "--preserve-fds 3", "fds=3 :" },
        { "--format json", "format=json :" },
        { "-- --detach -b", ": --detach -b" },
        { "web1 -- -9", ": web1 -9" },
        { "-", ": -" },
        { "web1 -9", ": web1 -9" },
        { "web1 --", ": web1" },
        { "--", ":" },
        /* errors */
        { "--bundle", "flag needs an argument: --bundle" }, /* podman greps for it (P4) */
        { "-b", "flag needs an argument: -b" },
        { "web1 -bundle", "flag needs an argument: -bundle" },
        { "-db", "flag needs an argument: -db" },
        { "--nope", "flag provided but not defined: -nope" },
        { "--nope=3", "flag provided but not defined: -nope" },
        { "-x", "flag provided but not defined: -x" },
        { "-dx", "flag provided but not defined: -dx" },
        { "-bd", "flag provided but not defined: -bd" }, /* -b takes a value: not in the middle */
        { "--da", "flag provided but not defined: -da" },
        { "---detach", "flag provided but not defined: --detach" },
        { "--=x", "flag provided but not defined: -" },
        { "--bundl /b", "flag provided but not defined: -bundl" },
        { "--detach=maybe", "invalid value \"maybe\" for flag --detach: must be true or false" },
        { "--detach=", "invalid value \"\" for flag --detach: must be true or false" },
        { "--preserve-fds -1", "invalid value \"-1\" for flag --preserve-fds: must be a number, 0 or more" },
        { "--preserve-fds=3x", "invalid value \"3x\" for flag --preserve-fds: must be a number, 0 or more" },
        { "--preserve-fds 2147483648",
          "invalid value \"2147483648\" for flag --preserve-fds: must be a number, 0 or more" },
        { "--format yaml", "invalid value \"yaml\" for flag --format: must be one of table, json" },
        { "--format=tab", "invalid value \"tab\" for flag --format: must be one of table, json" },
        { "--format=", "invalid value \"\" for flag --format: must be one of table, json" },
    };

    for (size_t i = 0; i < array_length(table); i++)
        check_parse(table[i].line, OPTIONS_ANYWHERE, table[i].expected);
}

/* exec, kill and ps: the first positional argument ends the options. */
Test(cli_options, first) /* item 288 */
{
    static const struct {
        const char *line, *expected;
    } table[] = {
        { "--tty web1 ls -l --tty=false", "tty : web1 ls -l --tty=false" },
        { "web1 sh -c x", ": web1 sh -c x" },
        { "web1 -- ls", ": web1 -- ls" },
        { "-- web1 -b", ": web1 -b" },
        { "-a web1 9", "all : web1 9" },
        { "-9 web1", ": -9 web1" },
        { "web1 -9", ": web1 -9" },
        { "--root /r web1 --root /x", "root=/r : web1 --root /x" },
        { "-x web1", "flag provided but not defined: -x" },
    };

    for (size_t i = 0; i < array_length(table); i++)
        check_parse(table[i].line, OPTIONS_FIRST, table[i].expected);
}

Test(cli_options, positionals_end_with_null)
{
    static const char *const argv[] = { "a", "--detach", "b", NULL };
    struct values values = { 0 };
    struct option_table options = { rows, &values };
    struct option_values positional = { 0 };
    struct error err = { 0 };

    cr_assert_eq(options_parse(argv, &options, 1, OPTIONS_ANYWHERE, &positional, &err), 0);
    cr_assert_eq(positional.count, 2);
    cr_assert_null(positional.items[2]);
    option_values_free(&positional);
}

Test(cli_signals, names_and_numbers)
{
    static const struct {
        const char *text;
        int signal; /* -1: refused */
    } table[] = {
        { "9", SIGKILL },
        { "15", SIGTERM },
        { "0", 0 },
        { "64", 64 },
        { "KILL", SIGKILL },
        { "SIGKILL", SIGKILL },
        { "sigkill", SIGKILL },
        { "Kill", SIGKILL },
        { "term", SIGTERM },
        { "CLD", SIGCHLD },
        { "SIGIOT", SIGABRT },
        { "winch", SIGWINCH },
        { "RTMIN", 34 },
        { "SIGRTMIN", 34 },
        { "rtmin+3", 37 },
        { "SIGRTMIN+30", 64 },
        { "RTMAX", 64 },
        { "RTMAX-2", 62 },
        { "RTMAX-30", 34 },
        { "9x", -1 }, /* crun takes it for 9 */
        { "", -1 },
        { "-9", -1 },
        { "+9", -1 },
        { " 9", -1 },
        { "09x", -1 },
        { "65", -1 },
        { "4294967305", -1 },
        { "SIG", -1 },
        { "SIG9", -1 },
        { "SIGSIGKILL", -1 },
        { "KILLX", -1 },
        { "RTMIN+31", -1 },
        { "RTMIN+", -1 },
        { "RTMIN+-1", -1 },
        { "RTMIN-1", -1 },
        { "RTMIN3", -1 },
        { "RTMAX+1", -1 },
        { "RTMAX-31", -1 },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        struct error err = { 0 };
        int signal = signal_parse(table[i].text, &err);
        char expected[64];

        cr_expect_eq(signal, table[i].signal, "%s: %d", table[i].text, signal);
        if (table[i].signal < 0) {
            snprintf(expected, sizeof expected, "unknown signal \"%s\"", table[i].text);
            cr_expect_str_eq(err.text, expected);
        }
    }
}
