/* Strict numbers: see number.h. */
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool number_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
    long long parsed;
    char *end;

    if (!is_digit(text[0]) && !(text[0] == '-' && is_digit(text[1])))
        return false;
    errno = 0;
    parsed = strtoll(text, &end, 10);
    if (errno || *end || parsed < min || parsed > max)
        return false;
    *value = parsed;
    return true;
}

bool number_parse_unsigned(const char *text, uint64_t max, uint64_t *value)
{
    unsigned long long parsed;
    char *end;

    if (!is_digit(text[0]))
        return false;
    errno = 0;
    parsed = strtoull(text, &end, 10);
    if (errno || *end || parsed > max)
        return false;
    *value = parsed;
    return true;
}
