/*
 * The companion is the one program of ours that loads shared libraries: libsystemd, libmount. aril itself is
 * linked statically, which halves what starting costs, and so could load none. Few containers need one; for
 * these the companion is run with a request as its arguments and answers on its standard output. Its image is
 * inside aril, so that there is nothing to install, find or mistrust.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>

#define COMPANION_FD 3 /* the descriptor that goes along, as the companion sees it */

/*
 * Runs it to its end. arguments[0] is the request; NULL ends them. `fd` goes along as COMPANION_FD; -1: none.
 * Its error is ours. The answer may hold NULs; freed by the caller.
 */
int companion_run(const char *const *arguments, int fd, char **answer, size_t *length, struct error *err);
