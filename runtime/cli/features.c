/*
 * aril features: what this runtime can do (contract items 258-268). Says what is implemented, not what the
 * host allows; works without privileges and without a container.
 */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "rootfs/rootfs.h"
#include "security/security.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* To be changed together with the code that it describes. */
static const bool net_devices_implemented = true;
static const bool systemd_cgroup_implemented = true;

static const struct {
    enum oci_seccomp_flag flag;
    unsigned kernel_flag;
} seccomp_flags[] = {
    { OCI_SECCOMP_FLAG_TSYNC, SECCOMP_FILTER_FLAG_TSYNC },
    { OCI_SECCOMP_FLAG_LOG, SECCOMP_FILTER_FLAG_LOG },
    { OCI_SECCOMP_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_SPEC_ALLOW },
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
    { OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV,
      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER },
#endif
};

/* All names of an enum of the schema tables: exactly what the reader accepts. */
#define ADD_NAMES(object, member, type)                                                                      \
    do {                                                                                                     \
        const char *name_;                                                                                   \
        for (int value_ = 1; (name_ = type##_name((enum type)value_)); value_++)                             \
            strings_add(&(object)->member, name_);                                                           \
        (object)->has_##member = true;                                                                       \
    } while (0)

#define SET(object, member, value)                                                                           \
    do {                                                                                                     \
        (object)->member = (value);                                                                          \
        (object)->has_##member = true;                                                                       \
    } while (0)

static void add_all(struct strings *strings, const char *const *names)
{
    for (; *names; names++)
        strings_add(strings, *names);
}

static struct oci_features_enabled *enabled(bool value)
{
    struct oci_features_enabled *object = memory_new(sizeof *object);

    SET(object, enabled, value);
    return object;
}

static struct oci_features_cgroup *cgroup_features(void)
{
    struct oci_features_cgroup *cgroup = memory_new(sizeof *cgroup);

    SET(cgroup, v1, true);
    SET(cgroup, v2, true);
    SET(cgroup, systemd, systemd_cgroup_implemented);
    SET(cgroup, systemd_user, systemd_cgroup_implemented);
    SET(cgroup, rdma, true);
    return cgroup;
}

/* The kernel looks at the flags before it looks at the (missing) program: EFAULT says that it knows them. */
static bool kernel_knows_seccomp_flag(unsigned flag)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static struct oci_features_seccomp *seccomp_features(void)
{
    struct oci_features_seccomp *seccomp = memory_new(sizeof *seccomp);

    SET(seccomp, enabled, true);
    ADD_NAMES(seccomp, actions, oci_seccomp_action);
    ADD_NAMES(seccomp, operators, oci_seccomp_operator);
    ADD_NAMES(seccomp, archs, oci_seccomp_arch);
    ADD_NAMES(seccomp, known_flags, oci_seccomp_flag);
    for (size_t i = 0; i < array_length(seccomp_flags); i++)
        if (kernel_knows_seccomp_flag(seccomp_flags[i].kernel_flag))
            strings_add(&seccomp->supported_flags, oci_seccomp_flag_name(seccomp_flags[i].flag));
    seccomp->has_supported_flags = true;
    return seccomp;
}

static struct oci_features_intel_rdt *intel_rdt_features(void)
{
    struct oci_features_intel_rdt *intel_rdt = memory_new(sizeof *intel_rdt);

    SET(intel_rdt, enabled, true);
    SET(intel_rdt, schemata, true);
    SET(intel_rdt, monitoring, true);
    return intel_rdt;
}

static struct oci_features_memory_policy *memory_policy_features(void)
{
    struct oci_features_memory_policy *memory_policy = memory_new(sizeof *memory_policy);

    ADD_NAMES(memory_policy, modes, oci_memory_policy_mode);
    ADD_NAMES(memory_policy, flags, oci_memory_policy_flag);
    return memory_policy;
}

static struct oci_features_linux *linux_features(void)
{
    struct oci_features_linux *features = memory_new(sizeof *features);
    const char *name;

    ADD_NAMES(features, namespaces, oci_namespace_type);
    for (int number = 0; (name = capability_name(number)); number++)
        strings_add(&features->capabilities, name);
    features->has_capabilities = true;
    features->cgroup = cgroup_features();
    features->seccomp = seccomp_features();
    features->apparmor = enabled(true);
    features->selinux = enabled(true);
    features->intel_rdt = intel_rdt_features();
    features->memory_policy = memory_policy_features();
    features->mount_extensions = memory_new(sizeof *features->mount_extensions);
    features->mount_extensions->idmap = enabled(true);
    features->net_devices = enabled(net_devices_implemented);
    return features;
}

static struct oci_features *all_features(void)
{
    static const char *const hooks[] = {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
    };
    struct oci_features *features = memory_new(sizeof *features);

    features->oci_version_min = memory_string("1.0.0");
    features->oci_version_max = memory_string(OCI_VERSION);
    add_all(&features->hooks, hooks);
    features->has_hooks = true;
    add_all(&features->mount_options, rootfs_known_mount_options());
    features->has_mount_options = true;
    features->linux = linux_features();
    string_map_set(&features->annotations, "dev.aril.version", PACKAGE_VERSION);
    string_map_set(&features->annotations, "dev.aril.commit", ARIL_COMMIT);
    /* A dot at the end: every annotation that begins with it. */
    strings_add(&features->potentially_unsafe_config_annotations, "run.oci.");
    strings_add(&features->potentially_unsafe_config_annotations, "dev.aril.");
    if (systemd_cgroup_implemented)
        strings_add(&features->potentially_unsafe_config_annotations, "org.systemd.property.");
    features->has_potentially_unsafe_config_annotations = true;
    return features;
}

static int run(const struct invocation *invocation, struct error *err)
{
    auto_buffer struct buffer json = { 0 };
    struct oci_features *features = all_features();

    (void)invocation;
    schema_write(&oci_features_schema, features, SCHEMA_SPACES_4, &json);
    buffer_add_char(&json, '\n');
    schema_free(&oci_features_schema, features);
    return cli_print_buffer(&json, err);
}

const struct command command_features = {
    .name = "features",
    .summary = "Print what this runtime can do as JSON",
    .run = run,
};
