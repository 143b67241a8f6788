/* What an update is about to change, so that one that fails half-way changes nothing. */
#pragma once

#include "cgroup/directories.h"
#include "cgroup/rows.h"

/*
 * Appends to `old` what the files of `rows` hold now, as rows that write it back. What cannot be read, or not
 * be written back, is left out.
 */
void cgroup_rows_in_force(const struct cgroup_rows *rows, const struct cgroup_directories *directories,
                          struct cgroup_rows *old);

/* Pure: what would write back the part of a file's text that `value` changes. Owned; NULL when nothing would.
 */
char *cgroup_value_in_force(const char *file, const char *text, const char *value);

/* Writes them, the last first; best effort. */
void cgroup_rows_restore(const struct cgroup_rows *old, const struct cgroup_directories *directories);
