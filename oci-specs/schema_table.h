/*
 * Inside the schema engine: the tables as data. schema.c makes them from the .def files; schema_read.c,
 * schema_write.c and schema_copy.c walk them. They hold no pointers, so that the dynamic linker has nothing
 * to relocate in them: a command touches only the pages of the objects that it reads.
 */
#pragma once

#include "oci-specs/schema.h"

#include <string.h>

#define PROPERTY_NAME_SIZE 36

enum property_kind { /* in the order of the table of types.h */
                     KIND_BOOL,
                     KIND_INT32,
                     KIND_UINT32,
                     KIND_INT64,
                     KIND_UINT64,
                     KIND_STRING,
                     KIND_STRINGS,
                     KIND_MAP,
                     KIND_ENUM,
                     KIND_ENUMS,
                     KIND_UINT32S,
                     KIND_OBJECT,
                     KIND_OBJECTS,
                     KIND_OBJECT_MAP,
                     KIND_KEY,
};

enum property_flags { REQUIRED = 1, NONEMPTY = 2, ABSOLUTE = 4 };

struct property {
    char name[PROPERTY_NAME_SIZE];
    uint8_t name_length;
    uint8_t kind;
    uint8_t flags;
    uint8_t type;                /* the number of the object or enum type */
    uint16_t offset, count, has; /* of the member, member_count and has_member, where the kind has them */
    int64_t min;
    uint64_t max;
};

struct schema {
    size_t size;                                         /* of the struct */
    const struct property *(*properties)(size_t *count); /* a KEY row is the first */
};

/* The object type that OBJECT, OBJECTS and OBJECT_MAP rows refer to. */
const struct schema *schema_of(const struct property *property);

/* The names of an enum type, each with its NUL, in order; an empty one ends them. */
const char *schema_enum_names(const struct property *property);
/* The name of value 1, 2, …; NULL for 0 and what is too large. */
const char *schema_enum_name(const char *names, unsigned value);
/* The value of a name, 0 when unknown. */
unsigned schema_enum_value(const char *names, const char *name, size_t length);

/* Members are reached by offset; through memcpy, because a `struct x *` may not be accessed as a `void *`. */
static inline void *member_at(void *object, size_t offset)
{
    return (char *)object + offset;
}

static inline const void *const_member_at(const void *object, size_t offset)
{
    return (const char *)object + offset;
}

static inline void *load_pointer(const void *object, size_t offset)
{
    void *pointer;

    memcpy(&pointer, const_member_at(object, offset), sizeof pointer);
    return pointer;
}

static inline void store_pointer(void *object, size_t offset, void *pointer)
{
    memcpy(member_at(object, offset), &pointer, sizeof pointer);
}

static inline size_t load_count(const void *object, const struct property *property)
{
    return *(const size_t *)const_member_at(object, property->count);
}

static inline void store_count(void *object, const struct property *property, size_t count)
{
    *(size_t *)member_at(object, property->count) = count;
}

static inline bool load_has(const void *object, const struct property *property)
{
    return *(const bool *)const_member_at(object, property->has);
}

static inline void store_has(void *object, const struct property *property)
{
    *(bool *)member_at(object, property->has) = true;
}

/*
 * Arrays have room for the next power of two of their count, as array_grow() expects (memory.h), so that what
 * was read can be added to. Zeroed.
 */
void *schema_new_array(size_t count, size_t size);

/* Frees what an object owns, not the object itself. */
void schema_clear(const struct schema *schema, void *object);
