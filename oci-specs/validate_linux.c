/* Rules of the `linux` block but for namespaces, seccomp and resources, which have files of their own. Pure.
 */
#include "oci-specs/validate.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/json.h"

#include <stdlib.h>
#include <string.h>

#define INTERFACE_NAME_SIZE 16 /* IFNAMSIZ, with the NUL */

/* ---- devices ----------------------------------------------------------------------------------------- */

static bool same_node(const struct oci_device *a, const struct oci_device *b)
{
    bool a_char = a->type == OCI_DEVICE_CHAR || a->type == OCI_DEVICE_UNBUFFERED;
    bool b_char = b->type == OCI_DEVICE_CHAR || b->type == OCI_DEVICE_UNBUFFERED;

    if (a->type == OCI_DEVICE_FIFO || b->type == OCI_DEVICE_FIFO)
        return a->type == b->type;
    return a_char == b_char && a->major == b->major && a->minor == b->minor;
}

/* Item 145 */
static int check_device(const struct oci_device *device, size_t index, struct error *err)
{
    const char *name = strrchr(device->path, '/') + 1;

    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fail(err, EINVAL, "linux.devices[%zu].path: '%.80s' does not name a file", index,
                    device->path);
    if (device->type != OCI_DEVICE_FIFO && (!device->has_major || !device->has_minor))
        return fail(err, EINVAL, "linux.devices[%zu].%s: is required unless the type is p", index,
                    device->has_major ? "minor" : "major");
    return 0;
}

static int compare_paths(const void *left, const void *right)
{
    const struct oci_device *a = *(const struct oci_device *const *)left,
                            *b = *(const struct oci_device *const *)right;
    int order = strcmp(a->path, b->path);

    return order ? order : (a > b) - (a < b);
}

/* Engines list the same device twice at times; but a path cannot be two things. */
static int check_device_paths(const struct oci_device *devices, size_t count, struct error *err)
{
    auto_free const struct oci_device **sorted = memory_new_array(count, sizeof(struct oci_device *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = &devices[i];
    qsort(sorted, count, sizeof *sorted, compare_paths);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0 && !same_node(sorted[i - 1], sorted[i]))
            return fail(err, EINVAL, "linux.devices[%td].path: %.80s is another device in linux.devices[%td]",
                        sorted[i] - devices, sorted[i]->path, sorted[i - 1] - devices);
    return 0;
}

static int check_devices(const struct oci_config *config, struct error *err)
{
    const struct oci_linux *linux = config->linux;

    for (size_t i = 0; i < linux->devices_count; i++)
        if (check_device(&linux->devices[i], i, err) < 0)
            return -1;
    return linux->devices_count < 2 ? 0 : check_device_paths(linux->devices, linux->devices_count, err);
}

/* ---- paths ------------------------------------------------------------------------------------------- */

static int check_absolute(const struct strings *paths, const char *what, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++)
        if (paths->items[i][0] != '/')
            return fail(err, EINVAL, "linux.%s[%zu]: '%.80s' is not an absolute path", what, i,
                        paths->items[i]);
    return 0;
}

/* Items 124, 125 */
static int check_paths(const struct oci_config *config, struct error *err)
{
    if (check_absolute(&config->linux->masked_paths, "maskedPaths", err) < 0)
        return -1;
    return check_absolute(&config->linux->readonly_paths, "readonlyPaths", err);
}

/* ---- network devices --------------------------------------------------------------------------------- */

static bool is_template(const char *name) /* the kernel numbers "eth%d" */
{
    size_t length = strlen(name);

    return length > 2 && strcmp(name + length - 2, "%d") == 0;
}

/* dev_valid_name() of the kernel, and that a "%" is only in a template. */
static bool is_interface_name(const char *name, bool template_allowed)
{
    const char *percent = strchr(name, '%');
    size_t length = strlen(name);

    if (length == 0 || length >= INTERFACE_NAME_SIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (percent && (!template_allowed || !is_template(name) || percent != name + length - 2))
        return false;
    return strpbrk(name, "/: \t\n\v\f\r") == NULL;
}

static const char *target_name(const struct oci_net_device *device)
{
    return is_set(device->name) ? device->name : device->host_name;
}

static int fail_net_device(const struct oci_net_device *device, const char *member, const char *message,
                           const char *name, struct error *err)
{
    auto_free char *path = json_member_path("linux.netDevices", device->host_name);

    return fail(err, EINVAL, "%s%s: '%.80s' %s", path, member, name, message);
}

/* Item 157 */
static int check_net_device(const struct oci_net_device *device, struct error *err)
{
    if (!is_interface_name(device->host_name, false))
        return fail_net_device(device, "", "is not a name of a network interface", device->host_name, err);
    if (!is_interface_name(target_name(device), true))
        return fail_net_device(device, ".name", "is not a name of a network interface", target_name(device),
                               err);
    return 0;
}

static int compare_targets(const void *left, const void *right)
{
    const struct oci_net_device *a = *(const struct oci_net_device *const *)left;
    const struct oci_net_device *b = *(const struct oci_net_device *const *)right;
    int order = strcmp(target_name(a), target_name(b));

    return order ? order : (a > b) - (a < b);
}

static int check_target_names(const struct oci_net_device *devices, size_t count, struct error *err)
{
    auto_free const struct oci_net_device **sorted = memory_new_array(count, sizeof(struct oci_net_device *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = &devices[i];
    qsort(sorted, count, sizeof *sorted, compare_targets);
    for (size_t i = 1; i < count; i++)
        if (!is_template(target_name(sorted[i])) &&
            strcmp(target_name(sorted[i - 1]), target_name(sorted[i])) == 0)
            return fail_net_device(sorted[i], ".name", "is the name of another one too",
                                   target_name(sorted[i]), err);
    return 0;
}

static int check_net_devices(const struct oci_config *config, struct error *err)
{
    const struct oci_linux *linux = config->linux;

    if (!linux->net_devices_count)
        return 0;
    if (!oci_config_namespace(config, OCI_NAMESPACE_NETWORK))
        return fail(err, EINVAL, "linux.netDevices: needs a network namespace in linux.namespaces");
    for (size_t i = 0; i < linux->net_devices_count; i++)
        if (check_net_device(&linux->net_devices[i], err) < 0)
            return -1;
    return check_target_names(linux->net_devices, linux->net_devices_count, err);
}

/* ---- the rest ---------------------------------------------------------------------------------------- */

/* Items 233-236 */
static int check_intel_rdt(const struct oci_config *config, struct error *err)
{
    const struct oci_intel_rdt *rdt = config->linux->intel_rdt;
    const char *id;

    if (!rdt)
        return 0;
    id = rdt->clos_id ? rdt->clos_id : "/";
    if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || strchr(id, '\n') ||
        (strchr(id, '/') && strcmp(id, "/") != 0))
        return fail(err, EINVAL, "linux.intelRdt.closID: '%.80s' is not the name of a class or \"/\"", id);
    if (is_set(rdt->mem_bw_schema) &&
        (strncmp(rdt->mem_bw_schema, "MB:", 3) != 0 || strchr(rdt->mem_bw_schema, '\n')))
        return fail(err, EINVAL, "linux.intelRdt.memBwSchema: must be one line that begins with MB:");
    for (size_t i = 0; i < rdt->schemata.count; i++)
        if (strchr(rdt->schemata.items[i], '\n'))
            return fail(err, EINVAL, "linux.intelRdt.schemata[%zu]: must be one line", i);
    return 0;
}

/* Item 82 */
static int check_personality(const struct oci_config *config, struct error *err)
{
    const struct oci_personality *personality = config->linux->personality;

    if (personality && personality->flags.count)
        return fail(err, EINVAL, "linux.personality.flags[0]: '%.80s' is not supported, no flag is",
                    personality->flags.items[0]);
    return 0;
}

static bool has_flag(const struct oci_memory_policy *policy, enum oci_memory_policy_flag flag)
{
    for (size_t i = 0; i < policy->flags_count; i++)
        if (policy->flags[i] == flag)
            return true;
    return false;
}

/* Items 242, 243: set_mempolicy(2) */
static int check_memory_policy_nodes(const struct oci_memory_policy *policy, const char *mode,
                                     struct error *err)
{
    bool nodes = is_set(policy->nodes);

    switch (policy->mode) {
    case OCI_MPOL_DEFAULT:
    case OCI_MPOL_LOCAL:
        if (nodes)
            return fail(err, EINVAL, "linux.memoryPolicy.nodes: %s has none", mode);
        break;
    case OCI_MPOL_PREFERRED: /* without nodes it means local */
    case oci_memory_policy_mode_unset:
        break;
    case OCI_MPOL_BIND:
    case OCI_MPOL_INTERLEAVE:
    case OCI_MPOL_WEIGHTED_INTERLEAVE:
    case OCI_MPOL_PREFERRED_MANY:
        if (!nodes)
            return fail(err, EINVAL, "linux.memoryPolicy.nodes: %s needs at least one", mode);
        break;
    }
    return validate_number_list(policy->nodes, "linux.memoryPolicy.nodes", err);
}

static int check_memory_policy_flags(const struct oci_memory_policy *policy, const char *mode,
                                     struct error *err)
{
    bool fixed = has_flag(policy, OCI_MPOL_F_STATIC_NODES),
         relative = has_flag(policy, OCI_MPOL_F_RELATIVE_NODES);

    if (fixed && relative)
        return fail(
            err, EINVAL,
            "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    if ((fixed || relative) && !is_set(policy->nodes))
        return fail(err, EINVAL, "linux.memoryPolicy.flags: %s needs nodes",
                    fixed ? "MPOL_F_STATIC_NODES" : "MPOL_F_RELATIVE_NODES");
    if (has_flag(policy, OCI_MPOL_F_NUMA_BALANCING) && policy->mode != OCI_MPOL_BIND &&
        policy->mode != OCI_MPOL_PREFERRED_MANY)
        return fail(err, EINVAL, "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING does not go with %s", mode);
    return 0;
}

static int check_memory_policy(const struct oci_config *config, struct error *err)
{
    const struct oci_memory_policy *policy = config->linux->memory_policy;
    const char *mode;

    if (!policy)
        return 0;
    mode = oci_memory_policy_mode_name(policy->mode);
    if (check_memory_policy_nodes(policy, mode, err) < 0)
        return -1;
    return check_memory_policy_flags(policy, mode, err);
}

int validate_linux(const struct oci_config *config, struct error *err)
{
    static int (*const checks[])(const struct oci_config *config, struct error *err) = {
        check_devices,   check_paths,       check_net_devices,
        check_intel_rdt, check_personality, check_memory_policy,
    };

    for (size_t i = 0; i < array_length(checks); i++)
        if (checks[i](config, err) < 0)
            return -1;
    return 0;
}
