/*
 * Guarded paths of a container (M-3 to M-5), after pivot_root, before read-only and masked paths. The runtime
 * has looked at those it could see on the host, and made what was missing (policy/guards.c): they must still
 * be as it found them. All others are looked up here, inside the root. Nothing below a root is reached
 * through a link, what is opened is what is covered, and what lies between is kept in its place. Children
 * come before parents, so that nothing has to be found below what is covered already.
 */
#include "rootfs/cover.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct guarding {
    struct rootfs_plan *plan;
    struct cover *null;
    struct cover *empty;
};

static const struct policy_guards *guards_of(const struct guarding *guarding)
{
    return guarding->plan->guards;
}

static int fail_changed(struct error *err)
{
    return fail(err, EAGAIN, "it is not what it was a moment ago: something else changes it");
}

static bool is_mount(int fd)
{
    struct statx status = { 0 };

    return statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* ---- mounts within a covered one, which say more than it (M-1) ---------------------------------------- */

struct kept {
    const char *path;
    int tree;
};

struct kept_list {
    struct kept *items;
    size_t count;
};

static void kept_free(struct kept_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].tree >= 0)
            close(list->items[i].tree);
    free(list->items);
}

static int keep_mounts(const struct guarding *guarding, const char *path, struct kept_list *list,
                       struct error *err)
{
    const struct policy_guards *guards = guards_of(guarding);

    for (size_t i = 0; i < guards->roots_count; i++) {
        const struct policy_root *root = &guards->roots[i];
        auto_close int fd = -1;
        struct kept *kept;

        if (!root->writable || !root->host || strcmp(root->path, path) == 0 ||
            !guard_is_within(root->path, path))
            continue;
        fd = file_open_in_root(guarding->plan->root, root->path, O_PATH, 0);
        if (fd < 0)
            return fail_errno(err, "%s", root->path);
        kept = array_grow(list->items, list->count);
        *kept = (struct kept){ root->path, mount_clone(guarding->plan, fd, "", true) };
        if (kept->tree < 0)
            return fail_errno(err, "%s: open_tree", root->path);
    }
    return 0;
}

static int put_back(const struct guarding *guarding, const struct kept_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        auto_close int place = file_open_in_root(guarding->plan->root, list->items[i].path, O_PATH, 0);

        if (place < 0)
            return fail_errno(err, "%s", list->items[i].path);
        if (mount_attach(guarding->plan, list->items[i].tree, place, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- covers ------------------------------------------------------------------------------------------- */

/* With all that is mounted in it. */
static int set_read_only(const struct guarding *guarding, struct placing *placing, struct error *err)
{
    struct rootfs_plan *plan = guarding->plan;
    int result;

    placing->tree = mount_clone(plan, placing->destination, "", true);
    if (placing->tree < 0)
        return fail_errno(err, "open_tree");
    result = mount_set_attributes(plan, placing->tree, &cover_read_only, true);
    if (result < 0 && errno != ENOSYS)
        return fail_errno(err, "set mount attributes");
    if (mount_attach(plan, placing->tree, placing->destination, err) < 0)
        return -1;
    if (result < 0 && mount_set_attributes(plan, placing->tree, &cover_read_only, true) < 0)
        return fail_errno(err, "set mount attributes");
    return 0;
}

/* A directory of its own, through which one gets to the mounts below, and which shows nothing else. */
static int deny_around(const struct guarding *guarding, const char *path, const struct kept_list *list,
                       struct placing *placing, struct error *err)
{
    const struct option_data mode = { (char *)"mode", (char *)"0111" };
    struct rootfs_plan *plan = guarding->plan;

    placing->tree = mount_make_detached(plan, "tmpfs", "tmpfs", &mode, 1,
                                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
    if (placing->tree < 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        auto_close int made = file_mkdir_in_root(placing->tree, list->items[i].path + strlen(path), 0111);

        if (made < 0)
            return fail_errno(err, "%s", list->items[i].path);
    }
    if (mount_attach(plan, placing->tree, placing->destination, err) < 0)
        return -1;
    if (mount_set_attributes(plan, placing->tree, &cover_read_only, false) < 0)
        return fail_errno(err, "set mount attributes");
    return 0;
}

static int deny(const struct guarding *guarding, const char *path, bool directory,
                const struct kept_list *list, struct placing *placing, struct error *err)
{
    if (!directory)
        return cover_mount(guarding->plan, guarding->null, &cover_null_attributes, placing, err);
    if (list->count > 0)
        return deny_around(guarding, path, list, placing, err);
    if (cover_make_empty(guarding->plan, guarding->empty, "0", err) < 0)
        return -1;
    return cover_mount(guarding->plan, guarding->empty, NULL, placing, err);
}

static int pin(const struct guarding *guarding, struct placing *placing, struct error *err)
{
    placing->tree = mount_clone(guarding->plan, placing->destination, "", true);
    if (placing->tree < 0)
        return fail_errno(err, "open_tree");
    return mount_attach(guarding->plan, placing->tree, placing->destination, err);
}

/* Takes the descriptor over. `path` is where it is. */
static int cover_place(const struct guarding *guarding, const char *path, int fd, enum policy_cover cover,
                       struct error *err)
{
    auto_placing struct placing placing = { fd, -1 };
    auto_cleanup(kept_free) struct kept_list list = { 0 };
    struct stat status;
    int result;

    if (fstat(fd, &status) < 0)
        return fail_errno(err, "stat");
    if (cover == POLICY_COVER_LINK)
        return cover_mount(guarding->plan, guarding->null, &cover_null_attributes, &placing, err);
    if (cover == POLICY_COVER_PIN)
        return pin(guarding, &placing, err);
    if (S_ISDIR(status.st_mode) && keep_mounts(guarding, path, &list, err) < 0)
        return -1;
    result = cover == POLICY_COVER_DENIED
                 ? deny(guarding, path, S_ISDIR(status.st_mode), &list, &placing, err)
                 : set_read_only(guarding, &placing, err);
    return result < 0 ? -1 : put_back(guarding, &list, err);
}

/* Where links lead, seen from inside. Nothing there: nothing to guard. */
static int cover_target(const struct guarding *guarding, const char *path, enum policy_cover cover,
                        struct error *err)
{
    auto_close int fd = file_open_in_root(guarding->plan->root, path, O_PATH, 0);
    auto_free char *real = fd >= 0 ? file_real_path(fd) : NULL;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : fail_errno(err, "open");
    return cover_place(guarding, real ? real : path, take_fd(&fd), cover, err);
}

/* ---- what the walk finds ------------------------------------------------------------------------------- */

struct visit {
    const struct guarding *guarding;
    const struct policy_guard *guard;
    const struct policy_root *root;
    const char *path; /* the whole one */
    bool planned;     /* the runtime has seen it on the host */
};

/* Of the file that `status` is of. */
static bool text_equals(int directory, const char *name, const struct stat *status, const char *expected)
{
    auto_close int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    auto_free char *text = NULL;
    struct error ignored = { 0 };
    struct stat opened;
    size_t length;

    return fd >= 0 && fstat(fd, &opened) == 0 && opened.st_ino == status->st_ino &&
           opened.st_dev == status->st_dev &&
           file_read_regular_fd(fd, GUARD_GITDIR_LIMIT, name, &text, &length, &ignored) == 0 &&
           strcmp(text, expected) == 0;
}

static bool link_equals(int fd, const char *expected)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(fd, "", target, sizeof target - 1);

    if (length < 0)
        return false;
    target[length] = '\0';
    return expected && strcmp(target, expected) == 0;
}

static int visit_link(const struct visit *visit, int fd, bool last, struct error *err)
{
    auto_close int link = fd;

    if (visit->planned &&
        (!last || visit->guard->cover != POLICY_COVER_LINK || !link_equals(link, visit->guard->content)))
        return fail_changed(err);
    if (!visit->planned && cover_target(visit->guarding, visit->path, visit->guard->cover, err) < 0)
        return -1;
    return cover_place(visit->guarding, visit->path, take_fd(&link), POLICY_COVER_LINK, err);
}

/* A ".git" file that the runtime could not follow, or not this one. */
static int check_repository(const struct visit *visit, int directory, const char *name,
                            const struct stat *status, struct error *err)
{
    if (!visit->guard->names_repository || !S_ISREG(status->st_mode) || status->st_size == 0)
        return 0;
    if (!visit->planned)
        return fail(err, ENOTSUP, "is a file that names a repository, which cannot be found on the host");
    if (visit->guard->content && text_equals(directory, name, status, visit->guard->content))
        return 0;
    return fail_changed(err);
}

static int visit_last(const struct visit *visit, int directory, const char *name, int fd,
                      const struct stat *status, struct error *err)
{
    auto_close int place = fd;

    if (visit->planned && visit->guard->cover == POLICY_COVER_LINK)
        return fail_changed(err);
    if (visit->planned && visit->guard->cover == POLICY_COVER_PIN && S_ISDIR(status->st_mode))
        return fail_changed(err);
    if (check_repository(visit, directory, name, status, err) < 0)
        return -1;
    return cover_place(visit->guarding, visit->path, take_fd(&place), visit->guard->cover, err);
}

static bool is_read_only(int fd)
{
    struct statvfs status;

    return fstatvfs(fd, &status) == 0 && (status.f_flag & ST_RDONLY);
}

/* Its place is kept by a directory, which goes with the file system it is in. */
static int visit_missing(const struct visit *visit, int directory, const char *name, struct error *err)
{
    auto_close int fd = -1;

    if (is_read_only(directory))
        return 0;
    if (visit->planned)
        return fail_changed(err);
    if (!visit->root->vanishes)
        return fail(err, ENOTSUP, "is missing, and what keeps its place could not be removed later");
    if (mkdirat(directory, name, 0755) < 0)
        return fail_errno(err, "mkdir");
    fd = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "open");
    return cover_place(visit->guarding, visit->path, take_fd(&fd), visit->guard->cover, err);
}

/* From now on the descriptor is that of the mount. */
static int pin_here(const struct visit *visit, int *fd, struct error *err)
{
    auto_placing struct placing placing = { -1, -1 };

    if (is_mount(*fd))
        return 0;
    placing.destination = take_fd(fd);
    if (pin(visit->guarding, &placing, err) < 0)
        return -1;
    *fd = take_fd(&placing.tree);
    return 0;
}

/* One component. 1: go on in *directory. */
static int look(const struct visit *visit, int *directory, const char *name, bool last, struct error *err)
{
    auto_close int next = openat(*directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (next < 0 && errno == ENOENT)
        return visit_missing(visit, *directory, name, err);
    if (next < 0 || fstat(next, &status) < 0)
        return fail_errno(err, "open");
    if (S_ISLNK(status.st_mode))
        return visit_link(visit, take_fd(&next), last, err);
    if (last)
        return visit_last(visit, *directory, name, take_fd(&next), &status, err);
    if (!S_ISDIR(status.st_mode) && visit->planned)
        return fail_changed(err);
    if (pin_here(visit, &next, err) < 0)
        return -1;
    close(*directory);
    *directory = take_fd(&next);
    return S_ISDIR(status.st_mode);
}

static int walk(const struct visit *visit, struct error *err)
{
    const char *root = visit->root->path;
    auto_close int directory = file_open_in_root(visit->guarding->plan->root, root, O_PATH | O_DIRECTORY, 0);
    auto_free char *rest = memory_string(visit->path + (root[1] ? strlen(root) : 0));
    char *at = rest, *name;

    if (directory < 0 && errno == ENOTDIR) /* a file has nothing in it */
        return 0;
    if (directory < 0)
        return fail_errno(err, "open %s", root);
    while (at && (name = strsep(&at, "/"))) {
        int more = *name ? look(visit, &directory, name, !at, err) : 1;

        if (more <= 0)
            return more;
    }
    return 0;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static const struct policy_root *root_of(const struct policy_guards *guards, const char *path)
{
    const struct policy_root *best = NULL;

    for (size_t i = 0; i < guards->roots_count; i++)
        if (guard_is_within(path, guards->roots[i].path) &&
            (!best || strlen(guards->roots[i].path) >= strlen(best->path)))
            best = &guards->roots[i];
    return best;
}

/* The outermost one that can be written, where the way to the path begins. */
static const struct policy_root *outermost_of(const struct policy_guards *guards, const char *path)
{
    const struct policy_root *best = NULL;

    for (size_t i = 0; i < guards->roots_count; i++)
        if (guards->roots[i].writable && guard_is_within(path, guards->roots[i].path) &&
            (!best || strlen(guards->roots[i].path) < strlen(best->path)))
            best = &guards->roots[i];
    return best;
}

static const struct policy_root *root_named(const struct policy_guards *guards, const char *path)
{
    for (size_t i = guards->roots_count; i-- > 0;)
        if (strcmp(guards->roots[i].path, path) == 0)
            return &guards->roots[i];
    return NULL;
}

/*
 * A root that lies in another one could be moved away with a directory above it, and made anew there. Where
 * a link is on the way, it leads to a place that no name in there decides about.
 */
static int pin_way(const struct guarding *guarding, const struct policy_root *root, struct error *err)
{
    const struct policy_root *outermost = outermost_of(guards_of(guarding), root->path);
    auto_free char *rest = outermost ? memory_string(root->path + strlen(outermost->path)) : NULL;
    const struct visit visit = { .guarding = guarding };
    auto_close int directory =
        outermost ? file_open_in_root(guarding->plan->root, outermost->path, O_PATH | O_DIRECTORY, 0) : -1;
    char *at = rest, *name;

    while (directory >= 0 && at && (name = strsep(&at, "/"))) {
        auto_close int next =
            *name && at ? openat(directory, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC) : -1;

        if (!*name)
            continue;
        if (next < 0)
            return 0;
        if (pin_here(&visit, &next, err) < 0)
            return -1;
        close(directory);
        directory = take_fd(&next);
    }
    return 0;
}

/* In something writable also what is not there, or a link, counts. */
static int guard_path(const struct guarding *guarding, const struct policy_guard *guard, const char *path,
                      bool walks, struct error *err)
{
    const struct policy_root *root =
        guard->root ? root_named(guards_of(guarding), guard->root) : root_of(guards_of(guarding), path);
    const struct visit visit = {
        .guarding = guarding, .guard = guard, .root = root, .path = path, .planned = guard->root != NULL
    };
    int result;

    if (root && walks && root->writable && strcmp(root->path, path) != 0)
        result = pin_way(guarding, root, err) < 0 ? -1 : walk(&visit, err);
    else
        result = cover_target(guarding, path, guard->cover, err);
    return result < 0 ? fail_in(err, "%s (%s)", guard->label, path) : 0;
}

static int guard_matches(const struct guarding *guarding, const struct policy_guard *guard, struct error *err)
{
    auto_cleanup(strings_free) struct strings found = { 0 };
    bool more;

    if (guard_match(guarding->plan->root, guard->path, GUARD_PATTERN_LIMIT, &found, &more, err) < 0)
        return fail_in(err, "%s", guard->label);
    guard_warn(guard->path, more, found.count > 0);
    for (size_t i = 0; i < found.count; i++)
        if (guard_path(guarding, guard, found.items[i], true, err) < 0)
            return -1;
    return 0;
}

int guards_apply(struct rootfs_plan *plan, struct cover *null, struct error *err)
{
    const struct policy_guards *guards = plan->guards;
    auto_cover struct cover empty = { -1, -1 };
    const struct guarding guarding = { .plan = plan, .null = null, .empty = &empty };

    for (size_t i = 0; guards && i < guards->items_count; i++) {
        const struct policy_guard *guard = &guards->items[i];
        const struct policy_root *root = root_of(guards, guard->path);
        int result = guard->pattern ? guard_matches(&guarding, guard, err)
                                    : guard_path(&guarding, guard, guard->path,
                                                 guard->root || (root && !root->host), err);

        if (result < 0)
            return -1;
    }
    return 0;
}
