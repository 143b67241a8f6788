/* Makes the directories of a cgroup: see make.h. Runs in the runtime. */
#include "cgroup/make.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cgroup/location.h"
#include "cgroup/mountinfo.h"
#include "cgroup/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0755
#define ATTEMPTS 10

static bool is_cpuset(const struct cgroup_directory *directory)
{
    return cgroup_list_has(directory->controllers, "cpuset", strlen("cpuset"));
}

/*
 * A v1 cpuset starts without CPUs and memory nodes and refuses every process until it has some: take the
 * parent's, which may be as empty, up to the root of the mount. Returns the value in force at `path` (owned),
 * or NULL with errno.
 */
static char *inherit(const char *path, size_t root_length, const char *name, bool fresh)
{
    auto_free char *file = memory_join(path, "/", name), *value = NULL, *parent = NULL;
    const char *slash = strrchr(path, '/');
    bool is_root = (size_t)(slash - path) < root_length;

    if (!fresh)
        value = cgroup_file_read(AT_FDCWD, file);
    if (!fresh && (!value || *value || is_root))
        return take_ptr(value);
    free(take_ptr(value));
    parent = memory_string_n(path, (size_t)(slash - path));
    value = inherit(parent, root_length, name, false);
    return value && file_write_string_at(AT_FDCWD, file, value) == 0 ? take_ptr(value) : NULL;
}

static int initialise(const struct cgroup_directory *directory, bool fresh, struct error *err)
{
    static const char *const names[] = { "cpuset.cpus", "cpuset.mems" };

    for (size_t i = 0; is_cpuset(directory) && i < array_length(names); i++) {
        auto_free char *value = inherit(directory->path, strlen(directory->mount_point), names[i], fresh);

        if (!value)
            return fail_errno(err, "initialise %s of %s from the cpuset above it", names[i], directory->path);
    }
    return 0;
}

/* Returns 0 or -1 with errno, ENOENT when there is no parent. */
static int make_one(const char *path, struct cgroup_made *made)
{
    if (mkdir(path, MODE) < 0)
        return -1;
    *array_grow(made->paths, made->count) = memory_string(path);
    return 0;
}

static int make_parents(const struct cgroup_directory *directory, struct cgroup_made *made)
{
    auto_free char *path = memory_string(directory->path);
    char *slash = path + strlen(directory->mount_point) + 1;

    while ((slash = strchr(slash, '/'))) {
        *slash = '\0';
        if (make_one(path, made) < 0 && errno != EEXIST)
            return -1;
        *slash++ = '/';
    }
    return 0;
}

/*
 * A cgroup that exists may belong to somebody: processes in it would fall under our limits and die with the
 * container (item 165). A threaded one is refused, because its processes cannot be listed or killed there
 * (item 175).
 */
static int check_existing(const char *path, struct error *err)
{
    auto_close int fd = cgroup_location_open(path);
    auto_free char *v1 = NULL, *v2 = NULL, *type = NULL;
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    if (fd < 0 || cgroup_tree_pids(fd, &pids, &count) < 0)
        return fail_errno(err, "check %s", path);
    if (count > 0)
        return fail(err, EBUSY, "container's cgroup is not empty: %zu process(es) found", count);
    type = cgroup_file_read(fd, "cgroup.type");
    if (type && (strcmp(type, "threaded") == 0 || strcmp(type, "domain invalid") == 0))
        return fail(err, EOPNOTSUPP, "%s is part of a threaded cgroup, which takes no containers", path);
    v1 = cgroup_file_read(fd, "freezer.state");
    v2 = cgroup_file_read(fd, "cgroup.freeze");
    if ((v1 && strcmp(v1, "THAWED") != 0) || (v2 && strcmp(v2, "0") != 0))
        return fail(err, EBUSY, "container's cgroup unexpectedly frozen");
    return 0;
}

int cgroup_make(const struct cgroup_directory *directory, struct cgroup_made *made, struct error *err)
{
    int result = make_one(directory->path, made);
    bool fresh;

    /* Another create that fails may remove the parents that both share right under our feet. */
    for (int attempt = 0; result < 0 && errno == ENOENT && attempt < ATTEMPTS; attempt++) {
        if (make_parents(directory, made) < 0)
            break;
        result = make_one(directory->path, made);
    }
    fresh = result == 0;
    if (result < 0 && errno == EEXIST)
        result = check_existing(directory->path, err);
    else if (result < 0)
        fail_errno(err, "make the cgroup %s", directory->path);
    return result < 0 ? -1 : initialise(directory, fresh, err);
}

void cgroup_unmake(const struct cgroup_made *made)
{
    for (size_t i = made->count; i > 0; i--)
        rmdir(made->paths[i - 1]);
}

void cgroup_made_free(struct cgroup_made *made)
{
    for (size_t i = 0; i < made->count; i++)
        free(made->paths[i]);
    free(made->paths);
    *made = (struct cgroup_made){ 0 };
}
