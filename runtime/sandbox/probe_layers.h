/* The table of what probe tries, for probe.c, which runs it. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define PROBE_NOBODY 65534

/* The states, by address. */
extern const char probe_active[], probe_degraded[], probe_unsupported[];

struct probe_trial {
    const char *name;
    bool needed; /* without it there is no sandbox at all */
    bool root_only;
    const char *(*try)(const char *directory, struct error *err); /* a state, or NULL with err */
};

extern const struct probe_trial probe_trials[];
extern const size_t probe_trial_count;
