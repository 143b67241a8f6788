/* Paths as people write them: see guard.h. */
#include "guard/guard.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool guard_is_within(const char *path, const char *parent)
{
    size_t length = strlen(parent);

    if (length == 1) /* "/" */
        return path[0] == '/';
    return strncmp(path, parent, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

char *guard_join(const char *directory, const char *path)
{
    if (path[0] == '/')
        return memory_string(path);
    return memory_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}

char *guard_tidy(char *path)
{
    char *to = path, *from = path;

    while (*from) {
        size_t length = strcspn(from + 1, "/") + 1;

        if (length == 3 && strncmp(from, "/..", 3) == 0) {
            while (to > path && *--to != '/')
                ;
        } else if (length > 2 || (length == 2 && from[1] != '.')) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
    return path;
}

/* ".." behind a link leads to where the link does, as for every program. A place that is missing is taken by
 * name. */
static void strip_last(struct buffer *path)
{
    auto_free char *real = NULL;

    buffer_add_char(path, '\0');
    real = realpath(path->length > 1 ? path->data : "/", NULL);
    path->length--;
    if (real) {
        path->length = 0;
        buffer_add_string(path, strcmp(real, "/") == 0 ? "" : real);
    }
    while (path->length > 0 && path->data[--path->length] != '/')
        ;
}

char *guard_resolve(const char *path)
{
    struct buffer tidy = { 0 };

    while (*path) {
        size_t length = strcspn(path + 1, "/") + 1;

        if (length == 3 && strncmp(path, "/..", 3) == 0)
            strip_last(&tidy);
        else if (length > 2 || (length == 2 && path[1] != '.'))
            buffer_add(&tidy, path, length);
        path += length;
    }
    if (tidy.length == 0)
        buffer_add_char(&tidy, '/');
    buffer_add_char(&tidy, '\0');
    return tidy.data;
}
