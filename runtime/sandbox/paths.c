/* Paths and patterns as people write them: see internal.h. */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#define PATTERN_CHARACTERS "*?[{"
#define DEPTH_LIMIT 64 /* of directories that ** goes down */

bool sandbox_path_is_within(const char *path, const char *parent)
{
    size_t length = strlen(parent);

    if (length == 1) /* "/" */
        return path[0] == '/';
    return strncmp(path, parent, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

char *sandbox_path_join(const char *directory, const char *path)
{
    if (path[0] == '/')
        return memory_string(path);
    return memory_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}

char *sandbox_path_expand_home(const char *path)
{
    const char *home = getenv("HOME");

    if (path[0] != '~' || (path[1] != '/' && path[1]) || !home || home[0] != '/')
        return memory_string(path);
    return memory_format("%s%s", home, path + 1);
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

char *sandbox_path_tidy(const char *path)
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

/* ---- patterns -------------------------------------------------------------------------------------------
 */

bool sandbox_path_is_pattern(const char *path)
{
    return strpbrk(path, PATTERN_CHARACTERS) != NULL;
}

/* So that glob(3) takes it literally. Owned. */
static char *escape(const char *path)
{
    char *escaped = memory_new(2 * strlen(path) + 1), *to = escaped;

    for (; *path; path++) {
        if (strchr(PATTERN_CHARACTERS "\\]},", *path))
            *to++ = '\\';
        *to++ = *path;
    }
    return escaped;
}

static bool has_dots(const char *path)
{
    for (; (path = strstr(path, "/.")); path += 2)
        if (path[2 + (path[2] == '.')] == '/' || !path[2 + (path[2] == '.')])
            return true;
    return false;
}

/* One call of glob(3), which takes ** for *. Hidden files are files: * means them, too, but not "." and "..".
 */
static int match(const char *pattern, struct strings *found, struct error *err)
{
    glob_t matches = { 0 };

    if (glob(pattern, GLOB_BRACE | GLOB_NOSORT | GLOB_PERIOD, NULL, &matches) == GLOB_NOSPACE)
        return fail(err, ENOMEM, "%s: too many files match", pattern);
    for (size_t i = 0; i < matches.gl_pathc && found->count <= SANDBOX_GLOB_LIMIT; i++)
        if (!has_dots(matches.gl_pathv[i]))
            strings_add(found, matches.gl_pathv[i]);
    globfree(&matches);
    return 0;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int match_deep(const char *pattern, int depth, struct strings *found, struct error *err);

/* The rest of a pattern in the directory, and in each one below it; links lead nowhere. */
static int match_below(const char *directory, const char *rest, int depth, struct strings *found,
                       struct error *err)
{
    auto_free char *escaped = escape(directory);
    auto_free char *here = memory_format("%s/%s", escaped, rest);
    auto_closedir DIR *stream = NULL;
    const struct dirent *entry;

    if (depth > DEPTH_LIMIT)
        return fail(err, ELOOP, "%s: more than %d directories deep", directory, DEPTH_LIMIT);
    if (match_deep(here, depth, found, err) < 0)
        return -1;
    stream = opendir(directory);
    while (stream && found->count <= SANDBOX_GLOB_LIMIT && (entry = readdir(stream))) {
        auto_free char *below = sandbox_path_join(directory, entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && is_directory(below) &&
            match_below(below, rest, depth + 1, found, err) < 0)
            return -1;
    }
    return 0;
}

static int match_deep(const char *pattern, int depth, struct strings *found, struct error *err)
{
    const char *deep = strstr(pattern, "/**/");
    auto_free char *top = deep ? memory_string_n(pattern, (size_t)(deep - pattern)) : NULL;
    auto_cleanup(strings_free) struct strings tops = { 0 };

    if (!deep)
        return match(pattern, found, err);
    if (match(*top ? top : "/", &tops, err) < 0)
        return -1;
    for (size_t i = 0; i < tops.count; i++)
        if (is_directory(tops.items[i]) && match_below(tops.items[i], deep + 4, depth, found, err) < 0)
            return -1;
    return 0;
}

int sandbox_path_glob(const char *directory, const char *pattern, struct strings *found, bool *cut,
                      struct error *err)
{
    auto_free char *escaped = escape(directory);
    auto_free char *joined = sandbox_path_join(escaped, pattern);
    auto_free char *whole = sandbox_path_tidy(joined);
    auto_free char *literal_path = sandbox_path_join(directory, pattern);
    auto_free char *literal = sandbox_path_tidy(literal_path);
    struct stat status;

    *cut = false;
    if (lstat(literal, &status) == 0)
        strings_add(found, literal);
    if (match_deep(whole, 0, found, err) < 0)
        return -1;
    *cut = found->count > SANDBOX_GLOB_LIMIT;
    while (found->count > SANDBOX_GLOB_LIMIT)
        free(found->items[--found->count]);
    return 0;
}
