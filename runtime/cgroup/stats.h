/* The statistics of a container's cgroup as `events` prints them (contract O6, O7), and its OOM kills. */
#pragma once

#include "base/buffer.h"
#include "cgroup/cgroup.h"

#include <stdint.h>

/* Where the files come from: those of a cgroup, or a test's. */
struct stats_source {
    bool unified;
    const char *v2_controllers; /* not unified: "hugetlb,memory", what v2 has beside v1; or NULL */
    /* The text of a file, owned; NULL when there is none. The controller is for v1. */
    char *(*read)(void *context, const char *controller, const char *file);
    void *context;
    const char *const *page_sizes; /* "2MB", …, ended by NULL */
    const char *intel_rdt;         /* a JSON object: no cgroup has it */
};

/* Pure: {"type":"stats","id":ID,"data":{…}} and a newline. */
void stats_format(const struct stats_source *source, const char *id, struct buffer *out);

/* The same of a recorded cgroup; `intel_rdt` as above. */
int cgroup_stats(const struct cgroup_location *location, const char *id, const char *intel_rdt,
                 struct buffer *out, struct error *err);

/* How many processes the kernel killed for want of memory. 0 when that is not known. */
uint64_t cgroup_oom_kills(const struct cgroup_location *location);

/* Becomes readable when that number may have changed; drain it with read(2). -1 without an error: not here.
 */
int cgroup_oom_watch(const struct cgroup_location *location);
