/*
 * The config that `aril spec` writes: that of `runc spec` (contract O8), which people start from and engines
 * know. Pure. The cgroup namespace is always in it; runc leaves it out on hosts with cgroup v1.
 */
#include "oci-specs/config.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <string.h>
#include <unistd.h>

struct default_mount {
    const char *destination, *type, *source, *options;
};

static const struct default_mount default_mounts[] = {
    { "/proc", "proc", "proc", NULL },
    { "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
    { "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
    { "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
    { "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
    { "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
    { "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

/*
 * Rootless: only the group 0 has a mapping, so no gid=5; sysfs cannot be mounted by who does not own the
 * network namespace.
 */
static const struct default_mount rootless_mounts[] = {
    { "/proc", "proc", "proc", NULL },
    { "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
    { "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620" },
    { "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
    { "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
    { "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro" },
    { "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

static const char *const masked_paths[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/sys/firmware",
    "/proc/scsi",
    "/sys/devices/virtual/tpm",
};

static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" };

static const enum oci_namespace_type default_namespaces[] = {
    OCI_NAMESPACE_PID, OCI_NAMESPACE_NETWORK, OCI_NAMESPACE_IPC,
    OCI_NAMESPACE_UTS, OCI_NAMESPACE_MOUNT,   OCI_NAMESPACE_CGROUP,
};

static const enum oci_namespace_type rootless_namespaces[] = {
    OCI_NAMESPACE_PID,   OCI_NAMESPACE_IPC,    OCI_NAMESPACE_UTS,
    OCI_NAMESPACE_MOUNT, OCI_NAMESPACE_CGROUP, OCI_NAMESPACE_USER,
};

/* Fills a STRINGS member and its has_ member. */
#define set_strings(object, member, array)                                                                   \
    do {                                                                                                     \
        for (size_t i_ = 0; i_ < array_length(array); i_++)                                                  \
            strings_add(&(object)->member, (array)[i_]);                                                     \
        (object)->has_##member = true;                                                                       \
    } while (0)

static void set_process(struct oci_process *process)
{
    static const char *const args[] = { "sh" };
    static const char *const env[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM=xterm",
    };
    struct oci_rlimit *limit = array_grow(process->rlimits, process->rlimits_count);

    process->terminal = process->has_terminal = true;
    process->user = memory_new(sizeof *process->user);
    process->user->has_uid = process->user->has_gid = true;
    set_strings(process, args, args);
    set_strings(process, env, env);
    process->cwd = memory_string("/");
    process->capabilities = memory_new(sizeof *process->capabilities);
    set_strings(process->capabilities, bounding, capabilities);
    set_strings(process->capabilities, effective, capabilities);
    set_strings(process->capabilities, permitted, capabilities);
    process->no_new_privileges = process->has_no_new_privileges = true;
    *limit = (struct oci_rlimit){
        .type = OCI_RLIMIT_NOFILE, .hard = 1024, .has_hard = true, .soft = 1024, .has_soft = true
    };
}

static void add_mount(struct oci_config *config, const struct default_mount *row)
{
    struct oci_mount *mount = array_grow(config->mounts, config->mounts_count);
    auto_free char *options = memory_string(row->options);
    char *rest = options, *option;

    mount->destination = memory_string(row->destination);
    mount->type = memory_string(row->type);
    mount->source = memory_string(row->source);
    mount->has_options = options != NULL;
    while ((option = strsep(&rest, ",")))
        strings_add(&mount->options, option);
}

static void add_namespaces(struct oci_linux *linux, const enum oci_namespace_type *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct oci_namespace *namespace = array_grow(linux->namespaces, linux->namespaces_count);

        namespace->type = types[i];
    }
}

/* Container id 0 is the caller. */
static struct oci_id_mapping mapping_of(uint32_t host_id)
{
    return (struct oci_id_mapping){
        .has_container_id = true, .host_id = host_id, .has_host_id = true, .size = 1, .has_size = true
    };
}

static void set_rootless(struct oci_config *config)
{
    struct oci_linux *linux = config->linux;

    for (size_t i = 0; i < array_length(rootless_mounts); i++)
        add_mount(config, &rootless_mounts[i]);
    add_namespaces(linux, rootless_namespaces, array_length(rootless_namespaces));
    *array_grow(linux->uid_mappings, linux->uid_mappings_count) = mapping_of(geteuid());
    *array_grow(linux->gid_mappings, linux->gid_mappings_count) = mapping_of(getegid());
}

static void set_rootful(struct oci_config *config)
{
    struct oci_linux *linux = config->linux;
    struct oci_device_rule *rule;

    for (size_t i = 0; i < array_length(default_mounts); i++)
        add_mount(config, &default_mounts[i]);
    add_namespaces(linux, default_namespaces, array_length(default_namespaces));
    linux->resources = memory_new(sizeof *linux->resources);
    rule = array_grow(linux->resources->devices, linux->resources->devices_count);
    *rule = (struct oci_device_rule){ .allow = false, .has_allow = true, .access = memory_string("rwm") };
}

struct oci_config *oci_config_default(bool rootless)
{
    struct oci_config *config = memory_new(sizeof *config);

    config->oci_version = memory_string(OCI_VERSION);
    config->process = memory_new(sizeof *config->process);
    set_process(config->process);
    config->root = memory_new(sizeof *config->root);
    config->root->path = memory_string("rootfs");
    config->root->readonly = config->root->has_readonly = true;
    config->hostname = memory_string("aril");
    config->linux = memory_new(sizeof *config->linux);
    set_strings(config->linux, masked_paths, masked_paths);
    set_strings(config->linux, readonly_paths, readonly_paths);
    if (rootless)
        set_rootless(config);
    else
        set_rootful(config);
    return config;
}
