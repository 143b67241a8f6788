/*
 * Which directories the author of an annotation may name as layers. Annotations grant nothing by themselves
 * (containerd's CVE-2026-53488): a layer lies in the bundle, which the engine made, or below a directory of
 * the operator's list "allowedLayers" in /etc/aril/sandbox.json. Runs in the runtime, only where that is the
 * host's root: anybody else reads with his own rights.
 */
#include "rootfs/overlay.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPERATOR_FILE "/etc/aril/sandbox.json"
#define SIZE_LIMIT (1u << 20)

struct bounds {
    const char *bundle;
    const struct json *allowed; /* the list; or NULL */
};

static bool is_within(const char *path, const char *top, size_t length)
{
    while (length > 1 && top[length - 1] == '/')
        length--;
    if (length <= 1) /* "/" or nothing is no bound */
        return false;
    return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_allowed(const struct bounds *bounds, const char *path)
{
    if (is_within(path, bounds->bundle, strlen(bounds->bundle)))
        return true;
    for (const struct json *item = bounds->allowed ? bounds->allowed->child : NULL; item; item = item->next)
        if (item->type == JSON_STRING && item->length > 0 && item->text[0] == '/' &&
            is_within(path, item->text, item->length))
            return true;
    return false;
}

/* What is compared is what is mounted: the path without links takes the place of the other one. */
static int bound_one(const struct bounds *bounds, char **path, struct error *err)
{
    auto_free char *real = realpath(*path, NULL);

    if (!real)
        return fail_errno(err, "%s", *path);
    if (!is_allowed(bounds, real))
        return fail(err, EPERM, "%s is neither in the bundle nor in allowedLayers of " OPERATOR_FILE, real);
    free(*path);
    *path = take_ptr(real);
    return 0;
}

static int bound_all(const struct bounds *bounds, struct overlay_request *request, struct error *err)
{
    for (size_t i = 0; i < request->lower_count && !request->lower_is_root; i++)
        if (bound_one(bounds, &request->lowers[i], err) < 0)
            return fail_in(err, "annotations.dev.aril.rootfs.lower[%zu]", i);
    if (request->upper && bound_one(bounds, &request->upper, err) < 0)
        return fail_in(err, "annotations.dev.aril.rootfs.upper");
    if (request->work && bound_one(bounds, &request->work, err) < 0)
        return fail_in(err, "annotations.dev.aril.rootfs.work");
    return 0;
}

/* Only what root alone can have written is the operator's word. NULL text: there is no such file. */
static int read_operator(char **text, size_t *length, struct error *err)
{
    auto_close int fd = open(OPERATOR_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    struct stat status;

    if (fd < 0)
        return errno == ENOENT ? 0 : fail_errno(err, OPERATOR_FILE);
    if (fstat(fd, &status) < 0)
        return fail_errno(err, OPERATOR_FILE);
    if (!S_ISREG(status.st_mode) || status.st_uid != 0 || status.st_mode & (S_IWGRP | S_IWOTH))
        return fail(err, EPERM, OPERATOR_FILE ": not a regular file that only root can write");
    return file_read_fd(fd, SIZE_LIMIT, OPERATOR_FILE, text, length, err);
}

static const struct json *find_list(const struct json_document *document)
{
    static const char name[] = "allowedLayers";

    for (const struct json *member = json_root(document)->child; member; member = member->next)
        if (member->key_length == strlen(name) && memcmp(member->key, name, strlen(name)) == 0 &&
            member->type == JSON_ARRAY)
            return member;
    return NULL;
}

int overlay_request_bound(struct overlay_request *request, const char *bundle, struct error *err)
{
    auto_cleanup(json_cleanup) struct json_document *document = NULL;
    auto_free char *text = NULL;
    struct bounds bounds = { .bundle = bundle };
    size_t length = 0;

    if (read_operator(&text, &length, err) < 0)
        return -1;
    if (text) {
        document = json_parse(OPERATOR_FILE, text, length, err);
        if (!document)
            return -1;
        bounds.allowed = find_list(document);
    }
    return bound_all(&bounds, request, err);
}
