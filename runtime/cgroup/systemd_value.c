/*
 * A reader for the text format of GVariant: see systemd_value.h. Pure; the text is hostile. One pass from
 * left to right: the type of a value is known before it (a keyword, "@TYPE", the elements before it in an
 * array) or is that of its literal.
 */
#include "cgroup/systemd_value.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_LIMIT 16
#define SIGNATURE_LIMIT 255 /* of D-Bus */

struct parser {
    const char *text, *position;
    unsigned depth;
    struct error *err;
};

static const struct {
    const char *keyword;
    char type;
} keywords[] = {
    { "boolean", 'b' }, { "byte", 'y' },   { "int16", 'n' },      { "uint16", 'q' },
    { "int32", 'i' },   { "uint32", 'u' }, { "int64", 'x' },      { "uint64", 't' },
    { "double", 'd' },  { "string", 's' }, { "objectpath", 'o' }, { "signature", 'g' },
};

static const struct {
    char type;
    bool is_signed;
    uint64_t max;
} numbers[] = {
    { 'y', false, UINT8_MAX },  { 'n', true, INT16_MAX },   { 'q', false, UINT16_MAX },
    { 'i', true, INT32_MAX },   { 'u', false, UINT32_MAX }, { 'x', true, INT64_MAX },
    { 't', false, UINT64_MAX },
};

static int parse_value(struct parser *parser, const char *expected, struct unit_value *value);

static int fail_here(struct parser *parser, const char *reason)
{
    return fail(parser->err, EINVAL, "'%s': %s at byte %zu", parser->text, reason,
                (size_t)(parser->position - parser->text) + 1);
}

static void skip_blanks(struct parser *parser)
{
    parser->position += strspn(parser->position, " \t\n\r");
}

static bool take_char(struct parser *parser, char wanted)
{
    skip_blanks(parser);
    if (*parser->position != wanted)
        return false;
    parser->position++;
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool take_word(struct parser *parser, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(parser->position, word, length) != 0 || is_word(parser->position[length]))
        return false;
    parser->position += length;
    return true;
}

/* ---- types ------------------------------------------------------------------------------------------- */

/* The end of the one complete type at the start of a signature, or NULL. */
static const char *type_end(const char *type, unsigned depth)
{
    if (depth > DEPTH_LIMIT || !*type)
        return NULL;
    if (*type == 'a')
        return type_end(type + 1, depth + 1);
    if (*type != '(')
        return strchr("bynqiuxtdsogv", *type) ? type + 1 : NULL;
    if (*++type == ')')
        return NULL; /* D-Bus has no empty tuple */
    while (type && *type != ')')
        type = type_end(type, depth + 1);
    return type ? type + 1 : NULL;
}

static bool may_be(const char *expected, char type)
{
    return !expected || (expected[0] == type && !expected[1]);
}

static int set_type(struct parser *parser, const char *expected, char type, struct unit_value *value)
{
    if (!may_be(expected, type))
        return fail_here(parser, "a value of another type");
    value->signature = memory_string_n(&type, 1);
    return 0;
}

/* ---- strings ----------------------------------------------------------------------------------------- */

static void add_utf8(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_add_char(out, (char)code);
    } else if (code < 0x800) {
        buffer_add_char(out, (char)(0xc0 | code >> 6));
        buffer_add_char(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        buffer_add_char(out, (char)(0xe0 | code >> 12));
        buffer_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buffer_add_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        buffer_add_char(out, (char)(0xf0 | code >> 18));
        buffer_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        buffer_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buffer_add_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

static int parse_code(struct parser *parser, size_t digits, struct buffer *out)
{
    uint32_t code = 0;

    for (size_t i = 0; i < digits; i++) {
        static const char hex[] = "0123456789abcdef";
        char c = parser->position[0];
        const char *digit = c ? strchr(hex, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

        if (!digit)
            return fail_here(parser, "not a hexadecimal digit");
        code = code << 4 | (uint32_t)(digit - hex);
        parser->position++;
    }
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return fail_here(parser, "not a character");
    add_utf8(out, code);
    return 0;
}

static int parse_escape(struct parser *parser, struct buffer *out)
{
    static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
    char c = *parser->position;
    const char *name;

    if (!c)
        return fail_here(parser, "the string does not end");
    parser->position++;
    if (c == 'u' || c == 'U')
        return parse_code(parser, c == 'u' ? 4 : 8, out);
    name = strchr(names, c);
    buffer_add_char(out, name ? values[name - names] : c);
    return 0;
}

static int parse_quoted(struct parser *parser, struct buffer *out)
{
    char quote = *parser->position++;

    buffer_add_string(out, "");
    while (*parser->position != quote) {
        char c = *parser->position;

        if (!c)
            return fail_here(parser, "the string does not end");
        parser->position++;
        if (c != '\\')
            buffer_add_char(out, c);
        else if (parse_escape(parser, out) < 0)
            return -1;
    }
    parser->position++;
    return 0;
}

static int parse_string(struct parser *parser, const char *expected, struct unit_value *value)
{
    auto_buffer struct buffer text = { 0 };
    char type = expected && strchr("og", expected[0]) ? expected[0] : 's';

    if (set_type(parser, expected, type, value) < 0 || parse_quoted(parser, &text) < 0)
        return -1;
    value->text = buffer_take(&text);
    return 0;
}

/* b'text': an array of its bytes with a NUL. */
static int parse_byte_string(struct parser *parser, const char *expected, struct unit_value *value)
{
    auto_buffer struct buffer text = { 0 };

    if (expected && strcmp(expected, "ay") != 0)
        return fail_here(parser, "a value of another type");
    parser->position++;
    if (parse_quoted(parser, &text) < 0)
        return -1;
    value->signature = memory_string("ay");
    for (size_t i = 0; i <= text.length; i++) {
        struct unit_value *item = array_grow(value->items, value->count);

        item->signature = memory_string("y");
        item->number = (unsigned char)text.data[i];
    }
    return 0;
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

static int parse_double(struct parser *parser, const char *token, struct unit_value *value)
{
    char *end;

    value->real = strtod(token, &end);
    return *end || end == token ? fail_here(parser, "not a number") : 0;
}

static int parse_integer(struct parser *parser, const char *token, struct unit_value *value)
{
    bool negative = *token == '-';
    const char *digits = token + (negative || *token == '+');
    char *end;

    errno = 0;
    value->number = *digits >= '0' && *digits <= '9' ? strtoull(digits, &end, 0) : 0;
    if (*digits < '0' || *digits > '9' || *end)
        return fail_here(parser, "not a number");
    for (size_t i = 0; i < array_length(numbers); i++) {
        if (numbers[i].type != value->signature[0])
            continue;
        if (errno || value->number > numbers[i].max + (negative && numbers[i].is_signed) ||
            (negative && !numbers[i].is_signed && value->number > 0))
            return fail_here(parser, "a number out of range");
    }
    if (negative)
        value->number = -value->number;
    return 0;
}

static int parse_number(struct parser *parser, const char *expected, struct unit_value *value)
{
    size_t length = strcspn(parser->position, " \t\n\r,])>");
    auto_free char *token = memory_string_n(parser->position, length);
    bool hexadecimal = strncmp(token + (*token == '-'), "0x", 2) == 0;
    bool real = expected ? expected[0] == 'd' : !hexadecimal && strpbrk(token, ".eEnN");
    char type = expected && !expected[1] && strchr("ynqiuxt", expected[0]) ? expected[0] : real ? 'd' : 'i';

    if (set_type(parser, expected, type, value) < 0)
        return -1;
    if ((real ? parse_double : parse_integer)(parser, token, value) < 0)
        return -1;
    parser->position += length;
    return 0;
}

/* ---- containers -------------------------------------------------------------------------------------- */

static int parse_items(struct parser *parser, const char *element, char end, struct unit_value *value)
{
    if (take_char(parser, end))
        return 0;
    do {
        const char *expected = element ? element : value->count > 0 ? value->items[0].signature : NULL;
        struct unit_value *item;

        skip_blanks(parser);
        item = array_grow(value->items, value->count);
        if (parse_value(parser, expected, item) < 0)
            return -1;
    } while (take_char(parser, ','));
    return take_char(parser, end)
               ? 0
               : fail_here(parser, end == ']' ? "expected ',' or ']'" : "expected ',' or ')'");
}

static int parse_array(struct parser *parser, const char *expected, struct unit_value *value)
{
    if (expected && expected[0] != 'a')
        return fail_here(parser, "a value of another type");
    parser->position++;
    if (parse_items(parser, expected ? expected + 1 : NULL, ']', value) < 0)
        return -1;
    if (!expected && value->count == 0)
        return fail_here(parser, "an empty array needs its type, like @as [],");
    value->signature = expected ? memory_string(expected) : memory_format("a%s", value->items[0].signature);
    return 0;
}

/* One after the other, because each element has a type of its own. "(1,)" has one. */
static int parse_tuple(struct parser *parser, const char *expected, struct unit_value *value)
{
    const char *type = expected ? expected + 1 : NULL;
    struct buffer signature = { 0 };
    bool comma = true;

    if (expected && expected[0] != '(')
        return fail_here(parser, "a value of another type");
    parser->position++;
    while (!take_char(parser, ')')) {
        const char *next = type ? type_end(type, 0) : NULL;
        auto_free char *element = next ? memory_string_n(type, (size_t)(next - type)) : NULL;

        if ((expected && !next) || !comma)
            return fail_here(parser, "expected ')'");
        type = next;
        if (parse_value(parser, element, array_grow(value->items, value->count)) < 0)
            return -1;
        comma = take_char(parser, ',');
    }
    if (value->count == 0 || (type && *type != ')'))
        return fail_here(parser, "a tuple with too few elements");
    buffer_add_char(&signature, '(');
    for (size_t i = 0; i < value->count; i++)
        buffer_add_string(&signature, value->items[i].signature);
    buffer_add_char(&signature, ')');
    value->signature = buffer_take(&signature);
    return 0;
}

static int parse_variant(struct parser *parser, const char *expected, struct unit_value *value)
{
    if (set_type(parser, expected, 'v', value) < 0)
        return -1;
    parser->position++;
    skip_blanks(parser);
    if (parse_value(parser, NULL, array_grow(value->items, value->count)) < 0)
        return -1;
    return take_char(parser, '>') ? 0 : fail_here(parser, "expected '>'");
}

static int parse_typed(struct parser *parser, const char *expected, struct unit_value *value)
{
    const char *start = parser->position + 1, *end = type_end(start, 0);
    auto_free char *type = end ? memory_string_n(start, (size_t)(end - start)) : NULL;

    if (!type || strlen(type) > SIGNATURE_LIMIT || is_word(*end))
        return fail_here(parser, "not a type");
    if (expected && strcmp(expected, type) != 0)
        return fail_here(parser, "a value of another type");
    parser->position = end;
    skip_blanks(parser);
    return parse_value(parser, type, value);
}

static int parse_word(struct parser *parser, const char *expected, struct unit_value *value)
{
    for (size_t i = 0; i < array_length(keywords); i++) {
        const char type[] = { keywords[i].type, '\0' };

        if (!take_word(parser, keywords[i].keyword))
            continue;
        if (!may_be(expected, type[0]))
            return fail_here(parser, "a value of another type");
        skip_blanks(parser);
        return parse_value(parser, type, value);
    }
    if (take_word(parser, "true"))
        value->number = 1;
    else if (!take_word(parser, "false"))
        return parse_number(parser, expected, value); /* "inf", "nan", or nothing that is known */
    return set_type(parser, expected, 'b', value);
}

static int parse_any(struct parser *parser, const char *expected, struct unit_value *value)
{
    switch (*parser->position) {
    case '\'':
    case '"':
        return parse_string(parser, expected, value);
    case '[':
        return parse_array(parser, expected, value);
    case '(':
        return parse_tuple(parser, expected, value);
    case '<':
        return parse_variant(parser, expected, value);
    case '@':
        return parse_typed(parser, expected, value);
    case '{':
        return fail_here(parser, "dictionaries are not supported");
    case '\0':
        return fail_here(parser, "no value");
    case 'b':
        if (parser->position[1] == '\'' || parser->position[1] == '"')
            return parse_byte_string(parser, expected, value);
        return parse_word(parser, expected, value);
    default:
        return parse_word(parser, expected, value);
    }
}

static int parse_value(struct parser *parser, const char *expected, struct unit_value *value)
{
    int result;

    if (++parser->depth > DEPTH_LIMIT)
        return fail_here(parser, "too deep");
    skip_blanks(parser);
    result = parse_any(parser, expected, value);
    parser->depth--;
    return result;
}

/* ---- whole values ------------------------------------------------------------------------------------ */

void unit_value_free(struct unit_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        unit_value_free(&value->items[i]);
    if (value->signature && strchr("sog", value->signature[0]))
        free(value->text);
    free(value->items);
    free(value->signature);
    *value = (struct unit_value){ 0 };
}

int unit_value_parse(const char *text, struct unit_value *value, struct error *err)
{
    struct parser parser = { .text = text, .position = text, .err = err };
    int result;

    *value = (struct unit_value){ 0 };
    result = parse_value(&parser, NULL, value);
    skip_blanks(&parser);
    if (result == 0 && *parser.position)
        result = fail_here(&parser, "more than one value");
    if (result == 0 && strlen(value->signature) > SIGNATURE_LIMIT)
        result = fail_here(&parser, "a type that is too long");
    if (result < 0)
        unit_value_free(value);
    return result;
}

static int fail_seconds(struct error *err)
{
    return fail(err, ERANGE, "not a number of seconds");
}

int unit_value_to_microseconds(struct unit_value *value, struct error *err)
{
    const char type = value->signature[0];

    if (type == 'd') {
        if (!(value->real >= 0 && value->real < 1e12)) /* also not a number */
            return fail_seconds(err);
        value->number = (uint64_t)(value->real * 1e6);
    } else if (!strchr("ynqiuxt", type)) {
        return fail_seconds(err);
    } else if (value->number == UINT64_MAX && type == 't') {
        return 0;                                      /* systemd's infinity */
    } else if (value->number > UINT64_MAX / 1000000) { /* too large, or below zero */
        return fail_seconds(err);
    } else {
        value->number *= 1000000;
    }
    value->signature[0] = 't';
    return 0;
}
