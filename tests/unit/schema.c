/* oci-specs: the tables in both directions. Rows: a document, and the exact error or what is written back. */
#include "oci-specs/schema.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"

#include <criterion/criterion.h>
#include <string.h>

/* A minimal config around a part of it. */
#define PROCESS(text) "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\"," text "}}"
#define LINUX(text) "{\"ociVersion\":\"1.0.0\",\"linux\":{" text "}}"

static struct oci_config *parse(const char *text, struct error *err)
{
    return schema_parse(&oci_config_schema, "config.json", text, strlen(text), err);
}

struct error_row {
    const char *text, *error;
};

static void expect_errors(const struct error_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error err = { 0 };
        struct oci_config *config = parse(rows[i].text, &err);

        cr_expect_null(config, "%s", rows[i].text);
        cr_expect_str_eq(err.text, rows[i].error, "%s\n gives    %s\n expected %s", rows[i].text, err.text,
                         rows[i].error);
        oci_config_free(config);
    }
}

Test(schema, syntax_errors)
{
    static const struct error_row rows[] = {
        { "", "config.json: empty" },
        { " \n\t", "config.json: empty" },
        { "[]", "config.json:1:1: must be an object, is an array" },
        { "12", "config.json:1:1: must be an object, is a number" },
        { "null", "config.json:1:1: must be an object, is null" },
        { "{", "config.json:1:2: parse error: premature EOF" },
        { "{\"a\":1,}", "config.json:1:8: parse error: invalid object key (must be a string)" },
        { "{\"a\"\n 1}",
          "config.json:2:2: parse error: object key and value must be separated by a colon (':')" },
        { "{\"a\":01}",
          "config.json:1:6: parse error: after key and value, inside map, I expect ',' or '}'" },
        { "{} {}", "config.json:1:4: parse error: trailing garbage" },
        { "{}\n]", "config.json:2:1: parse error: trailing garbage" },
        { "/* */ {}",
          "config.json:1:1: lexical error: probable comment found in input text, comments are not enabled" },
        { "\xef\xbb\xbf{}", "config.json:1:1: lexical error: invalid char in json text" },
        { "{\"a\":\"x\ty\"}", "config.json:1:7: lexical error: invalid character inside string" },
        { "{\"a\":1,\"b\":{\"c\":[{\"d\":1,\n  \"d\" : 2}]}}", "config.json:2:9: b.c[0].d: duplicate key" },
        { "{\"a\":1,\"\\u0061\":2}", "config.json:1:17: a: duplicate key" },
        { "{\"a b\":{\"\":[0,{\"x\":1,\"x\":1}]}}", "config.json:1:26: [\"a b\"][\"\"][1].x: duplicate key" },
        { "{\"a\":\"x\\u0000y\"}", "config.json:1:6: a: NUL in a string" },
        { "{\"a\\u0000\":1}", "config.json:1:2: NUL in a string" },
        { "{\"a\":\"\xff\"}", "config.json:1:6: a: not valid UTF-8" },
        { "{\"a\":\"\xc0\x80\"}", "config.json:1:6: a: not valid UTF-8" },
        { "{\"a\":\"\xed\xa0\x80\"}", "config.json:1:6: a: not valid UTF-8" },
        { "{\"a\":\"\\ud800\"}", "config.json:1:6: a: half a surrogate pair in a string" },
        { "{\"a\":\"\\udc00\\ud800\"}", "config.json:1:6: a: half a surrogate pair in a string" },
        { "{\"\xc3\xa4\":1, \"b\":x}", "config.json:1:13: lexical error: invalid char in json text" },
        { "{\"a\":tru}", "config.json:1:8: lexical error: invalid string in json text" },
        { "{\"a\":NaN}", "config.json:1:6: lexical error: invalid char in json text" },
    };

    expect_errors(rows, array_length(rows));
}

Test(schema, property_errors)
{
    static const struct error_row rows[] = {
        { "{}", "config.json:1:1: ociVersion: is required" },
        { "{\"ociVersion\":null}", "config.json:1:1: ociVersion: is required" },
        { "{\"ociVersion\":1}", "config.json:1:15: ociVersion: must be a string, is a number" },
        { "{\"ociVersion\":\"1.0.0\",\n\"process\":{}}", "config.json:2:11: process.cwd: is required" },
        { "{\"ociVersion\":\"1.0.0\",\"process\":[]}",
          "config.json:1:33: process: must be an object, is an array" },
        { "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"x\"}}",
          "config.json:1:40: process.cwd: 'x' is not an absolute path" },
        { "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}",
          "config.json:1:38: root.path: must not be empty" },
        { LINUX("\n  \"namespaces\": [ {\"type\":\"pid\"},\n {\"type\": \"netwrk\"} ]"),
          "config.json:3:11: linux.namespaces[1].type: 'netwrk' is not one of pid, network, mount, ipc, uts, "
          "user, "
          "cgroup, time" },
        { LINUX("\"namespaces\":{}"), "config.json:1:45: linux.namespaces: must be an array, is an object" },
        { LINUX("\"namespaces\":[null]"),
          "config.json:1:46: linux.namespaces[0]: must be an object, is null" },
        { LINUX("\"namespaces\":[{}]"), "config.json:1:46: linux.namespaces[0].type: is required" },
        { PROCESS("\"args\":\"sh\""), "config.json:1:51: process.args: must be an array, is a string" },
        { PROCESS("\"args\":[\"sh\",null]"), "config.json:1:57: process.args[1]: must be a string, is null" },
        { PROCESS("\"user\":{\"uid\":\"1000\"}"),
          "config.json:1:58: process.user.uid: must be an integer, is a string" },
        { PROCESS("\"user\":{\"additionalGids\":[1,true]}"),
          "config.json:1:72: process.user.additionalGids[1]: must be an integer, is a boolean" },
        { PROCESS("\"terminal\":1"), "config.json:1:55: process.terminal: must be a boolean, is a number" },
        { LINUX("\"sysctl\":{\"a\":1}"), "config.json:1:46: linux.sysctl.a: must be a string, is a number" },
        { LINUX("\"sysctl\":{\"net.ipv4.ip_forward\":null}"),
          "config.json:1:64: linux.sysctl[\"net.ipv4.ip_forward\"]: must be a string, is null" },
        { "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"\":\"x\"}}",
          "config.json:1:41: annotations[\"\"]: a key must not be empty" },
        { LINUX("\"netDevices\":{\"\":{}}"),
          "config.json:1:49: linux.netDevices[\"\"]: a key must not be empty" },
        { LINUX("\"netDevices\":{\"eth0\":null}"),
          "config.json:1:53: linux.netDevices.eth0: must be an object, is null" },
        { LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}"),
          "config.json:1:85: linux.seccomp.flags[0]: 'X' is not one of SECCOMP_FILTER_FLAG_TSYNC, "
          "SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" },
        { LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":"
                "\"SCMP_ACT_LOG\"}]}"),
          "config.json:1:97: linux.seccomp.syscalls[0].names: must not be empty" },
    };

    expect_errors(rows, array_length(rows));
}

Test(schema, numbers_are_exact)
{
    static const struct {
        const char *property, *number, *error; /* NULL: accepted and written back as it is */
    } rows[] = {
        { "\"oomScoreAdj\":", "-1000", NULL },
        { "\"oomScoreAdj\":", "1001", "process.oomScoreAdj: 1001 is not in the range -1000 to 1000" },
        { "\"oomScoreAdj\":", "-1001", "process.oomScoreAdj: -1001 is not in the range -1000 to 1000" },
        { "\"oomScoreAdj\":", "1e2", "process.oomScoreAdj: 1e2 is not an integer" },
        { "\"oomScoreAdj\":", "1.0", "process.oomScoreAdj: 1.0 is not an integer" },
        { "\"oomScoreAdj\":", "1E400", "process.oomScoreAdj: 1E400 is not an integer" },
        { "\"oomScoreAdj\":", "-0", "0" },
        { "\"oomScoreAdj\":", "18446744073709551616",
          "process.oomScoreAdj: 18446744073709551616 is not in the range -1000 to 1000" },
        { "\"user\":{\"uid\":", "4294967294", NULL },
        { "\"user\":{\"uid\":", "4294967295",
          "process.user.uid: 4294967295 is not in the range 0 to 4294967294" },
        { "\"user\":{\"uid\":", "-1", "process.user.uid: -1 is not in the range 0 to 4294967294" },
        { "\"user\":{\"umask\":", "512", "process.user.umask: 512 is not in the range 0 to 511" },
        { "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"runtime\":", "18446744073709551615", NULL },
        { "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"runtime\":", "18446744073709551616",
          "process.scheduler.runtime: 18446744073709551616 is not in the range 0 to 18446744073709551615" },
        { "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":", "-20", NULL },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        const char *close = strchr(rows[i].property, '{') ? "}" : "";
        auto_free char *text = memory_format("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",%s%s%s}}",
                                             rows[i].property, rows[i].number, close);
        struct error err = { 0 };
        struct oci_config *config = parse(text, &err);
        auto_buffer struct buffer out = { 0 };

        if (!config) {
            cr_expect(rows[i].error && strstr(err.text, rows[i].error), "%s: %s", text, err.text);
            continue;
        }
        schema_write(&oci_config_schema, config, SCHEMA_COMPACT, &out);
        cr_expect(strstr(out.data, rows[i].error ? rows[i].error : rows[i].number), "%s: %s", text, out.data);
        oci_config_free(config);
    }
}

/* memory.limit: int64 at its ends */
Test(schema, sixty_four_bits)
{
    static const struct error_row rows[] = {
        { LINUX("\"resources\":{\"memory\":{\"limit\":9223372036854775808}}"),
          "config.json:1:63: linux.resources.memory.limit: 9223372036854775808 is not in the range -1 to "
          "9223372036854775807" },
        { LINUX("\"resources\":{\"cpu\":{\"quota\":-9223372036854775809}}"),
          "config.json:1:60: linux.resources.cpu.quota: -9223372036854775809 is not in the range "
          "-9223372036854775808 to 9223372036854775807" },
    };
    struct error err = { 0 };
    struct oci_config *config =
        parse(LINUX("\"resources\":{\"cpu\":{\"quota\":-9223372036854775808}}"), &err);

    expect_errors(rows, array_length(rows));
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_eq(config->linux->resources->cpu->quota, INT64_MIN);
    oci_config_free(config);
}

/* Read, write, read again: the same text. */
Test(schema, round_trips)
{
    static const char *const texts[] = {
        "{\"ociVersion\":\"1.0.0\"}",
        "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":\"\",\"b.c\":\"x\"}}",
        "{\"ociVersion\":\"\",\"process\":{\"user\":{\"uid\":0,\"gid\":1,\"umask\":18,\"additionalGids\":[1,"
        "2,3]},"
        "\"args\":[\"a\",\"\",\"\\\"\\\\\"],\"env\":[],\"cwd\":\"/\"}}",
        LINUX("\"sysctl\":{\"a\":\"1\"},\"netDevices\":{\"eth0\":{\"name\":\"x\"},\"eth1\":{}}"),
        LINUX(
            "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\","
            "\"major\":-1,\"minor\":0}],\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}}"),
        LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\"],"
              "\"flags\":[]}"),
        LINUX("\"timeOffsets\":{\"monotonic\":{\"secs\":-5,\"nanosecs\":7}}"),
        LINUX("\"resources\":{}"),
        "{\"ociVersion\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 \\u0001\\n\\b\\f\\r\\t\\u001f\x7f/\"}",
    };

    for (size_t i = 0; i < array_length(texts); i++) {
        struct error err = { 0 };
        struct oci_config *config = parse(texts[i], &err);
        auto_buffer struct buffer out = { 0 }, copied = { 0 };
        struct oci_config *copy;

        cr_assert_not_null(config, "%s: %s", texts[i], err.text);
        copy = schema_copy(&oci_config_schema, config);
        schema_write(&oci_config_schema, config, SCHEMA_COMPACT, &out);
        oci_config_free(config);
        cr_expect_str_eq(out.data, texts[i]);
        schema_write(&oci_config_schema, copy, SCHEMA_COMPACT, &copied);
        cr_expect_str_eq(copied.data, texts[i]);
        oci_config_free(copy);
    }
}

/* items 4 and 237: what has no row is ignored, null counts as absent, escapes are resolved. */
Test(schema, reads)
{
    static const char text[] =
        "{\"ociVersion\":\"1.0.0\",\"solaris\":{\"a\":[1.5e400,{\"b\":null}]},\"hooks\":null,"
        "\"hostname\":\"\\u00e4\\ud83d\\ude00\\n\\/\",\"linux\":{\"intelRdt\":{\"enableCMT\":true},"
        "\"namespaces\":[],\"maskedPaths\":[]},\"\":1}";
    struct error err = { 0 };
    struct oci_config *config = parse(text, &err);

    cr_assert_not_null(config, "%s", err.text);
    cr_assert_null(config->hooks);
    cr_assert_str_eq(config->hostname, "\xc3\xa4\xf0\x9f\x98\x80\n/");
    cr_assert_not_null(config->linux->intel_rdt);
    cr_assert_eq(config->linux->namespaces_count, 0);
    cr_assert(config->linux->has_masked_paths && config->linux->masked_paths.count == 0);
    cr_assert_not(config->linux->has_readonly_paths);
    cr_assert_null(config->linux->masked_paths.items[0]);
    oci_config_free(config);
}

/* O1: the key order and form of `state`; pid 0 is written. */
Test(schema, state_document)
{
    struct string_pair pair = { (char *)"k", (char *)"v" };
    const struct oci_state state = {
        .oci_version = (char *)"1.3.0",
        .id = (char *)"c1",
        .pid = 0,
        .has_pid = true,
        .status = (char *)"stopped",
        .bundle = (char *)"/b",
        .annotations = { &pair, 1 },
        .owner = (char *)"",
    };
    auto_buffer struct buffer out = { 0 };

    schema_write(&oci_state_schema, &state, SCHEMA_SPACES_2, &out);
    cr_assert_str_eq(out.data, "{\n  \"ociVersion\": \"1.3.0\",\n  \"id\": \"c1\",\n  \"pid\": 0,\n"
                               "  \"status\": \"stopped\",\n  \"bundle\": \"/b\",\n"
                               "  \"annotations\": {\n    \"k\": \"v\"\n  },\n  \"owner\": \"\"\n}");
}

Test(schema, arrays_and_required_members)
{
    const struct oci_id_mapping mappings[2] = { { .size = 7 }, { 0 } };
    const struct oci_container_process_state process = { .pid = 3 };
    auto_buffer struct buffer out = { 0 }, empty = { 0 }, required = { 0 };

    schema_write_array(&oci_id_mapping_schema, mappings, 2, sizeof *mappings, SCHEMA_COMPACT, &out);
    cr_assert_str_eq(
        out.data,
        "[{\"containerID\":0,\"hostID\":0,\"size\":7},{\"containerID\":0,\"hostID\":0,\"size\":0}]");
    schema_write_array(&oci_id_mapping_schema, NULL, 0, sizeof *mappings, SCHEMA_SPACES_4, &empty);
    cr_assert_str_eq(empty.data, "[]");
    schema_write(&oci_container_process_state_schema, &process, SCHEMA_COMPACT, &required);
    cr_assert_str_eq(required.data, "{\"ociVersion\":\"\",\"pid\":3,\"state\":{}}");
}

Test(schema, writes_valid_json_whatever_the_strings_hold)
{
    const struct oci_root root = { .path = (char *)"a\xff\xc3(\x01\"\xed\xa0\x80" };
    auto_buffer struct buffer out = { 0 };

    schema_write(&oci_root_schema, &root, SCHEMA_COMPACT, &out);
    cr_assert_str_eq(
        out.data, "{\"path\":\"a\xef\xbf\xbd\xef\xbf\xbd(\\u0001\\\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
}

Test(schema, enum_names)
{
    cr_assert_str_eq(oci_namespace_type_name(OCI_NAMESPACE_NETWORK), "network");
    cr_assert_str_eq(oci_namespace_type_name(OCI_NAMESPACE_TIME), "time");
    cr_assert_null(oci_namespace_type_name(oci_namespace_type_unset));
    cr_assert_null(oci_namespace_type_name((enum oci_namespace_type)99));
    cr_assert_eq(oci_namespace_type_value("cgroup"), OCI_NAMESPACE_CGROUP);
    cr_assert_eq(oci_namespace_type_value("cgrou"), oci_namespace_type_unset);
    cr_assert_eq(oci_namespace_type_value(""), oci_namespace_type_unset);
}

/* What was read can be grown with array_grow() and strings_add(). */
Test(schema, results_can_be_edited)
{
    struct error err = { 0 };
    struct oci_config *config =
        parse(PROCESS("\"args\":[\"1\",\"2\",\"3\"],\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"hard\":1,"
                      "\"soft\":1},{\"type\":\"RLIMIT_CPU\",\"hard\":1,\"soft\":1},"
                      "{\"type\":\"RLIMIT_RSS\",\"hard\":1,\"soft\":1}]"),
              &err);

    cr_assert_not_null(config, "%s", err.text);
    for (int i = 0; i < 40; i++) {
        strings_add(&config->process->args, "x");
        strings_add(&config->process->env, "y");
        array_grow(config->process->rlimits, config->process->rlimits_count);
        cr_assert_null(config->process->args.items[config->process->args.count]);
    }
    string_map_set(&config->annotations, "a", "1");
    string_map_set(&config->annotations, "b", "2");
    string_map_set(&config->annotations, "a", "3");
    cr_assert_eq(config->annotations.count, 2);
    cr_assert_str_eq(string_map_get(&config->annotations, "a"), "3");
    cr_assert_null(string_map_get(&config->annotations, "c"));
    cr_assert(strings_contain(&config->process->args, "2"));
    cr_assert_not(strings_contain(&config->process->args, "4"));
    cr_assert_eq(config->process->args.count, 43);
    cr_assert_eq(config->process->rlimits_count, 43);
    oci_config_free(config);
}

/* ---- limits ------------------------------------------------------------------------------------------ */

static char *nested(size_t depth)
{
    char *text = memory_new(2 * depth + 16);

    memcpy(text, "{\"x\":", 5);
    memset(text + 5, '[', depth);
    memset(text + 5 + depth, ']', depth);
    text[5 + 2 * depth] = '}';
    return text;
}

Test(schema, depth_is_limited)
{
    struct error err = { 0 };
    auto_free char *allowed = nested(63), *deep = nested(64), *million = nested(1000000);

    cr_assert_null(parse(allowed, &err));
    cr_assert_str_eq(err.text, "config.json:1:1: ociVersion: is required");
    cr_assert_null(parse(deep, &err));
    cr_assert_str_eq(err.text, "config.json:1:69: nested deeper than 64");
    cr_assert_null(parse(million, &err));
    cr_assert_str_eq(err.text, "config.json:1:69: nested deeper than 64");
}

Test(schema, size_is_limited)
{
    struct error err = { 0 };
    auto_free char *many = memory_new(3u << 20);

    cr_assert_null(schema_parse(&oci_config_schema, "config.json", "", 100u << 20, &err));
    cr_assert_str_eq(err.text, "config.json: larger than 33554432 bytes");
    memset(many, '0', 3u << 20);
    memcpy(many, "{\"x\":[", 6);
    for (size_t i = 7; i < 3u << 20; i += 2)
        many[i] = ',';
    cr_assert_null(schema_parse(&oci_config_schema, "config.json", many, 3u << 20, &err));
    cr_assert_str_eq(err.text, "config.json:1:2097155: x[1048574]: more than 1048576 values");
}

Test(schema, duplicate_among_many)
{
    auto_buffer struct buffer text = { 0 };
    struct error err = { 0 };

    buffer_add_string(&text, "{\"ociVersion\":\"1.0.0\",\"annotations\":{");
    for (int i = 0; i < 1000; i++)
        buffer_add_format(&text, "\"k%d\":\"\",\n", i);
    buffer_add_string(&text, "\"k500\":\"\"}}");
    cr_assert_null(parse(text.data, &err));
    cr_assert_str_eq(err.text, "config.json:1001:8: annotations.k500: duplicate key");
}

Test(schema, long_quotes_are_cut)
{
    auto_free char *key = memory_new(5001), *value = memory_new(5001), *text = NULL;
    struct error err = { 0 };

    memset(key, 'k', 5000);
    memset(value, '9', 5000);
    text = memory_format("{\"ociVersion\":\"1\",\"linux\":{\"sysctl\":{\"%s\":1}}}", key);
    cr_assert_null(parse(text, &err));
    cr_assert_str_eq(err.text, "config.json:1:5041: linux.sysctl."
                               "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...: "
                               "must be a string, is a number");
    free(text);
    text = memory_format("{\"ociVersion\":\"1\",\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":%s}}", value);
    cr_assert_null(parse(text, &err));
    cr_assert_lt(strlen(err.text), 300);
}
