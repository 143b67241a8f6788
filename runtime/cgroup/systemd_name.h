/* The unit that a cgroupsPath for systemd names, and where systemd puts it. Pure. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

struct unit_name {
    char *slice; /* "a-b.slice" */
    char *unit;  /* "prefix-name.scope" */
};

/*
 * "SLICE:PREFIX:NAME" (item 204). Empty parts: system.slice, or user.slice with the user's manager; no
 * prefix; the id (item 205). `path` NULL or "" is ":aril:ID".
 */
int unit_name_parse(const char *path, const char *id, bool user, struct unit_name *name, struct error *err);
void unit_name_free(struct unit_name *name);

/* "a-b.slice" → "/a.slice/a-b.slice"; "-.slice" → "". Owned; NULL for what is no slice. */
char *unit_slice_path(const char *slice);
