/* The resources that `update` sets: from --resources, changed by flags. Pure, but for reading the file. */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

struct update_flags {
    const char *resources; /* a file, or "-" */
    const char *blkio_weight;
    const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_idle, *cpu_share;
    const char *cpu_rt_period, *cpu_rt_runtime;
    const char *cpuset_cpus, *cpuset_mems;
    const char *memory, *memory_reservation, *memory_swap;
    const char *pids_limit;
    const char *l3_cache_schema, *mem_bw_schema;
    const char *kernel_memory, *kernel_memory_tcp; /* accepted, and ignored with a warning */
};

/* Owned: schema_free(&oci_resources_schema, …). NULL on error. */
struct oci_resources *update_resources_make(const struct update_flags *flags, struct error *err);

/* "1048576", "512k", "64M", "1.5GiB"; "-1" for no limit. */
int update_parse_size(const char *text, int64_t *size);
