/*
 * What guarded paths are on the host. The host's view counts as well as the container's: a link or a ".git"
 * file that names a path of the host is followed by the programs of the host, and may lead back into
 * something that the container can write. Runs in the runtime before init, and for `delete`.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* ---- what there is ------------------------------------------------------------------------------------- */

struct finding {
    struct policy_guards *guards;
    struct policy_guard *asked; /* the requests; guards->items is made anew */
    size_t asked_count;
    const char **hosts; /* of roots that can be written */
    size_t host_count;
};

static const struct policy_root *root_of(const struct policy_guards *guards, const char *path)
{
    const struct policy_root *best = NULL;

    for (size_t i = 0; i < guards->roots_count; i++)
        if (guard_is_within(path, guards->roots[i].path) &&
            (!best || strlen(guards->roots[i].path) > strlen(best->path)))
            best = &guards->roots[i];
    return best;
}

static const char *below(const char *path, const char *top)
{
    return path + (top[1] ? strlen(top) : 0);
}

static void copy_item(struct policy_guards *guards, const struct policy_guard *asked)
{
    struct policy_guard *item =
        policy_guard_add(guards, memory_string(asked->path), asked->cover, asked->label);

    item->pattern = item->has_pattern = asked->pattern;
    item->names_repository = item->has_names_repository = asked->names_repository;
}

static enum policy_cover cover_of(const struct guard_item *found, enum policy_cover asked)
{
    return found->kind == GUARD_LINK  ? POLICY_COVER_LINK
           : found->kind == GUARD_PIN ? POLICY_COVER_PIN
                                      : asked;
}

/* At each place of the container where it can be seen and written. */
static void add_found(struct finding *finding, const struct guard_item *found,
                      const struct policy_guard *asked)
{
    struct policy_guards *guards = finding->guards;

    for (size_t i = 0; i < guards->roots_count; i++) {
        const struct policy_root *root = &guards->roots[i];
        struct policy_guard *item;
        char *path;

        if (!root->writable || !root->host || !guard_is_within(found->path, root->host) ||
            strcmp(found->path, root->host) == 0)
            continue;
        path = memory_format("%s%s", root->path[1] ? root->path : "", below(found->path, root->host));
        if (root_of(guards, path) != root) { /* something else is mounted there */
            free(path);
            continue;
        }
        item = policy_guard_add(guards, path, cover_of(found, asked->cover), asked->label);
        if (item->root)
            continue;
        item->root = memory_string(root->path);
        item->content = memory_string(found->content);
        item->names_repository = item->has_names_repository =
            asked->names_repository && found->kind == GUARD_PLACE && strcmp(strrchr(path, '/'), "/.git") == 0;
    }
}

static void add_placeholder(struct finding *finding, const struct guard_item *found)
{
    struct policy_guards *guards = finding->guards;
    struct policy_placeholder *placeholder;

    for (size_t i = 0; i < guards->placeholders_count; i++)
        if (strcmp(guards->placeholders[i].path, found->path) == 0)
            return;
    placeholder = array_grow(guards->placeholders, guards->placeholders_count);
    placeholder->root = memory_string(finding->hosts[found->root]);
    placeholder->path = memory_string(found->path);
}

static int find_one(struct finding *finding, const struct policy_guard *asked, struct error *err)
{
    const struct policy_root *root = asked->pattern ? NULL : root_of(finding->guards, asked->path);
    auto_cleanup(guard_list_free) struct guard_list list = { 0 };
    auto_free char *host = NULL;

    if (!root || !root->writable || !root->host || strcmp(root->path, asked->path) == 0) {
        copy_item(finding->guards, asked);
        return 0;
    }
    host = memory_format("%s%s", root->host[1] ? root->host : "", below(asked->path, root->path));
    if (guard_follow(finding->hosts, finding->host_count, host, asked->names_repository, &list, err) < 0)
        return fail_in(err, "%s (%s)", asked->label, asked->path);
    for (size_t i = 0; i < list.count; i++) {
        add_found(finding, &list.items[i], asked);
        if (list.items[i].kind == GUARD_MISSING)
            add_placeholder(finding, &list.items[i]);
    }
    return 0;
}

/* Children before parents, patterns last: see rootfs/guard.c. */
static int compare(const void *a, const void *b)
{
    const struct policy_guard *one = a, *other = b;

    if (one->pattern != other->pattern)
        return one->pattern ? 1 : -1;
    return strcmp(other->path, one->path);
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A source that is not there is the mount's own error; a file has nothing in it. */
static void find_hosts(struct policy_guards *guards, const char *bundle, const char *rootfs, bool vanishes)
{
    for (size_t i = 0; i < guards->roots_count; i++) {
        struct policy_root *root = &guards->roots[i];
        auto_free char *source = NULL;

        if (strcmp(root->path, "/") == 0 && !root->host) {
            root->host = rootfs ? realpath(rootfs, NULL) : NULL;
            root->vanishes = root->has_vanishes = !rootfs && vanishes;
        } else if (root->host) {
            source = guard_join(bundle, root->host);
            free(root->host);
            root->host = realpath(source, NULL);
        }
        if (root->host && !is_directory(root->host)) {
            root->writable = false;
            free(root->host);
            root->host = NULL;
        }
    }
}

static int make_marker(struct policy_guards *guards, struct error *err)
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return fail_errno(err, "random number");
    guards->marker = memory_format(PLACEHOLDER_MARKER "%016llx", (unsigned long long)number);
    return 0;
}

static int find_all(struct finding *finding, struct error *err)
{
    struct policy_guards *guards = finding->guards;

    for (size_t i = 0; i < guards->roots_count; i++)
        if (guards->roots[i].writable && guards->roots[i].host)
            finding->hosts[finding->host_count++] = guards->roots[i].host;
    for (size_t i = 0; i < finding->asked_count; i++)
        if (find_one(finding, &finding->asked[i], err) < 0)
            return -1;
    if (guards->items_count > 0)
        qsort(guards->items, guards->items_count, sizeof *guards->items, compare);
    return guards->placeholders_count ? make_marker(guards, err) : 0;
}

int policy_guards_find(struct policy_guards *guards, const char *bundle, const char *rootfs, bool vanishes,
                       struct error *err)
{
    auto_free const char **hosts = memory_new_array(guards->roots_count + 1, sizeof *hosts);
    struct finding finding = {
        .guards = guards, .asked = guards->items, .asked_count = guards->items_count, .hosts = hosts
    };
    int result;

    guards->items = NULL;
    guards->items_count = 0;
    find_hosts(guards, bundle, rootfs, vanishes);
    result = find_all(&finding, err);
    for (size_t i = 0; i < finding.asked_count; i++) {
        free(finding.asked[i].path);
        free(finding.asked[i].label);
    }
    free(finding.asked);
    return result;
}

/* ---- placeholders -------------------------------------------------------------------------------------- */

/* What came meanwhile, init looks at. On a read-only file system nobody else can make anything either. */
int policy_guards_make(const struct policy_guards *guards, struct error *err)
{
    for (size_t i = 0; i < guards->placeholders_count; i++) {
        const struct policy_placeholder *placeholder = &guards->placeholders[i];

        if (placeholder_make(placeholder->root, placeholder->path, guards->marker, NULL) < 0 &&
            errno != EROFS)
            return fail_errno(err, "%s: is missing, and a directory to keep its place cannot be made",
                              placeholder->path);
    }
    return 0;
}

void policy_guards_release(const struct policy_guards *guards)
{
    for (size_t i = 0; i < guards->placeholders_count; i++)
        placeholder_release(guards->placeholders[i].root, guards->placeholders[i].path, guards->marker, -1);
}
