/*
 * What a profile means, and what an annotation may not ask for (P-2, P-3). Pure but for resolving the sources
 * of bind mounts. `in_force` is a profile that the operator or the command line set: below that nothing
 * falls, unless the operator names it in "mayLoosen".
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <stdlib.h>
#include <string.h>

/* Who can talk to one of them owns the machine (S-8). */
static const char *const runtime_sockets[] = {
    "/run/docker.sock",        "/run/containerd/containerd.sock", "/run/crio/crio.sock",
    "/run/podman/podman.sock", "/run/buildkit/buildkitd.sock",    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
};

static bool may_loosen(const struct policy_operator *operator, const char * name)
{
    return operator&& strings_contain(&operator->may_loosen, name);
}

static int check_loosening(bool looser, const char *name, const struct policy_operator *operator,
                           struct error * err)
{
    if (!looser || may_loosen(operator, name))
        return 0;
    return fail(err, EPERM,
                POLICY_PREFIX "%s: weaker than the profile in force, and the operator does not allow it",
                name);
}

bool policy_path_is_within(const char *path, const char *top)
{
    size_t length = strlen(top);

    while (length > 0 && top[length - 1] == '/')
        length--;
    return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool has_dot_dot(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return true;
    return false;
}

static int check_writable_roots(const struct policy_landlock *landlock,
                                const struct policy_operator *operator, struct error * err)
{
    for (size_t i = 0; landlock && i < landlock->writable_roots.count; i++) {
        const char *root = landlock->writable_roots.items[i];
        bool allowed = false;

        for (size_t j = 0; operator&& j<operator->allowed_writable.count; j++)
            allowed = allowed || policy_path_is_within(root, operator->allowed_writable.items[j]);
        if (!allowed || has_dot_dot(root))
            return fail(err, EPERM,
                        POLICY_PREFIX
                        "landlock: writable_roots[%zu]: %s is not within the operator's allowedWritable",
                        i, root);
    }
    return 0;
}

static int check_bounds(const struct policy_request *request, enum policy_profile in_force,
                        const struct policy_operator *operator, struct error * err)
{
    bool strict = in_force == POLICY_STRICT;

    if (check_loosening(request->profile && request->profile < in_force, "profile", operator, err) < 0 ||
        check_loosening(request->seccomp == POLICY_SECCOMP_OFF || request->seccomp == POLICY_SECCOMP_REPLACE,
                        "seccomp", operator, err) < 0 ||
        check_loosening(strict && request->speculation == POLICY_SPECULATION_OFF, "speculation", operator,
                        err) < 0 ||
        check_loosening(request->env_mode == POLICY_ENV_ALLOW || request->has_env_keys, "env", operator,
                        err) < 0)
        return -1;
    if (!strict || may_loosen(operator, "landlock"))
        return 0;
    return check_writable_roots(request->landlock, operator, err);
}

int policy_settle(struct policy_request *request, enum policy_profile in_force,
                  const struct policy_operator *operator, struct error * err)
{
    if (operator&& operator->profile> in_force)
        in_force = operator->profile;
    if (in_force && check_bounds(request, in_force, operator, err) < 0)
        return -1;
    if (request->seccomp == POLICY_SECCOMP_REPLACE && request->seccomp_deny.count == 0 &&
        !may_loosen(operator, "seccomp")) /* S-1 */
        return fail(err, EPERM, POLICY_PREFIX "seccomp.deny: an empty list needs the operator's permission");
    for (size_t i = 0; operator&& i<operator->required_count; i++)
        request->required[operator->required[i]] = true;
    if (request->has_env_keys && !request->env_mode)
        request->env_mode = POLICY_ENV_DENY;
    if (!request->profile)
        request->profile = in_force;
    if (!request->profile)
        return 0;
    if (!request->seccomp)
        request->seccomp = POLICY_SECCOMP_DEFAULT;
    if (!request->env_mode)
        request->env_mode = POLICY_ENV_DENY;
    if (!request->speculation && request->profile == POLICY_STRICT)
        request->speculation = POLICY_SPECULATION_BEST_EFFORT;
    return 0;
}

bool policy_is_bind(const struct oci_mount *mount)
{
    return (mount->type && strcmp(mount->type, "bind") == 0) || strings_contain(&mount->options, "bind") ||
           strings_contain(&mount->options, "rbind");
}

static bool reaches(const char *source, const char *socket)
{
    auto_free char *resolved = realpath(socket, NULL);

    return policy_path_is_within(socket, source) || (resolved && policy_path_is_within(resolved, source));
}

static int check_source(const char *source, size_t index, const char *const *sockets, size_t count,
                        struct error *err)
{
    auto_free char *resolved = realpath(source, NULL);

    for (size_t i = 0; i < count; i++)
        if (reaches(resolved ? resolved : source, sockets[i]))
            return fail(err, EPERM, "mounts[%zu].source: %s reaches %s, which the strict profile forbids",
                        index, source, sockets[i]);
    return 0;
}

int policy_check_sources(const struct oci_config *config, const struct policy_operator *operator,
                         struct error * err)
{
    const char *const *sockets = runtime_sockets;
    size_t count = array_length(runtime_sockets);

    if (operator&& operator->has_forbidden_sources) {
        sockets = (const char *const *)operator->forbidden_sources.items;
        count = operator->forbidden_sources.count;
    }
    for (size_t i = 0; i < config->mounts_count; i++)
        if (policy_is_bind(&config->mounts[i]) && config->mounts[i].source &&
            check_source(config->mounts[i].source, i, sockets, count, err) < 0)
            return -1;
    return 0;
}
