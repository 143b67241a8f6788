/*
 * What an annotation adds to a container, within what the operator's file allows: paths of the host that it
 * may write to (M-2), and a first process that reaps (F-10). Runs in the runtime, before anything is made.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INIT_PATH "/dev/.aril-init"

static void add_bind(struct oci_config *config, const char *destination, const char *source,
                     const char *const *options, size_t count)
{
    struct oci_mount *mount = array_grow(config->mounts, config->mounts_count);

    mount->destination = memory_string(destination);
    mount->type = memory_string("bind");
    mount->source = memory_string(source);
    mount->has_options = true;
    for (size_t i = 0; i < count; i++)
        strings_add(&mount->options, options[i]);
}

/* ---- extraWritable ------------------------------------------------------------------------------------- */

/* The operator's directories may lie behind links, too. */
static bool is_allowed(const char *path, const struct policy_operator *operator)
{
    for (size_t i = 0; operator&& i<operator->allowed_writable.count; i++) {
        auto_free char *top = realpath(operator->allowed_writable.items[i], NULL);

        if (top && policy_path_is_within(path, top))
            return true;
    }
    return false;
}

/*
 * Resolved first, judged then, and mounted only if no part of it is a link by then (src-nolinks): who can write in
 * an allowed directory could swap one meanwhile. Owned.
 */
static char *resolve_allowed(const char *path, const struct policy_operator *operator, struct error *err)
{
    auto_free char *resolved = path[0] == '/' ? realpath(path, NULL) : NULL;

    if (path[0] != '/')
        fail(err, EINVAL, "'%s' is not absolute", path);
    else if (!resolved)
        fail_errno(err, "%s", path);
    else if (!is_allowed(resolved, operator))
        fail(err, EPERM, "%s is not within the operator's allowedWritable", resolved);
    else
        return take_ptr(resolved);
    return NULL;
}

int policy_add_writable(const struct strings *paths, const struct policy_operator *operator,
                        struct oci_config *config, struct error *err)
{
    static const char *const options[] = { "rbind", "rw", "rnosuid", "rnodev", "src-nolinks" };

    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *source = resolve_allowed(paths->items[i], operator, err);

        if (!source)
            return fail_in(err, POLICY_PREFIX "extraWritable[%zu]", i);
        add_bind(config, paths->items[i], source, options, array_length(options));
    }
    return 0;
}

/* ---- init ---------------------------------------------------------------------------------------------- */

/* The place for our file must not be the image's: it would stay there. */
static bool has_own_dev(const struct oci_config *config)
{
    for (size_t i = 0; i < config->mounts_count; i++) {
        const struct oci_mount *mount = &config->mounts[i];

        if (strcmp(mount->destination, "/dev") == 0 && mount->type && strcmp(mount->type, "tmpfs") == 0)
            return true;
    }
    return false;
}

static void put_in_front(struct strings *list, const char *const *words, size_t count)
{
    struct strings whole = { 0 };

    for (size_t i = 0; i < count; i++)
        strings_add(&whole, words[i]);
    for (size_t i = 0; i < list->count; i++)
        strings_add(&whole, list->items[i]);
    strings_free(list);
    *list = whole;
}

int policy_add_init(const struct policy_operator *operator, struct oci_config * config, struct error *err)
{
    static const char *const options[] = { "bind", "ro", "nosuid", "nodev" };
    static const char *const words[] = { INIT_PATH, "--" };
    const char *path = operator&& operator->init_path ? operator->init_path : HELPER_DIR "/aril-init";

    if (path[0] != '/' || access(path, X_OK) < 0)
        return fail(err, ENOENT, "unavailable: " POLICY_PREFIX "init: %s cannot be executed", path);
    if (!has_own_dev(config))
        return fail(err, ENOTSUP, "unavailable: " POLICY_PREFIX "init: needs a tmpfs at /dev");
    add_bind(config, INIT_PATH, path, options, array_length(options));
    put_in_front(&config->process->args, words, array_length(words));
    return 0;
}
