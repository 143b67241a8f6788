/*
 * What is done with a parsed JSON document: its memory, and errors that name a place in it. Pure.
 * json_parse.c makes it.
 */
#include "oci-specs/json_document.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTE_LIMIT 64  /* bytes of a key that errors show */
#define PATH_LIMIT 512  /* bytes of a path that errors show */
#define BLOCK_SIZE 8192 /* the first block; a usual config needs two */
#define BLOCK_SIZE_MAX (1u << 20)

struct json_block {
    struct json_block *next;
    size_t used, size;
    _Alignas(max_align_t) char data[];
};

/* ---- memory ------------------------------------------------------------------------------------------ */

static struct json_block *add_block(struct json_document *document, size_t needed)
{
    size_t size = document->blocks ? document->blocks->size * 2 : BLOCK_SIZE;
    struct json_block *block;

    if (size > BLOCK_SIZE_MAX)
        size = BLOCK_SIZE_MAX;
    if (size < needed)
        size = needed;
    block = memory_resize(NULL, sizeof *block + size); /* not zeroed: pages are touched when they are used */
    block->next = document->blocks;
    block->used = 0;
    block->size = size;
    document->blocks = block;
    return block;
}

void *json_allocate(struct json_document *document, size_t size)
{
    struct json_block *block = document->blocks;
    void *memory;

    size = (size + 7) & ~(size_t)7;
    if (!block || block->size - block->used < size)
        block = add_block(document, size);
    memory = block->data + block->used;
    block->used += size;
    return memory;
}

void json_free(struct json_document *document)
{
    if (!document)
        return;
    for (struct json_block *block = document->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(document);
}

const struct json *json_root(const struct json_document *document)
{
    return document->root;
}

/* ---- errors ----------------------------------------------------------------------------------------- */

const char *json_type_name(enum json_type type)
{
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_FALSE:
    case JSON_TRUE:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    return "?";
}

int json_quote_length(const char *text, size_t length, size_t limit)
{
    if (length > limit)
        for (length = limit; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return (int)length;
}

static bool is_plain(const char *key, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!(key[i] == '_' || (key[i] >= '0' && key[i] <= '9') ||
              ((key[i] | 0x20) >= 'a' && (key[i] | 0x20) <= 'z')))
            return false;
    return length > 0;
}

static void add_key(struct buffer *out, const char *key, size_t length)
{
    int shown = json_quote_length(key, length, QUOTE_LIMIT);
    const char *more = (size_t)shown < length ? "..." : "";

    if (is_plain(key, length))
        buffer_add_format(out, "%s%.*s%s", out->length ? "." : "", shown, key, more);
    else
        buffer_add_format(out, "[\"%.*s%s\"]", shown, key, more);
}

char *json_member_path(const char *path, const char *key)
{
    struct buffer out = { 0 };

    buffer_add_string(&out, path);
    add_key(&out, key, strlen(key));
    return buffer_take(&out);
}

/* linux.namespaces[1].type */
static void add_path(struct buffer *out, const struct json *value)
{
    size_t index = 0;

    if (!value->parent)
        return;
    add_path(out, value->parent);
    if (value->parent->type == JSON_OBJECT) {
        add_key(out, value->key, value->key_length);
        return;
    }
    for (const struct json *sibling = value->parent->child; sibling && sibling != value;
         sibling = sibling->next)
        index++;
    buffer_add_format(out, "[%zu]", index);
}

void json_add_place(struct buffer *out, const struct json_document *document, size_t offset)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < offset && i < document->length; i++) {
        if (document->text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)document->text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    buffer_add_format(out, "%s:%zu:%zu: ", document->name, line, column);
}

int json_fail(const struct json_document *document, const struct json *value, const char *member,
              struct error *err, const char *format, ...)
{
    auto_buffer struct buffer place = { 0 }, path = { 0 };
    char message[ERROR_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    json_add_place(&place, document, value->offset);
    add_path(&path, value);
    if (member)
        add_key(&path, member, strlen(member));
    if (!path.length)
        return fail(err, EINVAL, "%s%s", place.data, message);
    return fail(err, EINVAL, "%s%.*s: %s", place.data, PATH_LIMIT, path.data, message);
}
