/* From the structs of types.h to JSON text. Pure. What it writes is always valid JSON, whatever the strings
 * hold. */
#include "oci-specs/schema.h"

#include "oci-specs/json_text.h"
#include "oci-specs/schema_table.h"

struct writer {
    struct buffer *out;
    const char *indent; /* one level; NULL for everything on one line */
    unsigned depth;
    bool empty; /* nothing was written in this object or array yet */
};

/* ---- strings ----------------------------------------------------------------------------------------- */

static void write_control(struct buffer *out, unsigned char c)
{
    static const char letters[] = "btn?fr"; /* of 8 to 13 */

    if (c >= '\b' && c <= '\r' && c != '\v')
        buffer_add_format(out, "\\%c", letters[c - '\b']);
    else
        buffer_add_format(out, "\\u%04x", c);
}

/* How many bytes can be written as they are. */
static size_t plain_length(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length) {
        unsigned char c = (unsigned char)text[i];
        size_t size = c < 0x20 || c == '"' || c == '\\' ? 0 : json_text_character(text + i, length - i);

        if (!size)
            break;
        i += size;
    }
    return i;
}

static void write_string(struct writer *writer, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    buffer_add_char(writer->out, '"');
    for (size_t i = 0; i < length; i++) {
        size_t plain = plain_length(text + i, length - i);
        unsigned char c;

        buffer_add(writer->out, text + i, plain);
        i += plain;
        if (i == length)
            break;
        c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            buffer_add_format(writer->out, "\\%c", c);
        else if (c < 0x20)
            write_control(writer->out, c);
        else
            buffer_add_string(writer->out, "\xef\xbf\xbd"); /* U+FFFD: not UTF-8 */
    }
    buffer_add_char(writer->out, '"');
}

/* ---- punctuation ------------------------------------------------------------------------------------- */

static void write_line(struct writer *writer)
{
    if (!writer->indent)
        return;
    buffer_add_char(writer->out, '\n');
    for (unsigned i = 0; i < writer->depth; i++)
        buffer_add_string(writer->out, writer->indent);
}

static void begin(struct writer *writer, char bracket)
{
    buffer_add_char(writer->out, bracket);
    writer->depth++;
    writer->empty = true;
}

static void begin_element(struct writer *writer)
{
    if (!writer->empty)
        buffer_add_char(writer->out, ',');
    writer->empty = false;
    write_line(writer);
}

static void begin_member(struct writer *writer, const char *name)
{
    begin_element(writer);
    write_string(writer, name);
    buffer_add_string(writer->out, writer->indent ? ": " : ":");
}

static void end(struct writer *writer, char bracket)
{
    writer->depth--;
    if (!writer->empty)
        write_line(writer);
    buffer_add_char(writer->out, bracket);
    writer->empty = false; /* the container that this one is in has at least this */
}

/* ---- values ------------------------------------------------------------------------------------------ */

static void write_object(struct writer *writer, const struct schema *schema, const void *object);

static void write_number(struct writer *writer, const struct property *property, const void *object)
{
    const void *member = const_member_at(object, property->offset);

    if (property->kind == KIND_INT32)
        buffer_add_format(writer->out, "%ld", (long)*(const int32_t *)member);
    else if (property->kind == KIND_UINT32)
        buffer_add_format(writer->out, "%lu", (unsigned long)*(const uint32_t *)member);
    else if (property->kind == KIND_INT64)
        buffer_add_format(writer->out, "%lld", (long long)*(const int64_t *)member);
    else
        buffer_add_format(writer->out, "%llu", (unsigned long long)*(const uint64_t *)member);
}

static void write_strings(struct writer *writer, const struct strings *strings)
{
    begin(writer, '[');
    for (size_t i = 0; i < strings->count; i++) {
        begin_element(writer);
        write_string(writer, strings->items[i]);
    }
    end(writer, ']');
}

static void write_map(struct writer *writer, const struct string_map *map)
{
    begin(writer, '{');
    for (size_t i = 0; i < map->count; i++) {
        begin_member(writer, map->items[i].key);
        write_string(writer, map->items[i].value);
    }
    end(writer, '}');
}

/* ENUMS and UINT32S */
static void write_numbers(struct writer *writer, const struct property *property, const void *object)
{
    const unsigned *numbers = load_pointer(object, property->offset);
    size_t count = load_count(object, property);

    begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        begin_element(writer);
        if (property->kind == KIND_ENUMS)
            write_string(writer, schema_enum_name(schema_enum_names(property), numbers[i]));
        else
            buffer_add_format(writer->out, "%u", numbers[i]);
    }
    end(writer, ']');
}

static void write_objects(struct writer *writer, const struct schema *schema, const void *objects,
                          size_t count, size_t size)
{
    begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        begin_element(writer);
        write_object(writer, schema, const_member_at(objects, i * size));
    }
    end(writer, ']');
}

static void write_object_map(struct writer *writer, const struct property *property, const void *object)
{
    const struct schema *schema = schema_of(property);
    const char *objects = load_pointer(object, property->offset);
    size_t rows, count = load_count(object, property), key_offset = schema->properties(&rows)->offset;

    begin(writer, '{');
    for (size_t i = 0; i < count; i++, objects += schema->size) {
        begin_member(writer, load_pointer(objects, key_offset));
        write_object(writer, schema, objects);
    }
    end(writer, '}');
}

static void write_value(struct writer *writer, const struct property *property, const void *object)
{
    const void *member = const_member_at(object, property->offset);

    switch ((enum property_kind)property->kind) {
    case KIND_BOOL:
        buffer_add_string(writer->out, *(const bool *)member ? "true" : "false");
        break;
    case KIND_INT32:
    case KIND_UINT32:
    case KIND_INT64:
    case KIND_UINT64:
        write_number(writer, property, object);
        break;
    case KIND_STRING:
        write_string(writer, load_pointer(object, property->offset));
        break;
    case KIND_STRINGS:
        write_strings(writer, member);
        break;
    case KIND_MAP:
        write_map(writer, member);
        break;
    case KIND_ENUM:
        write_string(writer, schema_enum_name(schema_enum_names(property), *(const unsigned *)member));
        break;
    case KIND_ENUMS:
    case KIND_UINT32S:
        write_numbers(writer, property, object);
        break;
    case KIND_OBJECT:
        write_object(writer, schema_of(property), load_pointer(object, property->offset));
        break;
    case KIND_OBJECTS:
        write_objects(writer, schema_of(property), load_pointer(object, property->offset),
                      load_count(object, property), schema_of(property)->size);
        break;
    case KIND_OBJECT_MAP:
        write_object_map(writer, property, object);
        break;
    case KIND_KEY:
        break;
    }
}

static bool is_present(const struct property *property, const void *object)
{
    switch ((enum property_kind)property->kind) {
    case KIND_BOOL:
    case KIND_INT32:
    case KIND_UINT32:
    case KIND_INT64:
    case KIND_UINT64:
        return load_has(object, property);
    case KIND_STRING:
    case KIND_OBJECT:
        return load_pointer(object, property->offset);
    case KIND_STRINGS:
        return load_has(object, property) ||
               ((const struct strings *)const_member_at(object, property->offset))->count;
    case KIND_MAP:
        return ((const struct string_map *)const_member_at(object, property->offset))->count;
    case KIND_ENUM:
        return *(const unsigned *)const_member_at(object, property->offset);
    case KIND_ENUMS:
        return load_has(object, property) || load_count(object, property);
    case KIND_UINT32S:
    case KIND_OBJECTS:
    case KIND_OBJECT_MAP:
        return load_count(object, property);
    case KIND_KEY:
        break; /* written by the map that the object is in */
    }
    return false;
}

/* An object that is required but NULL is written as {}. */
static void write_object(struct writer *writer, const struct schema *schema, const void *object)
{
    size_t count;
    const struct property *property = schema->properties(&count);

    begin(writer, '{');
    for (const struct property *last = property + count; object && property < last; property++) {
        if (!(property->flags & REQUIRED) && !is_present(property, object))
            continue;
        begin_member(writer, property->name);
        write_value(writer, property, object);
    }
    end(writer, '}');
}

/* ---- documents --------------------------------------------------------------------------------------- */

static struct writer writer_for(enum schema_style style, struct buffer *out)
{
    static const char *const indents[] = {
        [SCHEMA_COMPACT] = NULL,
        [SCHEMA_SPACES_2] = "  ",
        [SCHEMA_TABS] = "\t",
        [SCHEMA_SPACES_4] = "    ",
    };

    return (struct writer){ .out = out, .indent = indents[style] };
}

void schema_write(const struct schema *schema, const void *object, enum schema_style style,
                  struct buffer *out)
{
    struct writer writer = writer_for(style, out);

    write_object(&writer, schema, object);
}

void schema_write_array(const struct schema *schema, const void *objects, size_t count, size_t size,
                        enum schema_style style, struct buffer *out)
{
    struct writer writer = writer_for(style, out);

    write_objects(&writer, schema, objects, count, size);
}
