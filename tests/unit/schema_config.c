/* oci-specs/config.c and default.c. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* O8: `runc spec`, field by field. */
static const char default_text[] =
    "{\"ociVersion\":\"1.3.0\",\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":["
    "\"sh\"],"
    "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/"
    "bin\",\"TERM=xterm\"],\"cwd\":\"/\","
    "\"capabilities\":{\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],\"noNewPrivileges\":true},"
    "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"aril\",\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
    "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
    "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
    "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
    "{\"type\":\"mount\"},{\"type\":\"cgroup\"}],"
    "\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\","
    "\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\","
    "\"/sys/devices/virtual/tpm\"],"
    "\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

static char *write_text(const struct oci_config *config, enum schema_style style)
{
    struct buffer out = { 0 };

    schema_write(&oci_config_schema, config, style, &out);
    return buffer_take(&out);
}

Test(schema_config, default_is_what_runc_writes)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config = oci_config_default(false);
    auto_free char *text = write_text(config, SCHEMA_COMPACT);
    struct error err = { 0 };

    cr_assert_str_eq(text, default_text);
    cr_assert_eq(oci_config_validate(config, &err), 0, "%s", err.text);
}

Test(schema_config, rootless_default)
{
    auto_cleanup(oci_config_cleanup) struct oci_config *config = oci_config_default(true);
    struct error err = { 0 };

    cr_assert_eq(oci_config_validate(config, &err), 0, "%s", err.text);
    cr_assert_null(config->linux->resources);
    cr_assert_null(oci_config_namespace(config, OCI_NAMESPACE_NETWORK));
    cr_assert(oci_config_new_namespace(config, OCI_NAMESPACE_USER));
    cr_assert_eq(config->linux->uid_mappings_count, 1);
    cr_assert_eq(config->linux->uid_mappings[0].host_id, geteuid());
    cr_assert_eq(config->linux->gid_mappings[0].host_id, getegid());
    cr_assert_not(strings_contain(&config->mounts[2].options, "gid=5"));
    cr_assert_str_eq(config->mounts[5].source, "/sys");
    cr_assert_str_eq(config->mounts[5].options.items[0], "rbind");
}

Test(schema_config, every_style_reads_back)
{
    static const enum schema_style styles[] = { SCHEMA_COMPACT, SCHEMA_SPACES_2, SCHEMA_TABS,
                                                SCHEMA_SPACES_4 };
    auto_cleanup(oci_config_cleanup) struct oci_config *config = oci_config_default(false);

    for (size_t i = 0; i < array_length(styles); i++) {
        auto_free char *text = write_text(config, styles[i]), *again = NULL;
        auto_cleanup(oci_config_cleanup) struct oci_config *read = NULL;
        struct error err = { 0 };

        read = oci_config_parse("config.json", text, strlen(text), &err);
        cr_assert_not_null(read, "%s", err.text);
        again = write_text(read, SCHEMA_COMPACT);
        cr_assert_str_eq(again, default_text);
    }
}

Test(schema_config, empty_namespace_path_counts_as_absent)
{
    static const char text[] =
        "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]},"
        "\"root\":{\"path\":\"r\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"\"},"
        "{\"type\":\"ipc\",\"path\":\"/x\"}]}}";
    struct error err = { 0 };
    auto_cleanup(oci_config_cleanup) struct oci_config *config =
        oci_config_parse("c", text, sizeof text - 1, &err);

    cr_assert_not_null(config, "%s", err.text);
    cr_assert(oci_config_new_namespace(config, OCI_NAMESPACE_PID));
    cr_assert_not(oci_config_new_namespace(config, OCI_NAMESPACE_IPC));
    cr_assert_not(oci_config_new_namespace(config, OCI_NAMESPACE_UTS));
    cr_assert_str_eq(oci_config_namespace(config, OCI_NAMESPACE_IPC)->path, "/x");
}

/* Item 1: what can be wrong with the file itself. */
Test(schema_config, files)
{
    char directory[] = "/tmp/aril-config-XXXXXX";
    int dirfd, fd;
    struct error err = { 0 };
    struct oci_config *config;

    cr_assert_not_null(mkdtemp(directory));
    dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_null(oci_config_read_at(dirfd, "config.json", &err));
    cr_assert_str_eq(err.text, "open config.json: no such file or directory");
    cr_assert_eq(err.code, ENOENT);
    fd = openat(dirfd, "config.json", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_null(oci_config_read_at(dirfd, "config.json", &err));
    cr_assert_str_eq(err.text, "config.json: empty");
    cr_assert_eq(ftruncate(fd, 100 << 20), 0);
    cr_assert_null(oci_config_read_at(dirfd, "config.json", &err));
    cr_assert_str_eq(err.text, "config.json: larger than 33554432 bytes");
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_assert_eq(write(fd, default_text, sizeof default_text - 1), (ssize_t)sizeof default_text - 1);
    config = oci_config_read_at(dirfd, "config.json", &err);
    cr_assert_not_null(config, "%s", err.text);
    oci_config_free(config);
    cr_assert_eq(unlinkat(dirfd, "config.json", 0), 0);
    cr_assert_eq(mkfifoat(dirfd, "config.json", 0600), 0);
    cr_assert_null(oci_config_read_at(dirfd, "config.json", &err));
    cr_assert_str_eq(err.text, "config.json: not a regular file");
    cr_assert_eq(unlinkat(dirfd, "config.json", 0), 0);
    close(fd);
    close(dirfd);
    cr_assert_eq(rmdir(directory), 0);
}
