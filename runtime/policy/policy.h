/*
 * The sandbox policy: annotations `dev.aril.*` and a profile become a changed configuration and a record of
 * what config.json has no words for (Landlock, the speculation guard, a second seccomp filter, environment
 * rules). It runs in the runtime before anything is made; nothing else of the launch path knows annotations.
 * Without an annotation and without a profile there is no policy: not one file is opened.
 *
 * An annotation comes from the author of a pod. It can never widen what config.json grants, and where the
 * operator or the command line sets a profile, it cannot fall below that either.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"
#include "security/landlock.h"
#include "security/security.h"

#include <stdbool.h>
#include <stddef.h>

#define POLICY_PREFIX "dev.aril."
#define POLICY_OPERATOR_FILE "/etc/aril/sandbox.json"

/* The profile that --profile names, NULL for none. -1 with an error when it is none. */
int policy_profile_parse(const char *name, const char *what, enum policy_profile *profile, struct error *err);

/*
 * Reads the annotations of `config`, checks them against the operator's file, and changes `config` (P-1 …
 * P-6). *record is what the payload's processes have to do beyond config.json, NULL when there is no policy.
 * Owned: schema_free(&policy_record_schema, …). `profile`: from the command line, or unset.
 */
int policy_apply(struct oci_config *config, enum policy_profile profile, struct policy_record **record,
                 struct error *err);

/*
 * For a config that we made ourselves, without annotations: Landlock where its mounts are writable, and the guard.
 * POLICY_SPECULATION_OFF, or unset for Landlock: without that layer. Owned.
 */
struct policy_record *policy_record_for(const struct oci_config *config, enum policy_landlock_mode landlock,
                                        enum policy_speculation speculation);

/* Pure part of the above: `operator` may be NULL (defaults). */
int policy_apply_with(struct oci_config *config, enum policy_profile profile,
                      const struct policy_operator *operator, struct policy_record ** record,
                      struct error *err);

/*
 * What an exec'd process must not get around (P-5): no_new_privs, capabilities beyond the container's
 * bounding set, the environment rules. The last `explicit_env` variables were given by hand for this process,
 * and stay.
 */
int policy_apply_to_exec(const struct policy_record *record, const struct oci_config *config,
                         struct oci_process *process, size_t explicit_env, struct error *err);

/* Names of variables: those that concern the runtime itself (E-3), and those that are stripped by default (E-2). */
bool policy_env_is_own(const char *name, size_t length);
bool policy_env_is_secret(const char *name, size_t length);

/* Puts the policy's filter in front of the one of config.json. */
int policy_chain_seccomp(const struct policy_record *record, struct seccomp_filter *filter,
                         struct error *err);

/*
 * Init found less than what the kernel offers: a path that may be missing is (L-6). `annotations` are those of
 * the container's state, which policy_apply() told what is in force.
 */
void policy_note_degraded_landlock(struct string_map *annotations);

/* The record as a plan; owned: landlock_plan_free(). */
void policy_landlock_plan(const struct policy_record *record, struct landlock_plan *plan);

/*
 * Guarded paths (M-3 to M-5). In the runtime, before anything is made: what they are on the host, below the
 * `rootfs` (NULL: an overlay that aril mounts; `vanishes`: on a tmpfs) and the sources of binds, which are
 * relative to `bundle`. Then, with the record saved: what keeps the place of missing ones, and its removal.
 */
int policy_guards_find(struct policy_guards *guards, const char *bundle, const char *rootfs, bool vanishes,
                       struct error *err);
int policy_guards_make(const struct policy_guards *guards, struct error *err);
void policy_guards_release(const struct policy_guards *guards);
/* `mounts`: nothing is added that would have to be guarded as well, and no cover is removed (P-5). */
int policy_check_mounts(const struct policy_guards *guards, const struct oci_mount *mounts, size_t count,
                        bool remove, struct error *err);

/* For `probe`: the profiles there are, and below which paths the operator lets containers write. */
int policy_describe(struct strings *profiles, struct strings *allowed_writable, struct error *err);

/* policy.json in the state directory. */
int policy_save(const struct policy_record *record, int state_fd, struct error *err);
struct policy_record *policy_load(int state_fd, struct error *err);
