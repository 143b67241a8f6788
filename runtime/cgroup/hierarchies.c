/*
 * Finds the hierarchies: see hierarchies.h. Runs in the runtime. /proc/self/cgroup says which hierarchies the
 * kernel has; where all are mounted at the usual places, that is all there is to know, else mountinfo says
 * where one can reach them.
 */
#include "cgroup/hierarchies.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cgroup/mountinfo.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define STANDARD_POINT "/sys/fs/cgroup"
#define ROOT_INODE 1 /* of a cgroup file system, in all versions of the kernel */
#define PROC_FILE_LIMIT                                                                                      \
    (16u << 20) /* bytes; mountinfo of a host with ten thousand mounts has some two million */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Copies and bind mounts of a hierarchy may stand elsewhere (in the rootfs of other containers): take the
 * usual place. */
static int rank(const struct cgroup_mount *mount)
{
    return (mount->writable ? 4 : 0) + (starts_with(mount->point, STANDARD_POINT) ? 2 : 0) +
           (strcmp(mount->root, "/") == 0);
}

static const struct cgroup_mount *find_mount(const struct cgroup_mounts *mounts, const char *controllers)
{
    const struct cgroup_mount *best = NULL;
    size_t first = strcspn(controllers, ",");

    for (size_t i = 0; i < mounts->count; i++) {
        const struct cgroup_mount *mount = &mounts->items[i];

        if (mount->v2 != (first == 0) || (first > 0 && !cgroup_list_has(mount->options, controllers, first)))
            continue;
        if (!best || rank(mount) > rank(best))
            best = mount;
    }
    return best;
}

/*
 * Our cgroup as seen from the mount. A bind mount of a cgroup (Docker's, inside a container) has that cgroup
 * as its root;
 * "/.." means that the mount or we ourselves are above the root of our cgroup namespace: there is no path
 * then.
 */
static char *path_below(const char *root, const char *cgroup)
{
    size_t length = strlen(root);

    if (starts_with(root, "/..") || starts_with(cgroup, "/.."))
        return NULL;
    if (strcmp(root, "/") == 0)
        return memory_string(cgroup);
    if (strncmp(cgroup, root, length) != 0 || (cgroup[length] && cgroup[length] != '/'))
        return NULL;
    return memory_string(cgroup[length] ? cgroup + length : "/");
}

/* A line of /proc/self/cgroup, "4:memory:/user.slice". */
struct listed {
    char *controllers, *path;
};

/* Splits the line in place. Paths may contain colons, controllers cannot. */
static bool split_line(char *line, struct listed *listed)
{
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!path)
        return false;
    *path++ = '\0';
    *listed = (struct listed){ controllers + 1, path };
    return true;
}

static void add_hierarchy(const struct listed *listed, const char *point, const char *root,
                          struct cgroup_hierarchies *hierarchies)
{
    *array_grow(hierarchies->items, hierarchies->count) = (struct cgroup_hierarchy){
        .controllers = memory_string(listed->controllers),
        .mount_point = memory_string(point),
        .own = path_below(root, listed->path),
    };
}

static void free_items(struct cgroup_hierarchies *hierarchies, size_t from)
{
    for (size_t i = from; i < hierarchies->count; i++) {
        free(hierarchies->items[i].controllers);
        free(hierarchies->items[i].mount_point);
        free(hierarchies->items[i].own);
    }
    hierarchies->count = from;
}

static void swap(struct cgroup_hierarchy *a, struct cgroup_hierarchy *b)
{
    struct cgroup_hierarchy saved = *a;

    *a = *b;
    *b = saved;
}

static bool has_v1_controllers(const struct cgroup_hierarchies *hierarchies)
{
    for (size_t i = 0; i < hierarchies->count; i++)
        if (hierarchies->items[i].controllers[0] && !starts_with(hierarchies->items[i].controllers, "name="))
            return true;
    return false;
}

/*
 * v2 rules alone where it is mounted at the standard place: then single v1 hierarchies elsewhere (a VPN
 * client's net_cls) are not ours. Else v1 rules as soon as it has one controller.
 */
static void settle_version(struct cgroup_hierarchies *hierarchies)
{
    size_t count = hierarchies->count;
    struct cgroup_hierarchy *items = hierarchies->items;

    for (size_t i = 0; i < count; i++) {
        if (items[i].controllers[0])
            continue;
        hierarchies->unified =
            !has_v1_controllers(hierarchies) || strcmp(items[i].mount_point, STANDARD_POINT) == 0;
        swap(&items[i], &items[hierarchies->unified ? 0 : count - 1]);
        break;
    }
    if (hierarchies->unified)
        free_items(hierarchies, 1);
}

void cgroup_hierarchies_parse(const char *mountinfo, const char *cgroups,
                              struct cgroup_hierarchies *hierarchies)
{
    auto_free char *lines = memory_string(cgroups);
    struct cgroup_mounts mounts = { 0 };
    struct listed listed;
    char *state = NULL;

    cgroup_mounts_parse(mountinfo, &mounts);
    for (char *line = strtok_r(lines, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        const struct cgroup_mount *mount =
            split_line(line, &listed) ? find_mount(&mounts, listed.controllers) : NULL;

        if (mount)
            add_hierarchy(&listed, mount->point, mount->root, hierarchies);
    }
    cgroup_mounts_free(&mounts);
    settle_version(hierarchies);
}

/* ---- at the usual places ------------------------------------------------------------------------------ */

/* Is a hierarchy mounted here, writable? */
static bool is_mounted(const char *point, bool v2)
{
    struct statfs filesystem;

    return statfs(point, &filesystem) == 0 &&
           filesystem.f_type == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC) &&
           !(filesystem.f_flags & ST_RDONLY);
}

/* Are paths from the listing also paths from here? Not where a cgroup is mounted by itself, as Docker does.
 */
static bool has_path(const char *point, const char *path)
{
    struct stat root;

    return strcmp(path, "/") == 0 || (stat(point, &root) == 0 && root.st_ino == ROOT_INODE);
}

static bool is_usual(const char *point, const struct listed *listed)
{
    return is_mounted(point, !listed->controllers[0]) && has_path(point, listed->path);
}

/*
 * Where systemd and the engines mount it: "cpu,cpuacct", "systemd" for "name=systemd", "unified" for v2. A v2
 * that is elsewhere beside v1 belongs to whoever mounted it there (Cilium).
 */
static bool add_usual(const struct listed *listed, struct cgroup_hierarchies *hierarchies)
{
    bool v2 = !listed->controllers[0];
    const char *name = v2 ? "unified" : listed->controllers;
    auto_free char *point = memory_join(STANDARD_POINT, "/", name + (starts_with(name, "name=") ? 5 : 0));

    if (!is_usual(point, listed))
        return v2;
    add_hierarchy(listed, point, "/", hierarchies);
    return true;
}

/*
 * mountinfo grows with what the machine runs: the kernel takes 4 microseconds for each mount in it, and 4 for
 * each place that is looked at here. False where one has to read it.
 */
static bool find_usual(const char *cgroups, struct cgroup_hierarchies *hierarchies)
{
    auto_free char *lines = memory_string(cgroups);
    bool unified = is_mounted(STANDARD_POINT, true), found = true;
    struct listed listed;
    char *state = NULL;

    for (char *line = strtok_r(lines, "\n", &state); line && found; line = strtok_r(NULL, "\n", &state)) {
        if (!split_line(line, &listed))
            continue;
        if (!unified)
            found = add_usual(&listed, hierarchies);
        else if (!listed.controllers[0] && has_path(STANDARD_POINT, listed.path))
            add_hierarchy(&listed, STANDARD_POINT, "/", hierarchies);
    }
    found = found && (unified ? hierarchies->count > 0 : has_v1_controllers(hierarchies));
    if (found)
        settle_version(hierarchies);
    else
        free_items(hierarchies, 0);
    return found;
}

static int read_from(const char *cgroups_path, struct cgroup_hierarchies *hierarchies, struct error *err)
{
    auto_free char *mountinfo = NULL, *cgroups = NULL;

    if (file_read_proc(cgroups_path, PROC_FILE_LIMIT, &cgroups, err) < 0)
        return -1;
    if (!find_usual(cgroups, hierarchies)) {
        if (file_read_proc("/proc/self/mountinfo", PROC_FILE_LIMIT, &mountinfo, err) < 0)
            return -1;
        cgroup_hierarchies_parse(mountinfo, cgroups, hierarchies);
    }
    hierarchies->listing = take_ptr(cgroups);
    return 0;
}

int cgroup_hierarchies_read(struct cgroup_hierarchies *hierarchies, struct error *err)
{
    return read_from("/proc/self/cgroup", hierarchies, err);
}

int cgroup_hierarchies_read_of(pid_t pid, struct cgroup_hierarchies *hierarchies, struct error *err)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    return read_from(path, hierarchies, err);
}

void cgroup_hierarchies_free(struct cgroup_hierarchies *hierarchies)
{
    free_items(hierarchies, 0);
    free(hierarchies->items);
    free(hierarchies->listing);
    *hierarchies = (struct cgroup_hierarchies){ 0 };
}

bool cgroup_hierarchy_is_v2(const struct cgroup_hierarchy *hierarchy)
{
    return !hierarchy->controllers[0];
}

bool cgroup_hierarchy_has(const struct cgroup_hierarchy *hierarchy, const char *controller)
{
    return cgroup_list_has(hierarchy->controllers, controller, strlen(controller));
}
