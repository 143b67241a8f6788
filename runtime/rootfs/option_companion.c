/*
 * Splits a mount option element where aril is static: the companion asks libmount (base/companion.h). Runs in
 * the runtime, instead of option_split.c.
 */
#include "rootfs/options.h"

#include "base/cleanup.h"
#include "base/companion.h"

#include <string.h>

int option_split(const char *element,
                 int (*each)(void *context, const char *key, const char *value, struct error *err),
                 void *context, struct error *err)
{
    const char *const request[] = { "split-options", element, NULL };
    auto_free char *answer = NULL;
    size_t length;

    if (companion_run(request, -1, &answer, &length, err) < 0)
        return -1;
    /* KEY NUL, then "=VALUE" NUL or NUL */
    for (const char *key = answer, *end = answer + length; key < end;) {
        const char *value = key + strlen(key) + 1;

        if (value >= end)
            return fail(err, EIO, "the companion's answer is cut off");
        if (each(context, key, *value ? value + 1 : NULL, err) < 0)
            return -1;
        key = value + strlen(value) + 1;
    }
    return 0;
}
