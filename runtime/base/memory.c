/* Memory that is always there. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *check(void *memory)
{
    static const char message[] = "aril: out of memory\n";

    if (memory)
        return memory;
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(1);
}

void *memory_new(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *memory_new_array(size_t count, size_t size)
{
    return check(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *memory, size_t size)
{
    return check(realloc(memory, size ? size : 1));
}

char *memory_string(const char *string)
{
    return string ? check(strdup(string)) : NULL;
}

char *memory_string_n(const char *string, size_t length)
{
    return check(strndup(string, length));
}

/* A fifth of what memory_format("%s%s%s", …) takes. */
char *memory_join(const char *first, const char *second, const char *third)
{
    size_t lengths[] = { strlen(first), strlen(second), strlen(third) };
    char *string = check(malloc(lengths[0] + lengths[1] + lengths[2] + 1));

    memcpy(string, first, lengths[0]);
    memcpy(string + lengths[0], second, lengths[1]);
    memcpy(string + lengths[0] + lengths[1], third, lengths[2] + 1);
    return string;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    char *string = NULL;
    int length;

    va_start(arguments, format);
    length = vasprintf(&string, format, arguments);
    va_end(arguments);
    return check(length < 0 ? NULL : string);
}

bool memory_is_watched(void)
{
#ifdef ARIL_SANITIZERS
    return true;
#else
    return false;
#endif
}

void *array_grow_(void **array, size_t *count, size_t size)
{
    char *element;

    if ((*count & (*count - 1)) == 0) { /* 0, 1, 2, 4, 8, ...: full */
        size_t capacity = *count ? *count * 2 : 1;

        *array = check(reallocarray(*array, capacity, size));
    }
    element = (char *)*array + *count * size;
    memset(element, 0, size);
    (*count)++;
    return element;
}
