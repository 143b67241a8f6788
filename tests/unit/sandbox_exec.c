/* `sandbox-exec`: paths, environment and the config that comes of them (M-1, M-7, E-2, E-4). */
#include "policy/policy.h"
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/edit.h"

#include <criterion/criterion.h>
#include <string.h>

Test(sandbox_exec, M7_paths_are_compared_by_component)
{
    static const struct {
        const char *path, *parent;
        bool within;
    } rows[] = {
        { "/tmp", "/tmp", true },        { "/tmp/a", "/tmp", true },  { "/tmpfile", "/tmp", false },
        { "/", "/tmp", false },          { "/tmp", "/", true },       { "/a", "/a/b", false },
        { "/repo/a/b", "/repo/a", true }, { "/repo/ab", "/repo/a", false },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        cr_expect_eq(guard_is_within(rows[i].path, rows[i].parent), rows[i].within, "%s in %s",
                     rows[i].path, rows[i].parent);
}

Test(sandbox_exec, E2_secrets)
{
    static const struct {
        const char *name;
        bool secret;
    } rows[] = {
        { "MY_API_KEY", true }, { "github_token", true }, { "AWS_REGION", true },  { "K8S_X", true },
        { "KUBE_X", true },     { "DB_PASSWORD", true },  { "aliyun_id", true },   { "KUBECONFIG", false },
        { "MYTOKEN", false },   { "TOKEN_X", false },     { "PATH", false },       { "_TOKEN", true },
        { "AWS_", true },       { "XAWS_Y", false },      { "A_SECRETS", false },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        cr_expect_eq(policy_env_is_secret(rows[i].name, strlen(rows[i].name)), rows[i].secret, "%s",
                     rows[i].name);
}

static void expect_environment(bool keep, const char *const *settings, size_t count, const char *expected)
{
    char *const environment[] = { (char[]){ "PATH=/bin" }, (char[]){ "X_TOKEN=t" }, (char[]){ "ARIL_LOG=1" },
                                  (char[]){ "LISTEN_FDS=1" }, (char[]){ "broken" }, NULL };
    auto_cleanup(strings_free) struct strings result = { 0 };
    auto_buffer struct buffer text = { 0 };
    struct error err = { 0 };

    cr_assert_eq(sandbox_environment_make(environment, keep, settings, count, &result, &err), 0, "%s", err.text);
    for (size_t i = 0; i < result.count; i++)
        buffer_add_format(&text, "%s ", result.items[i]);
    cr_expect_str_eq(text.data, expected);
}

Test(sandbox_exec, E4_settings_come_last)
{
    static const char *const settings[] = { "PATH=/usr/bin", "X_TOKEN", "ABSENT", "A=" };

    expect_environment(false, NULL, 0, "PATH=/bin ");
    expect_environment(true, NULL, 0, "PATH=/bin X_TOKEN=t ");
    expect_environment(false, settings, array_length(settings), "PATH=/usr/bin X_TOKEN=t A= ");
}

Test(sandbox_exec, M1_config_of_rules)
{
    struct sandbox_rule items[] = {
        { .path = (char[]){ "/repo" }, .access = SANDBOX_WRITABLE, .directory = true },
        { .path = (char[]){ "/repo/a" }, .access = SANDBOX_DENIED, .directory = true },
        { .path = (char[]){ "/repo/a/b" }, .access = SANDBOX_WRITABLE, .directory = true },
        { .path = (char[]){ "/repo/link" }, .access = SANDBOX_LINK },
        { .path = (char[]){ "/repo/secret" }, .access = SANDBOX_DENIED },
    };
    const struct sandbox_rules rules = { .items = items, .count = array_length(items), .private_run = true };
    static const char *const args[] = { "true", NULL };
    const struct sandbox_command command = { .args = args, .cwd = "/repo", .uid = 7, .gid = 8,
                                             .user_namespace = true };
    static const struct {
        const char *destination, *source, *option;
    } expected[] = {
        { "/", "/", "rro" },           { "/proc", "proc", "nosuid" },      { "/dev", "tmpfs", "nosuid" },
        { "/dev/pts", "devpts", "newinstance" }, { "/dev/shm", "shm", "nodev" }, { "/run", "tmpfs", "nodev" },
        { "/repo", "/repo", "rbind" }, { "/repo/a", "tmpfs", "mode=0111" }, { "/repo/a/b", "/repo/a/b", "rbind" },
        { "/repo/link", "/dev/null", "dest-nofollow" }, { "/repo/secret", "/dev/null", "ro" },
    };
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        sandbox_config_make(&rules, SANDBOX_NETWORK_NONE, &command, NULL);
    struct error err = { 0 };

    cr_assert_eq(oci_config_validate(config, &err), 0, "%s", err.text);
    cr_assert_eq(config->mounts_count, array_length(expected));
    for (size_t i = 0; i < array_length(expected); i++) {
        cr_expect_str_eq(config->mounts[i].destination, expected[i].destination);
        cr_expect_str_eq(config->mounts[i].source, expected[i].source);
        cr_expect(strings_contain(&config->mounts[i].options, expected[i].option), "%s", expected[i].destination);
    }
    for (size_t i = 1; i < config->mounts_count; i++) /* a link that comes up meanwhile leads nowhere */
        cr_expect_eq(strings_contain(&config->mounts[i].options, "src-nolinks"),
                     strcmp(config->mounts[i].source, config->mounts[i].destination) == 0);
    cr_expect(oci_config_new_namespace(config, OCI_NAMESPACE_NETWORK));
    cr_expect_eq(config->linux->uid_mappings[0].container_id, 7);
    cr_expect_eq(config->linux->uid_mappings[0].host_id, 7);
}

Test(sandbox_exec, M9_policies_merge_to_the_strictest)
{
    static const char *const documents[] = {
        "{\"writable_roots\":[\"/a\",\"/b\"],\"read_only_subpaths\":[\"x\"],\"network_allowed\":true}",
        "{\"writable_roots\":[\"/b\"],\"read_only_subpaths\":[],\"read_deny_paths\":[\"/s\"],\"network_allowed\":false}",
        "{\"writable_roots\":[\"/c\"],\"read_only_subpaths\":[],\"network_allowed\":true}",
    };
    struct sandbox_request request = { 0 };
    struct error err = { 0 };

    cr_assert_eq(sandbox_policy_apply(documents, 2, &request, &err), 0, "%s", err.text);
    cr_assert_eq(request.writable.count, 1);
    cr_expect_str_eq(request.writable.items[0], "/b");
    cr_expect_str_eq(request.joined_read_only.items[0], "x");
    cr_expect_str_eq(request.joined_denied.items[0], "/s");
    cr_expect_eq(request.network, SANDBOX_NETWORK_UNIX);
    cr_expect_eq(sandbox_policy_apply(documents, 3, &request, &err), -1);
    cr_expect_str_eq(err.text, "conflicting sandbox policies: no common writable roots");
    cr_expect_eq(sandbox_policy_apply(documents, 0, &request, &err), -1);
    cr_expect_str_eq(err.text, "no policies to merge");
    strings_free(&request.writable);
    strings_free(&request.joined_read_only);
    strings_free(&request.joined_denied);
}
