/*
 * What of the sandbox works on this machine, for this user: every layer is really made, in a child of its own
 * (C-1, C-2). Asking the kernel for its version would not tell.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

/* One row of the report. */
struct probe_result {
    const char *state; /* "active", "degraded", "unsupported" */
    struct error err;  /* why not "active" */
};

/*
 * Runs every layer; `directory` is where uppers of overlays would be. Owned:
 * schema_free(&probe_report_schema, …). The caller adds what it knows of the whole (probe_report_add).
 */
struct probe_report *probe_run(const char *directory);
void probe_report_add(struct probe_report *report, const char *name, bool needed, const struct probe_result *result);
