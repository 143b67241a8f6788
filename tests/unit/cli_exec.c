/* runtime/cli/exec_process.c: the process that exec makes from the container's one and flags (item 279). */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/exec_process.h"
#include "oci-specs/schema.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ROOT "\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"}"

static const char config_text[] =
    "{" ROOT
    ",\"linux\":{},\"process\":{\"terminal\":true,\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[5]},"
    "\"args\":[\"init\"],\"env\":[\"A=1\"],\"cwd\":\"/srv\",\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
    "\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]},\"noNewPrivileges\":true,\"oomScoreAdj\":100,"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":10,\"soft\":9}],\"selinuxLabel\":\"s0\"}}";

static const char *const ls[] = { "ls", "-l", NULL };

static struct oci_config *config(void)
{
    struct error err = { 0 };
    struct oci_config *parsed = oci_config_parse("config.json", config_text, strlen(config_text), &err);

    cr_assert_not_null(parsed, "%s", err.text);
    return parsed;
}

/* The process as JSON, or the error. */
static void make(const struct exec_flags *flags, const char *const *args, struct buffer *out)
{
    struct error err = { 0 };
    struct oci_config *parsed = config();
    struct oci_process *process = exec_process_make(flags, args, parsed, &err);

    if (process)
        schema_write(&oci_process_schema, process, SCHEMA_COMPACT, out);
    else
        buffer_add_string(out, err.text);
    schema_free(&oci_process_schema, process);
    oci_config_free(parsed);
}

Test(cli_exec, from_the_config)
{
    auto_buffer struct buffer out = { 0 };

    make(&(struct exec_flags){ 0 }, ls, &out);
    cr_assert_str_eq(
        out.data,
        "{\"terminal\":false,\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[5]},\"args\":[\"ls\",\"-l\"],"
        "\"env\":[\"A=1\"],\"cwd\":\"/srv\",\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
        "\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":10,\"soft\":9}],\"noNewPrivileges\":true,"
        "\"oomScoreAdj\":100,\"selinuxLabel\":\"s0\"}");
}

Test(cli_exec, flags_win)
{
    auto_buffer struct buffer out = { 0 };
    struct exec_flags flags = {
        .cwd = "/tmp",
        .user = "1:2",
        .tty = OPTION_ON,
        .no_new_privs = OPTION_OFF,
        .process_label = "s1",
        .apparmor = "p",
    };

    option_values_add(&flags.env, "B=2");
    option_values_add(&flags.caps, "CAP_CHOWN");
    option_values_add(&flags.additional_gids, "10,20");
    option_values_add(&flags.additional_gids, "30");
    make(&flags, ls, &out);
    cr_expect_str_eq(
        out.data,
        "{\"terminal\":true,\"user\":{\"uid\":1,\"gid\":2,\"additionalGids\":[5,10,20,30]},"
        "\"args\":[\"ls\",\"-l\"],\"env\":[\"A=1\",\"B=2\"],\"cwd\":\"/tmp\",\"capabilities\":"
        "{\"bounding\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"effective\":[\"CAP_KILL\",\"CAP_CHOWN\"],"
        "\"permitted\":[\"CAP_KILL\",\"CAP_CHOWN\"]},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":10,\"soft\":9}],\"noNewPrivileges\":false,"
        "\"apparmorProfile\":\"p\",\"oomScoreAdj\":100,\"selinuxLabel\":\"s1\"}",
        "%s", out.data);
    option_values_free(&flags.env);
    option_values_free(&flags.caps);
    option_values_free(&flags.additional_gids);
}

Test(cli_exec, from_a_file_what_is_missing_is_the_containers)
{
    static const char text[] = "{\"args\":[\"id\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}";
    char path[] = "/tmp/aril-unit-XXXXXX";
    auto_buffer struct buffer out = { 0 };
    int fd = mkstemp(path);

    cr_assert_eq(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
    make(&(struct exec_flags){ .process = path }, ls + 2, &out);
    unlink(path);
    cr_assert_str_eq(out.data,
                     "{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"id\"],\"cwd\":\"/\","
                     "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
                     "\"permitted\":[\"CAP_KILL\"]},"
                     "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":10,\"soft\":9}],"
                     "\"oomScoreAdj\":100,\"selinuxLabel\":\"s0\"}",
                     "%s", out.data);
}

Test(cli_exec, errors)
{
    static const struct {
        struct exec_flags flags;
        size_t skip_args;
        const char *error;
    } table[] = {
        { { 0 }, 2, "no command given (neither as arguments nor with --process)" },
        { { .process = "/nonexistent" }, 2, "open /nonexistent: no such file or directory" },
        { { .process = "/dev/null" }, 0, NULL },
        { { .user = "root" }, 0, "--user: uid \"root\": not a number from 0 to 4294967294" },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        auto_buffer struct buffer out = { 0 };

        make(&table[i].flags, ls + table[i].skip_args, &out);
        if (table[i].error)
            cr_expect_str_eq(out.data, table[i].error, "%s", out.data);
    }
}

/* CVE-2026-30892, CVE-2016-3697, CVE-2024-40635: nothing but a number in range becomes a user, and never root
 * by accident. */
Test(cli_exec, user_is_strict)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t uid, gid;
    } table[] = {
        { "1", true, 1, 100 },
        { "0", true, 0, 100 },
        { "1:2", true, 1, 2 },
        { "0:0", true, 0, 0 },
        { "4294967294:4294967294", true, 4294967294, 4294967294 },
        { "", false, 99, 100 },
        { ":", false, 99, 100 },
        { ":1", false, 99, 100 },
        { "1:", false, 99, 100 },
        { "-1", false, 99, 100 },
        { "1:-1", false, 99, 100 },
        { "4294967295", false, 99, 100 },
        { "4294967296", false, 99, 100 },
        { "1:4294967296", false, 99, 100 },
        { "18446744073709551617", false, 99, 100 },
        { "root", false, 99, 100 },
        { "1:2:3", false, 99, 100 },
        { " 1", false, 99, 100 },
        { "1 ", false, 99, 100 },
        { "+1", false, 99, 100 },
        { "0x1", false, 99, 100 },
        { "1e3", false, 99, 100 },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        struct oci_user user = { .uid = 99, .gid = 100 };
        struct error err = { 0 };

        cr_expect_eq(exec_parse_user(table[i].text, &user, &err), table[i].ok ? 0 : -1, "%s", table[i].text);
        cr_expect_eq(user.uid, table[i].uid, "%s: uid %u", table[i].text, user.uid);
        cr_expect_eq(user.gid, table[i].gid, "%s: gid %u", table[i].text, user.gid);
    }
}
