/* Rules of linux.resources, in config.json and as update brings it. Pure. What this host can do is for
 * cgroup/. */
#include "oci-specs/validate.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/json.h"

#include <string.h>

#define SWAPPINESS_MAX 100
#define WEIGHT_MIN 10 /* 0 stands for "not set"; the table checks the upper end */

/* Item 167 */
static int check_device_rules(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    for (size_t i = 0; i < resources->devices_count; i++) {
        const char *access = resources->devices[i].access;

        if (access && access[strspn(access, "rwm")])
            return fail(err, EINVAL, "%sdevices[%zu].access: '%.80s' may only hold r, w and m", prefix, i,
                        access);
    }
    return 0;
}

/* Item 183 */
static int check_swappiness(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    const struct oci_memory *memory = resources->memory;

    if (memory && memory->has_swappiness && memory->swappiness > SWAPPINESS_MAX)
        return fail(err, EINVAL, "%smemory.swappiness: %llu is not in the range 0 to %d", prefix,
                    (unsigned long long)memory->swappiness, SWAPPINESS_MAX);
    return 0;
}

/* Item 191 */
static int check_cpusets(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    const struct oci_cpu *cpu = resources->cpu;
    auto_free char *cpus = NULL, *mems = NULL;

    if (!cpu || (!cpu->cpus && !cpu->mems))
        return 0;
    cpus = memory_format("%scpu.cpus", prefix);
    mems = memory_format("%scpu.mems", prefix);
    if (validate_number_list(cpu->cpus, cpus, err) < 0)
        return -1;
    return validate_number_list(cpu->mems, mems, err);
}

static int check_weight(uint32_t weight, const char *prefix, const char *name, struct error *err)
{
    if (weight && weight < WEIGHT_MIN)
        return fail(err, EINVAL, "%sblockIO.%s: %u is neither 0 nor in the range 10 to 1000", prefix, name,
                    weight);
    return 0;
}

/* Item 193 */
static int check_block_io(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    const struct oci_block_io *block_io = resources->block_io;

    if (!block_io)
        return 0;
    if (check_weight(block_io->weight, prefix, "weight", err) < 0 ||
        check_weight(block_io->leaf_weight, prefix, "leafWeight", err) < 0)
        return -1;
    for (size_t i = 0; i < block_io->weight_device_count; i++)
        if (!block_io->weight_device[i].has_weight && !block_io->weight_device[i].has_leaf_weight)
            return fail(err, EINVAL, "%sblockIO.weightDevice[%zu]: needs weight or leafWeight", prefix, i);
    return 0;
}

/* Item 194: [1-9][0-9]*[KMG]B */
static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits && text[0] != '0' && text[digits] && strchr("KMG", text[digits]) &&
           strcmp(text + digits + 1, "B") == 0;
}

static int check_hugepages(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    for (size_t i = 0; i < resources->hugepage_limits_count; i++)
        if (!is_page_size(resources->hugepage_limits[i].page_size))
            return fail(err, EINVAL, "%shugepageLimits[%zu].pageSize: '%.80s' is not a size like 2MB", prefix,
                        i, resources->hugepage_limits[i].page_size);
    return 0;
}

static int fail_member(const char *prefix, const char *map, const char *key, const char *message,
                       struct error *err)
{
    auto_free char *path = json_member_path(map, key);

    return fail(err, EINVAL, "%s%s: %s", prefix, path, message);
}

/* Item 197 */
static int check_rdma(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    for (size_t i = 0; i < resources->rdma_count; i++)
        if (!resources->rdma[i].has_hca_handles && !resources->rdma[i].has_hca_objects)
            return fail_member(prefix, "rdma", resources->rdma[i].device, "needs hcaHandles or hcaObjects",
                               err);
    return 0;
}

/* Item 198: names of files in the container's cgroup, and nothing else. */
static int check_unified(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    for (size_t i = 0; i < resources->unified.count; i++) {
        const char *name = resources->unified.items[i].key;

        if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return fail_member(prefix, "unified", name, "is not a file name", err);
    }
    return 0;
}

int oci_resources_validate(const struct oci_resources *resources, const char *prefix, struct error *err)
{
    static int (*const checks[])(const struct oci_resources *resources, const char *prefix,
                                 struct error *err) = {
        check_device_rules, check_swappiness, check_cpusets, check_block_io,
        check_hugepages,    check_rdma,       check_unified,
    };

    for (size_t i = 0; i < array_length(checks); i++)
        if (checks[i](resources, prefix, err) < 0)
            return -1;
    return 0;
}
