/* Hands v2 controllers down: see controllers.h. Runs in the runtime, before the first limit is written. */
#include "cgroup/controllers.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "cgroup/hierarchies.h"
#include "cgroup/location.h"
#include "cgroup/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL "cgroup.subtree_control"
#define OWN_CHILD                                                                                            \
    "init" /* where the processes of our own cgroup go, as Docker's own scripts for this call it */
#define MOVES 5

/* "+cpu +io …" of what the cgroup has. */
static char *enable_list(int fd)
{
    auto_free char *available = cgroup_file_read(fd, "cgroup.controllers");
    struct buffer list = { 0 };

    for (char *saved = NULL, *name = available ? strtok_r(available, " ", &saved) : NULL; name;
         name = strtok_r(NULL, " ", &saved))
        buffer_add_format(&list, "%s+%s", list.length ? " " : "", name);
    return buffer_take(&list);
}

/* Controllers that also work on threads: the others cannot be enabled while there are processes. */
static bool is_threaded(const char *name)
{
    static const char *const names[] = { "cpu", "cpuset", "perf_event", "pids" };

    for (size_t i = 0; i < array_length(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool has_only_threaded(const char *list)
{
    auto_free char *copy = memory_string(list);

    for (char *saved = NULL, *word = strtok_r(copy, " ", &saved); word; word = strtok_r(NULL, " ", &saved))
        if (!is_threaded(word + 1))
            return false;
    return true;
}

/* Any but the root (which has no type) with processes of its own. */
static bool is_occupied(int fd)
{
    auto_free char *type = cgroup_file_read(fd, "cgroup.type"), *procs = cgroup_file_read(fd, "cgroup.procs");

    return type && procs && *procs;
}

/*
 * Returns false when processes are in the way. Then nothing may be enabled: the kernel would take cpu or pids
 * alone, make the cgroup a domain of threads with it, and refuse processes in every cgroup below.
 */
static bool enable(int fd, char *list)
{
    if (!*list)
        return true;
    if (has_only_threaded(list) && is_occupied(fd))
        return false;
    if (file_write_string_at(fd, CONTROL, list) == 0)
        return true;
    if (errno == EBUSY || is_occupied(fd))
        return false;
    /* One controller that cannot be enabled fails the whole write: each by itself. */
    for (char *saved = NULL, *word = strtok_r(list, " ", &saved); word; word = strtok_r(NULL, " ", &saved))
        if (file_write_string_at(fd, CONTROL, word) < 0)
            log_debug("cgroup: %s cannot be enabled: %s", word + 1, errno_text(errno));
    return true;
}

/* Is it the cgroup that we are in? */
static bool is_own(const char *path)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    struct error ignored = { 0 };
    bool own = false;

    if (cgroup_hierarchies_read(&hierarchies, &ignored) == 0 && hierarchies.unified &&
        hierarchies.items[0].own) {
        const char *below = hierarchies.items[0].own;
        auto_free char *whole =
            memory_format("%s%s", hierarchies.items[0].mount_point, strcmp(below, "/") == 0 ? "" : below);

        own = strcmp(whole, path) == 0;
    }
    cgroup_hierarchies_free(&hierarchies);
    return own;
}

static void move_processes(int fd, int child)
{
    auto_free char *procs = NULL;
    struct error ignored = { 0 };

    if (file_read_at(fd, "cgroup.procs", 1 << 20, &procs, NULL, &ignored) < 0)
        return;
    for (char *saved = NULL, *pid = strtok_r(procs, "\n", &saved); pid; pid = strtok_r(NULL, "\n", &saved))
        file_write_string_at(child, "cgroup.procs", pid);
}

/*
 * Inside a container, its cgroup holds the processes that were started with it, and a cgroup with processes
 * cannot hand controllers down. Only our own is cleared like that; nobody else's processes are moved.
 */
static void make_room_in(int fd)
{
    auto_close int child = -1;
    auto_free char *list = NULL;

    if (mkdirat(fd, OWN_CHILD, 0755) < 0 && errno != EEXIST)
        return;
    child = openat(fd, OWN_CHILD, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (int i = 0; child >= 0 && i < MOVES; i++) { /* again for those that were forked meanwhile */
        free(take_ptr(list));
        move_processes(fd, child);
        list = enable_list(fd);
        if (enable(fd, list))
            return;
    }
}

static void enable_at(const char *path, bool make_room)
{
    auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto_free char *list = fd < 0 ? NULL : enable_list(fd);

    if (list && !enable(fd, list) && make_room && is_own(path))
        make_room_in(fd);
}

void cgroup_controllers_enable(const struct cgroup_directory *directory, bool make_room)
{
    auto_free char *path = memory_string(directory->path);
    char *slash = path + strlen(directory->mount_point);

    for (; slash && *slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enable_at(path, make_room);
        *slash = '/';
    }
}
