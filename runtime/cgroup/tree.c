/* Walking a tree of cgroups: see tree.h. Knows nothing of versions: directories and cgroup.procs are the same
 * in both. */
#include "cgroup/tree.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCS_LIMIT (64u << 20) /* bytes of a cgroup.procs: some eight million processes */

struct level {
    char *name; /* of this directory in its parent; NULL for the top */
    char **children;
    size_t count, next;
};

struct path { /* from the top to where the walk is */
    struct level *items;
    size_t count;
};

static void free_level(struct level *level)
{
    for (size_t i = 0; i < level->count; i++)
        free(level->children[i]);
    free(level->children);
    free(level->name);
}

static void free_path(struct path *path)
{
    while (path->count > 0)
        free_level(&path->items[--path->count]);
    free(path->items);
}

static int list_children(int fd, struct level *level)
{
    auto_closedir DIR *directory = NULL;
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* its own position, unlike dup() */
    struct dirent *entry;

    if (copy < 0)
        return -1;
    directory = fdopendir(copy);
    if (!directory) {
        close(copy);
        return -1;
    }
    while ((entry = readdir(directory)))
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *array_grow(level->children, level->count) = memory_string(entry->d_name);
    return 0;
}

/* Gone in the meantime is no error: there is nothing left to visit. */
static int enter(int fd, const char *name, const struct cgroup_visitor *visitor, struct path *path)
{
    struct level *level = array_grow(path->items, path->count);

    level->name = memory_string(name);
    if (visitor->enter && visitor->enter(fd, visitor->context) < 0)
        return -1;
    if (list_children(fd, level) < 0 && errno != ENOENT && errno != ENODEV)
        return -1;
    return 0;
}

/* *fd moves up. A cgroup cannot be moved to another parent, so ".." is where the walk came from. */
static int leave(int *fd, const struct cgroup_visitor *visitor, struct path *path)
{
    struct level level = path->items[--path->count];
    int result = 0, parent = -1;

    if (level.name) {
        parent = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
            result = -1;
        else if (visitor->leave)
            result = visitor->leave(parent, level.name, visitor->context);
    }
    free_level(&level);
    close(*fd);
    *fd = parent;
    return result;
}

int cgroup_tree_walk(int top_fd, const struct cgroup_visitor *visitor)
{
    auto_cleanup(free_path) struct path path = { 0 };
    auto_close int fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || enter(fd, NULL, visitor, &path) < 0)
        return -1;
    while (path.count > 0) {
        struct level *level = &path.items[path.count - 1];
        const char *name;
        int child;

        if (level->next == level->count) {
            if (leave(&fd, visitor, &path) < 0)
                return -1;
            continue;
        }
        name = level->children[level->next++];
        child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0 && errno == ENOENT)
            continue;
        if (child < 0)
            return -1;
        close(fd);
        fd = child;
        if (enter(fd, name, visitor, &path) < 0)
            return -1;
    }
    return 0;
}

struct pid_list {
    pid_t *items;
    size_t count;
};

static int add_pids(int fd, void *context)
{
    struct pid_list *pids = context;
    auto_free char *text = NULL;
    struct error ignored = { 0 };
    char *position;

    /* ENODEV: removed. EOPNOTSUPP: a threaded cgroup, whose processes are listed above it. */
    if (file_read_at(fd, "cgroup.procs", PROCS_LIMIT, &text, NULL, &ignored) < 0) {
        errno = ignored.code;
        return errno == ENODEV || errno == ENOENT || errno == EOPNOTSUPP ? 0 : -1;
    }
    position = text;
    while (*position) {
        long pid = strtol(position, &position, 10);

        if (pid > 0) /* kill(0) would be our own group */
            *array_grow(pids->items, pids->count) = (pid_t)pid;
        if (*position)
            position++;
    }
    return 0;
}

int cgroup_tree_pids(int top_fd, pid_t **pids, size_t *count)
{
    struct pid_list list = { 0 };
    struct cgroup_visitor visitor = { .enter = add_pids, .context = &list };

    if (cgroup_tree_walk(top_fd, &visitor) < 0) {
        free(list.items);
        return -1;
    }
    *pids = list.items;
    *count = list.count;
    return 0;
}

static int remove_directory(int parent_fd, const char *name, void *context)
{
    (void)context;
    return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : 0;
}

int cgroup_tree_remove_children(int top_fd)
{
    struct cgroup_visitor visitor = { .leave = remove_directory };

    return cgroup_tree_walk(top_fd, &visitor);
}
