/*
 * The sandbox policy (P, E, S, L): annotations, bounds, the changed configuration, the record. All pure, by
 * policy_apply_with(); the text of errors is what a pod's author gets to see.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG                                                                                               \
    "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],"       \
    "\"env\":[\"PATH=/bin\",\"MY_API_KEY=1\",\"github_token=1\",\"ARIL_X=1\",\"A=1\"]},"                     \
    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"                         \
    "{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv\",\"options\":[\"bind\",\"rw\"]},"       \
    "{\"destination\":\"/ref\",\"type\":\"bind\",\"source\":\"/srv\",\"options\":[\"bind\",\"ro\"]}],"       \
    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},\"annotations\":{%s}}"

static struct oci_config *config_with(const char *annotations)
{
    auto_free char *text = memory_format(CONFIG, annotations);
    struct error err = { 0 };
    struct oci_config *config = oci_config_parse("config.json", text, strlen(text), &err);

    cr_assert_not_null(config, "%s", err.text);
    return config;
}

static struct policy_operator *operator_of(const char *text)
{
    struct error err = { 0 };
    struct policy_operator *operator;

    if (!text)
        return NULL;
    operator= schema_parse_strict(&policy_operator_schema, "sandbox.json", text, strlen(text), &err);
    cr_assert_not_null(operator, "%s", err.text);
    return operator;
}

struct row {
    const char *annotations;
    const char *error;
    enum policy_profile profile;
    const char *operator;
};

#define NO_NAME(name) ": '" name "' is neither vcs nor a relative path without patterns"

static void check_row(const struct row *row)
{
    struct oci_config *config = config_with(row->annotations);
    struct policy_operator *operator= operator_of(row->operator);
    struct policy_record *record;
    struct error err = { 0 };
    int result = policy_apply_with(config, row->profile, operator, & record, &err);

    if (row->error)
        cr_assert_str_eq(err.text, row->error, "%s: %s", row->annotations, err.text);
    else
        cr_assert_eq(result, 0, "%s: %s", row->annotations, err.text);
    cr_assert_eq(result == 0, record != NULL);
    schema_free(&policy_record_schema, record);
    schema_free(&policy_operator_schema, operator);
    oci_config_free(config);
}

#define A(name, value) "\"dev.aril." name "\":\"" value "\""

Test(policy, P1_unknown_names_and_values)
{
    static const struct row rows[] = {
        { A("profile", "strict"), NULL, 0, NULL },
        { A("profile", "balanced"), NULL, 0, NULL },
        { A("profile", "strickt"), "dev.aril.profile: 'strickt' is not one of strict, balanced", 0, NULL },
        { A("profile", ""), "dev.aril.profile: '' is not one of strict, balanced", 0, NULL },
        { A("profil", "strict"), "annotations: dev.aril.profil is unknown", 0, NULL },
        { A("layers", "x"), "annotations: dev.aril.layers is unknown", 0, NULL },
        { A("network", "off"),
          "dev.aril.network: 'off' is not one of host-config, none, unix-only, restricted", 0, NULL },
        { A("env.mode", "x"), "dev.aril.env.mode: 'x' is not one of deny, allow", 0, NULL },
        { A("env.mode", "allow"), "dev.aril.env.keys: is required with dev.aril.env.mode=allow", 0, NULL },
        { A("seccomp.deny", "[]"), "dev.aril.seccomp.deny: needs dev.aril.seccomp=replace or add", 0, NULL },
        { A("seccomp", "add"), "dev.aril.seccomp.deny: is required with replace and add", 0, NULL },
        { A("uid", "root"), "dev.aril.uid: 'root' is not a number from 0 to 4294967294", 0, NULL },
        { A("uid", "12345"), NULL, 0, NULL }, /* U-1 */
        { A("umask", "0999"), "dev.aril.umask: '0999' is not an octal number up to 0777", 0, NULL },
        { A("required", "landlock,secomp"),
          "dev.aril.required: 'secomp' is not one of landlock, seccomp, spec", 0, NULL },
        { A("session", "true"), "unavailable: dev.aril.session: not supported yet", 0, NULL },
        { A("readDenyPaths", "[\\\"/a/*\\\"]"), NULL, 0, NULL },
        { A("readDenyPaths", "[\\\"a\\\",\\\"\\\"]"), "dev.aril.readDenyPaths[1]: is empty", 0, NULL },
        { A("readOnlySubpaths", "[1]"), "dev.aril.readOnlySubpaths:1:10: list[0]: must be a string, is a number", 0,
          NULL },
        { A("landlock", "{\\\"read_deny_paths\\\":[\\\"\\\"]}"),
          "dev.aril.landlock: read_deny_paths[0]: is empty", 0, NULL },
        { A("protect", "vcs"), NULL, 0, NULL },
        { A("protect", "[\\\"vcs\\\",\\\"a/b\\\"]"), NULL, 0, NULL },
        { A("protect", "/x"), "dev.aril.protect" NO_NAME("/x"), 0, NULL },
        { A("protect", ""), "dev.aril.protect" NO_NAME(""), 0, NULL },
        { A("protect", "[\\\"a/../b\\\"]"), "dev.aril.protect" NO_NAME("a/../b"), 0, NULL },
        { A("protect", "[\\\".\\\"]"), "dev.aril.protect" NO_NAME("."), 0, NULL },
        { A("protect", "[\\\"a*\\\"]"), "dev.aril.protect" NO_NAME("a*"), 0, NULL },
        { A("uid", "1"), "/etc/aril/sandbox.json: protect" NO_NAME("../x"), 0, "{\"protect\":[\"../x\"]}" },
        { A("landlock", "{\\\"writable_roots\\\":[\\\"a\\\"]}"),
          "dev.aril.landlock: writable_roots[0]: 'a' is not absolute", 0, NULL },
        { A("landlock", "{\\\"tcp_connect\\\":[70000]}"),
          "dev.aril.landlock: tcp_connect[0]: 70000 is not a port", 0, NULL },
        { A("landlock", "{\\\"writable\\\":[]}"), "dev.aril.landlock:1:13: writable: is unknown", 0, NULL },
        { A("seccomp", "replace") "," A("seccomp.deny", "[\\\"execve\\\"]"),
          "dev.aril.seccomp.deny: execve cannot be denied: nothing could run", 0, NULL },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        check_row(&rows[i]);
}

#define WEAKER ": weaker than the profile in force, and the operator does not allow it"

Test(policy, P3_S1_nothing_falls_below_the_profile_in_force)
{
    static const struct row rows[] = {
        { A("profile", "balanced"), "dev.aril.profile" WEAKER, POLICY_STRICT, NULL },
        { A("profile", "balanced"), "dev.aril.profile" WEAKER, 0, "{\"profile\":\"strict\"}" },
        { A("profile", "balanced"), NULL, POLICY_STRICT, "{\"mayLoosen\":[\"profile\"]}" },
        { A("profile", "strict"), NULL, POLICY_BALANCED, NULL },
        { A("seccomp", "off"), "dev.aril.seccomp" WEAKER, POLICY_STRICT, NULL },
        { A("seccomp", "off"), NULL, POLICY_STRICT, "{\"mayLoosen\":[\"seccomp\"]}" },
        { A("seccomp", "off"), NULL, 0, NULL },
        { A("speculation", "off"), "dev.aril.speculation" WEAKER, POLICY_STRICT, NULL },
        { A("env.keys", "[]"), "dev.aril.env" WEAKER, POLICY_BALANCED, NULL },
        { A("landlock", "{\\\"writable_roots\\\":[\\\"/data2\\\"]}"),
          "dev.aril.landlock: writable_roots[0]: /data2 is not within the operator's allowedWritable",
          POLICY_STRICT, "{\"allowedWritable\":[\"/data\"]}" },
        { A("landlock", "{\\\"writable_roots\\\":[\\\"/data/../etc\\\"]}"),
          "dev.aril.landlock: writable_roots[0]: /data/../etc is not within the operator's allowedWritable",
          POLICY_STRICT, "{\"allowedWritable\":[\"/data\"]}" },
        { A("landlock", "{\\\"writable_roots\\\":[\\\"/data/x\\\"]}"), NULL, POLICY_STRICT,
          "{\"allowedWritable\":[\"/data/\"]}" },
        { A("seccomp", "replace") "," A("seccomp.deny", "[]"),
          "dev.aril.seccomp.deny: an empty list needs the operator's permission", 0, NULL },
        { A("seccomp", "replace") "," A("seccomp.deny", "[]"), NULL, 0, "{\"mayLoosen\":[\"seccomp\"]}" },
        { A("profile", "strict"),
          "process.env[2]: github_token looks like a secret, which the operator refuses", 0,
          "{\"refuseSecrets\":true}" }, /* E-6; AWS_… and the like */
        { A("seccomp", "off") "," A("required", "seccomp"),
          "dev.aril.required: seccomp, but dev.aril.seccomp is off", 0, NULL },
        { A("profile", "strict"),
          "mounts[1].source: /srv reaches /srv/s.sock, which the strict profile forbids", 0,
          "{\"forbiddenSources\":[\"/srv/s.sock\"]}" }, /* S-8 */
    };

    for (size_t i = 0; i < array_length(rows); i++)
        check_row(&rows[i]);
}

static struct policy_record *apply(struct oci_config *config, enum policy_profile profile)
{
    struct policy_record *record;
    struct error err = { 0 };

    cr_assert_eq(policy_apply_with(config, profile, NULL, &record, &err), 0, "%s", err.text);
    return record;
}

static const struct policy_path_rule *rule_of(const struct policy_record *record, const char *path)
{
    for (size_t i = 0; i < record->landlock->paths_count; i++)
        if (strcmp(record->landlock->paths[i].path, path) == 0)
            return &record->landlock->paths[i];
    return NULL;
}

Test(policy, P2_strict)
{
    struct oci_config *config = config_with("");
    struct policy_record *record = apply(config, POLICY_STRICT);

    cr_assert(config->process->no_new_privileges);
    cr_assert_eq(record->speculation, POLICY_SPECULATION_BEST_EFFORT);
    cr_assert_not_null(record->seccomp);
    cr_assert_not_null(record->landlock);
    cr_assert_not(record->landlock->required);
    cr_assert_str_eq(config->mounts[0].destination, "/tmp");
    cr_assert(strings_contain(&config->mounts[0].options, "nodev"));
    cr_assert_eq(config->process->env.count, 2);
    cr_assert_str_eq(config->process->env.items[1], "A=1");
    cr_assert_eq(rule_of(record, "/")->access, LANDLOCK_READ); /* L-3 */
    cr_assert_eq(rule_of(record, "/data")->access, LANDLOCK_ALL);
    cr_assert_eq(rule_of(record, "/tmp")->access, LANDLOCK_ALL);
    cr_assert_null(rule_of(record, "/ref"));
    schema_free(&policy_record_schema, record);
    oci_config_free(config);
}

Test(policy, P2_balanced)
{
    struct oci_config *config = config_with(A("profile", "balanced"));
    struct policy_record *record = apply(config, 0);

    cr_assert_not_null(record->seccomp);
    cr_assert_null(record->landlock);
    cr_assert_not(config->process->no_new_privileges);
    cr_assert_str_eq(config->mounts[0].destination, "/proc");
    cr_assert_eq(config->process->env.count, 2);
    schema_free(&policy_record_schema, record);
    oci_config_free(config);
}

Test(policy, P_nothing_asked_nothing_changed)
{
    struct oci_config *config = config_with("\"com.example\":\"x\"");
    struct policy_record *record = (void *)1;
    struct error err = { 0 };

    cr_assert_not(policy_is_asked_for(config));
    cr_assert_eq(policy_apply(config, policy_profile_unset, &record, &err), 0);
    cr_assert_null(record);
    cr_assert_eq(config->process->env.count, 5);
    oci_config_free(config);
}

Test(policy, L1_landlock_annotation)
{
    struct oci_config *config =
        config_with(A("landlock", "{\\\"writable_roots\\\":[\\\"/work\\\"],\\\"read_roots\\\":[\\\"/usr\\\"],"
                                  "\\\"read_deny_paths\\\":[\\\"/work/secret\\\"],\\\"tcp_connect\\\":[443],"
                                  "\\\"scope\\\":[\\\"signal\\\"],\\\"mode\\\":\\\"required\\\"}"));
    struct policy_record *record = apply(config, 0);
    struct landlock_plan plan;

    cr_assert(record->landlock->required);
    cr_assert_null(rule_of(record, "/"));
    cr_assert_not(rule_of(record, "/work")->optional);
    cr_assert_not_null(record->guards);
    cr_expect_str_eq(record->guards->items[0].path, "/work/secret");
    cr_expect_eq(record->guards->items[0].cover, POLICY_COVER_DENIED);
    policy_landlock_plan(record, &plan);
    cr_assert_eq(plan.ports, LANDLOCK_NET_CONNECT_TCP);
    cr_assert_eq(plan.port_rules[0].port, 443);
    cr_assert_eq(plan.scopes, LANDLOCK_SCOPE_SIGNALS);
    landlock_plan_free(&plan);
    schema_free(&policy_record_schema, record);
    oci_config_free(config);
}

Test(policy, E2_matcher)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        { "*_API_KEY", "MY_API_KEY", true },
        { "*_TOKEN", "github_token", true },
        { "AWS_*", "AWS_REGION", true },
        { "K8S_*", "K8S_X", true },
        { "KUBE_*", "KUBECONFIG", false },
        { "*_TOKEN", "MYTOKEN", false },
        { "*_TOKEN", "TOKEN_X", false },
        { "*mid*", "A_MID_B", true },
        { "*mid*", "mi", false },
        { "exact", "EXACT", true },
        { "exact", "exactly", false },
        { "*", "anything", true },
        { "", "x", false },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        cr_assert_eq(policy_env_matches(rows[i].pattern, rows[i].name, strlen(rows[i].name)), rows[i].matches,
                     "%s %s", rows[i].pattern, rows[i].name);
}

static void filtered(const struct policy_record *record, size_t keep_last, const char *expected)
{
    static const char *const names[] = { "PATH=1", "X_TOKEN=1", "ARIL_A=1", "NOTIFY_SOCKET=1", "B_SECRET=1" };
    struct strings env = { 0 };
    char text[200] = "";

    for (size_t i = 0; i < array_length(names); i++)
        strings_add(&env, names[i]);
    policy_env_filter(record, &env, keep_last);
    for (size_t i = 0; i < env.count; i++)
        strcat(strcat(text, env.items[i]), " ");
    cr_assert_str_eq(text, expected);
    cr_assert_null(env.items[env.count]);
    strings_free(&env);
}

Test(policy, E1_E3_E4_environment)
{
    char path[] = "PATH", star[] = "x_*", *items[] = { path, star, NULL };
    struct policy_record record = { 0 };

    filtered(&record, 0, "PATH=1 X_TOKEN=1 B_SECRET=1 "); /* only E-3 */
    record.env_mode = POLICY_ENV_DENY;
    filtered(&record, 0, "PATH=1 ");
    filtered(&record, 1, "PATH=1 B_SECRET=1 "); /* E-4: given by hand */
    record.env_keys = (struct strings){ .items = items, .count = 2 };
    record.has_env_keys = true;
    filtered(&record, 0, "B_SECRET=1 "); /* exactly those */
    record.env_mode = POLICY_ENV_ALLOW;
    filtered(&record, 0, "PATH=1 X_TOKEN=1 ");
}

Test(policy, P5_exec)
{
    struct oci_config *config = config_with("");
    struct policy_record *record = apply(config, POLICY_STRICT);
    struct oci_process *process = memory_new(sizeof *process);
    struct error err = { 0 };

    process->capabilities = memory_new(sizeof *process->capabilities);
    strings_add(&process->capabilities->bounding, "CAP_SYS_ADMIN");
    strings_add(&process->env, "A_TOKEN=file");
    strings_add(&process->env, "B_TOKEN=flag");
    cr_assert_eq(policy_apply_to_exec(record, config, process, 1, &err), 0);
    cr_assert(process->no_new_privileges);
    cr_assert_eq(process->capabilities->bounding.count, 0);
    cr_assert_eq(process->env.count, 1);
    schema_free(&oci_process_schema, process);
    schema_free(&policy_record_schema, record);
    oci_config_free(config);
}

Test(policy, operator_file_is_trusted_only_when_it_is_roots)
{
    static const struct {
        const char *text;
        mode_t mode;
        uid_t uid;
        const char *error;
    } rows[] = {
        { "{}", 0644, 0, NULL },
        { "{}", 0664, 0, "can be written by others than root (mode 0664)" },
        { "{}", 0646, 0, "can be written by others than root (mode 0646)" },
        { "{}", 0644, 1000, "belongs to user 1000, not to root" },
        { "{\"profle\":\"strict\"}", 0644, 0, "profle: is unknown" },
        { "{\"profile\":\"x\"}", 0644, 0, "'x' is not one of balanced, strict" },
        { "{", 0644, 0, "" },
    };

    if (geteuid() != 0)
        cr_skip_test("needs root");
    for (size_t i = 0; i < array_length(rows); i++) {
        char path[] = "/tmp/aril-operator.XXXXXX";
        int fd = mkstemp(path);
        struct policy_operator *operator;
        struct error err = { 0 };

        cr_assert_eq(write(fd, rows[i].text, strlen(rows[i].text)), (ssize_t)strlen(rows[i].text));
        cr_assert_eq(fchmod(fd, rows[i].mode) + fchown(fd, rows[i].uid, 0), 0);
        cr_assert_eq(policy_operator_read(path, &operator, & err), rows[i].error ? -1 : 0, "%s", err.text);
        cr_assert(strstr(err.text, rows[i].error ? rows[i].error : ""), "%s", err.text);
        schema_free(&policy_operator_schema, operator);
        unlink(path);
        close(fd);
    }
}

/* What is asked for, in which mounts: "PATH COVER[*] " each, with a "*" for patterns. */
static void expect_guards(const char *annotations, const char *operator_text, const char *expected)
{
    struct oci_config *config = config_with(annotations);
    struct policy_operator *operator= operator_of(operator_text);
    auto_buffer struct buffer text = { 0 };
    struct policy_record *record;
    struct error err = { 0 };

    cr_assert_eq(policy_apply_with(config, 0, operator, & record, &err), 0, "%s", err.text);
    for (size_t i = 0; record->guards && i < record->guards->items_count; i++) {
        const struct policy_guard *guard = &record->guards->items[i];

        buffer_add_format(&text, "%s %s%s ", guard->path, policy_cover_name(guard->cover), guard->pattern ? "*" : "");
    }
    buffer_add_char(&text, '\0');
    cr_expect_str_eq(text.data, expected);
    schema_free(&policy_record_schema, record);
    schema_free(&policy_operator_schema, operator);
    oci_config_free(config);
}

Test(policy, M3_M4_M5_guarded_paths)
{
    expect_guards(A("umask", "0"), NULL, "");
    expect_guards(A("protect", "vcs"), NULL,
                  "/.git read-only /.codex read-only /.agents read-only "
                  "/data/.git read-only /data/.codex read-only /data/.agents read-only ");
    expect_guards(A("protect", "x/y"), "{\"protect\":[\"x/y\",\"z\"]}",
                  "/x/y read-only /z read-only /data/x/y read-only /data/z read-only ");
    expect_guards(A("readDenyPaths", "[\\\"/ref/s\\\",\\\"*.key\\\"]"), NULL,
                  "/ref/s denied /*.key denied* /data/*.key denied* ");
    expect_guards(A("readOnlySubpaths", "[\\\"a\\\"]") "," A("readDenyPaths", "[\\\"/data//./a\\\"]"), NULL,
                  "/a read-only /data/a denied ");
    expect_guards(A("landlock", "{\\\"writable_roots\\\":[\\\"/data/w*\\\"],\\\"read_only_subpaths\\\":[\\\"?\\\"]}"),
                  NULL, "/? read-only* /data/? read-only* /data/w\\*/? read-only* ");
}

Test(policy, P5_mounts_of_a_container_with_guarded_paths)
{
    static const struct {
        const char *destination, *type, *option;
        bool remove;
        const char *error;
    } rows[] = {
        { "/new", "bind", "ro", false, NULL },
        { "/new", "tmpfs", "rw", false, NULL },
        { "/new", "bind", "rw", false,
          "mounts[0] (/new): paths of the container are guarded, so what is added must be read-only" },
        { "/new", "bind", "ro", true, NULL },
        { "/data", "bind", "ro", true, NULL },
        { "//data/./a/", "bind", "ro", true,
          "mounts[0] (/data/a): paths of the container are guarded, this may be a part of it" },
        { "/data/a/b", "bind", "ro", true,
          "mounts[0] (/data/a/b): paths of the container are guarded, this may be a part of it" },
    };
    struct oci_config *config = config_with(A("protect", "[\\\"a/b\\\"]"));
    struct policy_record *record;
    struct error err = { 0 };

    cr_assert_eq(policy_apply_with(config, 0, NULL, &record, &err), 0, "%s", err.text);
    for (size_t i = 0; i < array_length(rows); i++) {
        char *options[] = { (char *)rows[i].option, NULL };
        const struct oci_mount mount = { .destination = (char *)rows[i].destination,
                                         .type = (char *)rows[i].type,
                                         .options = { .items = options, .count = 1 } };
        int result = policy_check_mounts(record->guards, &mount, 1, rows[i].remove, &err);

        cr_expect_eq(result, rows[i].error ? -1 : 0, "%s", rows[i].destination);
        if (rows[i].error)
            cr_expect_str_eq(err.text, rows[i].error);
    }
    schema_free(&policy_record_schema, record);
    oci_config_free(config);
}
