/*
 * Which variables of process.env the payload gets (E-1 to E-3, E-6). Pure. Values are never looked at, and
 * never appear in messages.
 */
#include "policy/internal.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Denied when nothing else is said. */
static const char *const builtin_globs[] = { "*_API_KEY", "*_TOKEN",  "*_SECRET", "*_PASSWORD", "AWS_*",
                                             "ALI_*",     "ALIYUN_*", "K8S_*",    "KUBE_*" };

/* Our own, whatever the rules say. NOTIFY_SOCKET and LISTEN_x are set by the launcher when they are meant. */
static const char *const own_globs[] = { "ARIL_*",     "_ARIL_*",    "NOTIFY_SOCKET",
                                         "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" };

static const char *const secret_globs[] = { "*SECRET*",  "*TOKEN*", "*PASSWORD*", "*PRIVATE_KEY*", "AWS_*",
                                            "CODEAPI_*", "REDIS_*", "S3_*",       "MINIO_*" };

static bool contains(const char *name, size_t length, const char *part, size_t part_length)
{
    for (size_t i = 0; i + part_length <= length; i++)
        if (strncasecmp(name + i, part, part_length) == 0)
            return true;
    return false;
}

/* Case-insensitive: *X* anywhere, *X at the end, X* at the beginning, else the whole name. */
bool policy_env_matches(const char *pattern, const char *name, size_t length)
{
    size_t size = strlen(pattern);
    bool open_start = size > 0 && pattern[0] == '*', open_end;

    pattern += open_start;
    size -= open_start;
    open_end = size > 0 && pattern[size - 1] == '*';
    size -= open_end;
    if (size > length)
        return false;
    if (open_start && open_end)
        return contains(name, length, pattern, size);
    if (open_start)
        return strncasecmp(name + length - size, pattern, size) == 0;
    if (open_end)
        return strncasecmp(name, pattern, size) == 0;
    return size == length && strncasecmp(name, pattern, size) == 0;
}

static bool matches_any(const char *const *patterns, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (policy_env_matches(patterns[i], name, length))
            return true;
    return false;
}

bool policy_env_is_own(const char *name, size_t length)
{
    return matches_any(own_globs, array_length(own_globs), name, length);
}

bool policy_env_is_secret(const char *name, size_t length)
{
    return matches_any(builtin_globs, array_length(builtin_globs), name, length);
}

static bool is_kept(const struct policy_record *record, const char *entry)
{
    const char *const *keys = (const char *const *)record->env_keys.items;
    const size_t length = strcspn(entry, "=");

    if (policy_env_is_own(entry, length))
        return false;
    if (!record->env_mode)
        return true;
    if (record->env_mode == POLICY_ENV_ALLOW)
        return matches_any(keys, record->env_keys.count, entry, length);
    if (record->has_env_keys)
        return !matches_any(keys, record->env_keys.count, entry, length);
    return !policy_env_is_secret(entry, length);
}

void policy_env_filter(const struct policy_record *record, struct strings *env, size_t keep_last)
{
    const size_t filtered = env->count - (keep_last < env->count ? keep_last : env->count);
    size_t kept = 0;

    for (size_t i = 0; i < env->count; i++) {
        if (i >= filtered || is_kept(record, env->items[i]))
            env->items[kept++] = env->items[i];
        else
            free(env->items[i]);
    }
    env->count = kept;
    if (env->items)
        env->items[kept] = NULL;
}

int policy_env_refuse_secrets(const struct strings *env, const char *what, struct error *err)
{
    for (size_t i = 0; i < env->count; i++) {
        const size_t length = strcspn(env->items[i], "=");

        if (matches_any(secret_globs, array_length(secret_globs), env->items[i], length))
            return fail(err, EPERM, "%s.env[%zu]: %.*s looks like a secret, which the operator refuses", what,
                        i, (int)(length > 100 ? 100 : length), env->items[i]);
    }
    return 0;
}
