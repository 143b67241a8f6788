/*
 * aril plan: what create would do with a bundle, as JSON, without doing any of it: for golden tests, bug
 * reports and readers.
 */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/privilege.h"
#include "cgroup/cgroup.h"
#include "cli/plan_process.h"
#include "container/bundle.h"
#include "namespaces/namespaces.h"
#include "oci-specs/schema.h"
#include "policy/policy.h"
#include "rootfs/overlay.h"


struct plan_options {
    const char *bundle;
    const char *config;
    const char *id;
    bool no_pivot;
};

static const struct option_row options[] = {
    { "bundle", 'b', OPTION_STRING, offsetof(struct plan_options, bundle), "DIR",
      "the bundle (the same as the argument)" },
    { "config", 'f', OPTION_STRING, offsetof(struct plan_options, config), "FILE",
      "use this file instead of the bundle's config.json" },
    { "id", 0, OPTION_STRING, offsetof(struct plan_options, id), "ID",
      "plan for a container of this id (default: plan)" },
    { "no-pivot", 0, OPTION_FLAG, offsetof(struct plan_options, no_pivot), NULL,
      "plan with chroot instead of pivot_root" },
    { 0 },
};

static int describe_namespaces(const struct oci_config *config, struct buffer *out, struct error *err)
{
    struct namespace_plan plan = { 0 };

    if (namespace_plan_make(config, &plan, err) < 0)
        return -1;
    namespace_plan_describe(&plan, out);
    namespace_plan_free(&plan);
    return 0;
}

static int describe_rootfs(const struct bundle *bundle, const struct policy_record *policy, bool no_pivot,
                           struct buffer *out, struct error *err)
{
    auto_cleanup(overlay_request_cleanup) struct overlay_request *overlay = NULL;
    struct rootfs_context context = {
        .bundle = bundle->path,
        .rootfs = bundle->rootfs,
        .no_pivot = no_pivot,
        .rootless = !privilege_of_host(),
        .guards = policy ? policy->guards : NULL,
    };
    struct rootfs_plan *plan;

    if (overlay_request_read(bundle->config, bundle->path, &overlay, err) < 0)
        return -1;
    context.overlay = overlay;
    plan = rootfs_plan_make(bundle->config, &context, err);
    if (!plan)
        return -1;
    rootfs_plan_describe(plan, out);
    rootfs_plan_free(plan);
    return 0;
}

static int describe_cgroup(const struct bundle *bundle, const struct invocation *invocation,
                           struct buffer *out, struct error *err)
{
    const struct plan_options *chosen = invocation->options;
    struct cgroup_plan *plan = cgroup_plan_make(bundle->config, chosen->id ? chosen->id : "plan",
                                                cli_cgroup_driver(invocation->globals), err);

    if (!plan)
        return -1;
    cgroup_plan_describe(plan, out);
    cgroup_plan_free(plan);
    return 0;
}

static int describe(const struct bundle *bundle, const struct policy_record *policy,
                    const struct invocation *invocation, struct buffer *out, struct error *err)
{
    const struct plan_options *chosen = invocation->options;

    buffer_add_string(out, "{\n\"namespaces\": ");
    if (describe_namespaces(bundle->config, out, err) < 0)
        return -1;
    buffer_add_string(out, ",\n\"cgroup\": ");
    if (describe_cgroup(bundle, invocation, out, err) < 0)
        return -1;
    buffer_add_string(out, ",\n\"rootfs\": ");
    if (describe_rootfs(bundle, policy, chosen->no_pivot, out, err) < 0)
        return -1;
    if (bundle->config->process) {
        buffer_add_string(out, ",\n\"process\": ");
        if (plan_describe_process(bundle->config, out, err) < 0)
            return -1;
    }
    buffer_add_string(out, "\n}\n");
    return 0;
}

/* The plan is that of the configuration which the policy leaves. */
static int apply_policy(const struct bundle *bundle, const struct invocation *invocation,
                        struct policy_record **policy, struct error *err)
{
    enum policy_profile profile = policy_profile_unset;

    if (invocation->globals->profile)
        profile = policy_profile_value(invocation->globals->profile);
    return policy_apply(bundle->config, profile, policy, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct plan_options *chosen = invocation->options;
    const char *path = invocation->argument_count ? invocation->arguments[0] : chosen->bundle;
    auto_buffer struct buffer json = { 0 };
    struct policy_record *policy = NULL;
    struct bundle bundle;
    int result;

    if (chosen->id && container_id_check(chosen->id, err) < 0)
        return -1;
    if (bundle_open(path, chosen->config, &bundle, err) < 0)
        return -1;
    result = apply_policy(&bundle, invocation, &policy, err);
    if (result == 0)
        result = describe(&bundle, policy, invocation, &json, err);
    schema_free(&policy_record_schema, policy);
    if (result == 0)
        result = cli_print_buffer(&json, err);
    bundle_close(&bundle);
    return result;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "Print what create would do with a bundle, as JSON",
    .arguments = "[BUNDLE]",
    .options = options,
    .options_size = sizeof(struct plan_options),
    .max_arguments = 1,
    .run = run,
};
