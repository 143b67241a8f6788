/* Names of systemd units: see systemd_name.h. Pure. */
#include "cgroup/systemd_name.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define PROPERTY "linux.cgroupsPath"
#define UNIT_NAME_LIMIT 255
#define SCOPE ".scope"
#define SLICE ".slice"

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), end = strlen(suffix);

    return length > end && strcmp(text + length - end, suffix) == 0;
}

/* The characters that systemd takes in the name of a unit. */
static bool is_unit_name(const char *name)
{
    size_t length = strlen(name);

    return length <= UNIT_NAME_LIMIT && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") == length;
}

/* Each "-" is one level, so there must be something between them. */
char *unit_slice_path(const char *slice)
{
    struct buffer path = { 0 };
    const char *end;

    if (!ends_with(slice, SLICE) || !is_unit_name(slice))
        return NULL;
    if (strcmp(slice, "-" SLICE) == 0)
        return memory_string("");
    end = slice + strlen(slice) - strlen(SLICE);
    if (slice[0] == '-' || end[-1] == '-' || strstr(slice, "--"))
        return NULL;
    for (const char *part = slice; part < end; part++) {
        part += strcspn(part, "-");
        if (part > end)
            part = end;
        buffer_add_char(&path, '/');
        buffer_add(&path, slice, (size_t)(part - slice));
        buffer_add_string(&path, SLICE);
    }
    return buffer_take(&path);
}

/* An id may have one character that the name of a unit may not: systemd writes it like this. */
static char *escape(const char *id)
{
    struct buffer out = { 0 };

    for (; *id; id++) {
        if (*id == '+')
            buffer_add_string(&out, "\\x2b");
        else
            buffer_add_char(&out, *id);
    }
    return buffer_take(&out);
}

void unit_name_free(struct unit_name *name)
{
    free(name->slice);
    free(name->unit);
    *name = (struct unit_name){ 0 };
}

static int check(const struct unit_name *name, const char *path, struct error *err)
{
    auto_free char *slice = unit_slice_path(name->slice);

    if (!slice)
        return fail(err, EINVAL, PROPERTY ": '%s': '%s' is not the name of a slice", path, name->slice);
    if (ends_with(name->unit, SLICE SCOPE))
        return fail(err, ENOTSUP, PROPERTY ": '%s': a container cannot be a slice, which holds no processes",
                    path);
    if (!is_unit_name(name->unit))
        return fail(err, EINVAL, PROPERTY ": '%s': '%s' is not the name of a unit", path, name->unit);
    return 0;
}

int unit_name_parse(const char *path, const char *id, bool user, struct unit_name *name, struct error *err)
{
    auto_free char *escaped = escape(id), *fallback = memory_format(":aril:%s", escaped), *prefix = NULL;
    const char *first, *second;

    *name = (struct unit_name){ 0 };
    if (!path || !*path)
        path = fallback;
    first = strchr(path, ':');
    second = first ? strchr(first + 1, ':') : NULL;
    if (!second || strchr(second + 1, ':'))
        return fail(err, EINVAL,
                    PROPERTY ": '%s' is not of the form SLICE:PREFIX:NAME that the systemd driver needs",
                    path);
    name->slice = first > path ? memory_string_n(path, (size_t)(first - path))
                               : memory_string(user ? "user" SLICE : "system" SLICE);
    prefix = memory_string_n(first + 1, (size_t)(second - first - 1));
    name->unit = memory_format("%s%s%s" SCOPE, prefix, *prefix ? "-" : "", second[1] ? second + 1 : escaped);
    if (check(name, path, err) == 0)
        return 0;
    unit_name_free(name);
    return -1;
}
