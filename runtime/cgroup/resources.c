/* What of linux.resources is the same on every version of cgroups. Pure; runs in the runtime while it plans.
 */
#include "cgroup/resources.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int cgroup_unsupported(struct error *err, const char *property, int version)
{
    return fail(err, ENOTSUP, "%s: not supported on cgroup v%d", property, version);
}

static int check_memory(const struct oci_memory *memory, struct error *err)
{
    if (memory->has_swap && memory->swap > 0 && memory->limit > 0 && memory->swap < memory->limit)
        return fail(err, EINVAL,
                    "linux.resources.memory.swap: %" PRId64
                    " is memory plus swap and must be at least the limit of %" PRId64,
                    memory->swap, memory->limit);
    return 0;
}

static int check_cpu(const struct oci_cpu *cpu, struct error *err)
{
    if (cpu->quota > 0 && cpu->burst > (uint64_t)cpu->quota) /* item 189 */
        return fail(err, EINVAL, "linux.resources.cpu.burst: %" PRIu64 " is more than the quota of %" PRId64,
                    cpu->burst, cpu->quota);
    return 0;
}

/* "64KB", "2MB", "1GB": it becomes part of a file name. */
static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < 20 && text[0] != '0' && text[digits] && strchr("KMG", text[digits]) &&
           strcmp(text + digits + 1, "B") == 0;
}

static int check_huge_pages(const struct oci_resources *resources, struct error *err)
{
    for (size_t i = 0; i < resources->hugepage_limits_count; i++)
        if (!is_page_size(resources->hugepage_limits[i].page_size))
            return fail(
                err, EINVAL,
                "linux.resources.hugepageLimits[%zu].pageSize: '%s' is not a size like 64KB, 2MB or 1GB", i,
                resources->hugepage_limits[i].page_size);
    return 0;
}

static int check_block_io(const struct oci_block_io *io, struct error *err)
{
    if (io->weight && io->weight < 10)
        return fail(err, ERANGE, "linux.resources.blockIO.weight: %" PRIu32 " is not within 10 and 1000",
                    io->weight);
    if (io->leaf_weight && io->leaf_weight < 10)
        return fail(err, ERANGE, "linux.resources.blockIO.leafWeight: %" PRIu32 " is not within 10 and 1000",
                    io->leaf_weight);
    for (size_t i = 0; i < io->weight_device_count; i++)
        if (!io->weight_device[i].has_weight && !io->weight_device[i].has_leaf_weight)
            return fail(err, EINVAL, "linux.resources.blockIO.weightDevice[%zu]: needs weight or leafWeight",
                        i);
    return 0;
}

static int check_rdma(const struct oci_resources *resources, struct error *err)
{
    for (size_t i = 0; i < resources->rdma_count; i++) {
        const struct oci_rdma *rdma = &resources->rdma[i];

        if (!rdma->has_hca_handles && !rdma->has_hca_objects)
            return fail(err, EINVAL, "linux.resources.rdma.%s: needs hcaHandles or hcaObjects", rdma->device);
        if (!rdma->device[0] || strpbrk(rdma->device, " \t\n"))
            return fail(err, EINVAL, "linux.resources.rdma: '%s' is not the name of a device", rdma->device);
    }
    return 0;
}

int cgroup_resources_check(const struct oci_resources *resources, struct error *err)
{
    if (resources->memory && check_memory(resources->memory, err) < 0)
        return -1;
    if (resources->cpu && check_cpu(resources->cpu, err) < 0)
        return -1;
    if (resources->block_io && check_block_io(resources->block_io, err) < 0)
        return -1;
    if (check_huge_pages(resources, err) < 0)
        return -1;
    return check_rdma(resources, err);
}

void cgroup_resources_throttles(const struct oci_block_io *io,
                                struct cgroup_throttle throttles[CGROUP_THROTTLES])
{
#define THROTTLE(list, name, v1_file, v2_key)                                                                \
    (struct cgroup_throttle){ io->list, io->list##_count, name, "blkio.throttle." v1_file, v2_key }
    throttles[0] = THROTTLE(throttle_read_bps_device, "throttleReadBpsDevice", "read_bps_device", "rbps");
    throttles[1] = THROTTLE(throttle_write_bps_device, "throttleWriteBpsDevice", "write_bps_device", "wbps");
    throttles[2] = THROTTLE(throttle_read_iops_device, "throttleReadIOPSDevice", "read_iops_device", "riops");
    throttles[3] =
        THROTTLE(throttle_write_iops_device, "throttleWriteIOPSDevice", "write_iops_device", "wiops");
#undef THROTTLE
}

/* Reservations are counted since Linux 5.7: without the file the plain limit is all there is (item 194). */
void cgroup_resources_huge_pages(const struct oci_resources *resources, const char *file,
                                 struct cgroup_rows *rows)
{
    for (size_t i = 0; i < resources->hugepage_limits_count; i++) {
        const struct oci_hugepage_limit *limit = &resources->hugepage_limits[i];
        char property[80], name[80];

        snprintf(property, sizeof property, "linux.resources.hugepageLimits[%zu]", i);
        snprintf(name, sizeof name, "hugetlb.%s.rsvd.%s", limit->page_size, file);
        cgroup_rows_add(rows, "hugetlb", name, property, "%" PRIu64, limit->limit)->rule = ROW_OPTIONAL;
        snprintf(name, sizeof name, "hugetlb.%s.%s", limit->page_size, file);
        cgroup_rows_add(rows, "hugetlb", name, property, "%" PRIu64, limit->limit);
    }
}

void cgroup_resources_pids(const struct oci_resources *resources, struct cgroup_rows *rows)
{
    static const char property[] = "linux.resources.pids.limit";

    if (!resources->pids)
        return;
    if (resources->pids->limit < 0)
        cgroup_rows_add(rows, "pids", "pids.max", property, "max");
    else /* 0 is a limit (item 196): no fork. The init process itself counts, so 1 says the same and lets it
            be cloned there. */
        cgroup_rows_add(rows, "pids", "pids.max", property, "%" PRId64,
                        resources->pids->limit ? resources->pids->limit : (int64_t)1);
}

void cgroup_resources_rdma(const struct oci_resources *resources, struct cgroup_rows *rows)
{
    for (size_t i = 0; i < resources->rdma_count; i++) {
        const struct oci_rdma *rdma = &resources->rdma[i];
        char property[128], handles[32] = "", objects[32] = "";

        snprintf(property, sizeof property, "linux.resources.rdma.%s", rdma->device);
        if (rdma->has_hca_handles)
            snprintf(handles, sizeof handles, " hca_handle=%" PRIu32, rdma->hca_handles);
        if (rdma->has_hca_objects)
            snprintf(objects, sizeof objects, " hca_object=%" PRIu32, rdma->hca_objects);
        cgroup_rows_add(rows, "rdma", "rdma.max", property, "%s%s%s", rdma->device, handles, objects);
    }
}
