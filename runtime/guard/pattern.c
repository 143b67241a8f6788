/*
 * Which files a pattern names. glob(3) would do, if it could be held inside a root and stopped at a number of
 * files: the directories belong to an image or to a payload. Braces first, then component by component.
 */
#include "guard/guard.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#define DEPTH_LIMIT 64   /* of directories, and of braces within braces */
#define VISIT_FACTOR 100 /* names that are looked at for each one that may match */

struct search {
    int root;
    size_t limit;
    struct strings *found;
    size_t visits;
    const char *literal; /* found already */
    bool more;
};

bool guard_is_pattern(const char *path)
{
    return strpbrk(path, "*?[{") != NULL;
}

char *guard_join_pattern(const char *directory, const char *pattern)
{
    auto_free char *escaped = memory_new_array(2 * strlen(directory) + 1, 1);
    char *to = escaped;

    if (pattern[0] == '/')
        return memory_string(pattern);
    for (; *directory; directory++) {
        if (strchr("*?[]{},\\", *directory))
            *to++ = '\\';
        *to++ = *directory;
    }
    return guard_join(escaped, pattern);
}

/* ---- component by component ---------------------------------------------------------------------------- */

static void match(struct search *search, const char *directory, const char *pattern, int depth);

static void add(struct search *search, const char *path)
{
    if (search->literal && strcmp(search->literal, path) == 0)
        return;
    if (search->found->count < search->limit)
        strings_add(search->found, path);
    else
        search->more = true;
}

/* Braces and links in a circle make any number of paths out of a short pattern and a small tree. */
static bool is_too_much(struct search *search)
{
    return search->more || ++search->visits > search->limit * VISIT_FACTOR;
}

static bool exists(const struct search *search, const char *path)
{
    auto_close int fd = file_open_in_root(search->root, path, O_PATH | O_NOFOLLOW, 0);

    return fd >= 0;
}

static bool is_directory(const struct search *search, const char *path)
{
    auto_close int fd = file_open_in_root(search->root, path, O_PATH | O_NOFOLLOW | O_DIRECTORY, 0);

    return fd >= 0;
}

/* `rest`: what follows in the pattern, "" at its end. */
static void go_on(struct search *search, const char *directory, const char *name, const char *rest, int depth)
{
    auto_free char *path = memory_format("%s/%s", directory, name);

    if (*rest)
        match(search, path, rest, depth);
    else
        add(search, path);
}

static DIR *open_directory(const struct search *search, const char *directory)
{
    int fd = file_open_in_root(search->root, *directory ? directory : "/", O_RDONLY | O_DIRECTORY, 0);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !list)
        close(fd);
    return list;
}

static void match_names(struct search *search, const char *directory, const char *pattern, const char *rest,
                        int depth)
{
    DIR *list = open_directory(search, directory);
    struct dirent *entry;

    while (list && !is_too_much(search) && (entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            fnmatch(pattern, entry->d_name, 0) == 0)
            go_on(search, directory, entry->d_name, rest, depth);
    if (list)
        closedir(list);
}

/* "**": none, or any number of directories; links lead nowhere. */
static void match_deep(struct search *search, const char *directory, const char *rest, int depth)
{
    DIR *list;
    struct dirent *entry;

    match(search, directory, rest, depth);
    list = open_directory(search, directory);
    while (list && !is_too_much(search) && (entry = readdir(list))) {
        auto_free char *below = memory_format("%s/%s", directory, entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            is_directory(search, below) && depth < DEPTH_LIMIT)
            match_deep(search, below, rest, depth + 1);
    }
    if (list)
        closedir(list);
}

static void match(struct search *search, const char *directory, const char *pattern, int depth)
{
    const char *start = pattern + strspn(pattern, "/");
    size_t length = strcspn(start, "/");
    auto_free char *name = memory_string_n(start, length);
    const char *rest = start + length + strspn(start + length, "/");

    if (length == 0 || depth >= DEPTH_LIMIT || is_too_much(search))
        return;
    if (strcmp(name, "**") == 0 && *rest) {
        match_deep(search, directory, rest, depth + 1);
        return;
    }
    if (strpbrk(name, "*?[\\")) {
        match_names(search, directory, name, rest, depth + 1);
        return;
    }
    if (!*rest) {
        auto_free char *path = memory_format("%s/%s", directory, name);

        if (!exists(search, path))
            return;
    }
    go_on(search, directory, name, rest, depth + 1);
}

/* ---- braces -------------------------------------------------------------------------------------------- */

/* The "}" that closes the "{" at `open`, or NULL. */
static const char *closing(const char *open)
{
    int depth = 0;

    for (const char *at = open; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}' && --depth == 0)
            return at;
    }
    return NULL;
}

/* The end of the alternative that begins at `start`: a comma of these braces, or what closes them. */
static const char *alternative_end(const char *start, const char *close)
{
    int depth = 0;

    for (const char *at = start; at < close; at++) {
        if (*at == '\\' && at + 1 < close)
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
        else if (*at == ',' && depth == 0)
            return at;
    }
    return close;
}

static const char *next_brace(const char *at)
{
    for (; *at && *at != '{'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at : NULL;
}

static void expand(struct search *search, const char *pattern, size_t from, int depth)
{
    const char *open = next_brace(pattern + from), *close = open ? closing(open) : NULL;

    if (!close || close == open + 1 || depth >= DEPTH_LIMIT) { /* "{}" is a name, as for glob(3) */
        if (close && depth < DEPTH_LIMIT)
            expand(search, pattern, (size_t)(close - pattern), depth + 1);
        else
            match(search, "", pattern, 0);
        return;
    }
    for (const char *start = open + 1; start <= close && !is_too_much(search);) {
        const char *end = alternative_end(start, close);
        auto_free char *one =
            memory_format("%.*s%.*s%s", (int)(open - pattern), pattern, (int)(end - start), start, close + 1);

        expand(search, one, (size_t)(open - pattern), depth + 1);
        start = end + 1;
    }
}

/* As what is escaped in it is meant. Owned. */
static char *unescape(const char *pattern)
{
    char *plain = memory_new(strlen(pattern) + 1), *to = plain;

    for (; *pattern; pattern++) {
        if (pattern[0] == '\\' && pattern[1])
            pattern++;
        *to++ = *pattern;
    }
    return plain;
}

int guard_match(int root, const char *pattern, size_t limit, struct strings *found, bool *more,
                struct error *err)
{
    struct search search = { .root = root, .limit = limit, .found = found };
    auto_free char *literal = unescape(pattern);

    if (strpbrk(literal, "*?[{") && exists(&search, literal)) {
        strings_add(found, literal);
        search.literal = literal;
    }
    expand(&search, pattern, 0, 0);
    *more = search.more;
    if (search.visits > limit * VISIT_FACTOR)
        return fail(err, E2BIG, "%s: there are too many files to look at", pattern);
    return 0;
}

void guard_warn(const char *pattern, bool more, bool later)
{
    if (more)
        log_warning("%s: more than %d files match, only these are protected", pattern, GUARD_PATTERN_LIMIT);
    else if (later)
        log_warning("%s: files that are created later will not be protected", pattern);
}
