/*
 * Runs the hooks of config.json (contract items 245-257): in order, each with the state as JSON on stdin,
 * only the hook's own environment (absent: the runtime's for hooks in the runtime's namespaces, empty in the
 * container's), a timeout that ends in SIGKILL of the whole process group, and its output (last 1 KiB, one
 * line) in the error.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

struct hook_context {
    const char *kind; /* "createRuntime": for errors: createRuntime hook[0] (/usr/bin/x): exit status 1: … */
    const char *state_json;   /* what the hook reads */
    const char *cwd;          /* NULL: stay */
    char *const *default_env; /* when hook.env is absent */
};

/* Stops at the first failure. */
int hooks_run(const struct oci_hook *hooks, size_t count, const struct hook_context *context,
              struct error *err);

/* Failures are warnings in the log and the rest still runs (poststop, item 37). */
void hooks_run_all(const struct oci_hook *hooks, size_t count, const struct hook_context *context);
