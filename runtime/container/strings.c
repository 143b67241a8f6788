/* String arrays: see strings.h. */
#include "container/strings.h"

#include "base/memory.h"

#include <stdlib.h>

void strings_add(struct strings *strings, const char *string)
{
    /* Not array_grow(): the schema engine may have allocated the array with another capacity. */
    strings->items = memory_resize(strings->items, (strings->count + 2) * sizeof *strings->items);
    strings->items[strings->count++] = memory_string(string);
    strings->items[strings->count] = NULL;
}

void strings_free(struct strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct strings){ 0 };
}
