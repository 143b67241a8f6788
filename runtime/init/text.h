/* The few string functions of aril-init, which has no libc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

static inline bool text_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* What follows the prefix, or NULL. */
static inline char *text_after(char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return NULL;
    return text;
}

/* All digits and at most `limit`, or -1. */
static inline long text_number(const char *text, long limit)
{
    long number = 0;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = number * 10 + (*text - '0');
        if (number > limit)
            return -1;
    }
    return number;
}

/* Copies without the NUL; returns the end. */
static inline char *text_copy(char *to, const char *from)
{
    while (*from)
        *to++ = *from++;
    return to;
}

/* The same for a number, at most 10 digits. */
static inline char *text_copy_number(char *to, unsigned number)
{
    char digits[12];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}
