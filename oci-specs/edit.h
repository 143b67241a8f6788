/* Changes to what was read: lists of strings and string maps that own their strings. */
#pragma once

#include "oci-specs/types.h"

/* Adds a copy of `string` at the end and keeps items[count] NULL. Whoever owns the list sets its has_ member.
 */
void strings_add(struct strings *strings, const char *string);
bool strings_contain(const struct strings *strings, const char *string);
void strings_free(struct strings *strings);

/* Sets a key to a copy of value, added at the end when new. */
void string_map_set(struct string_map *map, const char *key, const char *value);
void string_map_free(struct string_map *map);
