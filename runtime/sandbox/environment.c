/* The environment of a sandboxed command: the caller's, without secrets. Pure. */
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

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

        if (!(*entry)[length] || length == 0 || policy_env_is_own(*entry, length) ||
            (!keep && policy_env_is_secret(*entry, length)))
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
