/*
 * The state store: one directory per container below the root (--root), mode 0700:
 *
 *     ROOT/ID/status.json   struct container_status; replaced atomically, always whole
 *     ROOT/ID/config.json   the configuration as it was at create (contract item 12)
 *     ROOT/ID/start.sock    exists from "created" until `start`; the init process listens on it
 *     ROOT/ID/init          a link to "PID START-TIME" of a container without a cgroup: there is nothing else
 * by which `delete` could find its init when status.json does not say it (yet, or any more)
 *
 * mkdir of ROOT/ID is what makes an id unique (of twenty racing creates one wins). Whoever creates or deletes
 * holds flock(LOCK_EX) on the directory; a directory without a pid whose lock is free was left by a create
 * that died.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct store {
    char *root; /* absolute */
    int fd;     /* O_PATH */
};

enum container_state { /* names by container_state_name() */
                       CONTAINER_CREATING,
                       CONTAINER_CREATED,
                       CONTAINER_RUNNING,
                       CONTAINER_PAUSED,
                       CONTAINER_STOPPED,
};

struct container {
    char *id;
    int fd;                          /* of ROOT/ID, O_DIRECTORY; the flock hangs on it */
    int root_fd;                     /* borrowed from the store */
    struct container_status *status; /* never NULL: all but the id is empty when it is corrupt */
    bool corrupt;                    /* status.json cannot be read: only delete --force makes sense */
    bool locked;                     /* by us, see container_lock() */
};

/* [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most 255 bytes. Error: "invalid container ID format: X". */
int container_id_check(const char *id, struct error *err);

/*
 * `root` from --root, or NULL: /run/aril for root, $XDG_RUNTIME_DIR/aril otherwise (and for root in a user
 * namespace when that is set and /run is not writable). With `create` it is made (0700); without, a missing
 * one gives code ENOENT.
 */
int store_open(const char *root, bool create, struct store *store, struct error *err);
void store_close(struct store *store);

/* Reserves an id: makes the directory, takes its lock, writes the first status. "container with given ID
 * already exists: …" */
int store_create(struct store *store, const char *id, const struct container_status *status,
                 struct container *container, struct error *err);

/* Loads a container. ENOENT: "container `ID` does not exist". A broken status sets `corrupt` instead of
 * failing. */
int store_load(struct store *store, const char *id, struct container *container, struct error *err);

/* For all who need more than the id: an error that says what is wrong with status.json. */
int container_check(const struct container *container, struct error *err);

/* Replaces status.json with container->status. */
int container_save(struct container *container, struct error *err);

/* false: --cgroup-manager disabled, or none was made yet */
bool container_has_cgroup(const struct container *container);

/* Makes the link `init`; one that is there already is replaced. */
int container_note_init(const struct container *container, pid_t pid, uint64_t start_time, struct error *err);

/* What it says; false when there is none. */
bool container_noted_init(const struct container *container, pid_t *pid, uint64_t *start_time);

/*
 * flock: waits up to `timeout_ms` (0: try once). EWOULDBLOCK: "container `ID` is locked by another command".
 * What was read before may be out of date once the lock is ours: the status is read again, and ENOENT says
 * that the container was deleted meanwhile. The lock hangs on the open file, which a cloned process shares:
 * it lasts until container_close() here, or until all copies of the fd are closed.
 */
int container_lock(struct container *container, int timeout_ms, struct error *err);

/* The same for who has made the container: only its maker writes the record, which need not be read again. */
int container_lock_again(struct container *container, int timeout_ms, struct error *err);

/* Lets other commands delete it while we only watch (run in the foreground). */
void container_unlock(struct container *container);

/*
 * Removes the directory, status.json last; the id is free afterwards. Takes the lock if it is not ours;
 * success when another command has deleted it meanwhile, even when a new container has its id.
 */
int container_remove(struct container *container, struct error *err);

void container_close(struct container *container); /* frees; releases the lock */

/* Is a command working on this container now (holding its lock)? */
bool container_is_locked(const struct container *container);

const char *container_state_name(enum container_state state);

/* All ids below the root, sorted; owned. */
int store_list(struct store *store, struct strings *ids, struct error *err);

/* The OCI state document (state.def) of a container; owned: schema_free(&oci_state_schema, …). */
struct oci_state *container_oci_state(const struct container *container, enum container_state state);
