/* Text in columns, as Go's tabwriter lays it out for runc: at least 12 wide, 3 spaces between. */
#pragma once

#include "base/buffer.h"

#include <stddef.h>

struct table {
    size_t columns;
    char **cells; /* row by row */
    size_t cell_count;
};

void table_add(struct table *table, const char *cell);
void table_format(const struct table *table, struct buffer *out);
void table_free(struct table *table);
