/* The environment of a sandboxed command: the caller's, without secrets. Pure. */
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "*X*", "*X", "X*" or exact; case does not matter (E-2). */
static bool matches(const char *pattern, const char *name, size_t length)
{
    size_t size = strlen(pattern);
    bool open_start = pattern[0] == '*', open_end = size > 1 && pattern[size - 1] == '*';
    const char *text = pattern + open_start;

    size -= (size_t)open_start + open_end;
    if (size > length)
        return false;
    for (size_t at = 0; at + size <= length; at++) {
        if ((at > 0 && !open_start) || (at + size < length && !open_end))
            continue;
        if (strncasecmp(name + at, text, size) == 0)
            return true;
    }
    return false;
}

static bool matches_any(const char *const *patterns, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (matches(patterns[i], name, length))
            return true;
    return false;
}

bool sandbox_environment_is_secret(const char *name, size_t length)
{
    static const char *const patterns[] = { "*_API_KEY", "*_TOKEN",  "*_SECRET", "*_PASSWORD", "AWS_*",
                                            "ALI_*",     "ALIYUN_*", "K8S_*",    "KUBE_*" };

    return matches_any(patterns, array_length(patterns), name, length);
}

/* They concern the runtime itself (E-3). */
static bool is_ours(const char *name, size_t length)
{
    static const char *const patterns[] = { "ARIL_*",     "_ARIL_*",    "NOTIFY_SOCKET",
                                            "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" };

    return matches_any(patterns, array_length(patterns), name, length);
}

static void set(struct strings *env, const char *setting)
{
    size_t length = strcspn(setting, "=") + 1;

    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], setting, length) == 0) {
            free(env->items[i]);
            env->items[i] = memory_string(setting);
            return;
        }
    strings_add(env, setting);
}

static const char *find(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment;
    return NULL;
}

int sandbox_environment_make(char *const *environment, bool keep, const char *const *settings, size_t count,
                             struct strings *result, struct error *err)
{
    for (char *const *entry = environment; *entry; entry++) {
        size_t length = strcspn(*entry, "=");

        if (!(*entry)[length] || length == 0 || is_ours(*entry, length) ||
            (!keep && sandbox_environment_is_secret(*entry, length)))
            continue;
        strings_add(result, *entry);
    }
    for (size_t i = 0; i < count; i++) {
        const char *setting = strchr(settings[i], '=') ? settings[i] : find(environment, settings[i]);

        if (settings[i][0] == '=' || !settings[i][0])
            return fail(err, EINVAL, "--env %s: a name is missing", settings[i]);
        if (setting)
            set(result, setting);
    }
    return 0;
}

char *sandbox_path_expand_home(const char *path)
{
    const char *home = getenv("HOME");

    if (path[0] != '~' || (path[1] != '/' && path[1]) || !home || home[0] != '/')
        return memory_string(path);
    return memory_format("%s%s", home, path + 1);
}
