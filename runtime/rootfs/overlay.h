/*
 * A root file system that aril puts together itself: read-only layers, shared with other containers without
 * copying, below one writable layer. overlay_request.c says what is wanted, overlay.c checks and mounts it.
 */
#pragma once

#include "rootfs/plan.h"

#define OVERLAY_DEFAULT_SIZE (2ull << 30) /* of the tmpfs, in bytes (O-7) */

struct overlay_request {
    char **lowers; /* absolute paths, the uppermost layer first, as overlayfs counts */
    size_t lower_count;
    char *upper;         /* NULL: a tmpfs that vanishes with the container */
    char *work;          /* on the file system of upper; only together with it */
    uint64_t tmpfs_size; /* bytes; 0: OVERLAY_DEFAULT_SIZE */
    bool idmap;          /* the layers' ids are the container's, to be shifted by linux.uidMappings */
    bool lower_is_root;  /* it is root.path of config.json: nothing was asked for */
};

/*
 * From the annotations dev.aril.rootfs.*. *request stays NULL where there are none. `bundle` is what relative
 * paths start from. Owned.
 */
int overlay_request_read(const struct oci_config *config, const char *bundle,
                         struct overlay_request **request, struct error *err);

/*
 * In a runtime that is the host's root: every directory must be in the bundle or below one that the operator
 * allows. Paths are replaced by what they resolve to.
 */
int overlay_request_bound(struct overlay_request *request, const char *bundle, struct error *err);
void overlay_request_free(struct overlay_request *request);
static inline void overlay_request_cleanup(struct overlay_request **request)
{
    overlay_request_free(*request);
}

/* Pure: what cannot go together is refused with the name of the annotation. */
int overlay_check(const struct rootfs_plan *plan, const struct overlay_request *request, struct error *err);

/*
 * Mounts it, detached: in the runtime where the container gets a user namespace and the runtime may mount
 * (`in_init` false), else in init. Returns the mount.
 */
int overlay_mount(struct rootfs_plan *plan, bool in_init, struct error *err);
