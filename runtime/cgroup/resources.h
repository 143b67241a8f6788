/*
 * linux.resources → rows, all properties but `devices` (device_rules.h). Pure. 0 counts as "leave alone"
 * wherever 0 is no useful limit, because engines send whole structs of zeros with `update`.
 */
#pragma once

#include "base/error.h"
#include "cgroup/rows.h"
#include "oci-specs/types.h"

int cgroup_resources_v1(const struct oci_resources *resources, struct cgroup_rows *rows, struct error *err);
int cgroup_resources_v2(const struct oci_resources *resources, struct cgroup_rows *rows, struct error *err);

/* The rules that both versions share: burst and quota, swap and limit, page sizes, what must not be empty. */
int cgroup_resources_check(const struct oci_resources *resources, struct error *err);

/* The four lists of blockIO, each with its name in config.json and those that it has on v1 and v2. */
struct cgroup_throttle {
    const struct oci_throttle_device *devices;
    size_t count;
    const char *name, *v1_file, *v2_key;
};
#define CGROUP_THROTTLES 4
void cgroup_resources_throttles(const struct oci_block_io *io,
                                struct cgroup_throttle throttles[CGROUP_THROTTLES]);

/* A limit of a page size is one of its reservations, too; `file`: "max", or "limit_in_bytes" on v1. */
void cgroup_resources_huge_pages(const struct oci_resources *resources, const char *file,
                                 struct cgroup_rows *rows);

/* pids.max and rdma.max, which are the same on both. */
void cgroup_resources_pids(const struct oci_resources *resources, struct cgroup_rows *rows);
void cgroup_resources_rdma(const struct oci_resources *resources, struct cgroup_rows *rows);

/* A property that this version cannot express: "PROPERTY: not supported on cgroup vN". Returns -1. */
int cgroup_unsupported(struct error *err, const char *property, int version);
