/*
 * The schema tables: several passes over the .def files give one table of rows for each object type and one list of names
 * for each enum. Only data and look-ups; the walkers are in schema_read.c, schema_write.c and schema_copy.c.
 */
#include "oci-specs/schema.h"

#include "oci-specs/schema_table.h"

/* How the tables write limits. (uid_t)-1 means "no change" to the kernel: it is never a valid id. */
#define ID_MAX (UINT32_MAX - 1)

/* ---- enums ------------------------------------------------------------------------------------------- */

/* "pid\0network\0…\0": the last name's own NUL is followed by the literal's, an empty name. */
#define ENUM_BEGIN(type) static const char type##_names[] =
#define VALUE(constant, name) name "\0"
#define ENUM_END(type) ;
#include "oci-specs/all_tables.h"

#define ENUM_BEGIN(type)                                                                                     \
    const char *type##_name(enum type value)                                                                 \
    {                                                                                                        \
        return schema_enum_name(type##_names, value);                                                        \
    }                                                                                                        \
    enum type type##_value(const char *name)                                                                 \
    {                                                                                                        \
        return (enum type)schema_enum_value(type##_names, name, strlen(name));                               \
    }
#include "oci-specs/all_tables.h"

enum {
#define ENUM_BEGIN(type) type##_number,
#include "oci-specs/all_tables.h"
};

static const char *const enum_names[] = {
#define ENUM_BEGIN(type) type##_names,
#include "oci-specs/all_tables.h"
};

const char *schema_enum_names(const struct property *property)
{
    return enum_names[property->type];
}

const char *schema_enum_name(const char *names, unsigned value)
{
    if (value == 0)
        return NULL;
    for (; *names && value > 1; value--)
        names += strlen(names) + 1;
    return *names ? names : NULL;
}

unsigned schema_enum_value(const char *names, const char *name, size_t length)
{
    for (unsigned value = 1; *names; value++) {
        size_t size = strlen(names);

        if (size == length && memcmp(names, name, length) == 0)
            return value;
        names += size + 1;
    }
    return 0;
}

/* ---- objects ----------------------------------------------------------------------------------------- */

enum {
#define OBJECT_BEGIN(type) type##_number,
#include "oci-specs/all_tables.h"
};

/* A function for each type, because there `self` can stand for the type in its rows. */
#define OBJECT_BEGIN(object)                                                                                 \
    static const struct property *object##_properties(size_t *count)                                         \
    {                                                                                                        \
        typedef struct object self;                                                                          \
        static const struct property properties[] = {
#define OBJECT_END(object)                                                                                   \
    }                                                                                                        \
    ;                                                                                                        \
    _Static_assert(sizeof properties / sizeof *properties <= 64, "schema_read.c has a bit for each row");    \
    *count = sizeof properties / sizeof *properties;                                                         \
    return properties;                                                                                       \
    }
#define ROW(row_kind, member, json_name, row_flags, ...)                                                     \
    { .name = json_name,                                                                                     \
      .name_length = sizeof(json_name) - 1,                                                                  \
      .kind = row_kind,                                                                                      \
      .flags = row_flags,                                                                                    \
      .offset = offsetof(self, member),                                                                      \
      __VA_ARGS__ },
#define HAS(member) .has = offsetof(self, has_##member)
#define COUNT(member) .count = offsetof(self, member##_count)
#define RANGE(low, high) .min = (int64_t)(low), .max = (uint64_t)(high)
#define BOOL(member, name, flags) ROW(KIND_BOOL, member, name, flags, HAS(member))
#define INT32(member, name, flags, min, max) ROW(KIND_INT32, member, name, flags, HAS(member), RANGE(min, max))
#define UINT32(member, name, flags, min, max) ROW(KIND_UINT32, member, name, flags, HAS(member), RANGE(min, max))
#define INT64(member, name, flags, min, max) ROW(KIND_INT64, member, name, flags, HAS(member), RANGE(min, max))
#define UINT64(member, name, flags, min, max) ROW(KIND_UINT64, member, name, flags, HAS(member), RANGE(min, max))
#define STRING(member, name, flags) ROW(KIND_STRING, member, name, flags, )
#define STRINGS(member, name, flags) ROW(KIND_STRINGS, member, name, flags, HAS(member))
#define MAP(member, name, flags) ROW(KIND_MAP, member, name, flags, )
#define ENUM(enum_type, member, name, flags) ROW(KIND_ENUM, member, name, flags, .type = enum_type##_number)
#define ENUMS(enum_type, member, name, flags)                                                                \
    ROW(KIND_ENUMS, member, name, flags, .type = enum_type##_number, HAS(member), COUNT(member))
#define UINT32S(member, name, flags) ROW(KIND_UINT32S, member, name, flags, COUNT(member), RANGE(0, ID_MAX))
#define OBJECT(object, member, name, flags) ROW(KIND_OBJECT, member, name, flags, .type = object##_number)
#define OBJECTS(object, member, name, flags)                                                                 \
    ROW(KIND_OBJECTS, member, name, flags, .type = object##_number, COUNT(member))
#define OBJECT_MAP(object, member, name, flags)                                                              \
    ROW(KIND_OBJECT_MAP, member, name, flags, .type = object##_number, COUNT(member))
#define KEY(member) ROW(KIND_KEY, member, "", 0, )
#include "oci-specs/all_tables.h"

#define OBJECT_BEGIN(type) const struct schema type##_schema = { sizeof(struct type), type##_properties };
#include "oci-specs/all_tables.h"

static const struct schema *const schemas[] = {
#define OBJECT_BEGIN(type) &type##_schema,
#include "oci-specs/all_tables.h"
};

const struct schema *schema_of(const struct property *property)
{
    return schemas[property->type];
}
