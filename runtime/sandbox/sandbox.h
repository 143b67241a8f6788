/*
 * `sandbox-exec`: a command on the host's own root file system, under a policy. The policy becomes an ordinary
 * oci_config, which the ordinary launch path executes; nothing here runs inside the sandbox.
 *
 *     request ──rules.c──▶ paths with their access, links and globs resolved ──config.c──▶ oci_config
 */
#pragma once

#include "base/error.h"
#include "oci-specs/config.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/types.h>

enum sandbox_network {
    SANDBOX_NETWORK_NONE, /* a network namespace of its own with a loopback device */
    SANDBOX_NETWORK_UNIX, /* the same, and sockets of AF_UNIX only */
    SANDBOX_NETWORK_HOST, /* the host's */
};

struct sandbox_request {
    struct strings writable, overlays;  /* directories; missing ones are errors (M-6) */
    struct strings read_only, denied;   /* relative ones are below `cwd`; globs are expanded */
    struct strings joined_read_only, joined_denied; /* of a policy: relative ones are below each writable root (M-3) */
    enum sandbox_network network;
    const char *cwd; /* absolute */
    bool private_tmp; /* also when something below /tmp is writable */
    bool user_namespace;
    bool protect;     /* .git and friends in every writable root (M-5) */
};

/* Strictest first wins where two rules name the same path. */
enum sandbox_access {
    SANDBOX_PINNED, /* as writable as what is above it, but it cannot be moved: something below it is guarded */
    SANDBOX_WRITABLE,
    SANDBOX_OVERLAID,
    SANDBOX_READ_ONLY,
    SANDBOX_DENIED,
    SANDBOX_LINK, /* a symbolic link that must not be replaced: it is covered itself */
};

struct sandbox_rule {
    char *path; /* absolute; without links, but for the last component of SANDBOX_LINK */
    enum sandbox_access access;
    bool directory, pinned;
    char *scratch; /* SANDBOX_OVERLAID: the host directory with upper and work */
};

/* A directory made so that nothing else can be made there: see guard/guard.h. */
struct sandbox_placeholder {
    char *root, *path;
    int lock;
};

struct sandbox_rules {
    struct sandbox_rule *items; /* parents before children */
    size_t count;
    struct sandbox_placeholder *placeholders;
    size_t placeholder_count;
    bool private_tmp, private_run;
};

/* Makes placeholders and scratch directories; they are removed by sandbox_rules_free(), also after a failure. */
int sandbox_rules_make(const struct sandbox_request *request, struct sandbox_rules *rules, struct error *err);
void sandbox_rules_free(struct sandbox_rules *rules);

/* "~" and "~/x" are below $HOME, whoever was to expand them: no shell does it in --deny=~/x or in quotes. Owned. */
char *sandbox_path_expand_home(const char *path);

struct sandbox_command {
    const char *const *args; /* NULL-terminated */
    struct strings env;
    const char *cwd;
    bool terminal;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    bool user_namespace;
};

/* Owned; valid by construction. `seccomp` is taken over, or NULL. */
struct oci_config *sandbox_config_make(const struct sandbox_rules *rules, enum sandbox_network network,
                                       const struct sandbox_command *command, struct oci_seccomp *seccomp);

/* ---- policy.c ------------------------------------------------------------------------------------------- */

/*
 * The strictest of several documents, each JSON, "@FILE" or "fd:N": writable roots in all of them, denied and read-only
 * paths of any, network only when all allow it (M-9).
 */
struct sandbox_policy *sandbox_policy_merge(const char *const *documents, size_t count, struct error *err); /* owned */
int sandbox_policy_apply(const char *const *documents, size_t count, struct sandbox_request *request, struct error *err);

/* ---- environment.c --------------------------------------------------------------------------------------- */

/*
 * `environment` without secrets (E-2) unless `keep`, and without what is ours (E-3); then `settings`: "NAME=VALUE", or "NAME" for
 * the caller's value (E-4).
 */
int sandbox_environment_make(char *const *environment, bool keep, const char *const *settings, size_t count,
                             struct strings *result, struct error *err);
