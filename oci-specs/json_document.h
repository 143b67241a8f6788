/* Inside the JSON tree: what json.c and json_parse.c share. */
#pragma once

#include "base/buffer.h"
#include "oci-specs/json.h"

struct json_document {
    const char *name, *text; /* borrowed */
    size_t length;
    struct json_block *blocks; /* an arena: nothing in it is freed alone */
    struct json *root;
};

/* Lives as long as the document, aligned for any node. Not zeroed. */
void *json_allocate(struct json_document *document, size_t size);

/* "NAME:LINE:COLUMN: " of an offset in the text; columns count characters. */
void json_add_place(struct buffer *out, const struct json_document *document, size_t offset);
