/* Deep copies and frees what the schema tables describe. Pure memory; knows nothing of JSON. */
#include "oci-specs/schema.h"

#include "base/memory.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema_table.h"

#include <stdlib.h>

void *schema_new_array(size_t count, size_t size)
{
    size_t capacity = 1;

    while (capacity < count)
        capacity *= 2;
    return memory_new_array(capacity, size);
}

/* ---- free -------------------------------------------------------------------------------------------- */

static void free_objects(const struct schema *schema, void *objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        schema_clear(schema, member_at(objects, i * schema->size));
    free(objects);
}

void schema_clear(const struct schema *schema, void *object)
{
    size_t count;
    const struct property *property = schema->properties(&count);

    for (const struct property *end = property + count; property < end; property++) {
        switch ((enum property_kind)property->kind) {
        case KIND_STRINGS:
            strings_free(member_at(object, property->offset));
            break;
        case KIND_MAP:
            string_map_free(member_at(object, property->offset));
            break;
        case KIND_STRING:
        case KIND_KEY:
        case KIND_ENUMS:
        case KIND_UINT32S:
            free(load_pointer(object, property->offset));
            break;
        case KIND_OBJECT:
            schema_free(schema_of(property), load_pointer(object, property->offset));
            break;
        case KIND_OBJECTS:
        case KIND_OBJECT_MAP:
            free_objects(schema_of(property), load_pointer(object, property->offset),
                         load_count(object, property));
            break;
        case KIND_BOOL:
        case KIND_INT32:
        case KIND_UINT32:
        case KIND_INT64:
        case KIND_UINT64:
        case KIND_ENUM:
            break;
        }
    }
}

void schema_free(const struct schema *schema, void *object)
{
    if (!object)
        return;
    schema_clear(schema, object);
    free(object);
}

/* ---- copy -------------------------------------------------------------------------------------------- */

static void *copy_array(const void *array, size_t count, size_t size)
{
    void *copy;

    if (!array)
        return NULL;
    copy = schema_new_array(count, size);
    memcpy(copy, array, count * size);
    return copy;
}

static void copy_strings(struct strings *strings)
{
    char **items = strings->items;

    if (!items)
        return;
    strings->items = schema_new_array(strings->count + 1, sizeof *items);
    for (size_t i = 0; i < strings->count; i++)
        strings->items[i] = memory_string(items[i]);
}

static void copy_map(struct string_map *map)
{
    map->items = copy_array(map->items, map->count, sizeof *map->items);
    for (size_t i = 0; i < map->count; i++) {
        map->items[i].key = memory_string(map->items[i].key);
        map->items[i].value = memory_string(map->items[i].value);
    }
}

static void deepen(const struct schema *schema, void *object);

static void *copy_objects(const struct schema *schema, const void *objects, size_t count)
{
    void *copy = copy_array(objects, count, schema->size);

    for (size_t i = 0; i < count; i++)
        deepen(schema, member_at(copy, i * schema->size));
    return copy;
}

/* A new object for what a pointer member points to. */
static void *copy_pointee(const struct property *property, const void *object)
{
    const void *pointee = load_pointer(object, property->offset);

    if (!pointee)
        return NULL;
    if (property->kind == KIND_STRING || property->kind == KIND_KEY)
        return memory_string(pointee);
    if (property->kind == KIND_OBJECT)
        return schema_copy(schema_of(property), pointee);
    if (property->kind == KIND_ENUMS || property->kind == KIND_UINT32S)
        return copy_array(pointee, load_count(object, property), sizeof(uint32_t));
    return copy_objects(schema_of(property), pointee, load_count(object, property));
}

/* `object` is a flat copy: replaces every pointer in it by a copy of what it points to. */
static void deepen(const struct schema *schema, void *object)
{
    size_t count;
    const struct property *property = schema->properties(&count);

    for (const struct property *end = property + count; property < end; property++) {
        switch ((enum property_kind)property->kind) {
        case KIND_STRINGS:
            copy_strings(member_at(object, property->offset));
            break;
        case KIND_MAP:
            copy_map(member_at(object, property->offset));
            break;
        case KIND_STRING:
        case KIND_KEY:
        case KIND_ENUMS:
        case KIND_UINT32S:
        case KIND_OBJECT:
        case KIND_OBJECTS:
        case KIND_OBJECT_MAP:
            store_pointer(object, property->offset, copy_pointee(property, object));
            break;
        case KIND_BOOL:
        case KIND_INT32:
        case KIND_UINT32:
        case KIND_INT64:
        case KIND_UINT64:
        case KIND_ENUM:
            break;
        }
    }
}

void *schema_copy(const struct schema *schema, const void *object)
{
    void *copy = memory_new(schema->size);

    memcpy(copy, object, schema->size);
    deepen(schema, copy);
    return copy;
}
