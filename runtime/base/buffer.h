/*
 * A growing string of bytes. Zero-initialised is empty and valid; `data` is NUL-terminated as soon as anything
 * was added. Running out of memory ends the process: a runtime that cannot get a few kilobytes cannot tidy up
 * either, and the kernel closes what it holds.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_free(struct buffer *buffer);

/* The contents as an owned string (never NULL); the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer);

#define auto_buffer auto_cleanup(buffer_free)
