/*
 * From a path to the places that decide what it is. Read-only. A link is a place, and so is what it leads to;
 * a ".git" file leads to a repository, and that to the one it shares its configuration with ("commondir").
 * Where the way is lost because a component is missing, that component is the place.
 */
#include "guard/guard.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_LIMIT 16

struct search {
    const char *const *roots;
    size_t root_count;
    bool vcs;
    struct guard_list *list;
    int depth;
};

static int follow(struct search *search, char *path, struct error *err);

char *guard_gitdir(char *text)
{
    static const char key[] = "gitdir: ";

    if (strncmp(text, key, sizeof key - 1) != 0)
        return NULL;
    text += sizeof key - 1;
    text[strcspn(text, "\r\n")] = '\0';
    return *text ? text : NULL;
}

void guard_list_free(struct guard_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].content);
    }
    free(list->items);
    *list = (struct guard_list){ 0 };
}

/* ---- results ------------------------------------------------------------------------------------------- */

/* The index of the deepest root that holds the path; root_count: none. */
static size_t root_of(const struct search *search, const char *path)
{
    size_t best = search->root_count;

    for (size_t i = 0; i < search->root_count; i++)
        if (guard_is_within(path, search->roots[i]) &&
            (best == search->root_count || strlen(search->roots[i]) > strlen(search->roots[best])))
            best = i;
    return best;
}

/* False when it is there already, or is a root itself: then there is nothing more to follow. */
static bool add(struct search *search, const char *path, size_t root, enum guard_kind kind, bool directory,
                const char *content)
{
    struct guard_item *item;

    for (size_t i = 0; i < search->list->count; i++)
        if (strcmp(search->list->items[i].path, path) == 0)
            return false;
    item = array_grow(search->list->items, search->list->count);
    *item = (struct guard_item){ .path = memory_string(path),
                                 .root = root,
                                 .kind = kind,
                                 .directory = directory,
                                 .content = memory_string(content) };
    return true;
}

/* ---- what leads on ------------------------------------------------------------------------------------- */

/* `target` as seen from the directory of `path`, and `rest` below it. */
static int go_to(struct search *search, const char *path, const char *target, const char *rest,
                 struct error *err)
{
    const char *slash = strrchr(path, '/');
    auto_free char *directory = memory_string_n(path, slash == path ? 1 : (size_t)(slash - path));
    auto_free char *joined = guard_join(directory, target);
    auto_free char *whole = memory_format("%s%s", joined, rest);
    auto_free char *next = guard_resolve(whole);

    return follow(search, next, err);
}

static int follow_link(struct search *search, const char *path, size_t root, int parent, const char *name,
                       const char *rest, struct error *err)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(parent, name, target, sizeof target - 1);

    if (length < 0)
        return fail_errno(err, "%s", path);
    target[length] = '\0';
    return add(search, path, root, GUARD_LINK, false, target) ? go_to(search, path, target, rest, err) : 0;
}

static int read_text(int parent, const char *name, const char *path, char **text, struct error *err)
{
    auto_close int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    size_t length;

    if (fd < 0)
        return fail_errno(err, "%s", path);
    return file_read_regular_fd(fd, GUARD_GITDIR_LIMIT, path, text, &length, err);
}

static int follow_file(struct search *search, const char *path, size_t root, int parent, const char *name,
                       struct error *err)
{
    auto_free char *text = NULL;
    const char *target;

    if (!search->vcs || strcmp(name, ".git") != 0) {
        add(search, path, root, GUARD_PLACE, false, NULL);
        return 0;
    }
    if (read_text(parent, name, path, &text, err) < 0)
        return -1;
    if (!add(search, path, root, GUARD_PLACE, false, text))
        return 0;
    target = guard_gitdir(text);
    return target ? go_to(search, path, target, "", err) : 0;
}

/* A worktree's directory names the repository that it belongs to. */
static int follow_directory(struct search *search, const char *path, size_t root, int directory,
                            struct error *err)
{
    auto_free char *text = NULL, *inside = NULL;
    struct stat status;

    if (fstat(directory, &status) < 0)
        return fail_errno(err, "%s", path);
    if ((status.st_mode & 07777) == PLACEHOLDER_MODE) {
        add(search, path, root, GUARD_MISSING, true, NULL);
        return 0;
    }
    if (!add(search, path, root, GUARD_PLACE, true, NULL) || !search->vcs ||
        fstatat(directory, "commondir", &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
        return 0;
    if (read_text(directory, "commondir", path, &text, err) < 0)
        return -1;
    text[strcspn(text, "\r\n")] = '\0';
    inside = memory_format("%s/commondir", path);
    return *text ? go_to(search, inside, text, "", err) : 0;
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

/* One component, the last one of `path`; `rest` follows. 1: go on in *directory. */
static int look(struct search *search, const char *path, size_t root, int *directory, const char *name,
                const char *rest, struct error *err)
{
    auto_close int next = openat(*directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (next < 0 && errno == ENOENT) {
        add(search, path, root, GUARD_MISSING, true, NULL);
        return 0;
    }
    if (next < 0 || fstat(next, &status) < 0)
        return fail_errno(err, "%s", path);
    if (S_ISLNK(status.st_mode))
        return follow_link(search, path, root, *directory, name, rest, err);
    if (*rest && S_ISDIR(status.st_mode)) {
        close(*directory);
        *directory = take_fd(&next);
        return 1;
    }
    if (*rest) {
        add(search, path, root, GUARD_PIN, false, NULL);
        return 0;
    }
    return S_ISDIR(status.st_mode) ? follow_directory(search, path, root, next, err)
                                   : follow_file(search, path, root, *directory, name, err);
}

static int walk(struct search *search, char *path, size_t root, struct error *err)
{
    auto_close int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *start = search->roots[root];
    auto_close int directory = file_open_beneath(top, start[1] ? start + 1 : ".", O_PATH | O_DIRECTORY, 0);
    char *end = path + (start[1] ? strlen(start) : 0);

    if (directory < 0)
        return fail_errno(err, "%s", start);
    while (*end == '/' && end[1]) {
        char *name = end + 1;
        int more;

        end = name + strcspn(name, "/");
        auto_free char *rest = memory_string(end);
        *end = '\0';
        more = look(search, path, root, &directory, name, rest, err);
        if (more <= 0)
            return more;
        *end = '/';
    }
    return 0; /* the root itself: what it is was decided elsewhere */
}

/* realpath() of what there is of it, and the rest as it is. Owned. */
static char *real_as_far_as_it_goes(const char *path)
{
    auto_free char *start = memory_string(path);

    for (;;) {
        auto_free char *real = realpath(start, NULL);
        char *slash = strrchr(start, '/');

        if (real)
            return memory_format("%s%s", strcmp(real, "/") == 0 ? "" : real, path + strlen(start));
        if (!slash || slash == start)
            return memory_string(path);
        *slash = '\0';
    }
}

/* Where links outside of the roots lead into one, that counts. */
static int follow(struct search *search, char *path, struct error *err)
{
    size_t root = root_of(search, path);
    auto_free char *real = root < search->root_count ? NULL : real_as_far_as_it_goes(path);
    int result;

    if (real)
        root = root_of(search, real);
    if (root == search->root_count)
        return 0;
    if (++search->depth > DEPTH_LIMIT)
        return fail(err, ELOOP, "%s: too many links", path);
    result = walk(search, real ? real : path, root, err);
    search->depth--;
    return result;
}

int guard_follow(const char *const *roots, size_t root_count, const char *path, bool vcs,
                 struct guard_list *list, struct error *err)
{
    struct search search = { .roots = roots, .root_count = root_count, .vcs = vcs, .list = list };
    auto_free char *copy = guard_resolve(path);

    return follow(&search, copy, err);
}
