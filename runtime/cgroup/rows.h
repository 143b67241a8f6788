/* The limits as data: one row is one value for one file of the container's cgroup. Pure. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum cgroup_row_rule {
    ROW_REQUIRED,     /* a missing file is an error: the limit was asked for (contract item 177) */
    ROW_OPTIONAL,     /* a missing file is fine: the kernel behaves as the value says without it */
    ROW_OR_NEXT,      /* a missing file: the next row says the same to another file; written: the next one is
                         skipped */
    ROW_IF_PERMITTED, /* EPERM is fine: what the cgroup above forbids stays forbidden */
};

struct cgroup_row {
    char *controller; /* "memory"; "" for files that every v2 cgroup has */
    char *file;
    char *value;
    char *property; /* the JSON path that asked for it */
    enum cgroup_row_rule rule;
    bool v2;      /* for the v2 hierarchy, which may stand beside v1 ones */
    bool doubted; /* a limit that newer kernels take and forget: read again, and an error if it is not kept */
    bool retry;   /* EINVAL: tried again after all others, for pairs of files whose order depends on the old
                     values */
};

struct cgroup_rows {
    struct cgroup_row *items;
    size_t count;
};

/* Adds a row; the strings are copied. The value is a format. Returns the row, to set `rule` or `retry` in
 * place. */
struct cgroup_row *cgroup_rows_add(struct cgroup_rows *rows, const char *controller, const char *file,
                                   const char *property, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void cgroup_rows_free(struct cgroup_rows *rows);
