/*
 * yajl's callback parser into a tree. Runs in the runtime's commands, on text that may be hostile. Knows
 * nothing of schemas. yajl only splits the text into tokens and checks the grammar: positions, strings and
 * numbers are taken from the text itself (yajl gives a decoded copy without a position, and is lax about
 * UTF-8).
 */
#include "oci-specs/json_document.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define FEW_KEYS 24 /* up to here comparing each with each is cheaper than sorting */

struct parser {
    struct json_document *document;
    yajl_handle yajl;
    struct error *err;
    size_t token_end; /* of the last token that was seen */
    size_t values;
    struct json *open[JSON_DEPTH_LIMIT]; /* the containers that the next value is in, outermost first */
    struct json *last[JSON_DEPTH_LIMIT]; /* the last child of each */
    size_t depth;
    const char *key; /* waits for its value */
    size_t key_length;
};

/* ---- building the tree ------------------------------------------------------------------------------- */

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Between two tokens that yajl reports are only white space, commas and colons. */
static size_t token_begin(struct parser *parser)
{
    const char *text = parser->document->text;
    size_t offset = parser->token_end;

    while (offset < parser->document->length &&
           (is_white(text[offset]) || text[offset] == ',' || text[offset] == ':'))
        offset++;
    return offset;
}

static void token_finish(struct parser *parser)
{
    size_t end = yajl_get_bytes_consumed(parser->yajl);

    if (end > parser->token_end) /* smaller: a number at the very end of the text */
        parser->token_end = end;
}

static struct json *add_value(struct parser *parser, enum json_type type)
{
    struct json *value = json_allocate(parser->document, sizeof *value);

    *value = (struct json){ .type = type, .offset = (uint32_t)token_begin(parser) };
    token_finish(parser);
    if (parser->depth == 0) {
        parser->document->root = value;
    } else {
        struct json *parent = parser->open[parser->depth - 1];
        struct json **last = &parser->last[parser->depth - 1];

        if (*last)
            (*last)->next = value;
        else
            parent->child = value;
        *last = value;
        parent->length++;
        value->parent = parent;
        if (parent->type == JSON_OBJECT) {
            value->key = parser->key;
            value->key_length = (uint32_t)parser->key_length;
        }
    }
    if (++parser->values > JSON_VALUE_LIMIT) {
        json_fail(parser->document, value, NULL, parser->err, "more than %u values", JSON_VALUE_LIMIT);
        return NULL;
    }
    return value;
}

static int open_container(struct parser *parser, enum json_type type)
{
    struct json *value = add_value(parser, type);

    if (!value)
        return 0;
    if (parser->depth == JSON_DEPTH_LIMIT) {
        value->parent = NULL; /* the path would be 64 brackets long */
        json_fail(parser->document, value, NULL, parser->err, "nested deeper than %d", JSON_DEPTH_LIMIT);
        return 0;
    }
    parser->open[parser->depth] = value;
    parser->last[parser->depth] = NULL;
    parser->depth++;
    return 1;
}

/* The string token at hand, without its quotes, escapes resolved. -1 when it is not text that C can hold. */
static int take_string(struct parser *parser, const struct json *at, const char **string, size_t *length)
{
    const char *raw = parser->document->text + at->offset + 1;
    size_t raw_length = parser->token_end - at->offset - 2;
    char *unescaped;
    long used;

    *string = raw;
    *length = raw_length;
    if (memchr(raw, '\\', raw_length)) {
        unescaped = json_allocate(parser->document, raw_length);
        used = json_text_unescape(raw, raw_length, unescaped);
        if (used < 0)
            return json_fail(parser->document, at, NULL, parser->err, "half a surrogate pair in a string");
        *string = unescaped;
        *length = (size_t)used;
    }
    if (memchr(*string, '\0', *length))
        return json_fail(parser->document, at, NULL, parser->err, "NUL in a string");
    if (!json_text_is_clean(*string, *length))
        return json_fail(parser->document, at, NULL, parser->err, "not valid UTF-8");
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const struct json *a = *(const struct json *const *)left, *b = *(const struct json *const *)right;
    int order;

    if (a->key_length != b->key_length)
        return a->key_length < b->key_length ? -1 : 1;
    order = memcmp(a->key, b->key, a->key_length);
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static bool same_key(const struct json *a, const struct json *b)
{
    return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0;
}

/* The second of two members with the same key, or NULL. */
static const struct json *find_duplicate(const struct json *object)
{
    auto_free const struct json **sorted = NULL;
    size_t count = 0;

    if (object->length <= FEW_KEYS) {
        for (const struct json *member = object->child; member; member = member->next)
            for (const struct json *other = object->child; other != member; other = other->next)
                if (same_key(member, other))
                    return member;
        return NULL;
    }
    sorted = memory_new_array(object->length, sizeof(struct json *));
    for (const struct json *member = object->child; member; member = member->next)
        sorted[count++] = member;
    qsort(sorted, count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < count; i++)
        if (same_key(sorted[i - 1], sorted[i]))
            return sorted[i];
    return NULL;
}

/* ---- yajl's callbacks: 0 stops the parser, with err filled ------------------------------------------- */

static int on_null(void *context)
{
    return add_value(context, JSON_NULL) != NULL;
}

static int on_boolean(void *context, int is_true)
{
    return add_value(context, is_true ? JSON_TRUE : JSON_FALSE) != NULL;
}

static int on_number(void *context, const char *text, size_t length)
{
    struct parser *parser = context;
    struct json *value = add_value(parser, JSON_NUMBER);

    (void)text; /* yajl's own buffer at the end of the text */
    if (!value)
        return 0;
    value->text = parser->document->text + value->offset;
    value->length = (uint32_t)length;
    return 1;
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    struct parser *parser = context;
    struct json *value = add_value(parser, JSON_STRING);
    size_t string_length = 0;

    (void)text;
    (void)length;
    if (!value || take_string(parser, value, &value->text, &string_length) < 0)
        return 0;
    value->length = (uint32_t)string_length;
    return 1;
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
    struct parser *parser = context;
    const struct json at = { .offset = (uint32_t)token_begin(parser) };

    (void)text;
    (void)length;
    token_finish(parser);
    return take_string(parser, &at, &parser->key, &parser->key_length) == 0;
}

static int on_object(void *context)
{
    return open_container(context, JSON_OBJECT);
}

static int on_array(void *context)
{
    return open_container(context, JSON_ARRAY);
}

static int on_end(void *context)
{
    struct parser *parser = context;
    const struct json *ended = parser->open[--parser->depth], *duplicate = NULL;

    token_finish(parser);
    if (ended->type == JSON_OBJECT)
        duplicate = find_duplicate(ended);
    if (duplicate)
        json_fail(parser->document, duplicate, NULL, parser->err, "duplicate key");
    return duplicate == NULL;
}

/* ---- the parser -------------------------------------------------------------------------------------- */

static void *yajl_new(void *context, size_t size)
{
    (void)context;
    return memory_resize(NULL, size); /* never NULL: yajl does not check */
}

static void *yajl_resize(void *context, void *memory, size_t size)
{
    (void)context;
    return memory_resize(memory, size);
}

static void yajl_drop(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* yajl says "parse error: after key and value, inside map, I expect ',' or '}'\n". */
static int fail_syntax(struct parser *parser, size_t offset)
{
    unsigned char *message = yajl_get_error(parser->yajl, 0, NULL, 0);
    size_t length = strcspn((char *)message, "\n");
    auto_buffer struct buffer place = { 0 };

    if (length && message[length - 1] == '.')
        length--;
    json_add_place(&place, parser->document, offset);
    fail(parser->err, EINVAL, "%s%.*s", place.data, (int)length, message);
    yajl_free_error(parser->yajl, message);
    return -1;
}

static int run(struct parser *parser)
{
    const struct json_document *document = parser->document;
    yajl_status status = yajl_parse(parser->yajl, (const unsigned char *)document->text, document->length);

    if (status == yajl_status_error) {
        size_t consumed = yajl_get_bytes_consumed(parser->yajl);

        return fail_syntax(parser, consumed ? consumed - 1 : 0); /* it has read the character it dislikes */
    }
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(parser->yajl);
        if (status == yajl_status_error)
            return fail_syntax(parser, document->length);
    }
    return status == yajl_status_ok ? 0 : -1;
}

static int parse(struct json_document *document, struct error *err)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_array,
        .yajl_end_array = on_end,
    };
    yajl_alloc_funcs memory = { .malloc = yajl_new, .realloc = yajl_resize, .free = yajl_drop };
    struct parser parser;
    int result;

    /* Not initialised as a whole: the two stacks are a kilobyte that a usual config hardly uses. */
    parser.document = document;
    parser.err = err;
    parser.token_end = parser.values = parser.depth = parser.key_length = 0;
    parser.key = NULL;
    parser.yajl = yajl_alloc(&callbacks, &memory, &parser);
    yajl_config(parser.yajl, yajl_dont_validate_strings, 1);
    result = run(&parser);
    yajl_free(parser.yajl);
    return result;
}

static bool is_blank(const char *text, size_t length)
{
    while (length && is_white(text[length - 1]))
        length--;
    return length == 0;
}

struct json_document *json_parse(const char *name, const char *text, size_t length, struct error *err)
{
    auto_cleanup(json_cleanup) struct json_document *document = memory_new(sizeof *document);

    document->name = name;
    document->text = text;
    document->length = length;
    if (length > UINT32_MAX) {
        fail(err, EFBIG, "%s: larger than %u bytes", name, UINT32_MAX);
        return NULL;
    }
    if (is_blank(text, length)) {
        fail(err, EINVAL, "%s: empty", name);
        return NULL;
    }
    if (parse(document, err) < 0)
        return NULL;
    if (document->root->type != JSON_OBJECT) {
        json_fail(document, document->root, NULL, err, "must be an object, is %s",
                  json_type_name(document->root->type));
        return NULL;
    }
    return take_ptr(document);
}
