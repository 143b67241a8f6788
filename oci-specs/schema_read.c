/*
 * From a JSON tree to the structs of types.h, checked row by row. Runs in the runtime's commands, on hostile
 * documents: what is half read when an error is found is freed as a whole. Knows nothing of what the
 * properties mean.
 */
#include "oci-specs/schema.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/json.h"
#include "oci-specs/schema_table.h"

#define QUOTE_LIMIT 80 /* bytes of a value that errors show */

struct reader {
    const struct json_document *document;
    struct error *err;
    bool strict; /* unknown properties are errors */
};

#define fail_at(reader, value, ...) json_fail((reader)->document, value, NULL, (reader)->err, __VA_ARGS__)

static int fail_type(const struct reader *reader, const struct json *value, const char *wanted)
{
    return fail_at(reader, value, "must be %s, is %s", wanted, json_type_name(value->type));
}

static int read_object(const struct reader *reader, const struct schema *schema, const struct json *value,
                       void *object);

/* ---- numbers ----------------------------------------------------------------------------------------- */

/* Digits with an optional minus; the lexer has seen to it that there are no leading zeros. */
static bool parse_integer(const struct json *value, bool *negative, uint64_t *magnitude)
{
    uint32_t i = 0;

    *magnitude = 0;
    *negative = value->text[0] == '-';
    for (i = *negative; i < value->length; i++) {
        unsigned digit = (unsigned char)value->text[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(*magnitude, 10u, magnitude) ||
            __builtin_add_overflow(*magnitude, digit, magnitude))
            return false;
    }
    return i > *negative;
}

static int fail_range(const struct reader *reader, const struct property *property, const struct json *value)
{
    int shown = json_quote_length(value->text, value->length, QUOTE_LIMIT);

    for (uint32_t i = 0; i < value->length; i++)
        if (value->text[i] == '.' || value->text[i] == 'e' || value->text[i] == 'E')
            return fail_at(reader, value, "%.*s is not an integer", shown, value->text);
    return fail_at(reader, value, "%.*s is not in the range %lld to %llu", shown, value->text,
                   (long long)property->min, (unsigned long long)property->max);
}

/* Two's complement in *bits. */
static int read_integer(const struct reader *reader, const struct property *property,
                        const struct json *value, uint64_t *bits)
{
    uint64_t magnitude;
    bool negative, fits;

    if (value->type != JSON_NUMBER)
        return fail_type(reader, value, "an integer");
    if (!parse_integer(value, &negative, &magnitude))
        return fail_range(reader, property, value);
    if (negative)
        fits = property->min < 0 && magnitude <= -(uint64_t)property->min;
    else
        fits = magnitude <= property->max && (property->min <= 0 || magnitude >= (uint64_t)property->min);
    if (!fits)
        return fail_range(reader, property, value);
    *bits = negative ? -magnitude : magnitude;
    return 0;
}

static int read_int32(const struct reader *reader, const struct property *property, const struct json *value,
                      void *object)
{
    uint64_t bits;

    if (read_integer(reader, property, value, &bits) < 0)
        return -1;
    *(uint32_t *)member_at(object, property->offset) = (uint32_t)bits; /* int32_t or uint32_t */
    store_has(object, property);
    return 0;
}

static int read_int64(const struct reader *reader, const struct property *property, const struct json *value,
                      void *object)
{
    if (read_integer(reader, property, value, member_at(object, property->offset)) < 0)
        return -1;
    store_has(object, property);
    return 0;
}

static int read_bool(const struct reader *reader, const struct property *property, const struct json *value,
                     void *object)
{
    if (value->type != JSON_TRUE && value->type != JSON_FALSE)
        return fail_type(reader, value, "a boolean");
    *(bool *)member_at(object, property->offset) = value->type == JSON_TRUE;
    store_has(object, property);
    return 0;
}

/* ---- strings ----------------------------------------------------------------------------------------- */

static char *new_string(const char *text, size_t length)
{
    char *string = memory_resize(NULL, length + 1);

    memcpy(string, text, length);
    string[length] = '\0';
    return string;
}

static int read_string(const struct reader *reader, const struct property *property, const struct json *value,
                       void *object)
{
    if (value->type != JSON_STRING)
        return fail_type(reader, value, "a string");
    if ((property->flags & NONEMPTY) && value->length == 0)
        return fail_at(reader, value, "must not be empty");
    if ((property->flags & ABSOLUTE) && (value->length == 0 || value->text[0] != '/'))
        return fail_at(reader, value, "'%.*s' is not an absolute path",
                       json_quote_length(value->text, value->length, QUOTE_LIMIT), value->text);
    store_pointer(object, property->offset, new_string(value->text, value->length));
    return 0;
}

static int check_array(const struct reader *reader, const struct property *property, const struct json *value)
{
    if (value->type != JSON_ARRAY)
        return fail_type(reader, value, "an array");
    if ((property->flags & NONEMPTY) && value->length == 0)
        return fail_at(reader, value, "must not be empty");
    return 0;
}

static int read_strings(const struct reader *reader, const struct property *property,
                        const struct json *value, void *object)
{
    struct strings *strings = member_at(object, property->offset);

    if (check_array(reader, property, value) < 0)
        return -1;
    strings->items = schema_new_array(value->length + 1, sizeof *strings->items);
    for (const struct json *item = value->child; item; item = item->next) {
        if (item->type != JSON_STRING)
            return fail_type(reader, item, "a string");
        strings->items[strings->count++] = new_string(item->text, item->length);
    }
    store_has(object, property);
    return 0;
}

static int check_map_entry(const struct reader *reader, const struct json *entry)
{
    if (entry->key_length == 0)
        return fail_at(reader, entry, "a key must not be empty");
    return 0;
}

static int read_map(const struct reader *reader, const struct property *property, const struct json *value,
                    void *object)
{
    struct string_map *map = member_at(object, property->offset);

    if (value->type != JSON_OBJECT)
        return fail_type(reader, value, "an object");
    map->items = schema_new_array(value->length, sizeof *map->items);
    for (const struct json *entry = value->child; entry; entry = entry->next) {
        struct string_pair *pair = &map->items[map->count];

        if (check_map_entry(reader, entry) < 0)
            return -1;
        if (entry->type != JSON_STRING)
            return fail_type(reader, entry, "a string");
        pair->key = new_string(entry->key, entry->key_length);
        pair->value = new_string(entry->text, entry->length);
        map->count++;
    }
    return 0;
}

/* ---- enums ------------------------------------------------------------------------------------------- */

static int read_enum_value(const struct reader *reader, const struct property *property,
                           const struct json *value, unsigned *number)
{
    const char *names = schema_enum_names(property);
    auto_buffer struct buffer list = { 0 };

    if (value->type != JSON_STRING)
        return fail_type(reader, value, "a string");
    *number = schema_enum_value(names, value->text, value->length);
    if (*number)
        return 0;
    for (; *names; names += strlen(names) + 1) {
        buffer_add_string(&list, list.length ? ", " : "");
        buffer_add_string(&list, names);
    }
    return fail_at(reader, value, "'%.*s' is not one of %s",
                   json_quote_length(value->text, value->length, QUOTE_LIMIT), value->text, list.data);
}

static int read_enum(const struct reader *reader, const struct property *property, const struct json *value,
                     void *object)
{
    return read_enum_value(reader, property, value, member_at(object, property->offset));
}

static int read_enums(const struct reader *reader, const struct property *property, const struct json *value,
                      void *object)
{
    unsigned *numbers;

    if (check_array(reader, property, value) < 0)
        return -1;
    numbers = schema_new_array(value->length, sizeof *numbers);
    store_pointer(object, property->offset, numbers);
    store_count(object, property, value->length);
    store_has(object, property);
    for (const struct json *item = value->child; item; item = item->next)
        if (read_enum_value(reader, property, item, numbers++) < 0)
            return -1;
    return 0;
}

static int read_uint32s(const struct reader *reader, const struct property *property,
                        const struct json *value, void *object)
{
    uint32_t *numbers;
    uint64_t number;

    if (check_array(reader, property, value) < 0)
        return -1;
    numbers = schema_new_array(value->length, sizeof *numbers);
    store_pointer(object, property->offset, numbers);
    store_count(object, property, value->length);
    for (const struct json *item = value->child; item; item = item->next) {
        if (read_integer(reader, property, item, &number) < 0)
            return -1;
        *numbers++ = (uint32_t)number;
    }
    return 0;
}

/* ---- objects ----------------------------------------------------------------------------------------- */

static int read_member_object(const struct reader *reader, const struct property *property,
                              const struct json *value, void *object)
{
    const struct schema *schema = schema_of(property);
    void *member = memory_new(schema->size);

    store_pointer(object, property->offset, member);
    return read_object(reader, schema, value, member);
}

static int read_objects(const struct reader *reader, const struct property *property,
                        const struct json *value, void *object)
{
    const struct schema *schema = schema_of(property);
    char *element;

    if (check_array(reader, property, value) < 0)
        return -1;
    element = schema_new_array(value->length, schema->size);
    store_pointer(object, property->offset, element);
    store_count(object, property, value->length);
    for (const struct json *item = value->child; item; item = item->next, element += schema->size)
        if (read_object(reader, schema, item, element) < 0)
            return -1;
    return 0;
}

static int read_object_map(const struct reader *reader, const struct property *property,
                           const struct json *value, void *object)
{
    const struct schema *schema = schema_of(property);
    size_t rows, key_offset = schema->properties(&rows)->offset;
    char *element;

    if (value->type != JSON_OBJECT)
        return fail_type(reader, value, "an object");
    element = schema_new_array(value->length, schema->size);
    store_pointer(object, property->offset, element);
    store_count(object, property, value->length);
    for (const struct json *entry = value->child; entry; entry = entry->next, element += schema->size) {
        if (check_map_entry(reader, entry) < 0 || read_object(reader, schema, entry, element) < 0)
            return -1;
        store_pointer(element, key_offset, new_string(entry->key, entry->key_length));
    }
    return 0;
}

static int read_property(const struct reader *reader, const struct property *property,
                         const struct json *value, void *object)
{
    switch ((enum property_kind)property->kind) {
    case KIND_BOOL:
        return read_bool(reader, property, value, object);
    case KIND_INT32:
    case KIND_UINT32:
        return read_int32(reader, property, value, object);
    case KIND_INT64:
    case KIND_UINT64:
        return read_int64(reader, property, value, object);
    case KIND_STRING:
        return read_string(reader, property, value, object);
    case KIND_STRINGS:
        return read_strings(reader, property, value, object);
    case KIND_MAP:
        return read_map(reader, property, value, object);
    case KIND_ENUM:
        return read_enum(reader, property, value, object);
    case KIND_ENUMS:
        return read_enums(reader, property, value, object);
    case KIND_UINT32S:
        return read_uint32s(reader, property, value, object);
    case KIND_OBJECT:
        return read_member_object(reader, property, value, object);
    case KIND_OBJECTS:
        return read_objects(reader, property, value, object);
    case KIND_OBJECT_MAP:
        return read_object_map(reader, property, value, object);
    case KIND_KEY:
        break; /* the caller's key: no property has an empty name */
    }
    return 0;
}

static const struct property *find_property(const struct property *properties, size_t count,
                                            const struct json *value)
{
    for (size_t i = 0; i < count; i++)
        if (properties[i].name_length == value->key_length && value->key_length &&
            memcmp(properties[i].name, value->key, value->key_length) == 0)
            return &properties[i];
    return NULL;
}

static int read_object(const struct reader *reader, const struct schema *schema, const struct json *value,
                       void *object)
{
    size_t count;
    const struct property *properties = schema->properties(&count);
    uint64_t seen = 0; /* a bit for each row; no object has as many as 64 */

    if (value->type != JSON_OBJECT)
        return fail_type(reader, value, "an object");
    for (const struct json *member = value->child; member; member = member->next) {
        const struct property *property = find_property(properties, count, member);

        if (!property && reader->strict)
            return fail_at(reader, member, "is unknown");
        if (!property || member->type == JSON_NULL)
            continue;
        seen |= UINT64_C(1) << (property - properties);
        if (read_property(reader, property, member, object) < 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++)
        if ((properties[i].flags & REQUIRED) && !(seen & UINT64_C(1) << i))
            return json_fail(reader->document, value, properties[i].name, reader->err, "is required");
    return 0;
}

/* ---- documents --------------------------------------------------------------------------------------- */

static void *parse(const struct schema *schema, const char *name, const char *text, size_t length,
                   bool strict, struct error *err)
{
    auto_cleanup(json_cleanup) struct json_document *document = NULL;
    struct reader reader = { .err = err, .strict = strict };
    void *object;

    if (length > SCHEMA_SIZE_LIMIT) {
        fail(err, EFBIG, "%s: larger than %u bytes", name, SCHEMA_SIZE_LIMIT);
        return NULL;
    }
    document = json_parse(name, text, length, err);
    if (!document)
        return NULL;
    reader.document = document;
    object = memory_new(schema->size);
    if (read_object(&reader, schema, json_root(document), object) == 0)
        return object;
    schema_free(schema, object);
    return NULL;
}

void *schema_parse(const struct schema *schema, const char *name, const char *text, size_t length,
                   struct error *err)
{
    return parse(schema, name, text, length, false, err);
}

void *schema_parse_strict(const struct schema *schema, const char *name, const char *text, size_t length,
                          struct error *err)
{
    return parse(schema, name, text, length, true, err);
}

void *schema_read_at(const struct schema *schema, int dirfd, const char *path, struct error *err)
{
    auto_free char *text = NULL;
    size_t length;

    if (file_read_at(dirfd, path, SCHEMA_SIZE_LIMIT, &text, &length, err) < 0)
        return NULL;
    return schema_parse(schema, path, text, length, err);
}
