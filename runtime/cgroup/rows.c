/* Rows of limits: see rows.h. Pure; knows nothing of files or of what the rows mean. */
#include "cgroup/rows.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct cgroup_row *cgroup_rows_add(struct cgroup_rows *rows, const char *controller, const char *file,
                                   const char *property, const char *format, ...)
{
    struct cgroup_row *row = array_grow(rows->items, rows->count);
    struct buffer value = { 0 };
    char text[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof text) {
        buffer_add(&value, text, (size_t)length);
    } else { /* only values that config.json gives as text are that long */
        char *whole = NULL;

        va_start(arguments, format);
        if (vasprintf(&whole, format, arguments) >= 0)
            buffer_add_string(&value, whole);
        va_end(arguments);
        free(whole);
    }
    row->controller = memory_string(controller);
    row->file = memory_string(file);
    row->property = memory_string(property);
    row->value = buffer_take(&value);
    return row;
}

void cgroup_rows_free(struct cgroup_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->items[i].controller);
        free(rows->items[i].file);
        free(rows->items[i].value);
        free(rows->items[i].property);
    }
    free(rows->items);
    *rows = (struct cgroup_rows){ 0 };
}
