/*
 * The six points where hooks run, and the status and pid that each sees (item 252):
 *
 * - prestart, createRuntime: in the runtime's namespaces, after the mounts and before pivot_root; creating,
 * the host's pid
 * - createContainer: in the container's namespaces at the same moment, with host paths; creating, the pid in
 * there
 * - startContainer: in the container, after START and before the payload; created, the pid in there
 * - poststart: in the runtime's namespaces, after execve; running
 * - poststop: in the runtime's namespaces, after delete; stopped; failures only warn
 */
#include "launch/context.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "hooks/hooks.h"
#include "launch/lifecycle.h"
#include "oci-specs/schema.h"

#include <unistd.h>

static char *state_json(const struct container *container, enum container_state state, pid_t pid)
{
    struct oci_state *document = container_oci_state(container, state);
    auto_buffer struct buffer text = { 0 };

    document->pid = pid;
    document->has_pid = true;
    schema_write(&oci_state_schema, document, SCHEMA_COMPACT, &text);
    schema_free(&oci_state_schema, document);
    return buffer_take(&text);
}

static int run_one_kind(const char *kind, const struct oci_hook *hooks, size_t count,
                        const struct container *container, enum container_state state, pid_t pid,
                        char *const *default_env, struct error *err)
{
    auto_free char *json = NULL;
    struct hook_context context = { .kind = kind, .default_env = default_env };

    if (count == 0)
        return 0;
    json = state_json(container, state, pid);
    context.state_json = json;
    if (hooks_run(hooks, count, &context, err) == 0)
        return 0;
    err->code = HOOK_FAILED;
    return -1;
}

extern char **environ;

int hooks_at_create_runtime(struct launch *launch, struct error *err)
{
    const struct oci_hooks *hooks = launch->bundle.config->hooks;

    if (!hooks)
        return 0;
    if (run_one_kind("prestart", hooks->prestart, hooks->prestart_count, &launch->container,
                     CONTAINER_CREATING, launch->pid, environ, err) < 0)
        return -1;
    return run_one_kind("createRuntime", hooks->create_runtime, hooks->create_runtime_count,
                        &launch->container, CONTAINER_CREATING, launch->pid, environ, err);
}

int hooks_at_create_container(struct launch *launch, struct error *err)
{
    static char *const nothing[] = { NULL };
    const struct oci_hooks *hooks = launch->bundle.config->hooks;

    if (!hooks)
        return 0;
    return run_one_kind("createContainer", hooks->create_container, hooks->create_container_count,
                        &launch->container, CONTAINER_CREATING, getpid(), nothing, err);
}

int hooks_at_start_container(struct launch *launch, struct error *err)
{
    const struct oci_hooks *hooks = launch->bundle.config->hooks;

    if (!hooks)
        return 0;
    return run_one_kind("startContainer", hooks->start_container, hooks->start_container_count,
                        &launch->container, CONTAINER_CREATED, getpid(), launch->process.env, err);
}

int hooks_at_poststart(const struct oci_config *config, const struct container *container, struct error *err)
{
    if (!config->hooks)
        return 0;
    return run_one_kind("poststart", config->hooks->poststart, config->hooks->poststart_count, container,
                        CONTAINER_RUNNING, container->status->pid, environ, err);
}

void hooks_at_poststop(const struct oci_config *config, const struct container *container)
{
    auto_free char *json = NULL;
    struct hook_context context = { .kind = "poststop", .default_env = environ };

    if (!config || !config->hooks || config->hooks->poststop_count == 0)
        return;
    json = state_json(container, CONTAINER_STOPPED, 0);
    context.state_json = json;
    hooks_run_all(config->hooks->poststop, config->hooks->poststop_count, &context);
}
