/*
 * Landlock: which files, ports and processes the payload may reach, checked by the kernel, and never to be
 * loosened again (L-1 … L-6). A plan is plain data: landlock_plan_* are pure. Two calls carry it out: the
 * ruleset is made while the process can still open every path, and enforced when its ids have changed.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what the kernel offers ---------------------------------------------------------------------------- */

/* Rights to files, as the kernel numbers them; the ABI that brought each one. */
#define LANDLOCK_FS_EXECUTE (1ULL << 0) /* 1 */
#define LANDLOCK_FS_WRITE_FILE (1ULL << 1)
#define LANDLOCK_FS_READ_FILE (1ULL << 2)
#define LANDLOCK_FS_READ_DIR (1ULL << 3)
#define LANDLOCK_FS_REMOVE_DIR (1ULL << 4)
#define LANDLOCK_FS_REMOVE_FILE (1ULL << 5)
#define LANDLOCK_FS_MAKE_CHAR (1ULL << 6)
#define LANDLOCK_FS_MAKE_DIR (1ULL << 7)
#define LANDLOCK_FS_MAKE_REG (1ULL << 8)
#define LANDLOCK_FS_MAKE_SOCK (1ULL << 9)
#define LANDLOCK_FS_MAKE_FIFO (1ULL << 10)
#define LANDLOCK_FS_MAKE_BLOCK (1ULL << 11)
#define LANDLOCK_FS_MAKE_SYM (1ULL << 12)
#define LANDLOCK_FS_REFER (1ULL << 13)     /* 2 */
#define LANDLOCK_FS_TRUNCATE (1ULL << 14)  /* 3 */
#define LANDLOCK_FS_IOCTL_DEV (1ULL << 15) /* 5 */

#define LANDLOCK_NET_BIND_TCP (1ULL << 0) /* 4 */
#define LANDLOCK_NET_CONNECT_TCP (1ULL << 1)

#define LANDLOCK_SCOPE_ABSTRACT_UNIX (1ULL << 0) /* 6 */
#define LANDLOCK_SCOPE_SIGNALS (1ULL << 1)

#define LANDLOCK_LOG_NEW_EXEC (1U << 1) /* 7: denials of what the payload executes are audited as well */

#define LANDLOCK_ABI_NEWEST 7

/* What rules usually grant. */
#define LANDLOCK_READ (LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR)
#define LANDLOCK_WRITE_FILES                                                                                 \
    (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE)
#define LANDLOCK_DEVICE (LANDLOCK_WRITE_FILES | LANDLOCK_FS_IOCTL_DEV)
#define LANDLOCK_ALL ((1ULL << 16) - 1)

/* ABI version of this kernel, or 0: none (not built, or not among the LSMs of the boot line). */
int landlock_abi(void);

/* Rights to files and ports, and scopes, that an ABI knows. Pure. */
struct landlock_offer {
    uint64_t files, ports, scopes;
    unsigned flags;
};
struct landlock_offer landlock_offer(int abi);

/* ---- the plan ------------------------------------------------------------------------------------------ */

struct landlock_path {
    char *path;      /* absolute, as the payload sees it; bytes, not UTF-8 */
    uint64_t access; /* LANDLOCK_FS_x; what a file that is no directory cannot have is left out */
    bool optional;   /* missing: skipped, the layer is "degraded" (L-6); else an error that names it */
    bool quiet;      /* optional, and missing is nothing to mention (/dev/tty in a minimal /dev) */
};

struct landlock_port {
    uint16_t port;
    uint64_t access; /* LANDLOCK_NET_x */
};

struct landlock_plan {
    bool enabled;
    bool required;  /* what the kernel does not offer is an error, not "degraded" or "unsupported" */
    uint64_t files; /* handled: denied unless a rule grants it */
    uint64_t ports;
    uint64_t scopes;
    struct landlock_path *paths;
    size_t path_count;
    struct landlock_port *port_rules;
    size_t port_count;
};

enum landlock_state { LANDLOCK_ACTIVE, LANDLOCK_DEGRADED, LANDLOCK_UNSUPPORTED };

/* Handles all rights to files; no ports, no scopes, no rules. */
void landlock_plan_init(struct landlock_plan *plan, bool required);
void landlock_plan_allow(struct landlock_plan *plan, const char *path, uint64_t access, bool optional);
/* For paths of every container, whose absence is normal. */
void landlock_plan_allow_quietly(struct landlock_plan *plan, const char *path, uint64_t access);
void landlock_plan_allow_port(struct landlock_plan *plan, uint16_t port, uint64_t access);
void landlock_plan_free(struct landlock_plan *plan);

/*
 * What a kernel with this ABI (0: none) makes of the plan; with `required` everything but LANDLOCK_ACTIVE is
 * an error that names the ABI that is needed. Pure.
 */
int landlock_plan_check(const struct landlock_plan *plan, int abi, enum landlock_state *state,
                        struct error *err);

/* ---- carrying it out ----------------------------------------------------------------------------------- */

/*
 * Opens the paths below the current root directory (symbolic links are followed, magic links refused) and
 * makes a ruleset of what this kernel offers. *ruleset is its fd (O_CLOEXEC), or -1 when there is nothing to
 * enforce. `state` may be NULL.
 */
int landlock_make_ruleset(const struct landlock_plan *plan, int *ruleset, enum landlock_state *state,
                          struct error *err);

/* From here on mount(2) and its kin fail, too. Needs no_new_privs or CAP_SYS_ADMIN. ruleset -1: nothing to
 * do. */
int landlock_enforce(int ruleset, struct error *err);
