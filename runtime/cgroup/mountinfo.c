/*
 * Reads the cgroup mounts out of mountinfo: see mountinfo.h. Pure; every command that makes a container runs
 * it, so it is written by hand: libmount would parse every line into a list of tags, and costs 0.5 ms to
 * load. It knows fields 1-6 and what stands behind " - " (proc_pid_mountinfo(5)), nothing of mounting.
 */
#include "cgroup/mountinfo.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct word {
    const char *start;
    size_t length;
};

struct line {
    long id, parent;
    struct word root, point, flags, type, options;
};

struct lines {
    struct line *items;
    size_t count;
};

static struct word next_word(const char **position)
{
    struct word word = { *position, strcspn(*position, " \n") };

    *position += word.length;
    *position += **position == ' ';
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.start, text, word.length) == 0;
}

/* Leaves *position at the next line. False for a line that is not one of mountinfo. */
static bool parse_line(const char **position, struct line *line)
{
    const char *end = *position + strcspn(*position, "\n");
    char *after;
    struct word word;

    line->id = strtol(*position, &after, 10);
    line->parent = strtol(after, &after, 10);
    *position = after + (*after == ' ');
    next_word(position); /* major:minor */
    line->root = next_word(position);
    line->point = next_word(position);
    line->flags = next_word(position);
    do /* optional fields, "shared:N" and the like */
        word = next_word(position);
    while (*position < end && !word_is(word, "-"));
    line->type = next_word(position);
    next_word(position); /* source */
    line->options = next_word(position);
    *position = end + (*end == '\n');
    return line->options.length > 0;
}

static void parse_lines(const char *mountinfo, struct lines *lines)
{
    while (*mountinfo) {
        struct line line = { 0 };

        if (parse_line(&mountinfo, &line))
            *array_grow(lines->items, lines->count) = line;
    }
}

/* The same path, or one above it. */
static bool is_at_or_above(struct word above, struct word path)
{
    if (above.length > path.length || memcmp(above.start, path.start, above.length) != 0)
        return false;
    return above.length == path.length || above.length == 1 || path.start[above.length] == '/';
}

/* Is something mounted on the root of this mount? */
static bool has_mount_on_top(const struct lines *lines, const struct line *line)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *other = &lines->items[i];

        if (other != line && other->parent == line->id && is_at_or_above(other->point, line->point))
            return true;
    }
    return false;
}

/* Does another mount on the same parent cover the place where this one is mounted? */
static bool is_covered(const struct lines *lines, const struct line *line)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *other = &lines->items[i];

        if (other != line && other->parent == line->parent && is_at_or_above(other->point, line->point))
            return true;
    }
    return false;
}

static const struct line *parent_of(const struct lines *lines, const struct line *line)
{
    for (size_t i = 0; i < lines->count; i++)
        if (lines->items[i].id == line->parent && &lines->items[i] != line)
            return &lines->items[i];
    return NULL; /* the root */
}

static bool is_reachable(const struct lines *lines, const struct line *line)
{
    if (has_mount_on_top(lines, line))
        return false;
    for (size_t depth = 0; line && depth <= lines->count; depth++) { /* nonsense may be a circle */
        if (is_covered(lines, line))
            return false;
        line = parent_of(lines, line);
    }
    return true;
}

static char *unescape(struct word word)
{
    char *text = memory_string_n(word.start, word.length);

    file_unescape_mountinfo(text);
    return text;
}

bool cgroup_list_has(const char *list, const char *word, size_t length)
{
    while (*list) {
        size_t item = strcspn(list, ",");

        if (item == length && memcmp(list, word, length) == 0)
            return true;
        list += item;
        list += *list == ',';
    }
    return false;
}

static void add_mount(const struct line *line, struct cgroup_mounts *mounts)
{
    auto_free char *flags = memory_string_n(line->flags.start, line->flags.length);
    struct cgroup_mount *mount = array_grow(mounts->items, mounts->count);

    mount->root = unescape(line->root);
    mount->point = unescape(line->point);
    mount->options = memory_string_n(line->options.start, line->options.length);
    mount->v2 = word_is(line->type, "cgroup2");
    mount->writable = cgroup_list_has(flags, "rw", 2);
}

void cgroup_mounts_parse(const char *mountinfo, struct cgroup_mounts *mounts)
{
    struct lines lines = { 0 };
    auto_free void *owned = NULL;

    parse_lines(mountinfo, &lines);
    owned = lines.items;
    (void)owned;
    for (size_t i = 0; i < lines.count; i++) {
        const struct line *line = &lines.items[i];

        if ((word_is(line->type, "cgroup") || word_is(line->type, "cgroup2")) && is_reachable(&lines, line))
            add_mount(line, mounts);
    }
}

void cgroup_mounts_free(struct cgroup_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->items[i].root);
        free(mounts->items[i].point);
        free(mounts->items[i].options);
    }
    free(mounts->items);
    *mounts = (struct cgroup_mounts){ 0 };
}
