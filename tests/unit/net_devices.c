/* runtime/namespaces/net_devices.c: contract items 155-161, between two network namespaces of the test's own.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct oci_config *parse(const char *devices, const char *namespaces)
{
    auto_free char *text =
        memory_format("{\"ociVersion\": \"1.3.0\", \"linux\": {\"netDevices\": {%s}, \"namespaces\": [%s]}}",
                      devices, namespaces);
    struct error err = { 0 };
    struct oci_config *config = schema_parse(&oci_config_schema, "config.json", text, strlen(text), &err);

    cr_assert(config, "%s", err.text);
    return config;
}

#define NEW_NETWORK "{\"type\": \"network\"}"

Test(net_devices, item_157_names)
{
    static const struct {
        const char *devices, *error;
    } rows[] = {
        { "\"eth0\": {}", NULL },
        { "\"eth0\": {\"name\": \"\"}", NULL },
        { "\"eth0\": {\"name\": \"net0\"}", NULL },
        { "\"eth0\": {\"name\": \"eth%d\"}, \"eth1\": {\"name\": \"eth%d\"}", NULL },
        { "\"eth0\": {\"name\": \"a23456789012345\"}", NULL },
        { "\"eth0\": {\"name\": \"a234567890123456\"}",
          "linux.netDevices[\"eth0\"].name: 'a234567890123456' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"..\"}",
          "linux.netDevices[\"eth0\"].name: '..' is not a name of a network device" },
        { "\"eth0\": {\"name\": \".\"}",
          "linux.netDevices[\"eth0\"].name: '.' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"a/b\"}",
          "linux.netDevices[\"eth0\"].name: 'a/b' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"a:b\"}",
          "linux.netDevices[\"eth0\"].name: 'a:b' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"a b\"}",
          "linux.netDevices[\"eth0\"].name: 'a b' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"e%dx\"}",
          "linux.netDevices[\"eth0\"].name: 'e%dx' is not a name of a network device" },
        { "\"eth0\": {\"name\": \"e%s\"}",
          "linux.netDevices[\"eth0\"].name: 'e%s' is not a name of a network device" },
        { "\"eth%d\": {}", "linux.netDevices: 'eth%d' is not a name of a network device" },
        { "\"../eth0\": {}", "linux.netDevices: '../eth0' is not a name of a network device" },
        { "\"eth0\": {}, \"eth1\": {\"name\": \"eth0\"}",
          "linux.netDevices[\"eth1\"].name: 'eth0' is the name of netDevices[\"eth0\"], too" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_config *config = parse(rows[i].devices, NEW_NETWORK);
        struct error err = { 0 };

        cr_expect_eq(net_devices_check(config, &err), rows[i].error ? -1 : 0, "%s", rows[i].devices);
        cr_expect_str_eq(err.text, rows[i].error ? rows[i].error : "");
        oci_config_free(config);
    }
}

Test(net_devices, item_157_needs_a_network_namespace)
{
    struct oci_config *config = parse("\"eth0\": {}", "{\"type\": \"pid\"}");
    struct error err = { 0 };

    cr_assert_eq(net_devices_check(config, &err), -1);
    cr_assert_str_eq(err.text, "linux.netDevices: needs a network namespace in linux.namespaces");
    oci_config_free(config);
}

/* ---- moving ------------------------------------------------------------------------------------------ */

static pid_t container;

static void run(const char *command)
{
    cr_assert_eq(system(command), 0, "%s", command);
}

/* The test's "host" with a veth pair, and a "container". */
static void set_up(void)
{
    int ready[2];

    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || system("command -v ip nsenter >/dev/null") != 0)
        cr_skip_test("needs root, ip, nsenter");
    cr_assert_eq(pipe(ready), 0);
    container = fork();
    if (container == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!unshare(CLONE_NEWNET);
        (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &(char){ 0 }, 1), 1);
    run("ip link set lo up && ip link add v0 type veth peer name peer0 && ip link add v1 type veth peer name "
        "peer1");
}

static void tear_down(void)
{
    if (container > 0)
        kill(container, SIGKILL);
}

/* What `ip` prints, on one line; inside the container when asked. */
static char *ip(bool inside, const char *arguments)
{
    auto_free char *command =
        inside ? memory_format("nsenter -t %d -n ip %s 2>&1 | tr -s ' \\n' ' '", (int)container, arguments)
               : memory_format("ip %s 2>&1 | tr -s ' \\n' ' '", arguments);
    FILE *pipe = popen(command, "re");
    struct buffer text = { 0 };
    char line[512];

    buffer_add_string(&text, "");
    while (fgets(line, sizeof line, pipe))
        buffer_add_string(&text, line);
    pclose(pipe);
    return buffer_take(&text);
}

#define expect_in(text, needle)                                                                              \
    do {                                                                                                     \
        auto_free char *text_ = (text);                                                                      \
        cr_expect(strstr(text_, needle), "'%s' is not in: %s", needle, text_);                               \
    } while (0)
#define expect_not_in(text, needle)                                                                          \
    do {                                                                                                     \
        auto_free char *text_ = (text);                                                                      \
        cr_expect(!strstr(text_, needle), "'%s' is in: %s", needle, text_);                                  \
    } while (0)

static int move(const char *devices, struct error *err)
{
    struct oci_config *config = parse(devices, NEW_NETWORK);
    int result;

    *err = (struct error){ 0 };
    result = net_devices_move(config, container, err);
    oci_config_free(config);
    return result;
}

TestSuite(net_devices_move, .init = set_up, .fini = tear_down);

Test(net_devices_move, item_158_addresses_and_up)
{
    struct error err;

    run("ip addr add 10.9.0.1/24 brd 10.9.0.255 dev v0 label v0:web");
    run("ip addr add 10.9.1.1 peer 10.9.1.2/32 dev v0");
    run("ip addr add 10.9.2.1/24 dev v0 valid_lft 1000 preferred_lft 1000"); /* not permanent */
    run("ip addr add 169.254.0.1/16 scope link dev v0");
    run("ip addr add fd00::1/64 nodad noprefixroute dev v0");
    run("ip addr add 10.9.3.1/24 dev v1"); /* another device */
    run("ip link set v0 mtu 1400 address 02:00:00:00:00:01");
    cr_assert_eq(move("\"v0\": {}", &err), 0, "%s", err.text);
    expect_in(ip(false, "link show v0"), "does not exist");
    expect_in(ip(true, "link show v0"), "UP");
    expect_in(ip(true, "link show v0"), "mtu 1400");
    expect_in(ip(true, "link show v0"), "02:00:00:00:00:01");
    expect_in(ip(true, "addr show v0"), "inet 10.9.0.1/24 brd 10.9.0.255 scope global v0:web");
    expect_in(ip(true, "addr show v0"), "inet 10.9.1.1 peer 10.9.1.2/32 scope global v0");
    expect_in(ip(true, "addr show v0"), "inet6 fd00::1/64 scope global nodad noprefixroute");
    expect_not_in(ip(true, "addr show v0"), "10.9.2.1");
    expect_not_in(ip(true, "addr show v0"), "169.254.0.1");
    expect_not_in(ip(true, "addr show v0"), "10.9.3.1");
    expect_in(ip(false, "addr show v1"), "10.9.3.1/24");
}

Test(net_devices_move, items_155_and_156_renamed)
{
    struct error err;

    run("ip addr add 10.9.0.1/24 dev v0 label v0:web");
    run("ip link set v0 up"); /* a device that is up can be moved, too */
    cr_assert_eq(move("\"v0\": {\"name\": \"eth0\"}, \"v1\": {\"name\": \"eth%d\"}", &err), 0, "%s",
                 err.text);
    expect_in(ip(true, "addr show eth0"), "10.9.0.1/24 scope global eth0:web");
    expect_in(ip(true, "link show eth1"), "UP");
    expect_in(ip(false, "link show v0"), "does not exist");
    expect_in(ip(false, "link show v1"), "does not exist");
}

/* item 156: the name is taken: nothing has changed afterwards */
Test(net_devices_move, existing_name_moves_nothing)
{
    auto_free char *before = NULL;
    auto_free char *after = NULL;
    auto_free char *taken = memory_format("nsenter -t %d -n ip link add eth0 type bridge", (int)container);
    struct error err;

    run(taken);
    run("ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up && ip addr add 10.9.3.1/24 dev v1");
    run("ip addr add fd00::1/64 nodad dev v0");
    before = ip(false, "-br addr");
    cr_assert_eq(move("\"v0\": {\"name\": \"net0\"}, \"v1\": {\"name\": \"eth0\"}", &err), -1);
    cr_assert_str_eq(err.text, "linux.netDevices[\"v1\"]: rename to eth0: file exists");
    expect_not_in(ip(true, "link"), "net0");
    expect_in(ip(false, "link show v0"), "UP");
    expect_in(ip(false, "addr show v0"), "10.9.0.1/24");
    expect_in(ip(false, "addr show v0"), "fd00::1/64");
    expect_in(ip(false, "addr show v1"), "10.9.3.1/24");
    after = ip(false, "-br addr");
    cr_expect(before && after);
}

Test(net_devices_move, index_that_is_taken_inside)
{
    auto_free char *many =
        memory_format("nsenter -t %d -n sh -c 'for i in 1 2 3 4 5 6; do ip link add b$i type bridge; done'",
                      (int)container);
    struct error err;

    run(many);
    run("ip addr add 10.9.0.1/24 dev v0 && ip addr add 10.9.3.1/24 dev v1");
    cr_assert_eq(move("\"v0\": {}, \"v1\": {\"name\": \"v9\"}", &err), 0, "%s", err.text);
    expect_in(ip(true, "addr show v0"), "10.9.0.1/24");
    expect_in(ip(true, "addr show v9"), "10.9.3.1/24");
}

Test(net_devices_move, errors_name_the_device)
{
    struct error err;

    cr_expect_eq(move("\"nope0\": {}", &err), -1);
    cr_expect_str_eq(err.text, "linux.netDevices[\"nope0\"]: no such device");
    cr_expect_eq(move("\"v0\": {}, \"nope0\": {}", &err), -1);
    expect_in(ip(false, "link show v0"), "v0@peer0");
    cr_expect_eq(move("\"lo\": {\"name\": \"lo2\"}", &err), -1);
    cr_expect_eq(strncmp(err.text, "linux.netDevices[\"lo\"]: move: invalid argument", 46), 0, "%s",
                 err.text);
}

Test(net_devices_move, namespaces_to_join)
{
    auto_free char *path =
        memory_format("{\"type\": \"network\", \"path\": \"/proc/%d/ns/net\"}", (int)container);
    struct oci_config *config = parse("\"v0\": {}", path);
    struct error err = { 0 };

    /* before init has joined it, /proc/PID/ns/net of init is the host's: the path counts */
    cr_assert_eq(net_devices_move(config, getpid(), &err), 0, "%s", err.text);
    expect_in(ip(true, "link show v0"), "UP");
    oci_config_free(config);

    config = parse("\"v1\": {}", "{\"type\": \"network\", \"path\": \"/proc/self/ns/net\"}");
    cr_assert_eq(net_devices_move(config, container, &err), -1);
    cr_assert_str_eq(err.text, "linux.netDevices: /proc/self/ns/net is the host's network namespace");
    oci_config_free(config);

    config = parse("\"v1\": {}", NEW_NETWORK);
    cr_assert_eq(net_devices_move(config, getpid(), &err), -1);
    cr_assert(strstr(err.text, "is the host's network namespace"), "%s", err.text);
    oci_config_free(config);
}

Test(net_devices_move, we_stay_where_we_are)
{
    char before[64] = "", after[64] = "";
    struct error err;
    int first = dup(0), second;

    close(first);
    cr_assert_gt(readlink("/proc/self/ns/net", before, sizeof before - 1), 0);
    cr_assert_eq(move("\"v0\": {}", &err), 0, "%s", err.text);
    cr_assert_gt(readlink("/proc/self/ns/net", after, sizeof after - 1), 0);
    cr_assert_str_eq(before, after);
    second = dup(0);
    cr_assert_eq(first, second);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), 0); /* only the container is left */
}
