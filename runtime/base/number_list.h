/* Lists of small numbers as the kernel writes them for CPUs and memory nodes: "0-3,7". */
#pragma once

#include "base/error.h"

#include <limits.h>
#include <stddef.h>

#define NUMBER_LIST_WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

/*
 * Sets the bits that the list names in `words`, an array of word_count zeroed words in the kernel's bitmap
 * layout. Blanks around elements and empty elements ("0,,1,") are accepted, as crun and runc do. Returns how
 * many numbers the list has (0 for an empty one) or -1: not a list, or a number that has no bit.
 */
int number_list_parse(const char *list, unsigned long *words, size_t word_count, struct error *err);
