/* The inside of JSON strings: UTF-8 and escapes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) without NUL? */
bool json_text_is_clean(const char *text, size_t length);

/* The length of the well-formed character at the start of text, 0 when there is none. */
size_t json_text_character(const char *text, size_t length);

/*
 * Resolves the escapes of a string whose syntax the lexer has checked. `out` has room for `length` bytes;
 * returns how many are used, or -1 for half a surrogate pair.
 */
long json_text_unescape(const char *text, size_t length, char *out);
