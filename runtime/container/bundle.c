/* Opens a bundle and reads its config.json. Runs in the runtime; changes nothing. */
#include "container/bundle.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_directory(const char *path, struct bundle *bundle, struct error *err)
{
    bundle->fd = open(path ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bundle->path = bundle->fd < 0 ? NULL : file_real_path(bundle->fd);
    return bundle->path ? 0 : fail_errno(err, "bundle %s", path ? path : ".");
}

static int read_config(const char *config_name, struct bundle *bundle, struct error *err)
{
    const char *name = config_name ? config_name : "config.json";

    if (file_read_at(config_name ? AT_FDCWD : bundle->fd, name, SCHEMA_SIZE_LIMIT, &bundle->config_text,
                     &bundle->config_length, err) < 0) {
        if (err->code == ENOENT) /* runc's wording (contract E13), and podman looks for the second half */
            return fail(err, ENOENT, "JSON specification file %s not found: no such file or directory", name);
        return -1;
    }
    bundle->config = oci_config_parse(name, bundle->config_text, bundle->config_length, err);
    return bundle->config ? 0 : -1;
}

static int find_rootfs(struct bundle *bundle, struct error *err)
{
    auto_free char *path = NULL;
    auto_close int fd = -1;
    const char *given;

    if (!bundle->config->root)
        return 0;
    given = bundle->config->root->path;
    path = given[0] == '/' ? memory_string(given) : memory_format("%s/%s", bundle->path, given);
    fd = open(path, O_PATH | O_CLOEXEC);
    bundle->rootfs = fd < 0 ? NULL : file_real_path(fd);
    return bundle->rootfs ? 0 : fail_errno(err, "root.path (%s)", given);
}

int bundle_open(const char *path, const char *config_name, struct bundle *bundle, struct error *err)
{
    *bundle = (struct bundle){ .fd = -1 };
    if (open_directory(path, bundle, err) == 0 && read_config(config_name, bundle, err) == 0 &&
        find_rootfs(bundle, err) == 0)
        return 0;
    bundle_close(bundle);
    return -1;
}

int bundle_from_config(struct oci_config *config, struct bundle *bundle, struct error *err)
{
    *bundle = (struct bundle){ .fd = -1, .config = config };
    if (oci_config_validate(config, err) == 0 && open_directory("/", bundle, err) == 0 &&
        find_rootfs(bundle, err) == 0)
        return 0;
    bundle_close(bundle);
    return -1;
}

void bundle_close(struct bundle *bundle)
{
    if (bundle->fd >= 0)
        close(bundle->fd);
    oci_config_free(bundle->config);
    free(bundle->path);
    free(bundle->config_text);
    free(bundle->rootfs);
    *bundle = (struct bundle){ .fd = -1 };
}
