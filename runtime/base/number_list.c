/* CPU and node lists: see number_list.h. */
#include "base/number_list.h"

#include <ctype.h>
#include <stdbool.h>

static const char *skip_blanks(const char *position)
{
    while (*position == ' ' || *position == '\t' || *position == '\n')
        position++;
    return position;
}

/* One number below `limit`; the position behind it, or NULL. */
static const char *take_number(const char *position, size_t limit, size_t *number)
{
    if (!isdigit((unsigned char)*position))
        return NULL;
    for (*number = 0; isdigit((unsigned char)*position); position++) {
        *number = *number * 10 + (size_t)(*position - '0');
        if (*number >= limit)
            return NULL;
    }
    return position;
}

/* One element, "3" or "0-3". */
static const char *take_range(const char *position, size_t limit, size_t *first, size_t *last)
{
    position = take_number(position, limit, first);
    if (!position)
        return NULL;
    *last = *first;
    position = skip_blanks(position);
    if (*position != '-')
        return position;
    position = take_number(skip_blanks(position + 1), limit, last);
    if (!position || *last < *first)
        return NULL;
    return skip_blanks(position);
}

static int set_bits(unsigned long *words, size_t first, size_t last)
{
    int added = 0;

    for (size_t bit = first; bit <= last; bit++) {
        unsigned long mask = 1UL << (bit % NUMBER_LIST_WORD_BITS);
        unsigned long *word = &words[bit / NUMBER_LIST_WORD_BITS];

        added += (*word & mask) == 0;
        *word |= mask;
    }
    return added;
}

int number_list_parse(const char *list, unsigned long *words, size_t word_count, struct error *err)
{
    const size_t limit = word_count * NUMBER_LIST_WORD_BITS;
    const char *position = skip_blanks(list);
    int count = 0;

    while (*position) {
        size_t first, last;

        if (*position == ',') {
            position = skip_blanks(position + 1);
            continue;
        }
        position = take_range(position, limit, &first, &last);
        if (!position || (*position && *position != ','))
            return fail(err, EINVAL, "'%s' is not a list like 0-3,7 of numbers below %zu", list, limit);
        count += set_bits(words, first, last);
    }
    return count;
}
