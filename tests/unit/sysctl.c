/* runtime/namespaces: sysctl (contract items 142, 143), names, loopback. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

static struct oci_config *parse(const char *linux_members)
{
    auto_free char *text = memory_format("{\"ociVersion\": \"1.3.0\", \"linux\": {%s}}", linux_members);
    struct error err = { 0 };
    struct oci_config *config = schema_parse(&oci_config_schema, "config.json", text, strlen(text), &err);

    cr_assert(config, "%s", err.text);
    return config;
}

Test(sysctl, items_142_and_143_only_what_a_namespace_owns)
{
    static const struct {
        const char *name, *namespaces; /* "type" or "type\", \"path\": \"…" */
        const char *error;             /* NULL: accepted */
    } rows[] = {
        { "net.ipv4.ip_forward", "network", NULL },
        { "net/ipv4/ip_forward", "network", NULL },
        { "net.ipv4.conf.eth0/1.rp_filter", "network", NULL },
        { "net/ipv4/conf/eth0.1/rp_filter", "network", NULL },
        { "kernel.msgmax", "ipc", NULL },
        { "kernel.msgmnb", "ipc", NULL },
        { "kernel.msgmni", "ipc", NULL },
        { "kernel.sem", "ipc", NULL },
        { "kernel.shmall", "ipc", NULL },
        { "kernel.shmmax", "ipc", NULL },
        { "kernel.shmmni", "ipc", NULL },
        { "kernel.shm_rmid_forced", "ipc", NULL },
        { "fs.mqueue.msg_max", "ipc", NULL },
        { "kernel.domainname", "uts", NULL },
        { "user.max_pid_namespaces", "user", NULL },
        { "net.ipv4.ip_forward", "ipc", "needs a network namespace in linux.namespaces" },
        { "kernel.shmmax", "network", "needs an ipc namespace in linux.namespaces" },
        { "kernel/domainname", "network", "needs a uts namespace in linux.namespaces" },
        { "user.max_pid_namespaces", "pid", "needs a user namespace in linux.namespaces" },
        { "net.ipv4.ip_forward", "network\", \"path\": \"/proc/self/ns/net",
          "the network namespace /proc/self/ns/net is the host's" },
        { "kernel.hostname", "uts", "set by the property hostname" },
        { "kernel/hostname", "uts", "set by the property hostname" },
        { "kernel.core_pattern", "ipc", "belongs to no namespace, it would change the host" },
        { "kernel.shmmax2", "ipc", "belongs to no namespace, it would change the host" },
        { "kernel.sem.x", "ipc", "belongs to no namespace, it would change the host" },
        { "vm.overcommit_memory", "ipc", "belongs to no namespace, it would change the host" },
        { "fs.file-max", "ipc", "belongs to no namespace, it would change the host" },
        { "network.x", "network", "belongs to no namespace, it would change the host" },
        { "net", "network", "belongs to no namespace, it would change the host" },
        { "net/../kernel/core_pattern", "network", "not a sysctl name" },
        { "net.//.kernel.core_pattern", "network", "not a sysctl name" },
        { "net/./ipv4/ip_forward", "network", "not a sysctl name" },
        { "net..ipv4", "network", "not a sysctl name" },
        { "net.", "network", "not a sysctl name" },
        { "/net/ipv4/ip_forward", "network", "not a sysctl name" },
        { ".net.ipv4", "network", "not a sysctl name" },
        { "..", "network", "not a sysctl name" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text =
            memory_format("\"sysctl\": {\"%s\": \"1\"}, \"namespaces\": [{\"type\": \"%s\"}]", rows[i].name,
                          rows[i].namespaces);
        auto_free char *expected = memory_format("linux.sysctl[\"%s\"]: %s", rows[i].name, rows[i].error);
        struct oci_config *config = parse(text);
        struct error err = { 0 };

        cr_expect_eq(sysctl_check(config, &err), rows[i].error ? -1 : 0, "%s", rows[i].name);
        cr_expect_str_eq(err.text, rows[i].error ? expected : "");
        oci_config_free(config);
    }
}

static char *read_proc(const char *path)
{
    struct error err;
    char *text = NULL;

    cr_assert_eq(file_read_at(AT_FDCWD, path, 4096, &text, NULL, &err), 0, "%s", err.text);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

Test(sysctl, written_in_the_namespaces)
{
    auto_close int procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct oci_config *config =
        parse("\"sysctl\": {\"net.ipv4.ip_forward\": \"1\", \"kernel/shmmni\": \"123\","
              "\"net.ipv4.conf.lo.rp_filter\": \"2\"}");
    auto_free char *forward = NULL, *shmmni = NULL, *filter = NULL;
    struct error err = { 0 };

    if (unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
        cr_skip_test("needs root");
    cr_assert_eq(sysctl_apply(config, procfs, &err), 0, "%s", err.text);
    forward = read_proc("/proc/sys/net/ipv4/ip_forward");
    shmmni = read_proc("/proc/sys/kernel/shmmni");
    filter = read_proc("/proc/sys/net/ipv4/conf/lo/rp_filter");
    cr_assert_str_eq(forward, "1");
    cr_assert_str_eq(shmmni, "123");
    cr_assert_str_eq(filter, "2");
    oci_config_free(config);
}

Test(sysctl, failed_writes)
{
    static const struct {
        const char *name, *value, *error;
    } rows[] = {
        { "net.ipv4.nonexistent", "1", "the kernel has no /proc/sys/net/ipv4/nonexistent" },
        { "net.ipv4.ip_forward", "yes", "write 'yes': invalid argument" },
        { "kernel.shmmni", "-7", "write '-7': invalid argument" },
    };
    auto_close int procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
        cr_skip_test("needs root");
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text = memory_format("\"sysctl\": {\"%s\": \"%s\"}", rows[i].name, rows[i].value);
        auto_free char *expected = memory_format("linux.sysctl[\"%s\"]: %s", rows[i].name, rows[i].error);
        struct oci_config *config = parse(text);
        struct error err = { 0 };

        cr_expect_eq(sysctl_apply(config, procfs, &err), -1);
        cr_expect_str_eq(err.text, expected);
        oci_config_free(config);
    }
}

/* CVE-2025-52881: a mount over the file must not take the write */
Test(sysctl, refuses_mounts_inside_procfs)
{
    auto_close int procfs = -1;
    struct oci_config *config = parse("\"sysctl\": {\"net.ipv4.ip_forward\": \"1\"}");
    struct error err = { 0 };

    if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        cr_skip_test("needs root");
    procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC); /* of this mount namespace */
    cr_assert_eq(mount("/dev/null", "/proc/sys/net/ipv4/ip_forward", NULL, MS_BIND, NULL), 0);
    cr_assert_eq(sysctl_apply(config, procfs, &err), -1);
    cr_assert_str_eq(err.text, "linux.sysctl[\"net.ipv4.ip_forward\"]: open /proc/sys/net/ipv4/ip_forward: "
                               "invalid cross-device link");
    oci_config_free(config);
}

Test(namespaces, loopback_is_up)
{
    auto_close int fd = -1;
    struct ifreq request = { .ifr_name = "lo" };
    struct error err = { 0 };

    if (unshare(CLONE_NEWNET) < 0)
        cr_skip_test("needs root");
    cr_assert_eq(namespaces_bring_up_loopback(&err), 0, "%s", err.text);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    cr_assert_eq(request.ifr_flags & (IFF_UP | IFF_LOOPBACK), IFF_UP | IFF_LOOPBACK);
}

Test(namespaces, host_and_domain_name)
{
    struct oci_config *config = parse("\"namespaces\": [{\"type\": \"uts\"}]");
    struct utsname names;
    struct error err = { 0 };

    if (unshare(CLONE_NEWUTS) < 0)
        cr_skip_test("needs root");
    cr_assert_eq(namespaces_set_names(config, &err), 0);
    config->hostname = memory_string("web1");
    config->domainname = memory_string("example.org");
    cr_assert_eq(namespaces_set_names(config, &err), 0, "%s", err.text);
    uname(&names);
    cr_assert_str_eq(names.nodename, "web1");
    cr_assert_str_eq(names.domainname, "example.org");

    free(config->hostname);
    config->hostname = memory_new(66);
    memset(config->hostname, 'x', 65);
    cr_assert_eq(namespaces_set_names(config, &err), -1);
    cr_assert(strstr(err.text, "hostname: set xxx") == err.text && strstr(err.text, ": invalid argument"),
              "%s", err.text);
    oci_config_free(config);

    config = parse("");
    config->domainname = memory_string("example.org");
    cr_assert_eq(namespaces_set_names(config, &err), -1);
    cr_assert_str_eq(err.text, "domainname: needs a uts namespace in linux.namespaces");
    oci_config_free(config);
}
