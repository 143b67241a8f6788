/*
 * Annotations as a table: name, and how its value is read. Pure. A name below our prefix that is not in the
 * table is an error: a misspelt restriction would be none.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <stdlib.h>
#include <string.h>

struct annotation {
    const char *name; /* without the prefix */
    int (*read)(const struct annotation *row, const char *value, struct policy_request *request,
                struct error *err);
};

static int fail_value(const struct annotation *row, const char *value, const char *allowed, struct error *err)
{
    return fail(err, EINVAL, POLICY_PREFIX "%s: '%.100s' is not %s", row->name, value, allowed);
}

#define ENUM_READER(type, member, allowed)                                                                   \
    static int read_##member(const struct annotation *row, const char *value,                                \
                             struct policy_request *request, struct error *err)                              \
    {                                                                                                        \
        request->member = type##_value(value);                                                               \
        return request->member ? 0 : fail_value(row, value, allowed, err);                                   \
    }
ENUM_READER(policy_profile, profile, "one of strict, balanced")
ENUM_READER(policy_speculation, speculation, "one of off, best-effort, required")
ENUM_READER(policy_seccomp, seccomp, "one of default, off, replace, add")
ENUM_READER(policy_denial, denial, "one of EPERM, EACCES, kill")
ENUM_READER(policy_network, network, "one of host-config, none, unix-only, restricted")
ENUM_READER(policy_env_mode, env_mode, "one of deny, allow")

/* Our parser takes objects only, so the array becomes a member of one. */
static int read_list(const struct annotation *row, const char *value, struct strings *list, struct error *err)
{
    auto_free char *name = memory_format(POLICY_PREFIX "%s", row->name);
    auto_free char *text = memory_format("{\"list\":%s}", value);
    struct policy_list *object = schema_parse_strict(&policy_list_schema, name, text, strlen(text), err);

    if (!object)
        return -1;
    strings_free(list);
    *list = object->list;
    object->list = (struct strings){ 0 };
    schema_free(&policy_list_schema, object);
    return 0;
}

static int read_seccomp_deny(const struct annotation *row, const char *value, struct policy_request *request,
                             struct error *err)
{
    request->has_seccomp_deny = true;
    return read_list(row, value, &request->seccomp_deny, err);
}

static int read_env_keys(const struct annotation *row, const char *value, struct policy_request *request,
                         struct error *err)
{
    request->has_env_keys = true;
    return read_list(row, value, &request->env_keys, err);
}

static int read_read_only(const struct annotation *row, const char *value, struct policy_request *request,
                          struct error *err)
{
    return read_list(row, value, &request->read_only, err);
}

static int read_read_deny(const struct annotation *row, const char *value, struct policy_request *request,
                          struct error *err)
{
    return read_list(row, value, &request->read_deny, err);
}

/* A JSON array of names, or one of them as people write it: "vcs" (M-5). */
static int read_protect(const struct annotation *row, const char *value, struct policy_request *request,
                        struct error *err)
{
    if (value[0] != '[')
        strings_add(&request->protect, value);
    else if (read_list(row, value, &request->protect, err) < 0)
        return -1;
    return policy_protect_check(&request->protect, POLICY_PREFIX "protect", err);
}

static int read_extra_writable(const struct annotation *row, const char *value, struct policy_request *request,
                               struct error *err)
{
    return read_list(row, value, &request->extra_writable, err);
}

static int read_init(const struct annotation *row, const char *value, struct policy_request *request,
                     struct error *err)
{
    request->init = strcmp(value, "true") == 0;
    return request->init || strcmp(value, "false") == 0 ? 0 : fail_value(row, value, "true or false", err);
}

/* A JSON array, or names with commas as people write them. */
static int read_required(const struct annotation *row, const char *value, struct policy_request *request,
                         struct error *err)
{
    struct strings names = { 0 };
    int result = 0;

    if (value[0] == '[') {
        if (read_list(row, value, &names, err) < 0)
            return -1;
    } else {
        auto_free char *copy = memory_string(value);
        char *rest = copy, *one;

        while ((one = strsep(&rest, ",")))
            strings_add(&names, one);
    }
    for (size_t i = 0; i < names.count && result == 0; i++) {
        enum policy_layer layer = policy_layer_value(names.items[i]);

        request->required[layer] = true;
        if (!layer)
            result = fail_value(row, names.items[i], "one of landlock, seccomp, spec", err);
    }
    strings_free(&names);
    return result;
}

static int check_ports(const uint32_t *ports, size_t count, const char *what, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i] > UINT16_MAX)
            return fail(err, EINVAL, POLICY_PREFIX "landlock: %s[%zu]: %u is not a port", what, i, ports[i]);
    return 0;
}

static int check_roots(const struct strings *roots, const char *what, struct error *err)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots->items[i][0] != '/')
            return fail(err, EINVAL, POLICY_PREFIX "landlock: %s[%zu]: '%s' is not absolute", what, i,
                        roots->items[i]);
    return 0;
}

static int read_landlock(const struct annotation *row, const char *value, struct policy_request *request,
                         struct error *err)
{
    struct policy_landlock *landlock;

    (void)row;
    landlock =
        schema_parse_strict(&policy_landlock_schema, POLICY_PREFIX "landlock", value, strlen(value), err);
    if (!landlock)
        return -1;
    request->landlock = landlock;
    if (check_ports(landlock->tcp_bind, landlock->tcp_bind_count, "tcp_bind", err) < 0 ||
        check_ports(landlock->tcp_connect, landlock->tcp_connect_count, "tcp_connect", err) < 0 ||
        check_roots(&landlock->writable_roots, "writable_roots", err) < 0 ||
        check_roots(&landlock->read_roots, "read_roots", err) < 0)
        return -1;
    return 0;
}

static int read_id(const struct annotation *row, const char *value, uint32_t *id, struct error *err)
{
    uint64_t number;

    if (!number_parse_unsigned(value, UINT32_MAX - 1, &number)) /* U-1: numbers, never names */
        return fail_value(row, value, "a number from 0 to 4294967294", err);
    *id = (uint32_t)number;
    return 0;
}

static int read_uid(const struct annotation *row, const char *value, struct policy_request *request,
                    struct error *err)
{
    request->has_uid = true;
    return read_id(row, value, &request->uid, err);
}

static int read_gid(const struct annotation *row, const char *value, struct policy_request *request,
                    struct error *err)
{
    request->has_gid = true;
    return read_id(row, value, &request->gid, err);
}

static int read_umask(const struct annotation *row, const char *value, struct policy_request *request,
                      struct error *err)
{
    char *end;
    unsigned long number = strtoul(value, &end, 8);

    if (value[0] < '0' || value[0] > '7' || *end || number > 0777)
        return fail_value(row, value, "an octal number up to 0777", err);
    request->umask = (uint32_t)number;
    request->has_umask = true;
    return 0;
}

/* Known, but not yet there: refused, so that nobody believes to be protected by it. */
static int refuse(const struct annotation *row, const char *value, struct policy_request *request,
                  struct error *err)
{
    (void)value;
    (void)request;
    return fail(err, ENOTSUP, "unavailable: " POLICY_PREFIX "%s: not supported yet", row->name);
}

static const struct annotation annotations[] = {
    { "profile", read_profile },
    { "required", read_required },
    { "landlock", read_landlock },
    { "speculation", read_speculation },
    { "seccomp", read_seccomp },
    { "seccomp.deny", read_seccomp_deny },
    { "seccomp.errno", read_denial },
    { "network", read_network },
    { "env.mode", read_env_mode },
    { "env.keys", read_env_keys },
    { "uid", read_uid },
    { "gid", read_gid },
    { "umask", read_umask },
    { "readOnlySubpaths", read_read_only },
    { "readDenyPaths", read_read_deny },
    { "extraWritable", read_extra_writable },
    { "init", read_init },
    { "protect", read_protect },
    { "preset", refuse },
    { "proc", refuse },
    { "session", refuse },
    { "idleTimeout", refuse },
    { "overlays", refuse },
    { "workspace.path", refuse },
    { "workspace.source", refuse },
    { "workspace.mode", refuse },
    { "workspace.persist", refuse },
    { "workspace.maxSize", refuse },
};

static const struct annotation *find(const char *name)
{
    for (size_t i = 0; i < array_length(annotations); i++)
        if (strcmp(annotations[i].name, name) == 0)
            return &annotations[i];
    return NULL;
}

static const char *our_name(const struct string_pair *pair)
{
    const size_t length = sizeof POLICY_PREFIX - 1;

    if (strncmp(pair->key, POLICY_PREFIX, length) != 0 || strncmp(pair->key + length, "rootfs.", 7) == 0)
        return NULL; /* those below rootfs. are rootfs/overlay_request.c's, which checks them itself */
    return pair->key + length;
}

bool policy_is_asked_for(const struct oci_config *config)
{
    for (size_t i = 0; i < config->annotations.count; i++)
        if (our_name(&config->annotations.items[i]))
            return true;
    return false;
}

/* Combinations that would leave one of the two without effect. */
static int check_pairs(const struct policy_request *request, struct error *err)
{
    bool has_list = request->seccomp == POLICY_SECCOMP_REPLACE || request->seccomp == POLICY_SECCOMP_ADD;

    if (request->has_seccomp_deny && !has_list)
        return fail(err, EINVAL, POLICY_PREFIX "seccomp.deny: needs " POLICY_PREFIX "seccomp=replace or add");
    if (has_list && !request->has_seccomp_deny)
        return fail(err, EINVAL, POLICY_PREFIX "seccomp.deny: is required with replace and add");
    if (request->env_mode == POLICY_ENV_ALLOW && !request->has_env_keys)
        return fail(err, EINVAL, POLICY_PREFIX "env.keys: is required with " POLICY_PREFIX "env.mode=allow");
    return 0;
}

int policy_request_parse(const struct oci_config *config, struct policy_request *request, struct error *err)
{
    *request = (struct policy_request){ 0 };
    for (size_t i = 0; i < config->annotations.count; i++) {
        const struct string_pair *pair = &config->annotations.items[i];
        const char *name = our_name(pair);
        const struct annotation *row = name ? find(name) : NULL;

        if (!name)
            continue;
        if (!row)
            return fail(err, EINVAL, "annotations: %.200s is unknown", pair->key);
        if (row->read(row, pair->value, request, err) < 0)
            return -1;
        request->count++;
    }
    return check_pairs(request, err);
}

void policy_request_free(struct policy_request *request)
{
    schema_free(&policy_landlock_schema, request->landlock);
    strings_free(&request->seccomp_deny);
    strings_free(&request->env_keys);
    strings_free(&request->read_only);
    strings_free(&request->read_deny);
    strings_free(&request->extra_writable);
    strings_free(&request->protect);
    *request = (struct policy_request){ 0 };
}
