/*
 * linux.intelRdt (contract items 232-240): classes of service for caches and memory bandwidth. The plan is
 * pure; what is applied goes through a descriptor of the resctrl file system's root, which nobody touches
 * without linux.intelRdt in the config.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/types.h>

struct resctrl_plan {
    const char *group; /* directory of the class below the root; ".": the default class. NULL: no intelRdt */
    const char *monitor; /* the monitoring group's name, or NULL */
    char *schemata;      /* owned; the lines to write or to compare with, or NULL */
    bool must_exist;     /* closID without any schema: somebody else makes the class (item 235) */
    bool named;          /* by closID: never removed by us (item 238) */
};

int resctrl_plan_make(const struct oci_config *config, const char *id, struct resctrl_plan *plan,
                      struct error *err);
void resctrl_plan_free(struct resctrl_plan *plan);

/* The lines of a schemata file that the three properties ask for, in the order of item 236; owned, NULL:
 * none. */
char *resctrl_join_schemata(const char *l3_cache_schema, const char *mem_bw_schema,
                            const struct strings *schemata);

/*
 * Does an existing schemata file say what `wanted` says? Compared by resource and domain: order, blanks,
 * leading zeros and domains that `wanted` does not name make no difference (item 239).
 */
bool resctrl_schemata_match(const char *wanted, const char *existing);

struct resctrl {
    int root; /* O_PATH */
    char *path;
    /* mkdirat(); the unit tests' plain directories need files in it as well */
    int (*make_directory)(int dirfd, const char *path);
};

/* Where resctrl is mounted; not mounted is an error (item 232). */
int resctrl_open(struct resctrl *resctrl, struct error *err);
void resctrl_close(struct resctrl *resctrl);

/* The class and its schemata (made and written, or compared), and the monitoring group. */
int resctrl_create(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct error *err);

/* The process and all its later children into the class. */
int resctrl_assign(const struct resctrl_plan *plan, const struct resctrl *resctrl, pid_t pid,
                   struct error *err);

/* `update`: other schemata for the class. */
int resctrl_update(const struct resctrl_plan *plan, const struct resctrl *resctrl, const char *schemata,
                   struct error *err);

/* For `events`: the class, its monitoring group and what the processor has, as the object "intel_rdt" of
 * runc's statistics. What has no file is left out. */
void resctrl_stats(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct buffer *out);

/*
 * Before resctrl_create(): what it will have made and delete has to remove (item 238), as absolute paths for
 * the record, owned. NULL: nothing, because it is there already or belongs to nobody's container.
 */
char *resctrl_group_path(const struct resctrl_plan *plan, const struct resctrl *resctrl);
char *resctrl_monitor_path(const struct resctrl_plan *plan, const struct resctrl *resctrl);

/* These two, either may be NULL. Already gone is success. */
int resctrl_remove(const char *group, const char *monitor, struct error *err);
