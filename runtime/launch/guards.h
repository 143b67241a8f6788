/* Guarded paths of the sandbox policy (policy/policy.h) in a container's life: found, kept, released. */
#pragma once

#include "launch/context.h"

/* NULL: none. */
struct policy_guards *launch_guards(const struct launch *launch);

/* Steps of create. Before the container is on record; after; and its undo. */
int launch_find_guards(struct launch *launch, struct error *err);
int launch_make_placeholders(struct launch *launch, struct error *err);
void launch_remove_placeholders(struct launch *launch);

/* `delete`, `mounts`: from the record. */
void guards_release(const struct container *container);
int guards_check_mounts(const struct container *container, const struct oci_mount *mounts, size_t count,
                        bool remove, struct error *err);
