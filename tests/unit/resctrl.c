/*
 * runtime/resctrl: contract items 232-240. The plan is pure; it is applied to a directory of plain files that
 * looks like a resctrl file system.
 */
#include "resctrl/resctrl.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct oci_config *parse(const char *rdt)
{
    auto_free char *text = memory_format("{\"ociVersion\": \"1.3.0\", \"linux\": {%s%s}}",
                                         rdt ? "\"intelRdt\": " : "", rdt ? rdt : "");
    struct error err = { 0 };
    struct oci_config *config = schema_parse(&oci_config_schema, "config.json", text, strlen(text), &err);

    cr_assert(config, "%s", err.text);
    return config;
}

Test(resctrl, item_232_nothing_without_intel_rdt)
{
    struct oci_config *config = parse(NULL);
    struct resctrl_plan plan;
    struct error err = { 0 };

    cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), 0);
    cr_assert_null(plan.group);
    resctrl_plan_free(&plan);
    oci_config_free(config);
}

Test(resctrl, items_233_235_236_plan)
{
    static const struct {
        const char *rdt, *group, *schemata, *monitor;
        bool must_exist, named;
    } rows[] = {
        { "{}", "web1", NULL, NULL, false, false },
        { "{\"closID\": \"/\"}", ".", NULL, NULL, true, true },
        { "{\"closID\": \"gold\"}", "gold", NULL, NULL, true, true },
        { "{\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"}", "gold", "L3:0=f\n", NULL, false, true },
        { "{\"memBwSchema\": \"MB:0=20\", \"l3CacheSchema\": \"L3:0=f\", \"schemata\": [\"L2:0=3\", "
          "\"MB:0=30\"]}",
          "web1", "L3:0=f\nMB:0=20\nL2:0=3\nMB:0=30\n", NULL, false, false },
        { "{\"memBwSchema\": \"MB:0=20\", \"l3CacheSchema\": \"L3CODE:0=f\\nMB:0=70\\nL3DATA:0=1\"}", "web1",
          "L3CODE:0=f\nL3DATA:0=1\nMB:0=20\n", NULL, false, false },
        { "{\"l3CacheSchema\": \"L3:0=f\\nMB:0=70\"}", "web1", "L3:0=f\nMB:0=70\n", NULL, false, false },
        { "{\"enableMonitoring\": true, \"l3CacheSchema\": \"\"}", "web1", NULL, "web1", false, false },
        { "{\"enableCMT\": true, \"enableMBM\": true}", "web1", NULL, NULL, false, false },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_config *config = parse(rows[i].rdt);
        struct resctrl_plan plan;
        struct error err = { 0 };

        cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), 0, "%s: %s", rows[i].rdt, err.text);
        cr_expect_str_eq(plan.group, rows[i].group, "%s", rows[i].rdt);
        cr_expect_str_eq(plan.schemata ? plan.schemata : "", rows[i].schemata ? rows[i].schemata : "", "%s",
                         rows[i].rdt);
        cr_expect_str_eq(plan.monitor ? plan.monitor : "", rows[i].monitor ? rows[i].monitor : "");
        cr_expect_eq(plan.must_exist, rows[i].must_exist, "%s", rows[i].rdt);
        cr_expect_eq(plan.named, rows[i].named, "%s", rows[i].rdt);
        resctrl_plan_free(&plan);
        oci_config_free(config);
    }
}

Test(resctrl, item_235_names_of_resctrl_itself)
{
    struct oci_config *config = parse("{\"closID\": \"info\"}");
    struct resctrl_plan plan;
    struct error err = { 0 };

    cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), -1);
    cr_assert_str_eq(err.text, "linux.intelRdt.closID: 'info' is a name that resctrl uses itself");
    oci_config_free(config);
}

Test(resctrl, item_239_comparison_normalises)
{
    static const char existing[] = "    MB:0=100;1= 50\n    L3:0=fffff;1=00ff\n";
    static const struct {
        const char *wanted;
        bool match;
    } rows[] = {
        { "L3:0=fffff;1=ff\n", true },    { "L3:1=ff;0=FFFFF\n", true },
        { "L3:1=00ff\n", true },          { "L3:0=000fffff\nMB:1=050\n", true },
        { " L3 : 0 = fffff \n", true },   { "L3:00=fffff\n", true },
        { "L3:0=1\nL3:0=fffff\n", true }, { "L3:0=fffff\nL3:0=1\n", false },
        { "L3:0=ffff\n", false },         { "L3:2=ff\n", false },
        { "L2:0=ff\n", false },           { "MB:0=10\n", false },
        { "MB:0=1000\n", false },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        cr_expect_eq(resctrl_schemata_match(rows[i].wanted, existing), rows[i].match, "%s", rows[i].wanted);
}

/* ---- applied ---------------------------------------------------------------------------------------- */

static void put(int dirfd, const char *path, const char *text)
{
    int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

/* What the kernel does at mkdir. */
static int make_group_with_files(int dirfd, const char *path)
{
    static const char *const files[] = { "tasks", "schemata" };

    if (mkdirat(dirfd, path, 0755) < 0)
        return -1;
    for (size_t i = 0; i < array_length(files); i++) {
        auto_free char *name = memory_format("%s/%s", path, files[i]);

        put(dirfd, name, "");
    }
    if (!strstr(path, "mon_groups")) {
        auto_free char *name = memory_format("%s/mon_groups", path);

        mkdirat(dirfd, name, 0755);
    }
    return 0;
}

static struct resctrl fake(char *directory)
{
    struct resctrl resctrl = { .path = memory_string(directory), .make_directory = make_group_with_files };

    cr_assert_not_null(mkdtemp(directory));
    resctrl.root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(resctrl.path);
    resctrl.path = memory_string(directory);
    put(resctrl.root, "tasks", "");
    put(resctrl.root, "schemata", "L3:0=fffff\nMB:0=100\n");
    mkdirat(resctrl.root, "mon_groups", 0755);
    return resctrl;
}

static void expect_file(const struct resctrl *resctrl, const char *path, const char *content)
{
    auto_free char *text = NULL;
    struct error err = { 0 };
    size_t length;

    cr_assert_eq(file_read_at(resctrl->root, path, 4096, &text, &length, &err), 0, "%s", err.text);
    cr_expect_str_eq(text, content, "%s", path);
}

/* Plans and applies; the error's text, or "" */
static void apply(const struct resctrl *resctrl, const char *rdt, char error[static ERROR_TEXT_SIZE])
{
    struct oci_config *config = parse(rdt);
    struct resctrl_plan plan;
    struct error err = { 0 };

    cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), 0, "%s", err.text);
    if (resctrl_create(&plan, resctrl, &err) == 0)
        resctrl_assign(&plan, resctrl, 4711, &err);
    snprintf(error, ERROR_TEXT_SIZE, "%s", err.text);
    resctrl_plan_free(&plan);
    oci_config_free(config);
}

static void tear_down(struct resctrl *resctrl)
{
    file_remove_tree_at(AT_FDCWD, resctrl->path);
    resctrl_close(resctrl);
}

Test(resctrl, items_232_233_236_own_class)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    apply(&resctrl, "{\"memBwSchema\": \"MB:0=20\", \"l3CacheSchema\": \"L3:0=f\"}", error);
    cr_expect_str_empty(error);
    expect_file(&resctrl, "web1/schemata", "L3:0=f\nMB:0=20\n");
    expect_file(&resctrl, "web1/tasks", "4711");
    expect_file(&resctrl, "tasks", "");
    tear_down(&resctrl);
}

Test(resctrl, item_233_default_class)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    apply(&resctrl, "{\"closID\": \"/\", \"l3CacheSchema\": \"L3:0=fffff\"}", error);
    cr_expect_str_empty(error);
    expect_file(&resctrl, "tasks", "4711");
    expect_file(&resctrl, "schemata", "L3:0=fffff\nMB:0=100\n");
    apply(&resctrl, "{\"closID\": \"/\", \"l3CacheSchema\": \"L3:0=1\"}", error);
    cr_expect_str_eq(error, "linux.intelRdt.closID: class '.' exists with other schemata");
    tear_down(&resctrl);
}

Test(resctrl, items_234_235_existing_class)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    apply(&resctrl, "{\"closID\": \"gold\"}", error);
    cr_expect_str_eq(error,
                     "linux.intelRdt.closID: there is no class 'gold', and no schemata to make it with");
    make_group_with_files(resctrl.root, "gold");
    put(resctrl.root, "gold/schemata", "    L3:0=0ff;1=0ff\n");
    apply(&resctrl, "{\"closID\": \"gold\"}", error);
    cr_expect_str_empty(error);
    apply(&resctrl, "{\"closID\": \"gold\", \"schemata\": [\"L3:1=ff\"]}", error);
    cr_expect_str_empty(error);
    expect_file(&resctrl, "gold/schemata", "    L3:0=0ff;1=0ff\n"); /* never written to */
    expect_file(&resctrl, "gold/tasks", "4711");
    apply(&resctrl, "{\"closID\": \"gold\", \"schemata\": [\"L3:1=f0\"]}", error);
    cr_expect_str_eq(error, "linux.intelRdt.closID: class 'gold' exists with other schemata");
    tear_down(&resctrl);
}

Test(resctrl, item_237_monitoring)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    apply(&resctrl, "{\"closID\": \"/\", \"enableMonitoring\": true}", error);
    cr_expect_str_empty(error);
    expect_file(&resctrl, "mon_groups/web1/tasks", "4711");
    apply(&resctrl, "{\"enableMonitoring\": true}", error);
    cr_expect_str_empty(error);
    expect_file(&resctrl, "web1/mon_groups/web1/tasks", "4711");
    apply(&resctrl, "{\"closID\": \"/\", \"enableMonitoring\": true}", error);
    cr_expect(strstr(error, "linux.intelRdt.enableMonitoring: make "), "%s", error);
    tear_down(&resctrl);
}

static int make_group_without_monitors(int dirfd, const char *path)
{
    if (!strstr(path, "mon_groups"))
        return mkdirat(dirfd, path, 0755);
    errno = ENOSPC;
    return -1;
}

Test(resctrl, item_24_and_237_a_class_without_its_monitor_is_removed)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    resctrl.make_directory = make_group_without_monitors;
    apply(&resctrl, "{\"enableMonitoring\": true}", error);
    cr_expect(strstr(error, "mon_groups/web1: no space left on device"), "%s", error);
    cr_expect_neq(faccessat(resctrl.root, "web1", F_OK, 0), 0);
    cr_assert_eq(mkdirat(resctrl.root, "web1", 0755), 0); /* somebody else's stays */
    apply(&resctrl, "{\"enableMonitoring\": true}", error);
    cr_expect_eq(faccessat(resctrl.root, "web1", F_OK, 0), 0);
    tear_down(&resctrl);
}

Test(resctrl, item_238_what_is_removed)
{
    static const struct {
        const char *rdt, *group, *monitor;
    } rows[] = {
        { "{}", "/r/web1", NULL },
        { "{\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"}", NULL, NULL },
        { "{\"closID\": \"/\", \"enableMonitoring\": true}", NULL, "/r/./mon_groups/web1" },
        { "{\"enableMonitoring\": true}", "/r/web1", "/r/web1/mon_groups/web1" },
    };
    const struct resctrl resctrl = { .root = -1, .path = (char *)(uintptr_t) "/r" };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_config *config = parse(rows[i].rdt);
        struct resctrl_plan plan;
        struct error err = { 0 };

        cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), 0, "%s", err.text);
        auto_free char *group = resctrl_group_path(&plan, &resctrl);
        auto_free char *monitor = resctrl_monitor_path(&plan, &resctrl);
        cr_expect_str_eq(group ? group : "", rows[i].group ? rows[i].group : "", "%s", rows[i].rdt);
        cr_expect_str_eq(monitor ? monitor : "", rows[i].monitor ? rows[i].monitor : "", "%s", rows[i].rdt);
        resctrl_plan_free(&plan);
        oci_config_free(config);
    }
}

Test(resctrl, item_240_update)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);
    struct resctrl_plan plan = { .group = "web1" };
    struct error err = { 0 };

    apply(&resctrl, "{}", error);
    cr_assert_eq(resctrl_update(&plan, &resctrl, "MB:0=50\n", &err), 0, "%s", err.text);
    expect_file(&resctrl, "web1/schemata", "MB:0=50\n");
    tear_down(&resctrl);
}

/* ---- statistics ------------------------------------------------------------------------------------- */

static void expect_stats(const struct resctrl *resctrl, const char *rdt, const char *expected)
{
    struct oci_config *config = parse(rdt);
    struct resctrl_plan plan;
    struct buffer out = { 0 };
    struct error err = { 0 };

    cr_assert_eq(resctrl_plan_make(config, "web1", &plan, &err), 0, "%s", err.text);
    resctrl_stats(&plan, resctrl, &out);
    cr_expect_str_eq(out.data, expected, "%s", out.data);
    buffer_free(&out);
    resctrl_plan_free(&plan);
    oci_config_free(config);
}

static void put_in(int dirfd, const char *directory, const char *file, const char *text)
{
    auto_free char *path = memory_format("%s/%s", directory, file);

    mkdirat(dirfd, directory, 0755);
    put(dirfd, path, text);
}

/* O6: "intel_rdt" as runc has it. */
Test(resctrl, stats)
{
    char directory[] = "/tmp/aril-unit.XXXXXX", error[ERROR_TEXT_SIZE];
    struct resctrl resctrl = fake(directory);

    apply(&resctrl, "{\"l3CacheSchema\": \"L3:0=f\"}", error);
    expect_stats(&resctrl, "{}",
                 "{\"l3_cache_schema_root\":\"L3:0=fffff\",\"l3_cache_schema\":\"L3:0=f\","
                 "\"mem_bw_schema_root\":\"MB:0=100\"}");
    mkdirat(resctrl.root, "info", 0755);
    put_in(resctrl.root, "info/L3", "cbm_mask", "fffff\n");
    put_in(resctrl.root, "info/L3", "min_cbm_bits", "2\n");
    put_in(resctrl.root, "info/L3", "num_closids", "16\n");
    put_in(resctrl.root, "info/MB", "bandwidth_gran", "10\n");
    put_in(resctrl.root, "info/MB", "min_bandwidth", "\"}\n"); /* the kernel writes numbers */
    put(resctrl.root, "web1/schemata", "    MB:0=50\n    L3:0=f\n");
    mkdirat(resctrl.root, "web1/mon_data", 0755);
    put_in(resctrl.root, "web1/mon_data/mon_L3_00", "llc_occupancy", "4096\n");
    put_in(resctrl.root, "web1/mon_data/mon_L3_00", "mbm_total_bytes", "7\n");
    put_in(resctrl.root, "web1/mon_data/mon_L3_00", "mbm_local_bytes", "Unavailable\n");
    put_in(resctrl.root, "web1/mon_data/mon_L3_01", "llc_occupancy", "0\n");
    put_in(resctrl.root, "web1/mon_data/mon_L3_01", "mbm_total_bytes", "9\n");
    expect_stats(&resctrl, "{}",
                 "{\"l3_cache_info\":{\"cbm_mask\":\"fffff\",\"min_cbm_bits\":2,\"num_closids\":16},"
                 "\"l3_cache_schema_root\":\"L3:0=fffff\",\"l3_cache_schema\":\"L3:0=f\","
                 "\"mem_bw_info\":{\"bandwidth_gran\":10},"
                 "\"mem_bw_schema_root\":\"MB:0=100\",\"mem_bw_schema\":\"MB:0=50\","
                 "\"mbm_stats\":[{\"mbm_total_bytes\":7},{\"mbm_total_bytes\":9}],"
                 "\"cmt_stats\":[{\"llc_occupancy\":4096},{\"llc_occupancy\":0}]}");
    apply(&resctrl, "{\"closID\": \"/\", \"enableMonitoring\": true}", error); /* its own counters */
    mkdirat(resctrl.root, "mon_groups/web1/mon_data", 0755);
    put_in(resctrl.root, "mon_groups/web1/mon_data/mon_L3_00", "llc_occupancy", "5\n");
    expect_stats(&resctrl, "{\"closID\": \"/\", \"enableMonitoring\": true}",
                 "{\"l3_cache_info\":{\"cbm_mask\":\"fffff\",\"min_cbm_bits\":2,\"num_closids\":16},"
                 "\"l3_cache_schema_root\":\"L3:0=fffff\",\"l3_cache_schema\":\"L3:0=fffff\","
                 "\"mem_bw_info\":{\"bandwidth_gran\":10},"
                 "\"mem_bw_schema_root\":\"MB:0=100\",\"mem_bw_schema\":\"MB:0=100\","
                 "\"cmt_stats\":[{\"llc_occupancy\":5}]}");
    tear_down(&resctrl);
}

Test(resctrl, stats_without_a_class)
{
    char directory[] = "/tmp/aril-unit.XXXXXX";
    struct resctrl resctrl = fake(directory);

    expect_stats(&resctrl, NULL, "{}");
    tear_down(&resctrl);
}
