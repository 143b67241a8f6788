/* Mounts over paths: the host's /dev/null over files, an empty directory over directories. */
#pragma once

#include "rootfs/mount.h"

extern const struct option_attributes cover_read_only, cover_null_attributes;

struct placing { /* one path: what is there, and what is mounted over it; or -1 */
    int destination, tree;
};

void placing_close(struct placing *placing);
#define auto_placing auto_cleanup(placing_close)

struct cover {    /* a mount that is used again and again */
    int detached; /* not yet mounted anywhere; or -1 */
    int mounted;  /* where the next clone comes from; or -1 */
};

void cover_free(struct cover *cover);
#define auto_cover auto_cleanup(cover_free)

/* `attributes` are for the first mount, the clones have them from it; NULL: none. */
int cover_mount(struct rootfs_plan *plan, struct cover *cover, const struct option_attributes *attributes,
                struct placing *placing, struct error *err);

/* One empty directory of this mode for all of them. */
int cover_make_empty(struct rootfs_plan *plan, struct cover *cover, const char *mode, struct error *err);

/* guard.c: what the sandbox policy guards, before read-only and masked paths (M-1). `null`: of the host's
 * /dev/null. */
int guards_apply(struct rootfs_plan *plan, struct cover *null, struct error *err);
