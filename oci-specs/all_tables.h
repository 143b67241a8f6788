/*
 * Runs one pass over every schema table. The includer defines SCHEMA_PASS_x for a pass that stands here, or defines the
 * row macros itself (schema.c does); rows that a pass does not mention expand to nothing. No include guard: it is meant
 * to be included again and again.
 */
#if defined SCHEMA_PASS_ENUMS /* enum oci_namespace_type { oci_namespace_type_unset, OCI_NAMESPACE_PID, … }; */
#define ENUM_BEGIN(type) enum type { type##_unset,
#define VALUE(constant, name) constant,
#define ENUM_END(type) };

#elif defined SCHEMA_PASS_ENUM_NAMES
#define ENUM_BEGIN(type)                                                                                     \
    const char *type##_name(enum type value);                                                                \
    enum type type##_value(const char *name);

#elif defined SCHEMA_PASS_DECLARATIONS
#define OBJECT_BEGIN(type) extern const struct schema type##_schema;

#elif defined SCHEMA_PASS_STRUCTS
#define OBJECT_BEGIN(type) struct type {
#define BOOL(member, name, flags) bool member, has_##member;
#define INT32(member, name, flags, min, max) int32_t member; bool has_##member;
#define UINT32(member, name, flags, min, max) uint32_t member; bool has_##member;
#define INT64(member, name, flags, min, max) int64_t member; bool has_##member;
#define UINT64(member, name, flags, min, max) uint64_t member; bool has_##member;
#define STRING(member, name, flags) char *member;
#define STRINGS(member, name, flags) struct strings member; bool has_##member;
#define MAP(member, name, flags) struct string_map member;
#define ENUM(type, member, name, flags) enum type member;
#define ENUMS(type, member, name, flags) enum type *member; size_t member##_count; bool has_##member;
#define UINT32S(member, name, flags) uint32_t *member; size_t member##_count;
#define OBJECT(type, member, name, flags) struct type *member;
#define OBJECTS(type, member, name, flags) struct type *member; size_t member##_count;
#define OBJECT_MAP(type, member, name, flags) struct type *member; size_t member##_count;
#define KEY(member) char *member;
#define OBJECT_END(type) };
#endif

#ifndef ENUM_BEGIN
#define ENUM_BEGIN(type)
#endif
#ifndef VALUE
#define VALUE(constant, name)
#endif
#ifndef ENUM_END
#define ENUM_END(type)
#endif
#ifndef OBJECT_BEGIN
#define OBJECT_BEGIN(type)
#endif
#ifndef BOOL
#define BOOL(member, name, flags)
#endif
#ifndef INT32
#define INT32(member, name, flags, min, max)
#endif
#ifndef UINT32
#define UINT32(member, name, flags, min, max)
#endif
#ifndef INT64
#define INT64(member, name, flags, min, max)
#endif
#ifndef UINT64
#define UINT64(member, name, flags, min, max)
#endif
#ifndef STRING
#define STRING(member, name, flags)
#endif
#ifndef STRINGS
#define STRINGS(member, name, flags)
#endif
#ifndef MAP
#define MAP(member, name, flags)
#endif
#ifndef ENUM
#define ENUM(type, member, name, flags)
#endif
#ifndef ENUMS
#define ENUMS(type, member, name, flags)
#endif
#ifndef UINT32S
#define UINT32S(member, name, flags)
#endif
#ifndef OBJECT
#define OBJECT(type, member, name, flags)
#endif
#ifndef OBJECTS
#define OBJECTS(type, member, name, flags)
#endif
#ifndef OBJECT_MAP
#define OBJECT_MAP(type, member, name, flags)
#endif
#ifndef KEY
#define KEY(member)
#endif
#ifndef OBJECT_END
#define OBJECT_END(type)
#endif

#include "oci-specs/runtime.def"
#include "oci-specs/state.def"
#include "oci-specs/features.def"
#include "oci-specs/status.def"
#include "oci-specs/policy.def"
#include "oci-specs/sandbox.def"

#undef ENUM_BEGIN
#undef VALUE
#undef ENUM_END
#undef OBJECT_BEGIN
#undef BOOL
#undef INT32
#undef UINT32
#undef INT64
#undef UINT64
#undef STRING
#undef STRINGS
#undef MAP
#undef ENUM
#undef ENUMS
#undef UINT32S
#undef OBJECT
#undef OBJECTS
#undef OBJECT_MAP
#undef KEY
#undef OBJECT_END
#undef SCHEMA_PASS_ENUMS
#undef SCHEMA_PASS_DECLARATIONS
#undef SCHEMA_PASS_ENUM_NAMES
#undef SCHEMA_PASS_STRUCTS
