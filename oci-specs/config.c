/* config.json as a whole. Runs in the runtime's commands; pure but for reading the file. */
#include "oci-specs/config.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdlib.h>

/* What callers write for "not set" and the rest of the runtime should not have to know. */
static void normalise_resources(struct oci_resources *resources)
{
    if (resources->memory && resources->memory->swappiness == UINT64_MAX)
        resources->memory->has_swappiness = false;
}

static void normalise(struct oci_config *config)
{
    if (config->linux && config->linux->resources)
        normalise_resources(config->linux->resources);
    for (size_t i = 0; config->linux && i < config->linux->namespaces_count; i++) {
        char **path = &config->linux->namespaces[i].path;

        if (*path && **path == '\0') {
            free(*path);
            *path = NULL;
        }
    }
}

struct oci_config *oci_config_parse(const char *name, const char *text, size_t length, struct error *err)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        schema_parse(&oci_config_schema, name, text, length, err);

    if (!config)
        return NULL;
    normalise(config);
    if (oci_config_validate(config, err) < 0) {
        fail_in(err, "%s", name);
        return NULL;
    }
    return take_ptr(config);
}

struct oci_config *oci_config_read_at(int dirfd, const char *path, struct error *err)
{
    auto_free char *text = NULL;
    size_t length;

    if (file_read_at(dirfd, path, SCHEMA_SIZE_LIMIT, &text, &length, err) < 0)
        return NULL;
    return oci_config_parse(path, text, length, err);
}

struct oci_resources *oci_resources_parse(const char *name, const char *text, size_t length,
                                          struct error *err)
{
    struct oci_resources *resources = schema_parse(&oci_resources_schema, name, text, length, err);

    if (!resources)
        return NULL;
    normalise_resources(resources);
    if (oci_resources_validate(resources, "", err) == 0)
        return resources;
    fail_in(err, "%s", name);
    schema_free(&oci_resources_schema, resources);
    return NULL;
}

void oci_config_free(struct oci_config *config)
{
    schema_free(&oci_config_schema, config);
}

const struct oci_namespace *oci_config_namespace(const struct oci_config *config,
                                                 enum oci_namespace_type type)
{
    for (size_t i = 0; config->linux && i < config->linux->namespaces_count; i++)
        if (config->linux->namespaces[i].type == type)
            return &config->linux->namespaces[i];
    return NULL;
}

bool oci_config_new_namespace(const struct oci_config *config, enum oci_namespace_type type)
{
    const struct oci_namespace *namespace = oci_config_namespace(config, type);

    return namespace && !namespace->path;
}
