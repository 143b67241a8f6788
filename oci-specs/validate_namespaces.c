/* Rules of linux.namespaces, id maps and time offsets. Pure. sysctls are checked by namespaces/, which
 * applies them. */
#include "oci-specs/validate.h"

#include "base/memory.h"

/* Items 132, 135 */
static int check_namespaces(const struct oci_config *config, struct error *err)
{
    unsigned seen = 0;

    for (size_t i = 0; i < config->linux->namespaces_count; i++) {
        const struct oci_namespace *namespace = &config->linux->namespaces[i];

        if (seen & 1u << namespace->type)
            return fail(err, EINVAL, "linux.namespaces[%zu].type: %s is already listed", i,
                        oci_namespace_type_name(namespace->type));
        seen |= 1u << namespace->type;
        if (is_set(namespace->path) && namespace->path[0] != '/')
            return fail(err, EINVAL, "linux.namespaces[%zu].path: '%.80s' is not an absolute path", i,
                        namespace->path);
    }
    return 0;
}

/* ---- id maps ----------------------------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* The kernel's rules for a map (item 138): it refuses a wrong one with a bare EINVAL, long after. */
int validate_id_mappings(const struct oci_id_mapping *mappings, size_t count, const char *what,
                         struct error *err)
{
    if (count > ID_MAPPINGS_MAX)
        return fail(err, EINVAL, "%s: more than %d entries", what, ID_MAPPINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct oci_id_mapping *mapping = &mappings[i];

        if (mapping->size == 0)
            return fail(err, EINVAL, "%s[%zu].size: must not be 0", what, i);
        if (mapping->container_id + (uint64_t)mapping->size > UINT32_MAX ||
            mapping->host_id + (uint64_t)mapping->size > UINT32_MAX)
            return fail(err, EINVAL, "%s[%zu].size: %u ids from %u on go beyond the last id", what, i,
                        mapping->size,
                        mapping->container_id > mapping->host_id ? mapping->container_id : mapping->host_id);
        for (size_t j = 0; j < i; j++) {
            if (overlap(mapping->container_id, mapping->size, mappings[j].container_id, mappings[j].size))
                return fail(err, EINVAL, "%s[%zu].containerID: overlaps with %s[%zu]", what, i, what, j);
            if (overlap(mapping->host_id, mapping->size, mappings[j].host_id, mappings[j].size))
                return fail(err, EINVAL, "%s[%zu].hostID: overlaps with %s[%zu]", what, i, what, j);
        }
    }
    return 0;
}

/* Items 138, 140. A namespace that is joined may come with mappings: namespaces/ compares them with what it
 * has. */
static int check_user_namespace(const struct oci_config *config, struct error *err)
{
    const struct oci_linux *linux = config->linux;
    bool mapped = linux->uid_mappings_count || linux->gid_mappings_count;

    if (mapped && !oci_config_namespace(config, OCI_NAMESPACE_USER))
        return fail(err, EINVAL, "linux.%s: needs a user namespace in linux.namespaces",
                    linux->uid_mappings_count ? "uidMappings" : "gidMappings");
    if (mapped || oci_config_new_namespace(config, OCI_NAMESPACE_USER)) {
        if (!linux->uid_mappings_count)
            return fail(err, EINVAL, "linux.uidMappings: is required with %s",
                        mapped ? "gidMappings" : "a new user namespace");
        if (!linux->gid_mappings_count)
            return fail(err, EINVAL, "linux.gidMappings: is required with uidMappings");
    }
    if (validate_id_mappings(linux->uid_mappings, linux->uid_mappings_count, "linux.uidMappings", err) < 0)
        return -1;
    return validate_id_mappings(linux->gid_mappings, linux->gid_mappings_count, "linux.gidMappings", err);
}

/* Item 141: the offsets can only be set before the first process is in the namespace. */
static int check_time_offsets(const struct oci_config *config, struct error *err)
{
    const struct oci_time_offsets *offsets = config->linux->time_offsets;

    if (!offsets || (!offsets->monotonic && !offsets->boottime))
        return 0;
    if (!oci_config_new_namespace(config, OCI_NAMESPACE_TIME))
        return fail(err, EINVAL, "linux.timeOffsets: needs a new time namespace in linux.namespaces");
    return 0;
}

int validate_namespaces(const struct oci_config *config, struct error *err)
{
    static int (*const checks[])(const struct oci_config *config, struct error *err) = {
        check_namespaces,
        check_user_namespace,
        check_time_offsets,
    };

    for (size_t i = 0; i < array_length(checks); i++)
        if (checks[i](config, err) < 0)
            return -1;
    return 0;
}
