/* Rules of `mounts`. Pure. What the options mean is for rootfs/. */
#include "oci-specs/validate.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <string.h>

/*
 * Item 121: "/" in any spelling. What leads there through links or ".." is found when it is resolved. A remount covers
 * nothing: it may change the root's flags.
 */
static int check_destination(const struct oci_config *config, size_t index, struct error *err)
{
    const char *rest = config->mounts[index].destination;

    while (*rest == '/' || (*rest == '.' && (rest[1] == '/' || rest[1] == '\0')))
        rest++;
    if (*rest == '\0' && !strings_contain(&config->mounts[index].options, "remount"))
        return fail(err, EINVAL, "mounts[%zu].destination: must not be the root directory", index);
    return 0;
}

/* Items 102, 103 */
static int check_idmap(const struct oci_config *config, size_t index, struct error *err)
{
    const struct oci_mount *mount = &config->mounts[index];
    bool idmap = strings_contain(&mount->options, "idmap"),
         ridmap = strings_contain(&mount->options, "ridmap");
    auto_free char *what = NULL;

    if (!mount->uid_mappings_count != !mount->gid_mappings_count)
        return fail(err, EINVAL, "mounts[%zu].%s: is required with %s", index,
                    mount->uid_mappings_count ? "gidMappings" : "uidMappings",
                    mount->uid_mappings_count ? "uidMappings" : "gidMappings");
    if (mount->uid_mappings_count) {
        what = memory_format("mounts[%zu].uidMappings", index);
        if (validate_id_mappings(mount->uid_mappings, mount->uid_mappings_count, what, err) < 0)
            return -1;
        memcpy(strstr(what, "uidMappings"), "gid", 3);
        return validate_id_mappings(mount->gid_mappings, mount->gid_mappings_count, what, err);
    }
    if ((idmap || ridmap) && !oci_config_namespace(config, OCI_NAMESPACE_USER))
        return fail(err, EINVAL,
                    "mounts[%zu].options: %s needs uidMappings and gidMappings or a user namespace", index,
                    idmap ? "idmap" : "ridmap");
    return 0;
}

int validate_mounts(const struct oci_config *config, struct error *err)
{
    for (size_t i = 0; i < config->mounts_count; i++)
        if (check_destination(config, i, err) < 0 || check_idmap(config, i, err) < 0)
            return -1;
    return 0;
}
