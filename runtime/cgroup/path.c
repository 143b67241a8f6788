/*
 * Cleans linux.cgroupsPath: see path.h. Pure. A path with ".." is refused, not resolved: no engine writes
 * one, and resolved by text it would name another cgroup than the one that was meant.
 */
#include "cgroup/path.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define PROPERTY "linux.cgroupsPath"

char *cgroup_path_clean(const char *path, bool *relative, struct error *err)
{
    struct buffer clean = { 0 };
    const char *position = path;

    *relative = path[0] != '/';
    while (*(position += strspn(position, "/"))) {
        size_t length = strcspn(position, "/");

        if (length == 2 && memcmp(position, "..", 2) == 0) {
            buffer_free(&clean);
            fail(err, EINVAL, PROPERTY ": '%s': '..' is not allowed", path);
            return NULL;
        }
        if (length != 1 || *position != '.') {
            buffer_add_char(&clean, '/');
            buffer_add(&clean, position, length);
        }
        position += length;
    }
    if (clean.length == 0) {
        fail(err, EINVAL, PROPERTY ": '%s' is the root of the hierarchy", path);
        return NULL;
    }
    return buffer_take(&clean);
}
