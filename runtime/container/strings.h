/* Building the string arrays of types.h by hand. */
#pragma once

#include "oci-specs/types.h"

/* Appends a copy and keeps items[count] NULL, whoever allocated the array. */
void strings_add(struct strings *strings, const char *string);
void strings_free(struct strings *strings);
