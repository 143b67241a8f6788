/*
 * Finds the hierarchies: see hierarchies.h. Runs in the runtime. /proc/self/cgroup says which hierarchies the
 * kernel has, mountinfo where one can reach them; one read of each, nothing is probed on disk.
 */
#include "cgroup/hierarchies.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cgroup/mountinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_POINT "/sys/fs/cgroup"
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

/* One line of /proc/self/cgroup, "4:memory:/user.slice". Paths may contain colons, controllers cannot. */
static void add_hierarchy(char *line, const struct cgroup_mounts *mounts,
                          struct cgroup_hierarchies *hierarchies)
{
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    const struct cgroup_mount *mount;

    if (!path)
        return;
    *controllers++ = '\0';
    *path++ = '\0';
    mount = find_mount(mounts, controllers);
    if (mount)
        *array_grow(hierarchies->items, hierarchies->count) = (struct cgroup_hierarchy){
            .controllers = memory_string(controllers),
            .mount_point = memory_string(mount->point),
            .own = path_below(mount->root, path),
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

/*
 * v2 rules alone where it is mounted at the standard place: then single v1 hierarchies elsewhere (a VPN
 * client's net_cls) are not ours. Else v1 rules as soon as it has one controller.
 */
static void settle_version(struct cgroup_hierarchies *hierarchies)
{
    size_t count = hierarchies->count;
    struct cgroup_hierarchy *items = hierarchies->items;
    bool controllers = false;

    for (size_t i = 0; i < count; i++)
        controllers |= items[i].controllers[0] && !starts_with(items[i].controllers, "name=");
    for (size_t i = 0; i < count; i++) {
        if (items[i].controllers[0])
            continue;
        hierarchies->unified = !controllers || strcmp(items[i].mount_point, STANDARD_POINT) == 0;
        swap(&items[i], &items[hierarchies->unified ? 0 : count - 1]);
        break;
    }
    if (hierarchies->unified)
        free_items(hierarchies, 1);
}

void cgroup_hierarchies_parse(const char *mountinfo, const char *cgroups,
                              struct cgroup_hierarchies *hierarchies)
{
    struct cgroup_mounts mounts = { 0 };

    cgroup_mounts_parse(mountinfo, &mounts);
    while (*cgroups) {
        size_t length = strcspn(cgroups, "\n");
        auto_free char *line = memory_string_n(cgroups, length);

        add_hierarchy(line, &mounts, hierarchies);
        cgroups += length + (cgroups[length] == '\n');
    }
    cgroup_mounts_free(&mounts);
    settle_version(hierarchies);
}

static int read_from(const char *cgroups_path, struct cgroup_hierarchies *hierarchies, struct error *err)
{
    auto_free char *mountinfo = NULL, *cgroups = NULL;

    if (file_read_proc("/proc/self/mountinfo", PROC_FILE_LIMIT, &mountinfo, err) < 0)
        return -1;
    if (file_read_proc(cgroups_path, PROC_FILE_LIMIT, &cgroups, err) < 0)
        return -1;
    cgroup_hierarchies_parse(mountinfo, cgroups, hierarchies);
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
