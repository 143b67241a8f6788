/*
 * The C types of everything that is read or written as JSON. They are made from the schema tables (*.def): one row
 * per property gives the struct member here, and in the schema engine the reader, the checks, the writer and the destructor.
 *
 *   row                              member(s)
 *   BOOL   (m, "name", flags)        bool m, has_m
 *   INT32/UINT32/INT64/UINT64 (m, "name", flags, min, max)    T m; bool has_m
 *   STRING (m, "name", flags)        char *m                            NULL when absent
 *   STRINGS(m, "name", flags)        struct strings m; bool has_m
 *   MAP    (m, "name", flags)        struct string_map m                string -> string, in file order
 *   ENUM   (type, m, "name", flags)  enum type m                        0 (type_unset) when absent
 *   ENUMS  (type, m, "name", flags)  enum type *m; size_t m_count; bool has_m
 *   UINT32S(m, "name", flags)        uint32_t *m; size_t m_count
 *   OBJECT (type, m, "name", flags)  struct type *m                     NULL when absent
 *   OBJECTS(type, m, "name", flags)  struct type *m; size_t m_count     an array of objects
 *   OBJECT_MAP(type, m, "name", flags)  struct type *m; size_t m_count  a JSON object of objects; `type` has a KEY row
 *   KEY    (m)                       char *m                            the property name in such a map
 *
 * A property whose value is null counts as absent. Everything is owned by the object it is in, each string and array by
 * itself, so any of them can be replaced. Arrays have room for the next power of two of their count: array_grow() works on
 * them (memory.h). For struct strings and struct string_map use edit.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strings {
    char **items; /* items[count] is NULL: fit for execve() */
    size_t count;
};

struct string_pair {
    char *key;
    char *value;
};

struct string_map {
    struct string_pair *items;
    size_t count;
};

/* The value of a key, or NULL. */
const char *string_map_get(const struct string_map *map, const char *key);

#define SCHEMA_PASS_ENUMS
#include "oci-specs/all_tables.h"
#define SCHEMA_PASS_STRUCTS
#include "oci-specs/all_tables.h"

/* The JSON name of an enum value ("network"), and the value of a name (type_unset when unknown). */
#define SCHEMA_PASS_ENUM_NAMES
#include "oci-specs/all_tables.h"
