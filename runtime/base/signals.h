/* Signal state for programs that we start: nothing ignored, nothing blocked, whatever our caller left us
 * (item 257). */
#pragma once

#include <stdint.h>

/* Bit N-1 for signal N. */
#define SIGNALS_ALL UINT64_MAX

/* The signals that this process ignores, read from a procfs; SIGNALS_ALL where it does not say. */
uint64_t signals_ignored(int procfs);

/* Only of an ignored signal does execve() keep the disposition: the others need no system call each. */
void signals_reset(uint64_t ignored);
