/*
 * The speculation guard (G-1): takes speculative store bypass and indirect branch speculation away from the
 * calling process and all that it ever executes. Since Linux 5.16 a seccomp filter alone does not do that.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* What became of a layer of the sandbox; the words that `state` shows (P-6). */
enum speculation_state {
    SPECULATION_ACTIVE,      /* both are off for good: forced, or by the CPU or the kernel for everybody */
    SPECULATION_DEGRADED,    /* one of the two */
    SPECULATION_UNSUPPORTED, /* neither: the CPU or the boot parameters do not offer the control */
};

/*
 * For the calling process, at any time, without privilege; survives execve. `required`: everything but
 * SPECULATION_ACTIVE is an error that names the control. `state` may be NULL.
 */
int speculation_guard(bool required, enum speculation_state *state, struct error *err);

/* What speculation_guard() would reach, without changing the process: for a decision before anything is made.
 */
enum speculation_state speculation_probe(void);

/* Pure: does this answer of PR_GET_SPECULATION_CTRL (-1: none) mean that it is off for good? */
bool speculation_is_off(int get);
