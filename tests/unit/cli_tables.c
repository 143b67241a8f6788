/* runtime/cli: tables in columns (O2), rows of ps(1) (O3), sizes (item 281), what completion offers. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cli/completion_scripts.h"
#include "cli/ps_table.h"
#include "cli/table.h"
#include "cli/update_resources.h"
#include "oci-specs/schema.h"

#include <criterion/criterion.h>
#include <string.h>

Test(cli_tables, columns_are_like_tabwriter)
{
    auto_buffer struct buffer out = { 0 };
    struct table table = { .columns = 3 };
    static const char *const cells[] = { "ID", "PID", "OWNER", "a-long-identifier", "12", "root" };

    for (size_t i = 0; i < array_length(cells); i++)
        table_add(&table, cells[i]);
    table_format(&table, &out);
    cr_assert_str_eq(out.data, "ID                  PID         OWNER\n"
                               "a-long-identifier   12          root\n");
    table_free(&table);
}

static const char listing[] = "UID          PID    PPID  C CMD\n"
                              "root           1       0  0 init\n"
                              "root          17       1  0 sh -c 1\n"
                              "root         170       1  0 x\n"
                              "short\n"
                              "root          1x       1  0 y";

Test(cli_tables, ps_rows_of_some_pids)
{
    auto_buffer struct buffer rows = { 0 };
    static const pid_t pids[] = { 17, 99 };
    struct error err = { 0 };

    cr_assert_eq(ps_table_filter(listing, pids, 2, &rows, &err), 0);
    cr_assert_str_eq(rows.data, "UID          PID    PPID  C CMD\nroot          17       1  0 sh -c 1\n");
}

Test(cli_tables, ps_needs_a_pid_column)
{
    auto_buffer struct buffer rows = { 0 };
    struct error err = { 0 };

    cr_assert_eq(ps_table_filter("USER PPID CMD\nroot 1 x\n", NULL, 0, &rows, &err), -1);
    cr_assert_str_eq(err.text, "the output of ps has no column PID");
}

Test(cli_tables, ps_runs_the_real_one)
{
    auto_buffer struct buffer output = { 0 }, rows = { 0 };
    static const char *const arguments[] = { "-e", "-o", "pid,comm", NULL };
    pid_t self = getpid();
    struct error err = { 0 };

    cr_assert_eq(ps_table_read(arguments, &output, &err), 0, "%s", err.text);
    cr_assert_eq(ps_table_filter(output.data, &self, 1, &rows, &err), 0, "%s", err.text);
    cr_assert_not_null(strchr(rows.data, '\n'));
    cr_assert_not_null(strstr(rows.data, "unit"), "%s", rows.data);
}

Test(cli_tables, ps_failures_are_told)
{
    auto_buffer struct buffer output = { 0 };
    static const char *const arguments[] = { "--no-such-option", NULL };
    struct error err = { 0 };

    cr_assert_eq(ps_table_read(arguments, &output, &err), -1);
    cr_assert_str_eq(err.text, "ps failed: exit status 1");
}

Test(cli_tables, sizes)
{
    static const struct {
        const char *text;
        int64_t size; /* -2: refused */
    } table[] = {
        { "0", 0 },
        { "1048576", 1048576 },
        { "512k", 524288 },
        { "64M", 67108864 },
        { "64mb", 67108864 },
        { "1GiB", 1073741824 },
        { "7b", 7 },
        { "2t", 2199023255552 },
        { "-1", -1 },
        { "-2", -2 },
        { "", -2 },
        { "k", -2 },
        { "1x", -2 },
        { "1kk", -2 },
        { "1ib", -2 },
        { "1.5M", 1572864 },
        { "0.1g", 107374182 },
        { "1.M", -2 },
        { ".5M", -2 },
        { "1.5", -2 },
        { "1.5.5M", -2 },
        { " 1", -2 },
        { "9223372036854775807", INT64_MAX },
        { "9223372036854775808", -2 },
        { "8192p", -2 },
        { "8191p", 8191LL << 50 },
        { "8191.5p", (8191LL << 50) + (1LL << 49) },
        { "1.99999999999999999999k", 2047 },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        int64_t size = -2;

        if (update_parse_size(table[i].text, &size) < 0)
            size = -2;
        cr_expect_eq(size, table[i].size, "%s", table[i].text);
    }
}

static struct oci_resources *make_resources(const struct update_flags *flags, struct buffer *json,
                                            struct error *err)
{
    struct oci_resources *resources = update_resources_make(flags, err);

    if (resources)
        schema_write(&oci_resources_schema, resources, SCHEMA_COMPACT, json);
    return resources;
}

Test(cli_tables, update_flags)
{
    auto_buffer struct buffer json = { 0 };
    struct update_flags flags = {
        .memory = "64m", .pids_limit = "-1", .cpu_quota = "-1", .cpuset_cpus = "0-1"
    };
    struct error err = { 0 };
    struct oci_resources *resources = make_resources(&flags, &json, &err);

    cr_assert_not_null(resources, "%s", err.text);
    cr_assert_str_eq(json.data, "{\"memory\":{\"limit\":67108864},\"cpu\":{\"quota\":-1,\"cpus\":\"0-1\"},"
                                "\"pids\":{\"limit\":-1}}");
    schema_free(&oci_resources_schema, resources);
}

Test(cli_tables, update_errors)
{
    static const struct {
        struct update_flags flags;
        const char *error;
    } table[] = {
        { { .memory = "lots" }, "invalid value \"lots\" for flag --memory" },
        { { .cpu_idle = "2" }, "invalid value \"2\" for flag --cpu-idle" },
        { { .blkio_weight = "9" }, "invalid value \"9\" for flag --blkio-weight" },
        { { .cpu_share = "-1" }, "invalid value \"-1\" for flag --cpu-share" },
        { { .resources = "/nonexistent" }, "open /nonexistent: no such file or directory" },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        struct error err = { 0 };

        cr_expect_null(update_resources_make(&table[i].flags, &err));
        cr_expect_str_eq(err.text, table[i].error, "%s", err.text);
    }
}

Test(cli_tables, completion_kinds)
{
    static const struct {
        const char *metavar;
        enum completion_kind kind;
    } table[] = {
        { NULL, COMPLETION_NOTHING },
        { "FILE", COMPLETION_FILE },
        { "DIR", COMPLETION_DIRECTORY },
        { "table|json", COMPLETION_WORDS },
        { "N", COMPLETION_NOTHING },
        { "SOCKET", COMPLETION_FILE },
        { "ID [SIGNAL]", COMPLETION_CONTAINER },
    };

    for (size_t i = 0; i < array_length(table); i++)
        cr_expect_eq(completion_kind_of(table[i].metavar), table[i].kind);
}

Test(cli_tables, shell_quoting)
{
    auto_buffer struct buffer out = { 0 };

    completion_add_quoted(&out, "a's [b]: c", "[]:");
    cr_assert_str_eq(out.data, "'a'\\''s \\[b\\]\\: c'");
}
