/*
 * Guarded paths in a container's life. Runs in the runtime. What keeps the place of missing ones is on record
 * (policy.json) before it is made, so that `delete` finds what a killed create has left.
 */
#include "launch/guards.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "oci-specs/schema.h"
#include "rootfs/overlay.h"

struct policy_guards *launch_guards(const struct launch *launch)
{
    return launch->policy ? launch->policy->guards : NULL;
}

int launch_find_guards(struct launch *launch, struct error *err)
{
    struct policy_guards *guards = launch_guards(launch);
    const char *rootfs = launch->overlay ? NULL : launch->bundle.rootfs;

    if (!guards)
        return 0;
    return policy_guards_find(guards, launch->bundle.path, rootfs, launch->overlay && !launch->overlay->upper,
                              err);
}

int launch_make_placeholders(struct launch *launch, struct error *err)
{
    const struct policy_guards *guards = launch_guards(launch);

    if (!guards || policy_guards_make(guards, err) == 0)
        return 0;
    policy_guards_release(guards);
    return -1;
}

void launch_remove_placeholders(struct launch *launch)
{
    const struct policy_guards *guards = launch_guards(launch);

    if (guards)
        policy_guards_release(guards);
}

/* Without a status the policy's own file says whether there are any. */
void guards_release(const struct container *container)
{
    struct policy_record *record;
    struct error err = { 0 };

    if (!container->corrupt && !container->status->placeholders)
        return;
    record = policy_load(container->fd, &err);
    if (record && record->guards)
        policy_guards_release(record->guards);
    else if (!record && !(container->corrupt && err.code == ENOENT))
        log_warning("placeholders of container %s: %s", container->id, err.text);
    schema_free(&policy_record_schema, record);
}

/* What was decided at create holds (P-5). */
int guards_check_mounts(const struct container *container, const struct oci_mount *mounts, size_t count,
                        bool remove, struct error *err)
{
    struct policy_record *record;
    int result = 0;

    if (!container->status->policy)
        return 0;
    record = policy_load(container->fd, err);
    if (!record)
        return -1;
    if (record->guards)
        result = policy_check_mounts(record->guards, mounts, count, remove, err);
    schema_free(&policy_record_schema, record);
    return result;
}
