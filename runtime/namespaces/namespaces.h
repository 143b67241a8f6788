/* Namespaces: which to make, which to join, id maps, sysctls, host name. plan.c is pure. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NAMESPACE_KINDS 8

struct namespace_join {
    const char *path; /* borrowed from the config */
    int flag;         /* CLONE_NEW* */
    int fd;           /* opened by namespaces_open() */
};

struct namespace_plan {
    uint64_t clone_flags;  /* made by clone3() */
    bool new_cgroup;       /* unshared by init once it is inside its cgroup */
    bool new_time;         /* unshared by the parent of init, which writes the offsets first */
    struct namespace_join joins[NAMESPACE_KINDS];
    size_t join_count;
    bool join_user, join_pid;
    char *uid_map, *gid_map; /* text for /proc/PID/{u,g}id_map; NULL without a new user namespace */
};

int namespace_plan_make(const struct oci_config *config, struct namespace_plan *plan, struct error *err);
void namespace_plan_free(struct namespace_plan *plan);
void namespace_plan_describe(const struct namespace_plan *plan, struct buffer *out);

/* Opens every path and checks that it is a namespace of the type it claims to be (item 133), before any side effect. */
int namespaces_open(struct namespace_plan *plan, struct error *err);

/* In the runtime: id maps of a child that waits, with newuidmap/newgidmap when the kernel refuses us. */
int namespaces_write_id_maps(const struct namespace_plan *plan, pid_t pid, struct error *err);

/* In init. */
int namespaces_join(const struct namespace_plan *plan, int which_flags, struct error *err);
int namespaces_bring_up_loopback(struct error *err);
int namespaces_set_names(const struct oci_config *config, struct error *err); /* hostname, domainname */
/* sysctl map: checked (pure) before anything runs, written through the verified procfs. */
int sysctl_check(const struct oci_config *config, struct error *err);
int sysctl_apply(const struct oci_config *config, int procfs, struct error *err);
/* netDevices: moved into the network namespace of `pid` (items 155-161). */
int net_devices_move(const struct oci_config *config, pid_t pid, struct error *err);
