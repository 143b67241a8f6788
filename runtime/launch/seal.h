/*
 * Protection of our own executable (CVE-2019-5736): a payload that gets at /proc/PID/exe of a runtime
 * process, or that makes the runtime execute "/proc/self/exe" as its payload, must not be able to write to
 * the host's binary.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

#define SEAL_SELF "/proc/self/exe"
#define SEAL_MARK "_ARIL_SEALED" /* in the environment of the second start */

/*
 * Called by create, run and exec before anything else. Executes this program again from a read-only clone of
 * its mount (or, where that is not permitted and the file could be written by us, from a sealed copy in
 * memory) and so does not return; returns 0 when we run from such a place already, or when the file is not
 * ours to write.
 */
int seal_self(char **argv, struct error *err);

/* launch/seal_clone.c: is our file on a mount that nobody can write through? */
bool seal_on_read_only_mount(void);

/* The first of these two ways. Returns only where it cannot be gone, or need not be. */
void seal_enter_clone(char *const *argv, char *const *environment);
