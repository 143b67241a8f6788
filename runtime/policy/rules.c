/*
 * The Landlock rules of a container (L-3). Pure. Rules only add up, so what must be read-only or denied
 * within a writable root is made by mounts (guards.c, rootfs/guard.c), not here (L-4).
 */
#include "policy/internal.h"

#include "base/memory.h"
#include "oci-specs/edit.h"

#include <string.h>

/* What every program may expect to write to; missing ones are nothing to mention. */
static const struct {
    const char *path;
    uint64_t access;
} devices[] = {
    { "/dev/null", LANDLOCK_DEVICE },    { "/dev/zero", LANDLOCK_DEVICE },
    { "/dev/full", LANDLOCK_DEVICE },    { "/dev/random", LANDLOCK_DEVICE },
    { "/dev/urandom", LANDLOCK_DEVICE }, { "/dev/tty", LANDLOCK_DEVICE },
    { "/dev/console", LANDLOCK_DEVICE }, { "/dev/ptmx", LANDLOCK_DEVICE },
    { "/dev/pts", LANDLOCK_DEVICE },     { "/dev/shm", LANDLOCK_ALL },
    { "/dev/mqueue", LANDLOCK_ALL },     { "/proc", LANDLOCK_WRITE_FILES },
};

static void add_path(struct policy_ruleset *ruleset, const char *path, uint64_t access, bool optional,
                     bool quiet)
{
    struct policy_path_rule *rule = array_grow(ruleset->paths, ruleset->paths_count);

    *rule = (struct policy_path_rule){ .path = memory_string(path),
                                       .access = access,
                                       .has_access = true,
                                       .optional = optional,
                                       .has_optional = true,
                                       .quiet = quiet,
                                       .has_quiet = true };
}

static void add_ports(struct policy_ruleset *ruleset, const uint32_t *ports, size_t count, uint64_t access)
{
    if (count)
        ruleset->ports_handled |= access;
    for (size_t i = 0; i < count; i++)
        *array_grow(ruleset->ports, ruleset->ports_count) =
            (struct policy_port_rule){ ports[i], true, access, true };
}

bool policy_mount_is_read_only(const struct oci_mount *mount)
{
    bool read_only = false;

    for (size_t i = 0; i < mount->options.count; i++) {
        const char *option = mount->options.items[i];

        if (strcmp(option, "ro") == 0 || strcmp(option, "rro") == 0)
            read_only = true;
        else if (strcmp(option, "rw") == 0)
            read_only = false;
    }
    return read_only;
}

/* Of the container's own; a device or directory of the host's that is bound below /dev is meant to be used. */
bool policy_mount_is_of_system(const struct oci_mount *mount)
{
    const char *destination = mount->destination;

    if (policy_is_bind(mount) && policy_path_is_within(destination, "/dev/"))
        return false;
    return policy_path_is_within(destination, "/proc") || policy_path_is_within(destination, "/sys") ||
           policy_path_is_within(destination, "/dev");
}

static void add_writable_mounts(struct policy_ruleset *ruleset, const struct oci_config *config)
{
    for (size_t i = 0; i < config->mounts_count; i++) {
        const struct oci_mount *mount = &config->mounts[i];

        if (!policy_mount_is_read_only(mount) && !policy_mount_is_of_system(mount))
            add_path(ruleset, mount->destination, LANDLOCK_ALL, true, false);
    }
}

static void add_reading(struct policy_ruleset *ruleset, const struct policy_landlock *landlock)
{
    if (!landlock || !landlock->has_read_roots) {
        add_path(ruleset, "/", LANDLOCK_READ, false, false);
        return;
    }
    for (size_t i = 0; i < landlock->read_roots.count; i++)
        add_path(ruleset, landlock->read_roots.items[i], LANDLOCK_READ, true, false);
}

static void add_network(struct policy_ruleset *ruleset, const struct policy_landlock *landlock)
{
    if (landlock->has_network_allowed && !landlock->network_allowed)
        ruleset->ports_handled |= LANDLOCK_NET_BIND_TCP | LANDLOCK_NET_CONNECT_TCP;
    add_ports(ruleset, landlock->tcp_bind, landlock->tcp_bind_count, LANDLOCK_NET_BIND_TCP);
    add_ports(ruleset, landlock->tcp_connect, landlock->tcp_connect_count, LANDLOCK_NET_CONNECT_TCP);
    for (size_t i = 0; i < landlock->scope_count; i++)
        ruleset->scopes |=
            landlock->scope[i] == POLICY_SCOPE_SIGNAL ? LANDLOCK_SCOPE_SIGNALS : LANDLOCK_SCOPE_ABSTRACT_UNIX;
}

/* M-7: /tmp becomes private unless something writable is, contains or lies beneath it. */
bool policy_tmp_is_free(const struct oci_config *config, const struct policy_landlock *landlock)
{
    for (size_t i = 0; i < config->mounts_count; i++)
        if (policy_path_is_within("/tmp", config->mounts[i].destination) ||
            policy_path_is_within(config->mounts[i].destination, "/tmp"))
            return false;
    for (size_t i = 0; landlock && i < landlock->writable_roots.count; i++)
        if (policy_path_is_within("/tmp", landlock->writable_roots.items[i]) ||
            policy_path_is_within(landlock->writable_roots.items[i], "/tmp"))
            return false;
    return true;
}

/* M-6, L-6: a missing one is an error. */
void policy_ruleset_add_roots(struct policy_ruleset *ruleset, const struct strings *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        add_path(ruleset, roots->items[i], LANDLOCK_ALL, false, false);
}

struct policy_ruleset *policy_ruleset_make(const struct oci_config *config,
                                           const struct policy_landlock *landlock, bool required)
{
    struct policy_ruleset *ruleset = memory_new(sizeof *ruleset);

    ruleset->required = required;
    ruleset->has_required = true;
    add_reading(ruleset, landlock);
    for (size_t i = 0; i < array_length(devices); i++)
        add_path(ruleset, devices[i].path, devices[i].access, true, true);
    for (size_t i = 0; i < config->linux->devices_count; i++)
        add_path(ruleset, config->linux->devices[i].path, LANDLOCK_DEVICE, true, false);
    if (landlock && landlock->has_writable_roots)
        policy_ruleset_add_roots(ruleset, &landlock->writable_roots);
    else
        add_writable_mounts(ruleset, config);
    if (landlock)
        add_network(ruleset, landlock);
    ruleset->has_ports_handled = ruleset->has_scopes = true;
    return ruleset;
}
