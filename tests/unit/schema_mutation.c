/*
 * Contract item 5, issue 3: tests/data/full.json uses every property of the schema table; each in turn
 * becomes a wrong type, a number out of range, an unknown name, null and more. Every time the error names the
 * path, or null counts as absent. The properties come from the table: one that full.json lacks fails the
 * first test.
 */
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "oci-specs/json.h"
#include "oci-specs/json_document.h"
#include "oci-specs/schema_table.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct full {
    char *text;
    size_t length;
    struct json_document *document;
};

static void full_open(struct full *full)
{
    const char *name = FULL_CONFIG;
    struct error err = { 0 };
    struct oci_config *config;
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0, "%s", name);
    full->text = calloc(1, 1 << 20);
    full->length = (size_t)read(fd, full->text, (1 << 20) - 1);
    close(fd);
    full->document = json_parse("full", full->text, full->length, &err);
    cr_assert_not_null(full->document, "%s", err.text);
    config = oci_config_parse("full", full->text, full->length, &err);
    cr_assert_not_null(config, "%s: %s", name, err.text);
    oci_config_free(config);
}

static void full_close(struct full *full)
{
    json_free(full->document);
    free(full->text);
}

static const struct json *member(const struct json *object, const char *name)
{
    for (const struct json *value = object->child; value; value = value->next)
        if (value->key_length == strlen(name) && memcmp(value->key, name, value->key_length) == 0)
            return value;
    return NULL;
}

/* ---- every place of every property ------------------------------------------------------------------------
 */

struct place {
    const struct full *full;
    const struct property *property;
    const struct json *value;
    const char *path; /* of the value, as errors write it */
};

typedef void visit_fn(const struct place *place, void *context);

static void walk(const struct full *full, const struct schema *schema, const struct json *object,
                 const char *path, visit_fn *visit, void *context);

static char *element_path(const char *path, size_t index)
{
    return memory_format("%s[%zu]", path, index);
}

/* Into what the property holds. */
static void walk_value(const struct place *place, visit_fn *visit, void *context)
{
    const struct property *property = place->property;
    size_t index = 0;

    if (property->kind == KIND_OBJECT)
        walk(place->full, schema_of(property), place->value, place->path, visit, context);
    if (property->kind != KIND_OBJECTS && property->kind != KIND_OBJECT_MAP)
        return;
    for (const struct json *item = place->value->child; item; item = item->next, index++) {
        auto_free char *key = item->key ? strndup(item->key, item->key_length) : NULL;
        auto_free char *path = key ? json_member_path(place->path, key) : element_path(place->path, index);

        walk(place->full, schema_of(property), item, path, visit, context);
    }
}

static void walk(const struct full *full, const struct schema *schema, const struct json *object,
                 const char *path, visit_fn *visit, void *context)
{
    size_t count;
    const struct property *properties = schema->properties(&count);

    for (size_t i = 0; i < count; i++) {
        auto_free char *own_path = json_member_path(path, properties[i].name);
        struct place place = { full, &properties[i], member(object, properties[i].name), own_path };

        if (properties[i].kind == KIND_KEY || !place.value)
            continue;
        visit(&place, context);
        walk_value(&place, visit, context);
    }
}

static void walk_all(const struct full *full, visit_fn *visit, void *context)
{
    walk(full, &oci_config_schema, json_root(full->document), "", visit, context);
}

/* ---- mutants
 * ------------------------------------------------------------------------------------------------ */

/* Where the value that begins at `at` ends. */
static size_t value_end(const char *text, size_t at)
{
    size_t depth = 0;
    bool quoted = false;

    for (;; at++) {
        char c = text[at];

        if (quoted && c == '\\') {
            at++;
        } else if (c == '"') {
            quoted = !quoted;
            if (!quoted && depth == 0)
                return at + 1;
        } else if (quoted) {
            continue;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (depth == 0 && strchr(",]} \n", c)) {
            return at;
        } else if ((c == ']' || c == '}') && --depth == 0) {
            return at + 1;
        }
    }
}

/* full.json with another text in the place of the value. */
static void replace(const struct place *place, const struct json *value, const char *by, struct buffer *out)
{
    size_t end = value_end(place->full->text, value->offset);

    buffer_add(out, place->full->text, value->offset);
    buffer_add_string(out, by);
    buffer_add(out, place->full->text + end, place->full->length - end);
}

static void expect_refused(const struct place *place, const struct json *value, const char *path,
                           const char *by)
{
    auto_buffer struct buffer text = { 0 };
    auto_cleanup(oci_config_cleanup) struct oci_config *config = NULL;
    auto_free char *part = memory_format(" %s: ", path);
    struct error err = { 0 };

    replace(place, value, by, &text);
    config = oci_config_parse("config.json", text.data, text.length, &err);
    cr_expect_null(config, "%s: %s is accepted", path, by);
    cr_expect_not_null(strstr(err.text, part), "%s: %s gives: %s", path, by, err.text);
    cr_expect_null(strchr(err.text, '\n'), "%s: %s gives more than one line: %s", path, by, err.text);
}

static enum json_type wanted_type(const struct property *property)
{
    switch ((enum property_kind)property->kind) {
    case KIND_BOOL:
        return JSON_TRUE;
    case KIND_INT32:
    case KIND_UINT32:
    case KIND_INT64:
    case KIND_UINT64:
        return JSON_NUMBER;
    case KIND_STRING:
    case KIND_ENUM:
        return JSON_STRING;
    case KIND_STRINGS:
    case KIND_ENUMS:
    case KIND_UINT32S:
    case KIND_OBJECTS:
        return JSON_ARRAY;
    case KIND_MAP:
    case KIND_OBJECT:
    case KIND_OBJECT_MAP:
    case KIND_KEY:
        break;
    }
    return JSON_OBJECT;
}

static enum json_type wanted_element(const struct property *property)
{
    switch ((enum property_kind)property->kind) {
    case KIND_STRINGS:
    case KIND_ENUMS:
    case KIND_MAP:
        return JSON_STRING;
    case KIND_UINT32S:
        return JSON_NUMBER;
    default:
        return JSON_OBJECT;
    }
}

static void wrong_types(const struct place *place, const struct json *value, const char *path,
                        enum json_type wanted)
{
    static const struct {
        enum json_type type;
        const char *text;
    } values[] = { { JSON_TRUE, "true" },
                   { JSON_NUMBER, "1" },
                   { JSON_STRING, "\"1\"" },
                   { JSON_ARRAY, "[true]" },
                   { JSON_OBJECT, "{\"x\":1}" } };

    for (size_t i = 0; i < array_length(values); i++)
        if (values[i].type != wanted)
            expect_refused(place, value, path, values[i].text);
}

/* Of the property and of each element of an array or map, where null is no value. */
static void visit_types(const struct place *place, void *context)
{
    size_t index = 0;

    (void)context;
    wrong_types(place, place->value, place->path, wanted_type(place->property));
    if (place->value->type != JSON_ARRAY && place->property->kind != KIND_MAP &&
        place->property->kind != KIND_OBJECT_MAP)
        return;
    for (const struct json *item = place->value->child; item; item = item->next, index++) {
        auto_free char *key = item->key ? strndup(item->key, item->key_length) : NULL;
        auto_free char *path = key ? json_member_path(place->path, key) : element_path(place->path, index);

        wrong_types(place, item, path, wanted_element(place->property));
        expect_refused(place, item, path, "null");
    }
}

/* One more than the largest and one less than the smallest; what they are in decimal, beyond 64 bits too. */
static void visit_ranges(const struct place *place, void *context)
{
    const struct property *property = place->property;
    auto_free char *above = property->max == UINT64_MAX
                                ? memory_format("18446744073709551616")
                                : memory_format("%llu", (unsigned long long)property->max + 1);
    auto_free char *below = property->min == INT64_MIN ? memory_format("-9223372036854775809")
                                                       : memory_format("%lld", (long long)property->min - 1);
    const char *const numbers[] = {
        above, below, "1.5", "1e2", "-0.0", "1e400", "99999999999999999999999999"
    };

    (void)context;
    for (size_t i = 0; i < array_length(numbers); i++) {
        if (wanted_type(property) == JSON_NUMBER)
            expect_refused(place, place->value, place->path, numbers[i]);
        if (property->kind == KIND_UINT32S) {
            auto_free char *path = element_path(place->path, 0);

            expect_refused(place, place->value->child, path, numbers[i]);
        }
    }
}

static void visit_names(const struct place *place, void *context)
{
    static const char *const names[] = { "\"nonsense\"", "\"\"", "\"a\\u0000b\"" };

    (void)context;
    for (size_t i = 0; i < array_length(names); i++) {
        auto_free char *path = element_path(place->path, 0);

        if (place->property->kind == KIND_ENUM)
            expect_refused(place, place->value, place->path, names[i]);
        if (place->property->kind == KIND_ENUMS)
            expect_refused(place, place->value->child, path, names[i]);
    }
}

static void visit_strings(const struct place *place, void *context)
{
    (void)context;
    if (place->property->kind == KIND_STRING) {
        expect_refused(place, place->value, place->path, "\"a\\u0000b\"");
        expect_refused(place, place->value, place->path, "\"\\ud800\"");
        if (place->property->flags & (NONEMPTY | ABSOLUTE))
            expect_refused(place, place->value, place->path, "\"\"");
        if (place->property->flags & ABSOLUTE)
            expect_refused(place, place->value, place->path, "\"relative\"");
    }
    if (place->property->kind == KIND_STRINGS) {
        auto_free char *path = element_path(place->path, 0);

        if (place->property->flags & NONEMPTY)
            expect_refused(place, place->value, place->path, "[]");
        if (place->value->child)
            expect_refused(place, place->value->child, path, "\"a\\u0000b\"");
    }
}

/* ---- null
 * --------------------------------------------------------------------------------------------------- */

static char *written(const struct buffer *text, struct error *err)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        oci_config_parse("config.json", text->data, text->length, err);
    struct buffer out = { 0 };

    if (!config)
        return NULL;
    schema_write(&oci_config_schema, config, SCHEMA_COMPACT, &out);
    return buffer_take(&out);
}

/* The same property under a name that nobody knows, of the same length: it is ignored, so it is as if absent.
 */
static void rename_property(const struct place *place, struct buffer *text)
{
    size_t at = place->value->offset;

    buffer_add(text, place->full->text, place->full->length);
    while (text->data[at] != ':')
        at--;
    while (text->data[at] != '"')
        at--;
    text->data[at - 1] = '#';
}

/* What a message says after the name of the file and, where it is there, the position in it. */
static const char *without_position(const char *text)
{
    text += strlen("config.json:");
    return text + strspn(text, "0123456789: ");
}

/* An error about something that is missing names that, or something next to it that needs it. */
static void expect_named(const struct place *place, const char *text)
{
    auto_free char *near = memory_format("%s", place->path);
    char *end = strrchr(near, '.');

    if (end)
        *end = '\0';
    cr_expect_not_null(strstr(text, end ? near : ":"), "%s: null gives: %s", place->path, text);
}

static void visit_null(const struct place *place, void *context)
{
    auto_buffer struct buffer null = { 0 }, absent = { 0 };
    auto_free char *from_null = NULL, *from_absent = NULL;
    struct error null_error = { 0 }, absent_error = { 0 };

    (void)context;
    replace(place, place->value, "null", &null);
    rename_property(place, &absent);
    from_null = written(&null, &null_error);
    from_absent = written(&absent, &absent_error);
    if (place->property->flags & REQUIRED)
        expect_refused(place, place->value, place->path, "null");
    cr_assert_eq(!from_null, !from_absent, "%s: null gives [%s], absence [%s]", place->path, null_error.text,
                 absent_error.text);
    if (from_null) {
        cr_expect_str_eq(from_null, from_absent, "%s: null is not the same as absence", place->path);
        return;
    }
    cr_expect_str_eq(without_position(null_error.text), without_position(absent_error.text));
    expect_named(place, null_error.text);
}

/* ---- the tests
 * ---------------------------------------------------------------------------------------------- */

/* What stands in full.json, and what was seen there. */
struct coverage {
    const struct property *seen[1024];
    size_t count;
};

static void visit_coverage(const struct place *place, void *context)
{
    struct coverage *coverage = context;

    cr_assert_lt(coverage->count, array_length(coverage->seen));
    coverage->seen[coverage->count++] = place->property;
    if (strcmp(place->path, "linux.personality.flags") == 0)
        return; /* the specification knows no value for it */
    if (wanted_type(place->property) == JSON_ARRAY || wanted_type(place->property) == JSON_OBJECT)
        cr_expect_not_null(place->value->child, "tests/data/full.json: %s is empty", place->path);
}

static bool was_seen(const struct coverage *coverage, const struct property *property)
{
    for (size_t i = 0; i < coverage->count; i++)
        if (coverage->seen[i] == property)
            return true;
    return false;
}

/* The tables have no cycles. */
static size_t expect_covered(const struct coverage *coverage, const struct schema *schema, const char *path)
{
    size_t count, total = 0;
    const struct property *properties = schema->properties(&count);

    for (size_t i = 0; i < count; i++) {
        auto_free char *own_path = json_member_path(path, properties[i].name);

        if (properties[i].kind == KIND_KEY)
            continue;
        total++;
        cr_expect(was_seen(coverage, &properties[i]), "tests/data/full.json does not use %s", own_path);
        if (properties[i].kind == KIND_OBJECT || properties[i].kind == KIND_OBJECTS ||
            properties[i].kind == KIND_OBJECT_MAP)
            total += expect_covered(coverage, schema_of(&properties[i]), own_path);
    }
    return total;
}

Test(schema_mutation, item_5_full_json_uses_every_property)
{
    struct coverage coverage = { 0 };
    struct full full;

    full_open(&full);
    walk_all(&full, visit_coverage, &coverage);
    cr_expect_geq(expect_covered(&coverage, &oci_config_schema, ""), 200);
    full_close(&full);
}

static void for_each_property(visit_fn *visit)
{
    struct full full;

    full_open(&full);
    walk_all(&full, visit, NULL);
    full_close(&full);
}

Test(schema_mutation, item_5_wrong_types)
{
    for_each_property(visit_types);
}

Test(schema_mutation, item_5_numbers_out_of_range)
{
    for_each_property(visit_ranges);
}

Test(schema_mutation, item_5_unknown_names)
{
    for_each_property(visit_names);
}

Test(schema_mutation, item_5_strings)
{
    for_each_property(visit_strings);
}

Test(schema_mutation, item_5_null_counts_as_absent)
{
    for_each_property(visit_null);
}
