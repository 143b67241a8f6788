/*
 * Memory that is always there: these end the process with a message when the system has none (see buffer.h).
 * What they return belongs to the caller, who frees it with free().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *memory_new(size_t size);                     /* zeroed */
void *memory_new_array(size_t count, size_t size); /* zeroed; the product is checked */
void *memory_resize(void *memory, size_t size);
char *memory_string(const char *string); /* NULL stays NULL */
char *memory_string_n(const char *string, size_t length);
char *memory_join(const char *first, const char *second, const char *third); /* one behind the other */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does a leak checker look at the end for what was not freed? Else the end of the process frees it in one go.
 */
bool memory_is_watched(void);

/*
 * Makes room for one more element at the end of an array and returns it, zeroed:
 *     struct step *step = array_grow(plan->steps, plan->step_count);
 * The capacity is the next power of two of the count, so nothing else has to be stored.
 */
#define array_grow(array, count) (__typeof__(array))array_grow_((void **)&(array), &(count), sizeof *(array))
void *array_grow_(void **array, size_t *count, size_t size);

#define array_length(array) (sizeof(array) / sizeof *(array))
