/* One strict number parser for every place that reads numbers as text: no sign, space or suffix slips through. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whole string, decimal, within [min, max]. */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *value);
bool number_parse_unsigned(const char *text, uint64_t max, uint64_t *value);
