/* Text in columns: see table.h. Pure. */
#include "cli/table.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <string.h>

#define WIDTH_MIN 12
#define PADDING 3

void table_add(struct table *table, const char *cell)
{
    *array_grow(table->cells, table->cell_count) = memory_string(cell);
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = WIDTH_MIN;

    for (size_t i = column; i < table->cell_count; i += table->columns)
        if (strlen(table->cells[i]) + PADDING > width)
            width = strlen(table->cells[i]) + PADDING;
    return width;
}

/* Not "%-*s": with thousands of rows that would be a seventh of what `list` takes. */
static void add_padded(struct buffer *out, const char *cell, size_t width)
{
    size_t length = strlen(cell);

    buffer_add(out, cell, length);
    for (; length < width; length++)
        buffer_add_char(out, ' ');
}

void table_format(const struct table *table, struct buffer *out)
{
    auto_free size_t *widths = memory_new_array(table->columns, sizeof *widths);

    for (size_t column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->columns;

        add_padded(out, table->cells[i], column + 1 < table->columns ? widths[column] : 0);
        if (column + 1 == table->columns)
            buffer_add_char(out, '\n');
    }
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){ 0 };
}
