/*
 * What the annotations dev.aril.rootfs.* ask for, as data. Runs in the runtime, touches nothing. Whether the
 * author of the annotations may name these directories is decided in overlay_bounds.c.
 *
 *   dev.aril.rootfs.lower   JSON list of directories, the uppermost first; without it: root.path alone
 *   dev.aril.rootfs.upper   directory for what the container changes; without it: a tmpfs
 *   dev.aril.rootfs.work    an empty directory on the same file system, for the kernel
 *   dev.aril.rootfs.size    limit of that tmpfs, in bytes
 *   dev.aril.rootfs.idmap   true: shift the ids of the layers by linux.uidMappings and gidMappings
 */
#include "rootfs/overlay.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "oci-specs/json.h"
#include "oci-specs/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "dev.aril.rootfs."

void overlay_request_free(struct overlay_request *request)
{
    if (!request)
        return;
    for (size_t i = 0; i < request->lower_count; i++)
        free(request->lowers[i]);
    free(request->lowers);
    free(request->upper);
    free(request->work);
    free(request);
}

static char *absolute(const char *path, size_t length, const char *bundle)
{
    if (length > 0 && path[0] == '/')
        return memory_string_n(path, length);
    return memory_format("%s/%.*s", bundle, (int)length, path);
}

/* The parser takes objects only, as every document of the runtime is one. */
static int add_lowers(const struct json_document *document, const char *bundle,
                      struct overlay_request *request, struct error *err)
{
    const struct json *root = json_root(document), *list = root->child;

    if (root->length != 1 || list->type != JSON_ARRAY || list->length == 0)
        return fail(err, EINVAL, "annotations." PREFIX "lower: a JSON list of directories is expected");
    for (const struct json *item = list->child; item; item = item->next) {
        size_t index = request->lower_count;

        if (item->type != JSON_STRING || item->length == 0)
            return fail(err, EINVAL, "annotations." PREFIX "lower[%zu]: a path is expected", index);
        *array_grow(request->lowers, request->lower_count) = absolute(item->text, item->length, bundle);
    }
    return 0;
}

static int read_lowers(const char *value, const char *bundle, struct overlay_request *request,
                       struct error *err)
{
    auto_free char *text = memory_format("{\"lower\":%s}", value);
    auto_cleanup(json_cleanup) struct json_document *document =
        json_parse("annotations." PREFIX "lower", text, strlen(text), err);

    return document ? add_lowers(document, bundle, request, err) : -1;
}

static int read_lower(struct overlay_request *request, const char *value, const char *bundle,
                      struct error *err)
{
    return read_lowers(value, bundle, request, err);
}

static int read_path(char **path, const char *name, const char *value, const char *bundle, struct error *err)
{
    if (!*value)
        return fail(err, EINVAL, "annotations." PREFIX "%s: a directory is expected", name);
    *path = absolute(value, strlen(value), bundle);
    return 0;
}

static int read_upper(struct overlay_request *request, const char *value, const char *bundle,
                      struct error *err)
{
    return read_path(&request->upper, "upper", value, bundle, err);
}

static int read_work(struct overlay_request *request, const char *value, const char *bundle,
                     struct error *err)
{
    return read_path(&request->work, "work", value, bundle, err);
}

static int read_size(struct overlay_request *request, const char *value, const char *bundle,
                     struct error *err)
{
    (void)bundle;
    if (number_parse_unsigned(value, INT64_MAX, &request->tmpfs_size) && request->tmpfs_size > 0)
        return 0;
    return fail(err, EINVAL, "annotations." PREFIX "size: '%.40s' is not a number of bytes above 0", value);
}

static int read_idmap(struct overlay_request *request, const char *value, const char *bundle,
                      struct error *err)
{
    (void)bundle;
    request->idmap = strcmp(value, "true") == 0;
    if (request->idmap || strcmp(value, "false") == 0)
        return 0;
    return fail(err, EINVAL, "annotations." PREFIX "idmap: '%.40s' is neither true nor false", value);
}

static const struct {
    const char *name;
    int (*read)(struct overlay_request *request, const char *value, const char *bundle, struct error *err);
} annotations[] = {
    { "lower", read_lower }, { "upper", read_upper }, { "work", read_work },
    { "size", read_size },   { "idmap", read_idmap },
};

static int read_one(struct overlay_request *request, const char *name, const char *value, const char *bundle,
                    struct error *err)
{
    for (size_t i = 0; i < array_length(annotations); i++)
        if (strcmp(name, annotations[i].name) == 0)
            return annotations[i].read(request, value, bundle, err);
    return fail(err, EINVAL, "annotations." PREFIX "%s: not one of lower, upper, work, size, idmap", name);
}

static int read_all(const struct oci_config *config, const char *bundle, struct overlay_request *request,
                    struct error *err)
{
    for (size_t i = 0; i < config->annotations.count; i++) {
        const char *key = config->annotations.items[i].key;

        if (strncmp(key, PREFIX, strlen(PREFIX)) == 0 &&
            read_one(request, key + strlen(PREFIX), config->annotations.items[i].value, bundle, err) < 0)
            return -1;
    }
    request->lower_is_root = request->lower_count == 0;
    if (request->lower_is_root && config->root)
        *array_grow(request->lowers, request->lower_count) =
            absolute(config->root->path, strlen(config->root->path), bundle);
    return 0;
}

static bool is_wanted(const struct oci_config *config)
{
    for (size_t i = 0; i < config->annotations.count; i++)
        if (strncmp(config->annotations.items[i].key, PREFIX, strlen(PREFIX)) == 0)
            return true;
    return false;
}

int overlay_request_read(const struct oci_config *config, const char *bundle,
                         struct overlay_request **request, struct error *err)
{
    struct overlay_request *made;

    *request = NULL;
    if (!is_wanted(config))
        return 0;
    made = memory_new(sizeof *made);
    if (read_all(config, bundle, made, err) < 0) {
        overlay_request_free(made);
        return -1;
    }
    *request = made;
    return 0;
}
