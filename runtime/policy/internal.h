/* What the files of runtime/policy share. */
#pragma once

#include "policy/policy.h"

/* The annotations, parsed; what was not given is unset (0, NULL, has_… false). */
struct policy_request {
    enum policy_profile profile;
    enum policy_speculation speculation;
    enum policy_seccomp seccomp;
    enum policy_denial denial;
    enum policy_network network;
    enum policy_env_mode env_mode;
    struct policy_landlock *landlock;
    struct strings seccomp_deny, env_keys, read_only, read_deny, extra_writable, protect;
    bool has_seccomp_deny, has_env_keys;
    bool required[POLICY_LAYER_SPECULATION + 1];
    uint32_t uid, gid, umask;
    bool init;
    bool has_uid, has_gid, has_umask;
    size_t count; /* annotations of ours; 0: nothing was asked for */
};

/* annotations.c. Pure. */
bool policy_is_asked_for(const struct oci_config *config);
int policy_request_parse(const struct oci_config *config, struct policy_request *request, struct error *err);
void policy_request_free(struct policy_request *request);

/* operator.c: NULL and no error when there is no file. */
int policy_operator_read(const char *path, struct policy_operator **operator, struct error * err);

/* bounds.c: profile defaults into the request, and what the operator does not allow is an error (P-2, P-3).
 */
int policy_settle(struct policy_request *request, enum policy_profile in_force,
                  const struct policy_operator *operator, struct error * err);
/* Is `path` equal to `top` or beneath it, by components? */
bool policy_path_is_within(const char *path, const char *top);
bool policy_is_bind(const struct oci_mount *mount);
int policy_check_sources(const struct oci_config *config, const struct policy_operator *operator,
                         struct error * err);

/* grants.c: mounts and arguments that are added (M-2, F-10). */
int policy_add_writable(const struct strings *paths, const struct policy_operator *operator,
                        struct oci_config *config, struct error * err);
int policy_add_init(const struct policy_operator *operator, struct oci_config * config, struct error *err);

/* guards.c: what is to be guarded, and in which mounts; NULL where nothing is (M-3 to M-5). */
int policy_guards_plan(const struct policy_request *request, const struct policy_operator *operator,
                       const struct oci_config * config, struct policy_guards **guards, struct error *err);
/* The path is taken over. Of two covers of the same path the stricter one stays. */
struct policy_guard *policy_guard_add(struct policy_guards *guards, char *path, enum policy_cover cover,
                                      const char *label);
int policy_protect_check(const struct strings *names, const char *what, struct error *err);

/* environment.c: E-1 to E-3, E-6. */
bool policy_env_matches(const char *pattern, const char *name, size_t length);
void policy_env_filter(const struct policy_record *record, struct strings *env, size_t keep_last);
int policy_env_refuse_secrets(const struct strings *env, const char *what, struct error *err);

/* rules.c: the Landlock rules of a container (L-3). */
bool policy_tmp_is_free(const struct oci_config *config, const struct policy_landlock *landlock);
struct policy_ruleset *policy_ruleset_make(const struct oci_config *config,
                                           const struct policy_landlock *landlock, bool required);
bool policy_mount_is_read_only(const struct oci_mount *mount);
bool policy_mount_is_of_system(const struct oci_mount *mount);
void policy_ruleset_add_roots(struct policy_ruleset *ruleset, const struct strings *roots);
