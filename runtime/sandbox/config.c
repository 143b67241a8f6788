/*
 * The rules of a sandbox as an ordinary container config: the host's root, read-only with all below it, and
 * the mounts that open or close parts of it, parents before children (M-1).
 */
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/edit.h"

#include <string.h>

static struct oci_mount *add_mount(struct oci_config *config, const char *destination, const char *type,
                                   const char *source, const char *options)
{
    struct oci_mount *mount = array_grow(config->mounts, config->mounts_count);
    auto_free char *copy = memory_string(options);
    char *rest = copy, *option;

    mount->destination = memory_string(destination);
    mount->type = memory_string(type);
    mount->source = memory_string(source);
    mount->has_options = true;
    while ((option = strsep(&rest, ",")))
        strings_add(&mount->options, option);
    return mount;
}

/* A denied directory lets only pass who is on the way to something below it. */
static bool leads_somewhere(const struct sandbox_rules *rules, size_t index)
{
    for (size_t i = index + 1; i < rules->count; i++)
        if (guard_is_within(rules->items[i].path, rules->items[index].path))
            return true;
    return false;
}

static void add_overlay(struct oci_config *config, const struct sandbox_rule *rule, bool user_namespace)
{
    struct oci_mount *mount = add_mount(config, rule->path, "overlay", "overlay", "nosuid,nodev");
    auto_free char *lower = memory_format("lowerdir=%s", rule->path);
    auto_free char *upper = memory_format("upperdir=%s/upper", rule->scratch);
    auto_free char *work = memory_format("workdir=%s/work", rule->scratch);

    strings_add(&mount->options, lower);
    strings_add(&mount->options, upper);
    strings_add(&mount->options, work);
    if (user_namespace) /* rmdir of a merged directory fails without (C-2) */
        strings_add(&mount->options, "userxattr");
}

/* The paths have no links. Where one has come up since, another sandbox that can write there has made it. */
static void add_rule(struct oci_config *config, const struct sandbox_rules *rules, size_t index,
                     bool user_namespace)
{
    const struct sandbox_rule *rule = &rules->items[index];
    bool device = guard_is_within(rule->path, "/dev");

    switch (rule->access) {
    case SANDBOX_PINNED:
    case SANDBOX_WRITABLE:
        add_mount(config, rule->path, "bind", rule->path,
                  device ? "rbind,src-nolinks" : "rbind,rnosuid,rnodev,src-nolinks");
        break;
    case SANDBOX_OVERLAID:
        add_overlay(config, rule, user_namespace);
        break;
    case SANDBOX_READ_ONLY:
        add_mount(config, rule->path, "bind", rule->path,
                  device ? "rbind,rro,src-nolinks" : "rbind,rro,rnosuid,rnodev,src-nolinks");
        break;
    case SANDBOX_LINK:
        add_mount(config, rule->path, "bind", "/dev/null", "bind,ro,dest-nofollow");
        break;
    case SANDBOX_DENIED:
        if (rule->directory)
            add_mount(config, rule->path, "tmpfs", "tmpfs",
                      leads_somewhere(rules, index) ? "ro,nosuid,nodev,noexec,mode=0111,size=4k"
                                                    : "ro,nosuid,nodev,noexec,mode=0,size=4k");
        else
            add_mount(config, rule->path, "bind", "/dev/null", "bind,ro,nosuid,noexec");
    }
}

/* All of the host, submounts included. Returns how many of the rules that was. */
static size_t add_root(struct oci_config *config, const struct sandbox_rules *rules)
{
    /* A rule for "/" is the first one. */
    bool named = rules->count > 0 && strcmp(rules->items[0].path, "/") == 0;

    if (named && rules->items[0].access == SANDBOX_WRITABLE) {
        add_mount(config, "/", "bind", "/", "remount,bind,rnosuid,rnodev");
        add_mount(config, "/sys", "bind", "/sys", "rbind,rro,rnosuid,rnodev");
    } else {
        add_mount(config, "/", "bind", "/", "remount,bind,rro,rnosuid,rnodev");
    }
    return named;
}

static void add_mounts(struct oci_config *config, const struct sandbox_rules *rules,
                       const struct sandbox_command *command)
{
    size_t first = add_root(config, rules); /* before anything of ours comes on top */

    add_mount(config, "/proc", "proc", "proc", "nosuid,noexec,nodev");
    add_mount(config, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
    add_mount(config, "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620");
    add_mount(config, "/dev/shm", "tmpfs", "shm",
              "nosuid,noexec,nodev,mode=1777"); /* as large as the host's */
    if (rules->private_run)
        add_mount(config, "/run", "tmpfs", "tmpfs", "nosuid,nodev,mode=755,size=16m");
    if (rules->private_tmp)
        add_mount(config, "/tmp", "tmpfs", "tmpfs", "nosuid,nodev,mode=1777");
    for (size_t i = first; i < rules->count; i++)
        add_rule(config, rules, i, command->user_namespace);
}

/* Names are looked up through it; where it is a link into /run, the private /run would cut it off. */
static void keep_resolver(struct oci_config *config, const struct sandbox_rules *rules)
{
    auto_free char *real = realpath("/etc/resolv.conf", NULL);

    if (rules->private_run && real && guard_is_within(real, "/run"))
        add_mount(config, real, "bind", real, "bind,ro,nosuid,nodev,noexec");
}

static void add_namespace(struct oci_linux *linux, enum oci_namespace_type type)
{
    struct oci_namespace *namespace = array_grow(linux->namespaces, linux->namespaces_count);

    namespace->type = type;
}

static void add_namespaces(struct oci_linux *linux, enum sandbox_network network, bool user)
{
    static const enum oci_namespace_type types[] = { OCI_NAMESPACE_PID, OCI_NAMESPACE_MOUNT,
                                                     OCI_NAMESPACE_IPC, OCI_NAMESPACE_UTS };

    for (size_t i = 0; i < array_length(types); i++)
        add_namespace(linux, types[i]);
    if (network != SANDBOX_NETWORK_HOST)
        add_namespace(linux, OCI_NAMESPACE_NETWORK);
    if (user)
        add_namespace(linux, OCI_NAMESPACE_USER);
}

/* The caller stays who he is: nobody else exists in there. */
static struct oci_id_mapping mapping_of(uint32_t id)
{
    return (struct oci_id_mapping){ .container_id = id,
                                    .has_container_id = true,
                                    .host_id = id,
                                    .has_host_id = true,
                                    .size = 1,
                                    .has_size = true };
}

static void set_linux(struct oci_config *config, enum sandbox_network network,
                      const struct sandbox_command *command)
{
    static const char *const masked[] = { "/proc/acpi",        "/proc/asound",  "/proc/kcore",
                                          "/proc/keys",        "/proc/scsi",    "/proc/timer_list",
                                          "/proc/sched_debug", "/sys/firmware", "/proc/latency_stats" };
    static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                            "/proc/sysrq-trigger" };
    struct oci_linux *linux = config->linux = memory_new(sizeof *linux);

    add_namespaces(linux, network, command->user_namespace);
    if (command->user_namespace) {
        *array_grow(linux->uid_mappings, linux->uid_mappings_count) = mapping_of(command->uid);
        *array_grow(linux->gid_mappings, linux->gid_mappings_count) = mapping_of(command->gid);
    }
    for (size_t i = 0; i < array_length(masked); i++)
        strings_add(&linux->masked_paths, masked[i]);
    linux->has_masked_paths = true;
    for (size_t i = 0; i < array_length(readonly); i++)
        strings_add(&linux->readonly_paths, readonly[i]);
    linux->has_readonly_paths = true;
}

static void set_process(struct oci_config *config, const struct sandbox_command *command)
{
    struct oci_process *process = config->process = memory_new(sizeof *process);

    for (const char *const *word = command->args; *word; word++)
        strings_add(&process->args, *word);
    process->has_args = true;
    for (size_t i = 0; i < command->env.count; i++)
        strings_add(&process->env, command->env.items[i]);
    process->has_env = true;
    process->cwd = memory_string(command->cwd);
    process->terminal = process->has_terminal = command->terminal;
    process->user = memory_new(sizeof *process->user);
    *process->user =
        (struct oci_user){ .uid = command->uid, .has_uid = true, .gid = command->gid, .has_gid = true };
    process->user->umask = command->umask;
    process->user->has_umask = true;
    process->capabilities = memory_new(sizeof *process->capabilities); /* none */
    process->no_new_privileges = process->has_no_new_privileges = true;
}

struct oci_config *sandbox_config_make(const struct sandbox_rules *rules, enum sandbox_network network,
                                       const struct sandbox_command *command, struct oci_seccomp *seccomp)
{
    struct oci_config *config = memory_new(sizeof *config);

    config->oci_version = memory_string(OCI_VERSION);
    config->hostname = memory_string("sandbox");
    config->root = memory_new(sizeof *config->root);
    config->root->path = memory_string("/");
    set_process(config, command);
    set_linux(config, network, command);
    add_mounts(config, rules, command);
    if (network == SANDBOX_NETWORK_HOST)
        keep_resolver(config, rules);
    config->linux->seccomp = seccomp; /* taken over */
    return config;
}
