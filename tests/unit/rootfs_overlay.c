/* The annotations of root file systems that aril puts together (sandbox requirements O-1, O-6, O-7, O-18). */
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "rootfs/overlay.h"

#include <criterion/criterion.h>
#include <string.h>

static struct oci_config *config_with(const char *annotations)
{
    struct error err;
    auto_free char *text =
        memory_format("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\","
                      "\"args\":[\"x\"],\"user\":{\"uid\":0,\"gid\":0}},"
                      "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},\"annotations\":{%s}}",
                      annotations);
    struct oci_config *config = oci_config_parse("config.json", text, strlen(text), &err);

    cr_assert(config, "%s", err.text);
    return config;
}

Test(overlay_request, none_without_annotations)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config = config_with("\"dev.aril.rootfs\":\"x\"");
    struct overlay_request *request = NULL;
    struct error err;

    cr_assert_eq(overlay_request_read(config, "/b", &request, &err), 0);
    cr_assert_null(request);
}

Test(overlay_request, everything)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        config_with("\"dev.aril.rootfs.lower\":\"[\\\"/one:,\\\\\\\\\\\\n\\\", "
                    "\\\"two\\\"]\",\"dev.aril.rootfs.upper\":\"/u\","
                    "\"dev.aril.rootfs.work\":\"w\",\"dev.aril.rootfs.size\":\"4096\",\"dev.aril.rootfs."
                    "idmap\":\"true\"");
    auto_cleanup(overlay_request_cleanup) struct overlay_request *request = NULL;
    struct error err = { 0 };

    cr_assert_eq(overlay_request_read(config, "/b", &request, &err), 0, "%s", err.text);
    cr_assert_eq(request->lower_count, 2);
    cr_expect_str_eq(request->lowers[0], "/one:,\\\n");
    cr_expect_str_eq(request->lowers[1], "/b/two");
    cr_expect_str_eq(request->upper, "/u");
    cr_expect_str_eq(request->work, "/b/w");
    cr_expect_eq(request->tmpfs_size, 4096);
    cr_expect(request->idmap);
}

Test(overlay_request, root_path_is_the_layer)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        config_with("\"dev.aril.rootfs.size\":\"1\"");
    auto_cleanup(overlay_request_cleanup) struct overlay_request *request = NULL;
    struct error err = { 0 };

    cr_assert_eq(overlay_request_read(config, "/b", &request, &err), 0, "%s", err.text);
    cr_assert_eq(request->lower_count, 1);
    cr_expect_str_eq(request->lowers[0], "/b/rootfs");
}

Test(overlay_request, refused)
{
    static const struct {
        const char *annotation, *error;
    } rows[] = {
        { "\"dev.aril.rootfs.lower\":\"[]\"",
          "annotations.dev.aril.rootfs.lower: a JSON list of directories is expected" },
        { "\"dev.aril.rootfs.lower\":\"[1]\"", "annotations.dev.aril.rootfs.lower[0]: a path is expected" },
        { "\"dev.aril.rootfs.lower\":\"[], \\\"x\\\":0\"",
          "annotations.dev.aril.rootfs.lower: a JSON list of directories is expected" },
        { "\"dev.aril.rootfs.upper\":\"\"", "annotations.dev.aril.rootfs.upper: a directory is expected" },
        { "\"dev.aril.rootfs.size\":\"-1\"",
          "annotations.dev.aril.rootfs.size: '-1' is not a number of bytes above 0" },
        { "\"dev.aril.rootfs.idmap\":\"1\"",
          "annotations.dev.aril.rootfs.idmap: '1' is neither true nor false" },
        { "\"dev.aril.rootfs.uper\":\"/x\"",
          "annotations.dev.aril.rootfs.uper: not one of lower, upper, work, size, idmap" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(oci_config_cleanup) struct oci_config *config = config_with(rows[i].annotation);
        struct overlay_request *request = NULL;
        struct error err = { 0 };

        cr_expect_eq(overlay_request_read(config, "/b", &request, &err), -1, "%s", rows[i].annotation);
        cr_expect_str_eq(err.text, rows[i].error);
        cr_expect_null(request);
    }
}

Test(overlay_request, checks)
{
    static char *lower[] = { (char *)"/l" };
    static const struct oci_linux no_mappings;
    struct {
        struct overlay_request request;
        bool mount_namespace;
        const char *error;
    } rows[] = {
        { { lower, 1, NULL, NULL, 0, false }, true, NULL },
        { { lower, 1, (char *)"/u", (char *)"/w", 0, false }, true, NULL },
        { { lower, 1, NULL, NULL, 0, false },
          false,
          "annotations.dev.aril.rootfs: only possible in a new mount namespace" },
        { { lower, 1, (char *)"/u", NULL, 0, false },
          true,
          "annotations.dev.aril.rootfs: upper and work go together" },
        { { lower, 1, (char *)"/u", (char *)"/u", 0, false },
          true,
          "annotations.dev.aril.rootfs.work: must not be the same directory as upper" },
        { { lower, 1, (char *)"/u", (char *)"/w", 1, false },
          true,
          "annotations.dev.aril.rootfs.size: only a tmpfs has one, not upper" },
        { { lower, 1, NULL, NULL, 0, true },
          true,
          "annotations.dev.aril.rootfs.idmap: there are no linux.uidMappings" },
        { { lower, 501, NULL, NULL, 0, false },
          true,
          "annotations.dev.aril.rootfs.lower: 501 layers, at most 500 are possible" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct rootfs_plan plan = { .mount_namespace = rows[i].mount_namespace,
                                    .linux_config = &no_mappings };
        struct error err = { 0 };

        cr_expect_eq(overlay_check(&plan, &rows[i].request, &err), rows[i].error ? -1 : 0, "row %zu", i);
        if (rows[i].error)
            cr_expect_str_eq(err.text, rows[i].error);
    }
}
