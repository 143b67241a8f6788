/* Waiting for the kernel to finish what was asked of it: short sleeps that grow. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_LONG 10000 /* ms: then something is wrong that time will not mend */
#define PATIENCE_SHORT 200  /* ms, where there is another way */

struct patience {
    unsigned limit;    /* ms in all */
    uint64_t deadline; /* CLOCK_MONOTONIC, ns; 0: not started */
    uint64_t pause;    /* ns, of the next sleep */
};

/* Sleeps a little. False when the time is up. */
bool patience_wait(struct patience *patience);
