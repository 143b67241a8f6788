/*
 * Guarded paths: what annotations and the operator want to be read-only, denied or protected, and in which
 * mounts of the container that is. Pure. guards_host.c says what it is on the host, rootfs/guard.c covers it.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"

#include <stdlib.h>
#include <string.h>

#define PROTECT "protect"

static const char *const vcs_names[] = { ".git", ".codex", ".agents" };

/* ---- names --------------------------------------------------------------------------------------------- */

static bool is_plain(const char *name)
{
    auto_free char *tidy = guard_tidy(memory_format("/%s", name));

    return *name && strcmp(tidy + 1, name) == 0 && !guard_is_pattern(name);
}

int policy_protect_check(const struct strings *names, const char *what, struct error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (!is_plain(names->items[i]))
            return fail(err, EINVAL, "%s: '%.100s' is neither vcs nor a relative path without patterns", what,
                        names->items[i]);
    return 0;
}

static void add_names(struct strings *names, const struct strings *more)
{
    for (size_t i = 0; i < more->count; i++) {
        bool vcs = strcmp(more->items[i], "vcs") == 0;

        for (size_t j = 0; j < (vcs ? array_length(vcs_names) : 1); j++) {
            const char *name = vcs ? vcs_names[j] : more->items[i];

            if (!strings_contain(names, name))
                strings_add(names, name);
        }
    }
}

/* ---- mounts -------------------------------------------------------------------------------------------- */

/* Made for the container, and gone with it. */
static bool vanishes(const char *type)
{
    static const char *const types[] = { "tmpfs",  "ramfs",  "proc",   "sysfs",
                                         "devpts", "mqueue", "cgroup", "cgroup2" };

    for (size_t i = 0; type && i < array_length(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static void root_free(struct policy_root *root)
{
    free(root->path);
    free(root->host);
}

/* What is mounted at the same place or below is hidden from now on. The path is taken over. */
static struct policy_root *add_root(struct policy_guards *guards, char *path)
{
    struct policy_root *root;
    size_t kept = 0;

    for (size_t i = 0; i < guards->roots_count; i++) {
        if (guard_is_within(guards->roots[i].path, path))
            root_free(&guards->roots[i]);
        else
            guards->roots[kept++] = guards->roots[i];
    }
    guards->roots_count = kept;
    root = array_grow(guards->roots, guards->roots_count);
    root->path = path;
    return root;
}

static struct policy_root *root_at(const struct policy_guards *guards, const char *path)
{
    for (size_t i = 0; i < guards->roots_count; i++)
        if (strcmp(guards->roots[i].path, path) == 0)
            return &guards->roots[i];
    return NULL;
}

static void add_mount(struct policy_guards *guards, const struct oci_mount *mount)
{
    bool writable = !policy_mount_is_read_only(mount) && !policy_mount_is_of_system(mount);
    char *path = guard_tidy(memory_format("/%s", mount->destination));
    struct policy_root *root;

    if (strings_contain(&mount->options, "remount")) {
        root = root_at(guards, path);
        free(path);
        if (root)
            root->writable = root->has_writable = writable;
        return;
    }
    root = add_root(guards, path);
    root->writable = root->has_writable = writable;
    if (policy_is_bind(mount))
        root->host = memory_string(mount->source);
    else
        root->vanishes = root->has_vanishes = vanishes(mount->type);
}

static void add_mounts(struct policy_guards *guards, const struct oci_config *config)
{
    struct policy_root *root = add_root(guards, memory_string("/"));

    root->writable = root->has_writable = !(config->root && config->root->readonly);
    for (size_t i = 0; i < config->mounts_count; i++)
        add_mount(guards, &config->mounts[i]);
}

/* What relative paths start from: all that can be written and does not end with the container. */
static void find_bases(const struct policy_guards *guards, const struct policy_landlock *landlock,
                       struct strings *bases)
{
    for (size_t i = 0; i < guards->roots_count; i++)
        if (guards->roots[i].writable && !guards->roots[i].vanishes)
            strings_add(bases, guards->roots[i].path);
    for (size_t i = 0; landlock && i < landlock->writable_roots.count; i++) {
        auto_free char *path = guard_tidy(memory_string(landlock->writable_roots.items[i]));

        if (!strings_contain(bases, path))
            strings_add(bases, path);
    }
}

/* ---- requests ------------------------------------------------------------------------------------------ */

struct policy_guard *policy_guard_add(struct policy_guards *guards, char *path, enum policy_cover cover,
                                      const char *label)
{
    struct policy_guard *item;

    for (size_t i = 0; i < guards->items_count; i++) {
        item = &guards->items[i];
        if (strcmp(item->path, path) != 0)
            continue;
        free(path);
        if (cover == POLICY_COVER_DENIED && item->cover == POLICY_COVER_READ_ONLY)
            item->cover = cover;
        return item;
    }
    item = array_grow(guards->items, guards->items_count);
    item->path = path;
    item->cover = cover;
    item->label = memory_string(label);
    return item;
}

static void request_path(struct policy_guards *guards, const char *base, const char *path,
                         enum policy_cover cover, const char *label)
{
    bool pattern = guard_is_pattern(path);
    char *whole = guard_tidy((pattern ? guard_join_pattern : guard_join)(base, path));
    struct policy_guard *item = policy_guard_add(guards, whole, cover, label);

    item->pattern = item->has_pattern = pattern;
}

static void request_paths(struct policy_guards *guards, const struct strings *bases,
                          const struct strings *paths, enum policy_cover cover, const char *name)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *label = memory_format(POLICY_PREFIX "%s[%zu]", name, i);
        size_t times = paths->items[i][0] == '/' ? 1 : bases->count;

        for (size_t base = 0; base < times; base++)
            request_path(guards, bases->count ? bases->items[base] : "/", paths->items[i], cover, label);
    }
}

static void request_names(struct policy_guards *guards, const struct strings *bases,
                          const struct strings *names)
{
    for (size_t base = 0; base < bases->count; base++)
        for (size_t i = 0; i < names->count; i++) {
            struct policy_guard *item =
                policy_guard_add(guards, guard_join(bases->items[base], names->items[i]),
                                 POLICY_COVER_READ_ONLY, POLICY_PREFIX PROTECT);

            item->names_repository = item->has_names_repository = true;
        }
}

static int check_paths(const struct strings *paths, const char *name, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++)
        if (!paths->items[i][0])
            return fail(err, EINVAL, POLICY_PREFIX "%s[%zu]: is empty", name, i);
    return 0;
}

static void request_all(struct policy_guards *guards, const struct policy_request *request,
                        const struct strings *names)
{
    const struct policy_landlock *landlock = request->landlock;
    auto_cleanup(strings_free) struct strings bases = { 0 };

    find_bases(guards, landlock, &bases);
    request_names(guards, &bases, names);
    request_paths(guards, &bases, &request->read_only, POLICY_COVER_READ_ONLY, "readOnlySubpaths");
    request_paths(guards, &bases, &request->read_deny, POLICY_COVER_DENIED, "readDenyPaths");
    if (!landlock)
        return;
    request_paths(guards, &bases, &landlock->read_only_subpaths, POLICY_COVER_READ_ONLY,
                  "landlock: read_only_subpaths");
    request_paths(guards, &bases, &landlock->read_deny_paths, POLICY_COVER_DENIED,
                  "landlock: read_deny_paths");
}

static int check_request(const struct policy_request *request, const struct oci_config *config,
                         struct error *err)
{
    const struct policy_landlock *landlock = request->landlock;

    if (check_paths(&request->read_only, "readOnlySubpaths", err) < 0 ||
        check_paths(&request->read_deny, "readDenyPaths", err) < 0 ||
        (landlock && (check_paths(&landlock->read_only_subpaths, "landlock: read_only_subpaths", err) < 0 ||
                      check_paths(&landlock->read_deny_paths, "landlock: read_deny_paths", err) < 0)))
        return -1;
    if (!oci_config_new_namespace(config, OCI_NAMESPACE_MOUNT))
        return fail(err, EINVAL, "linux.namespaces: guarded paths need a new mount namespace");
    return 0;
}

int policy_guards_plan(const struct policy_request *request, const struct policy_operator *operator,
                       const struct oci_config * config, struct policy_guards **guards, struct error *err)
{
    const struct policy_landlock *landlock = request->landlock;
    auto_cleanup(strings_free) struct strings names = { 0 };

    add_names(&names, &request->protect);
    if (operator) {
        if (policy_protect_check(&operator->protect, POLICY_OPERATOR_FILE ": " PROTECT, err) < 0)
            return -1;
        add_names(&names, &operator->protect);
    }
    if (names.count + request->read_only.count + request->read_deny.count == 0 &&
        (!landlock || landlock->read_only_subpaths.count + landlock->read_deny_paths.count == 0))
        return 0;
    if (check_request(request, config, err) < 0)
        return -1;
    *guards = memory_new(sizeof **guards);
    add_mounts(*guards, config);
    request_all(*guards, request, &names);
    return 0;
}

/* ---- a container that runs ----------------------------------------------------------------------------- */

/* Is the mount on the way to something that is guarded, and not one that config.json asked for? */
static bool guards_below(const struct policy_guards *guards, const char *path)
{
    if (root_at(guards, path))
        return false;
    for (size_t i = 0; i < guards->items_count; i++)
        if (guards->items[i].pattern || guard_is_within(guards->items[i].path, path))
            return true;
    return false;
}

int policy_check_mounts(const struct policy_guards *guards, const struct oci_mount *mounts, size_t count,
                        bool remove, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        auto_free char *path = guard_tidy(memory_format("/%s", mounts[i].destination));

        if (remove && guards_below(guards, path))
            return fail(err, EPERM,
                        "mounts[%zu] (%s): paths of the container are guarded, this may be a part of it", i,
                        path);
        if (!remove && !policy_mount_is_read_only(&mounts[i]) && !vanishes(mounts[i].type))
            return fail(
                err, EPERM,
                "mounts[%zu] (%s): paths of the container are guarded, so what is added must be read-only", i,
                path);
    }
    return 0;
}
