/* Lists of strings and string maps. Pure memory. */
#include "oci-specs/edit.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void strings_add(struct strings *strings, const char *string)
{
    size_t used = strings->items ? strings->count + 1 : 0; /* with the NULL */

    if (!strings->items)
        array_grow(strings->items, used);
    array_grow(strings->items, used);
    strings->items[strings->count++] = memory_string(string);
}

bool strings_contain(const struct strings *strings, const char *string)
{
    for (size_t i = 0; i < strings->count; i++)
        if (strcmp(strings->items[i], string) == 0)
            return true;
    return false;
}

void strings_free(struct strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct strings){ 0 };
}

static struct string_pair *find(const struct string_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return &map->items[i];
    return NULL;
}

const char *string_map_get(const struct string_map *map, const char *key)
{
    const struct string_pair *pair = find(map, key);

    return pair ? pair->value : NULL;
}

void string_map_set(struct string_map *map, const char *key, const char *value)
{
    struct string_pair *pair = find(map, key);

    if (!pair) {
        pair = array_grow(map->items, map->count);
        pair->key = memory_string(key);
    }
    free(pair->value);
    pair->value = memory_string(value);
}

void string_map_free(struct string_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->items[i].key);
        free(map->items[i].value);
    }
    free(map->items);
    *map = (struct string_map){ 0 };
}
