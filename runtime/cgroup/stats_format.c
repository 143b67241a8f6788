/*
 * Formats statistics by the table oci-specs/stats.def. Pure: files come as text from the caller. What the
 * kernel writes in them is trusted to be text, not to be there or to be complete.
 */
#include "cgroup/stats.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/number_list.h"
#include "cgroup/mountinfo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_LIMIT 8192

enum stat_kind { NUMBER, SIGNED, LIMIT0, SUM, LIST, CPUS, MAP, PRESSURE, IO, HUGETLB };

struct stat_row {
    enum stat_kind kind;
    const char *path;
    struct stat_file {
        const char *controller, *file, *key;
        uint64_t factor;
    } v2, v1;
};

#define STAT(kind, path, file2, key2, factor2, controller, file1, key1, factor1)                             \
    { kind, path, { "", file2, key2, factor2 }, { controller, file1, key1, factor1 } },
static const struct stat_row rows[] = {
#include "oci-specs/stats.def"
};
#undef STAT

/* ---- the nesting ------------------------------------------------------------------------------------- */

struct emitter {
    struct buffer *out;
    char path[128]; /* of the last value, with the objects that are open */
    bool first;     /* nothing is in the object that is open */
};

static size_t common_length(const char *a, const char *b)
{
    size_t common = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            common = i + 1;
    return common;
}

static void add_comma(struct emitter *emitter)
{
    if (!emitter->first)
        buffer_add_char(emitter->out, ',');
    emitter->first = true;
}

/* Closes the objects that `path` is not in. */
static size_t close_to(struct emitter *emitter, const char *path)
{
    size_t common = common_length(emitter->path, path);

    for (const char *rest = emitter->path + common; (rest = strchr(rest, '/')); rest++) {
        buffer_add_char(emitter->out, '}');
        emitter->first = false;
    }
    return common;
}

/* Goes to a place and writes its name; the value follows. */
static void go(struct emitter *emitter, const char *path)
{
    size_t position = close_to(emitter, path);

    for (const char *slash; (slash = strchr(path + position, '/')); position = (size_t)(slash - path) + 1) {
        add_comma(emitter);
        buffer_add_format(emitter->out, "\"%.*s\":{", (int)(slash - path - (long)position), path + position);
    }
    add_comma(emitter);
    buffer_add_format(emitter->out, "\"%s\":", path + position);
    emitter->first = false;
    snprintf(emitter->path, sizeof emitter->path, "%s", path);
}

/* ---- reading values ---------------------------------------------------------------------------------- */

/* The text behind "KEY " at the start of a line; without a key the file itself. NULL when there is none. */
static const char *find(const char *text, const char *key)
{
    size_t length = strlen(key);

    while (text && length > 0 && (strncmp(text, key, length) != 0 || text[length] != ' ')) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text && length > 0 ? text + length + 1 : text;
}

static bool read_number(const char *text, uint64_t unlimited, uint64_t *number)
{
    auto_free char *word = text ? memory_string_n(text, strcspn(text, " \t\n")) : NULL;

    if (!word)
        return false;
    if (strcmp(word, "max") == 0) {
        *number = unlimited;
        return true;
    }
    return number_parse_unsigned(word, UINT64_MAX, number);
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- kinds ------------------------------------------------------------------------------------------- */

static void format_list(const char *text, struct buffer *out)
{
    const char *separator = "";

    buffer_add_char(out, '[');
    while (*(text += strspn(text, " \n"))) {
        size_t length = strspn(text, "0123456789");

        if (length == 0)
            break;
        buffer_add_format(out, "%s%.*s", separator, (int)length, text);
        separator = ",";
        text += length;
    }
    buffer_add_char(out, ']');
}

static void format_cpus(const char *text, struct buffer *out)
{
    unsigned long words[LIST_LIMIT / NUMBER_LIST_WORD_BITS] = { 0 };
    auto_free char *line = memory_string_n(text, strcspn(text, "\n"));
    const char *separator = "";
    struct error ignored = { 0 };

    buffer_add_char(out, '[');
    if (number_list_parse(line, words, array_length(words), &ignored) > 0) {
        for (size_t i = 0; i < LIST_LIMIT; i++) {
            if (!(words[i / NUMBER_LIST_WORD_BITS] >> (i % NUMBER_LIST_WORD_BITS) & 1))
                continue;
            buffer_add_format(out, "%s%zu", separator, i);
            separator = ",";
        }
    }
    buffer_add_char(out, ']');
}

static void format_map(const char *text, struct buffer *out)
{
    const char *separator = "";

    buffer_add_char(out, '{');
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
        uint64_t number;

        if (length == 0 || text[length] != ' ' || !read_number(text + length + 1, UINT64_MAX, &number))
            continue;
        buffer_add_format(out, "%s\"%.*s\":%" PRIu64, separator, (int)length, text, number);
        separator = ",";
    }
    buffer_add_char(out, '}');
}

/* "some avg10=0.12 avg60=0.00 avg300=0.00 total=5" */
static void format_pressure(const char *text, struct buffer *out)
{
    unsigned whole[3], part[3];
    unsigned long long total;
    const char *separator = "";
    char name[8];

    buffer_add_char(out, '{');
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        if (sscanf(text, "%7[a-z] avg10=%9u.%2u avg60=%9u.%2u avg300=%9u.%2u total=%19llu", name, &whole[0],
                   &part[0], &whole[1], &part[1], &whole[2], &part[2], &total) != 8)
            continue;
        buffer_add_format(out,
                          "%s\"%s\":{\"avg10\":%u.%02u,\"avg60\":%u.%02u,\"avg300\":%u.%02u,\"total\":%llu}",
                          separator, name, whole[0], part[0], whole[1], part[1], whole[2], part[2], total);
        separator = ",";
    }
    buffer_add_char(out, '}');
}

static void add_io(struct buffer *out, const char **separator, unsigned major, unsigned minor,
                   const char *operation, int length, uint64_t value)
{
    buffer_add_format(out, "%s{\"major\":%u,\"minor\":%u,\"op\":\"%.*s\",\"value\":%" PRIu64 "}", *separator,
                      major, minor, length, operation, value);
    *separator = ",";
}

/* One line of io.stat, "8:0 rbytes=1 wbytes=2": keys are "Read=rbytes,Write=wbytes". */
static void add_io_line(const char *line, int offset, unsigned major, unsigned minor, const char *keys,
                        struct buffer *out, const char **separator)
{
    auto_free char *text = memory_string_n(line + offset, strcspn(line + offset, "\n"));

    for (const char *key = keys; *key; key += strcspn(key, ","), key += *key == ',') {
        size_t name = strcspn(key, "="), field = strcspn(key + name + 1, ",");

        for (const char *word = text; *(word += strspn(word, " ")); word += strcspn(word, " ")) {
            uint64_t value;

            if (strncmp(word, key + name + 1, field) == 0 && word[field] == '=' &&
                read_number(word + field + 1, 0, &value))
                add_io(out, separator, major, minor, key, (int)name, value);
        }
    }
}

static void format_io(const char *text, const char *keys, struct buffer *out)
{
    const char *separator = "";

    buffer_add_char(out, '[');
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        unsigned major, minor;
        unsigned long long value;
        char operation[16];
        int offset = 0;

        if (sscanf(text, "%9u:%9u%n", &major, &minor, &offset) != 2)
            continue;
        if (*keys)
            add_io_line(text, offset, major, minor, keys, out, &separator);
        else if (sscanf(text + offset, " %15[A-Za-z] %20llu", operation, &value) == 2)
            add_io(out, &separator, major, minor, operation, (int)strlen(operation), value);
        else if (sscanf(text + offset, " %20llu", &value) == 1)
            add_io(out, &separator, major, minor, "", 0, value);
    }
    buffer_add_char(out, ']');
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static void emit_number(struct emitter *emitter, const char *path, const char *text, uint64_t unlimited,
                        uint64_t factor)
{
    uint64_t number;

    if (!read_number(text, unlimited, &number))
        return;
    go(emitter, path);
    buffer_add_format(emitter->out, "%" PRIu64, number > UINT64_MAX / factor ? UINT64_MAX : number * factor);
}

static void emit_signed(struct emitter *emitter, const char *path, const char *text)
{
    auto_free char *word = memory_string_n(text, strcspn(text, "\n"));
    int64_t number;

    if (!number_parse(word, INT64_MIN, INT64_MAX, &number))
        return;
    go(emitter, path);
    buffer_add_format(emitter->out, "%" PRId64, number);
}

static void emit_sum(struct emitter *emitter, const struct stats_source *source, const char *path,
                     const char *text, const char *other)
{
    auto_free char *second = *other ? source->read(source->context, "", other) : memory_string("0");
    uint64_t a, b;

    if (!read_number(text, UINT64_MAX, &a) || !read_number(second, UINT64_MAX, &b))
        return;
    go(emitter, path);
    buffer_add_format(emitter->out, "%" PRIu64, add_up(a, b));
}

/* Beside v1 hierarchies the v2 one has the controllers that it names. */
static const struct stat_file *file_of(const struct stats_source *source, const struct stat_row *row)
{
    const char *controller = row->v1.controller;

    if (source->unified || (source->v2_controllers && *controller &&
                            cgroup_list_has(source->v2_controllers, controller, strlen(controller))))
        return &row->v2;
    return &row->v1;
}

static void emit_row(struct emitter *emitter, const struct stats_source *source, const struct stat_row *row,
                     const char *path, const char *file)
{
    const struct stat_file *origin = file_of(source, row);
    const char *key = origin->key;
    uint64_t factor = origin->factor;
    auto_free char *text = source->read(source->context, origin->controller, file);

    if (!text)
        return;
    switch (row->kind) {
    case NUMBER:
    case HUGETLB:
        emit_number(emitter, path, find(text, key), UINT64_MAX, factor);
        return;
    case SIGNED:
        emit_signed(emitter, path, text);
        return;
    case LIMIT0:
        emit_number(emitter, path, find(text, key), 0, factor);
        return;
    case SUM:
        emit_sum(emitter, source, path, text, key);
        return;
    default:
        break;
    }
    go(emitter, path);
    if (row->kind == LIST)
        format_list(text, emitter->out);
    else if (row->kind == CPUS)
        format_cpus(text, emitter->out);
    else if (row->kind == MAP)
        format_map(text, emitter->out);
    else if (row->kind == PRESSURE)
        format_pressure(text, emitter->out);
    else
        format_io(text, key, emitter->out);
}

static void put_size(char *out, size_t size, const char *pattern, const char *page_size)
{
    const char *place = strstr(pattern, "%s");

    snprintf(out, size, "%.*s%s%s", place ? (int)(place - pattern) : (int)strlen(pattern), pattern,
             place ? page_size : "", place ? place + 2 : "");
}

/* The rows of one page size belong together: all of them for each size. */
static void emit_huge_pages(struct emitter *emitter, const struct stats_source *source)
{
    for (const char *const *size = source->page_sizes; size && *size; size++) {
        for (size_t i = 0; i < array_length(rows); i++) {
            char path[64], file[64];

            put_size(path, sizeof path, rows[i].path, *size);
            put_size(file, sizeof file, file_of(source, &rows[i])->file, *size);
            if (rows[i].kind == HUGETLB && *file)
                emit_row(emitter, source, &rows[i], path, file);
        }
    }
}

/* Members of the format that are always there; no runtime has interfaces to count. */
static void emit_others(struct emitter *emitter, const char *intel_rdt)
{
    if (strncmp(emitter->path, "hugetlb/", strlen("hugetlb/")) != 0) {
        go(emitter, "hugetlb");
        buffer_add_string(emitter->out, "{}");
    }
    go(emitter, "intel_rdt");
    buffer_add_string(emitter->out, intel_rdt);
    go(emitter, "network_interfaces");
    buffer_add_string(emitter->out, "null");
}

void stats_format(const struct stats_source *source, const char *id, struct buffer *out)
{
    struct emitter emitter = { .out = out, .first = true };

    buffer_add_format(out, "{\"type\":\"stats\",\"id\":\"%s\",\"data\":{", id); /* ids need no escapes */
    for (size_t i = 0; i < array_length(rows); i++) {
        const char *file = file_of(source, &rows[i])->file;

        if (rows[i].kind != HUGETLB && *file)
            emit_row(&emitter, source, &rows[i], rows[i].path, file);
    }
    emit_huge_pages(&emitter, source);
    emit_others(&emitter, source->intel_rdt);
    close_to(&emitter, "");
    buffer_add_string(out, "}}\n");
}
