/*
 * Reads, checks, writes and frees the objects that the schema tables describe (types.h). No JSON is read or written by
 * hand anywhere else. Readers report the JSON path with line and column, for example
 *     config.json:12:18: linux.namespaces[1].type: 'netwrk' is not one of pid, network, mount, ipc, uts, user, cgroup, time
 * Unknown properties are ignored; a duplicate key, a wrong type, a number out of range or with a fraction or exponent, a
 * NUL in a string, text that is not UTF-8, nesting deeper than 64, more than a million values or a document larger than
 * SCHEMA_SIZE_LIMIT is an error. What is written is always valid JSON: bytes that are not UTF-8 become U+FFFD.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/types.h"

#define SCHEMA_SIZE_LIMIT (32u << 20) /* bytes */

struct schema; /* one object type: oci_config_schema, oci_process_schema, container_status_schema, … */

#define SCHEMA_PASS_DECLARATIONS /* extern const struct schema TYPE_schema; for every OBJECT_BEGIN (TYPE) */
#include "oci-specs/all_tables.h"

/* Parses a document. `name` is what errors call it ("config.json"). The object is owned: schema_free(). NULL on error. */
void *schema_parse(const struct schema *schema, const char *name, const char *text, size_t length, struct error *err);

/* The same, but unknown properties are errors. */
void *schema_parse_strict(const struct schema *schema, const char *name, const char *text, size_t length,
                          struct error *err);

/* Reads and parses a file below dirfd (AT_FDCWD for host paths). */
void *schema_read_at(const struct schema *schema, int dirfd, const char *path, struct error *err);

enum schema_style {
    SCHEMA_COMPACT, /* one line, no newline at the end */
    SCHEMA_SPACES_2, /* runc's `state` (contract O1), no newline at the end */
    SCHEMA_TABS,     /* runc's `spec` (contract O8) */
    SCHEMA_SPACES_4, /* `features` (contract O4) */
};
void schema_write(const struct schema *schema, const void *object, enum schema_style style, struct buffer *out);

/* The same for an array of `count` objects of `size` bytes (list --format json). */
void schema_write_array(const struct schema *schema, const void *objects, size_t count, size_t size,
                        enum schema_style style, struct buffer *out);

/* A deep copy, owned. */
void *schema_copy(const struct schema *schema, const void *object);

/* Frees an object and everything in it; NULL is fine. */
void schema_free(const struct schema *schema, void *object);
