/*
 * A JSON document as a tree that lives in an arena. Strings and numbers point into the text that was parsed,
 * so the text must outlive the tree; only strings with escapes are copied. Every value knows where it stands,
 * for errors.
 *
 * Stricter than JSON: the document is an object; duplicate keys, NUL in a string, text that is not UTF-8,
 * nesting deeper than JSON_DEPTH_LIMIT and more than JSON_VALUE_LIMIT values are errors. Numbers keep their
 * text: nothing is rounded.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_LIMIT 64
#define JSON_VALUE_LIMIT (1u << 20)

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    const char *key; /* in an object; not NUL-terminated */
    union {
        const char *text;         /* string: unescaped; number: as written. Not NUL-terminated */
        const struct json *child; /* array, object: the first member */
    };
    const struct json *next, *parent;
    uint32_t key_length;
    uint32_t length; /* of text, or the number of children */
    uint32_t offset; /* where the value begins in the document */
    enum json_type type;
};

struct json_document;

/* `name` and `text` are borrowed for the life of the document, `length` is at most UINT32_MAX. NULL on error.
 */
struct json_document *json_parse(const char *name, const char *text, size_t length, struct error *err);
void json_free(struct json_document *document);
static inline void json_cleanup(struct json_document **document)
{
    json_free(*document);
}

const struct json *json_root(const struct json_document *document);

/*
 * Starts an error about a value: "NAME:LINE:COLUMN: PATH: MESSAGE". With `member` the path is that of a
 * member of the object `value` that is not there. Always returns -1.
 */
int json_fail(const struct json_document *document, const struct json *value, const char *member,
              struct error *err, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "a string", "an object", … for messages. */
const char *json_type_name(enum json_type type);

/* How much of a hostile string an error quotes: at most `limit` bytes, not cutting a character in two. */
int json_quote_length(const char *text, size_t length, size_t limit);

/* The path of a member of an object that has a path, as errors write it: a.b, or a["b c"]. Owned. */
char *json_member_path(const char *path, const char *key);
