/* Ownership of a delegated v2 cgroup: see owner.h. Runs in the runtime, before the clone. */
#include "cgroup/owner.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct oci_namespace *find_namespace(const struct oci_linux *linux_part,
                                                  enum oci_namespace_type type)
{
    for (size_t i = 0; i < linux_part->namespaces_count; i++)
        if (linux_part->namespaces[i].type == type)
            return &linux_part->namespaces[i];
    return NULL;
}

static bool is_new(const struct oci_namespace *entry)
{
    return entry && (!entry->path || !*entry->path);
}

static bool is_read_only(const struct oci_mount *mount)
{
    for (size_t i = 0; i < mount->options.count; i++)
        if (strcmp(mount->options.items[i], "ro") == 0)
            return true;
    return false;
}

static bool has_writable_mount(const struct oci_config *config)
{
    for (size_t i = 0; i < config->mounts_count; i++) {
        const struct oci_mount *mount = &config->mounts[i];

        if (strcmp(mount->destination, "/sys/fs/cgroup") == 0 && mount->source &&
            strcmp(mount->source, "cgroup") == 0)
            return !is_read_only(mount);
    }
    return false;
}

/*
 * Without a user namespace the ids inside are those outside. One that is joined has mappings that we do not
 * know: nobody gets the cgroup then, rather than a stranger of the host who has the uid.
 */
static bool map_uid(const struct oci_linux *linux_part, uint32_t uid, uid_t *owner)
{
    *owner = uid;
    for (size_t i = 0; i < linux_part->uid_mappings_count; i++) {
        const struct oci_id_mapping *map = &linux_part->uid_mappings[i];

        if (uid < map->container_id || uid - map->container_id >= map->size)
            continue;
        *owner = map->host_id + (uid - map->container_id);
        return true;
    }
    return linux_part->uid_mappings_count == 0 && !find_namespace(linux_part, OCI_NAMESPACE_USER);
}

bool cgroup_owner_find(const struct oci_config *config, uid_t *owner)
{
    const struct oci_user *user = config->process ? config->process->user : NULL;

    return config->linux && is_new(find_namespace(config->linux, OCI_NAMESPACE_CGROUP)) &&
           has_writable_mount(config) && map_uid(config->linux, user ? user->uid : 0, owner);
}

int cgroup_owner_set(int directory_fd, uid_t owner, struct error *err)
{
    auto_free char *files = NULL;
    struct error ignored = { 0 };

    if (fchown(directory_fd, owner, (gid_t)-1) < 0)
        return fail_errno(err, "give the cgroup to uid %u", owner);
    if (file_read_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 1 << 16, &files, NULL, &ignored) < 0)
        files = memory_string("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
    for (char *saved = NULL, *file = strtok_r(files, "\n", &saved); file; file = strtok_r(NULL, "\n", &saved))
        if (fchownat(directory_fd, file, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
            return fail_errno(err, "give %s of the cgroup to uid %u", file, owner);
    return 0;
}
