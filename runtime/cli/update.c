/* aril update: changes the limits of a container that exists (contract item 281, G9). */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "cli/update_resources.h"
#include "launch/lifecycle.h"
#include "oci-specs/config.h"
#include "resctrl/resctrl.h"

#include <string.h>

#define LOCK_PATIENCE 10000 /* ms: other commands hold it for moments */

#define VALUE(name, member, metavar, help)                                                                   \
    {                                                                                                        \
        name, 0, OPTION_STRING, offsetof(struct update_flags, member), metavar, help                         \
    }

static const struct option_row options[] = {
    { "resources", 'r', OPTION_STRING, offsetof(struct update_flags, resources), "FILE",
      "read linux.resources from this file (JSON; \"-\": stdin)" },
    VALUE("memory", memory, "BYTES", "memory limit (-1: none)"),
    VALUE("memory-reservation", memory_reservation, "BYTES", "soft memory limit"),
    VALUE("memory-swap", memory_swap, "BYTES", "limit of memory and swap together"),
    VALUE("pids-limit", pids_limit, "N", "number of processes (-1: no limit)"),
    VALUE("cpu-share", cpu_share, "N", "weight of the cpu time"),
    VALUE("cpu-quota", cpu_quota, "MICROSECONDS", "cpu time in each period"),
    VALUE("cpu-period", cpu_period, "MICROSECONDS", "length of a period"),
    VALUE("cpu-burst", cpu_burst, "MICROSECONDS", "unused quota that may be kept"),
    VALUE("cpu-idle", cpu_idle, "0|1", "run only when the cpu is idle otherwise"),
    VALUE("cpu-rt-runtime", cpu_rt_runtime, "MICROSECONDS", "realtime cpu time in each realtime period"),
    VALUE("cpu-rt-period", cpu_rt_period, "MICROSECONDS", "length of a realtime period"),
    VALUE("cpuset-cpus", cpuset_cpus, "LIST", "cpus, like 0-3,7"),
    VALUE("cpuset-mems", cpuset_mems, "LIST", "memory nodes"),
    VALUE("blkio-weight", blkio_weight, "N", "weight of block i/o (10 to 1000)"),
    VALUE("l3-cache-schema", l3_cache_schema, "SCHEMA", "Intel RDT: parts of the L3 cache, like L3:0=ff"),
    VALUE("mem-bw-schema", mem_bw_schema, "SCHEMA", "Intel RDT: memory bandwidth, like MB:0=20"),
    VALUE("kernel-memory", kernel_memory, "BYTES", NULL),
    VALUE("kernel-memory-tcp", kernel_memory_tcp, "BYTES", NULL),
    { 0 },
};

/* Items 240, 236: the class that the container's config names, or that has its id. */
static int write_schemata(const struct container *container, const char *schemata, struct error *err)
{
    struct oci_config *config = oci_config_read_at(container->fd, "config.json", err);
    struct resctrl_plan plan = { 0 };
    struct resctrl resctrl = { .root = -1 };
    int result = -1;

    if (!config)
        return -1;
    if (resctrl_plan_make(config, container->id, &plan, err) == 0) {
        if (!plan.group)
            fail(err, EINVAL, "--l3-cache-schema, --mem-bw-schema: the container has no linux.intelRdt");
        else if (resctrl_open(&resctrl, err) == 0)
            result = resctrl_update(&plan, &resctrl, schemata, err);
    }
    resctrl_close(&resctrl);
    resctrl_plan_free(&plan);
    oci_config_free(config);
    return result;
}

static int update_schemata(const struct container *container, const struct update_flags *flags,
                           struct error *err)
{
    const char *bandwidth = flags->mem_bw_schema;
    auto_free char *schemata = resctrl_join_schemata(flags->l3_cache_schema, bandwidth, NULL);

    if (!schemata)
        return 0;
    if (bandwidth && (strncmp(bandwidth, "MB:", 3) != 0 || strchr(bandwidth, '\n')))
        return fail(err, EINVAL, "--mem-bw-schema: must be one line that begins with MB:");
    return write_schemata(container, schemata, err);
}

static bool same_devices(const struct oci_resources *a, const struct oci_resources *b)
{
    const struct oci_resources first = { .devices = a->devices, .devices_count = a->devices_count };
    const struct oci_resources second = { .devices = b->devices, .devices_count = b->devices_count };
    auto_buffer struct buffer one = { 0 }, other = { 0 };

    schema_write(&oci_resources_schema, &first, SCHEMA_COMPACT, &one);
    schema_write(&oci_resources_schema, &second, SCHEMA_COMPACT, &other);
    return strcmp(one.data, other.data) == 0;
}

/*
 * Engines send the whole object, with the rules that the container has. Those are left alone: a hook may have
 * added a device to them.
 */
static int changes_devices(const struct container *container, const struct oci_resources *resources,
                           bool *changes, struct error *err)
{
    const struct oci_resources *before;
    struct oci_config *config;

    *changes = resources->devices_count > 0;
    if (!*changes || container->status->devices_updated)
        return 0;
    config = oci_config_read_at(container->fd, "config.json", err);
    if (!config)
        return -1;
    before = config->linux ? config->linux->resources : NULL;
    *changes = !before || !same_devices(before, resources);
    oci_config_free(config);
    return 0;
}

/* Before they change: one update too many is harmless. */
static int note_change(struct container *container, struct error *err)
{
    int result = 0;

    if (container->status->devices_updated)
        return 0;
    if (container_lock(container, LOCK_PATIENCE, err) < 0)
        return -1;
    container->status->devices_updated = container->status->has_devices_updated = true;
    result = container_save(container, err);
    container_unlock(container);
    return result;
}

static int update_cgroup(struct container *container, const struct oci_resources *resources,
                         struct error *err)
{
    struct oci_resources wanted = *resources;
    bool changes;

    if (changes_devices(container, resources, &changes, err) < 0)
        return -1;
    if (!changes)
        wanted.devices_count = 0;
    else if (note_change(container, err) < 0)
        return -1;
    return cgroup_update(container->status->cgroup, &wanted, err);
}

/* No kernel since 5.16 has it; callers still pass it, and runc takes it the same way. */
static void warn_of_kernel_memory(const struct update_flags *flags)
{
    if (flags->kernel_memory || flags->kernel_memory_tcp)
        log_warning("--kernel-memory, --kernel-memory-tcp: ignored, kernels keep no such limits");
}

static int update(struct container *container, const struct invocation *invocation, struct error *err)
{
    enum container_state state = container_state(container);
    struct oci_resources *resources;
    int result;

    if (state == CONTAINER_STOPPED || state == CONTAINER_CREATING)
        return fail(err, EINVAL, "container not running: %s", container_state_name(state));
    if (!container_has_cgroup(container))
        return fail(err, ENOTSUP, "the container has no cgroup: disabled, or its user may not make one");
    resources = update_resources_make(invocation->options, err);
    if (!resources)
        return -1;
    warn_of_kernel_memory(invocation->options);
    result = update_cgroup(container, resources, err);
    if (result == 0)
        result = update_schemata(container, invocation->options, err);
    schema_free(&oci_resources_schema, resources);
    return result;
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, update, err);
}

const struct command command_update = {
    .name = "update",
    .summary = "Change the resource limits of a container",
    .arguments = "ID",
    .options = options,
    .options_size = sizeof(struct update_flags),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
