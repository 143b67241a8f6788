/*
 * Fuzz target: config.json and the other documents that commands read. Whatever parses must be written as
 * JSON that parses again to the same text, and a deep copy must be equal; errors must be one line. See
 * README.md here.
 */
#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

static void check_error(const struct error *err)
{
    demand(err->text[0] != '\0' && strlen(err->text) < ERROR_TEXT_SIZE, "an error has a text");
    for (const char *c = err->text; *c; c++)
        demand(!iscntrl((unsigned char)*c), "an error is one line");
}

static void check_round_trip(const struct schema *schema, const char *text, size_t length)
{
    struct error err = { 0 };
    auto_buffer struct buffer first = { 0 }, second = { 0 }, copied = { 0 };
    void *object = schema_parse(schema, "fuzz.json", text, length, &err), *again, *copy;

    if (!object) {
        check_error(&err);
        return;
    }
    schema_write(schema, object, SCHEMA_TABS, &first);
    copy = schema_copy(schema, object);
    schema_free(schema, object);
    schema_write(schema, copy, SCHEMA_TABS, &copied);
    schema_free(schema, copy);
    demand(strcmp(first.data, copied.data) == 0, "a copy is equal");
    again = schema_parse(schema, "again.json", first.data, first.length, &err);
    demand(again != NULL, err.text);
    schema_write(schema, again, SCHEMA_TABS, &second);
    schema_free(schema, again);
    demand(strcmp(first.data, second.data) == 0, "writing and reading keeps everything");
}

static void check_config(const char *text, size_t length)
{
    struct error err = { 0 };
    struct oci_config *config = oci_config_parse("config.json", text, length, &err);

    if (!config)
        check_error(&err);
    oci_config_free(config);
}

static void check_resources(const char *text, size_t length)
{
    struct error err = { 0 };
    struct oci_resources *resources = oci_resources_parse("resources.json", text, length, &err);

    if (!resources)
        check_error(&err);
    schema_free(&oci_resources_schema, resources);
}

/* Guarded paths: a pattern ends, finds nothing twice as much as it may, and a tidy path stays as it is. */
static void check_guards(const char *data, size_t length)
{
    auto_free char *text = memory_format("/%.*s", (int)(length < PATH_MAX ? length : PATH_MAX), data);
    auto_free char *path = guard_tidy(memory_string(text)), *again = guard_tidy(memory_string(path));
    auto_cleanup(strings_free) struct strings found = { 0 };
    auto_close int root = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct error err = { 0 };
    bool more;

    demand(path[0] == '/' && strcmp(path, again) == 0, "a tidy path is tidy");
    demand(strstr(path, "//") == NULL && strstr(path, "/../") == NULL, "a tidy path has no detours");
    if (guard_match(root, text, 3, &found, &more, &err) < 0)
        check_error(&err);
    demand(found.count <= 3, "the cap holds");
    guard_gitdir(text + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_guards(text, size);
    check_config(text, size);
    check_round_trip(&oci_config_schema, text, size);
    check_round_trip(&oci_process_schema, text, size);
    check_round_trip(&container_status_schema, text, size);
    check_resources(text, size);
    return 0;
}

#ifdef FUZZ_STANDALONE /* without libFuzzer: each argument is a file; for gcc, AFL and valgrind */
static int run_file(const char *path)
{
    auto_fclose FILE *file = fopen(path, "rbe");
    auto_buffer struct buffer content = { 0 };
    char chunk[4096];
    size_t got;

    if (!file) {
        perror(path);
        return 1;
    }
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_add(&content, chunk, got);
    return LLVMFuzzerTestOneInput((const uint8_t *)(content.data ? content.data : ""), content.length);
}

int main(int count, char **paths)
{
    int result = 0;

    for (int i = 1; i < count; i++)
        result |= run_file(paths[i]);
    return result;
}
#endif
