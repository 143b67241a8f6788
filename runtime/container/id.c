/* Container ids. They become names of directories and cgroups, so what is allowed is a short list. Pure. */
#include "container/store.h"

#include <string.h>

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-"
#define ID_LENGTH_MAX 255 /* NAME_MAX */

int container_id_check(const char *id, struct error *err)
{
    size_t length = strlen(id);

    /* No leading dot: "." and ".." are directories, and hidden names are not containers. */
    if (length == 0 || length > ID_LENGTH_MAX || id[0] == '.' || strspn(id, ID_CHARACTERS ".") != length)
        return fail(err, EINVAL, "invalid container ID format: %s", id);
    return 0;
}
