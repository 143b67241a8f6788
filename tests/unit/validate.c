/* oci-specs/validate*.c: rules between properties. Rows: a part of a config, and the exact error or NULL. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
    const char *part, *error; /* NULL: accepted */
};

/* `format` has a %s for the part. */
static void expect_rows(const char *format, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_buffer struct buffer text = { 0 };
        auto_cleanup(oci_config_cleanup) struct oci_config *config = NULL;
        auto_free char *expected = rows[i].error ? memory_format("config.json: %s", rows[i].error) : NULL;
        const char *hole = strstr(format, "%s");
        struct error err = { 0 };

        buffer_add(&text, format, (size_t)(hole - format));
        buffer_add_string(&text, rows[i].part);
        buffer_add_string(&text, hole + 2);
        config = oci_config_parse("config.json", text.data, text.length, &err);
        if (!rows[i].error)
            cr_expect_not_null(config, "%s\n gives %s", rows[i].part, err.text);
        else
            cr_expect_str_eq(err.text, expected, "%s\n gives    %s\n expected %s", rows[i].part, err.text,
                             expected);
    }
}

#define PROCESS "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}"
#define ROOT "\"root\":{\"path\":\"r\"}"
#define IN_TOP "{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{},%s}"
#define IN_LINUX "{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{%s}}"
#define IN_PROCESS                                                                                           \
    "{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],%s}," ROOT ",\"linux\":{}}"
#define IN_RESOURCES "{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{\"resources\":{%s}}}"
#define IN_SECCOMP "{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{\"seccomp\":{%s}}}"

Test(validate, oci_version) /* item 3 */
{
    static const struct row rows[] = {
        { "1.0.0", NULL },
        { "1.0.2-dev", NULL },
        { "1.99.0", NULL },
        { "1.0.0-rc.1+build.007", NULL },
        { "1.3.0+dev", NULL },
        { "", "ociVersion: '' is not a semantic version like 1.3.0" },
        { "1.0", "ociVersion: '1.0' is not a semantic version like 1.3.0" },
        { "v1.0.0", "ociVersion: 'v1.0.0' is not a semantic version like 1.3.0" },
        { "1.01.0", "ociVersion: '1.01.0' is not a semantic version like 1.3.0" },
        { "1.0.0-", "ociVersion: '1.0.0-' is not a semantic version like 1.3.0" },
        { "1.0.0-01", "ociVersion: '1.0.0-01' is not a semantic version like 1.3.0" },
        { "1.0.0 ", "ociVersion: '1.0.0 ' is not a semantic version like 1.3.0" },
        { "0.9.0", "ociVersion: '0.9.0' is not supported, only 1.x is" },
        { "2.0.0", "ociVersion: '2.0.0' is not supported, only 1.x is" },
        { "11.0.0", "ociVersion: '11.0.0' is not supported, only 1.x is" },
    };

    expect_rows("{\"ociVersion\":\"%s\"," PROCESS "," ROOT ",\"linux\":{}}", rows, array_length(rows));
}

Test(validate, blocks) /* items 8, 11, 13 */
{
    static const struct row rows[] = {
        { PROCESS "," ROOT ",\"linux\":{}", NULL },
        { PROCESS ",\"linux\":{}", "root: is required" },
        { ROOT ",\"linux\":{}", "process: is required" },
        { ROOT "," PROCESS ",\"linux\":null", "linux: is required" },
    };

    expect_rows("{\"ociVersion\":\"1.0.0\",%s}", rows, array_length(rows));
}

Test(validate, names) /* items 80, 81 */
{
    static const char long_name[] =
        "\"hostname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"";
    static const struct row rows[] = {
        { "\"hostname\":\"\"", NULL },
        { "\"hostname\":\"a\"", "hostname: needs a uts namespace in linux.namespaces" },
        { "\"domainname\":\"a\"", "domainname: needs a uts namespace in linux.namespaces" },
        { long_name, "hostname: longer than 64 bytes" },
    };
    static const struct row with_uts[] = { { "\"hostname\":\"a\",\"domainname\":\"b\"", NULL } };

    expect_rows(IN_TOP, rows, array_length(rows));
    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT
                ",\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]},%s}",
                with_uts, 1);
}

Test(validate, process) /* items 55, 68, 69, 76 */
{
    static const struct row rows[] = {
        { "\"env\":[\"A=\",\"B=1=2\"]", NULL },
        { "\"env\":[\"A=1\",\"B\"]", "process.env[1]: 'B' is not NAME=VALUE" },
        { "\"env\":[\"=1\"]", "process.env[0]: '=1' is not NAME=VALUE" },
        { "\"env\":[\"\"]", "process.env[0]: '' is not NAME=VALUE" },
        { "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":18446744073709551615}]", NULL },
        { "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
          "process.rlimits[0].soft: 2 is more than the hard limit 1" },
        { "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CORE\",\"soft\":"
          "1,\"hard\":1}]",
          "process.rlimits[1].type: RLIMIT_CORE is already set" },
        { "\"execCPUAffinity\":{\"initial\":\"0-3,7\",\"final\":\"\"}", NULL },
        { "\"execCPUAffinity\":{\"initial\":\" 0-3 , 7 \"}", NULL },
        { "\"execCPUAffinity\":{\"initial\":\" \"}",
          "process.execCPUAffinity.initial: ' ' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"initial\":\"3-0\"}",
          "process.execCPUAffinity.initial: '3-0' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"final\":\"0,\"}",
          "process.execCPUAffinity.final: '0,' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"final\":\"0 1\"}",
          "process.execCPUAffinity.final: '0 1' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"final\":\"1-\"}",
          "process.execCPUAffinity.final: '1-' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"final\":\"9999999\"}",
          "process.execCPUAffinity.final: '9999999' is not a list like 0-3,7" },
    };

    expect_rows(IN_PROCESS, rows, array_length(rows));
}

Test(validate, args_and_cwd) /* items 54, 56; exec makes process objects too */
{
    static const struct row rows[] = {
        { "\"cwd\":\"/\"", "process.args: must not be empty" },
        { "\"cwd\":\"/\",\"args\":[]", "process.args: must not be empty" },
    };
    struct oci_process process = { .args = { .items = (char *[]){ (char *)"sh", NULL }, .count = 1 } };
    struct error err = { 0 };

    expect_rows("{\"ociVersion\":\"1.3.0\",\"process\":{%s}," ROOT ",\"linux\":{}}", rows,
                array_length(rows));
    cr_assert_eq(oci_process_validate(&process, "process", &err), -1);
    cr_assert_str_eq(err.text, "process.cwd: '' is not an absolute path");
    process.cwd = (char *)"tmp";
    cr_assert_eq(oci_process_validate(&process, "exec", &err), -1);
    cr_assert_str_eq(err.text, "exec.cwd: 'tmp' is not an absolute path");
}

Test(validate, scheduler) /* items 73, 74 */
{
    static const struct row rows[] = {
        { "{\"policy\":\"SCHED_OTHER\",\"nice\":5}", NULL },
        { "{\"policy\":\"SCHED_FIFO\",\"priority\":1}", NULL },
        { "{\"policy\":\"SCHED_DEADLINE\",\"nice\":19,\"runtime\":42000,\"deadline\":1000000}", NULL },
        { "{\"policy\":\"SCHED_RR\"}", "process.scheduler.priority: SCHED_RR needs 1 to 99" },
        { "{\"policy\":\"SCHED_BATCH\",\"priority\":1}",
          "process.scheduler.priority: SCHED_BATCH has none, it is for SCHED_FIFO and SCHED_RR" },
        { "{\"policy\":\"SCHED_IDLE\",\"period\":1}",
          "process.scheduler.period: SCHED_IDLE has none, it is for SCHED_DEADLINE" },
        { "{\"policy\":\"SCHED_DEADLINE\",\"deadline\":1}",
          "process.scheduler.runtime: SCHED_DEADLINE needs it" },
        { "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1}",
          "process.scheduler.deadline: SCHED_DEADLINE needs it" },
    };

    expect_rows(
        "{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"scheduler\":%s}," ROOT
        ",\"linux\":{}}",
        rows, array_length(rows));
}

#define USER "\"namespaces\":[{\"type\":\"user\"}]"
#define MAP(container, host, size) "{\"containerID\":" container ",\"hostID\":" host ",\"size\":" size "}"

Test(validate, namespaces) /* items 132, 135, 138, 140, 141 */
{
    static const struct row rows[] = {
        { "\"namespaces\":[{\"type\":\"pid\",\"path\":\"\"},{\"type\":\"ipc\",\"path\":\"/proc/1/ns/ipc\"}]",
          NULL },
        { "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\",\"path\":\"/x\"}]",
          "linux.namespaces[1].type: pid is already listed" },
        { "\"namespaces\":[{\"type\":\"pid\",\"path\":\"proc/1/ns/pid\"}]",
          "linux.namespaces[0].path: 'proc/1/ns/pid' is not an absolute path" },
        { USER, "linux.uidMappings: is required with a new user namespace" },
        { USER ",\"uidMappings\":[" MAP("0", "0", "1") "]",
          "linux.gidMappings: is required with uidMappings" },
        { USER ",\"gidMappings\":[" MAP("0", "0", "1") "]",
          "linux.uidMappings: is required with gidMappings" },
        { "\"uidMappings\":[" MAP("0", "0", "1") "]",
          "linux.uidMappings: needs a user namespace in linux.namespaces" },
        { "\"namespaces\":[{\"type\":\"user\",\"path\":\"/x\"}]", NULL },
        { "\"timeOffsets\":{}", NULL },
        { "\"timeOffsets\":{\"monotonic\":{\"secs\":1}}",
          "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
        { "\"timeOffsets\":{\"boottime\":{}},\"namespaces\":[{\"type\":\"time\",\"path\":\"/x\"}]",
          "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
        { "\"timeOffsets\":{\"boottime\":{}},\"namespaces\":[{\"type\":\"time\"}]", NULL },
    };

    expect_rows(IN_LINUX, rows, array_length(rows));
}

Test(validate, id_mappings) /* item 138 */
{
    static const struct row rows[] = {
        { MAP("0", "1000", "1") "," MAP("1", "100000", "65535"), NULL },
        { MAP("0", "0", "4294967295"), NULL },
        { MAP("0", "0", "0"), "linux.gidMappings[0].size: must not be 0" },
        { MAP("0", "1", "4294967295"),
          "linux.gidMappings[0].size: 4294967295 ids from 1 on go beyond the last id" },
        { MAP("0", "0", "10") "," MAP("9", "100", "1"),
          "linux.gidMappings[1].containerID: overlaps with linux.gidMappings[0]" },
        { MAP("0", "100", "10") "," MAP("10", "91", "10"),
          "linux.gidMappings[1].hostID: overlaps with linux.gidMappings[0]" },
    };

    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{" USER
                ",\"uidMappings\":[" MAP("0", "0", "1") "],\"gidMappings\":[%s]}}",
                rows, array_length(rows));
}

Test(validate, too_many_id_mappings) /* item 139 */
{
    auto_buffer struct buffer part = { 0 };
    struct row row = { .error = "linux.gidMappings: more than 340 entries" };

    for (int i = 0; i < 341; i++)
        buffer_add_format(&part,
                          "%s"
                          "{\"containerID\":%d,\"hostID\":%d,\"size\":1}",
                          i ? "," : "", i, i);
    row.part = part.data;
    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{" USER
                ",\"uidMappings\":[" MAP("0", "0", "1") "],\"gidMappings\":[%s]}}",
                &row, 1);
}

Test(validate, mounts) /* items 86, 102, 103, 121 */
{
    static const struct row rows[] = {
        { "{\"destination\":\"/proc\"},{\"destination\":\"data\"},{\"destination\":\"/.x\"}", NULL },
        { "{\"destination\":\"/a\"},{\"destination\":\"/\"}",
          "mounts[1].destination: must not be the root directory" },
        { "{\"destination\":\"//./\"}", "mounts[0].destination: must not be the root directory" },
        { "{\"destination\":\".\"}", "mounts[0].destination: must not be the root directory" },
        { "{\"destination\":\"/a\",\"uidMappings\":[" MAP("0", "0", "1") "]}",
          "mounts[0].gidMappings: is required with uidMappings" },
        { "{\"destination\":\"/a\",\"gidMappings\":[" MAP("0", "0", "1") "]}",
          "mounts[0].uidMappings: is required with gidMappings" },
        { "{\"destination\":\"/a\",\"options\":[\"idmap\"],\"gidMappings\":[" MAP(
              "0", "0", "1") "],\"uidMappings\":[" MAP("0", "0", "1") "]}",
          NULL },
        { "{\"destination\":\"/a\",\"gidMappings\":[" MAP("0", "0", "0") "],\"uidMappings\":[" MAP("0", "0",
                                                                                                   "1") "]}",
          "mounts[0].gidMappings[0].size: must not be 0" },
        { "{\"destination\":\"/a\",\"options\":[\"bind\",\"ridmap\"]}",
          "mounts[0].options: ridmap needs uidMappings and gidMappings or a user namespace" },
    };

    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{},\"mounts\":[%s]}", rows,
                array_length(rows));
}

Test(validate, devices) /* item 145 */
{
    static const struct row rows[] = {
        { "{\"type\":\"p\",\"path\":\"/x\"},{\"type\":\"u\",\"path\":\"/y\",\"major\":1,\"minor\":0}", NULL },
        { "{\"type\":\"c\",\"path\":\"/x\",\"minor\":0}",
          "linux.devices[0].major: is required unless the type is p" },
        { "{\"type\":\"b\",\"path\":\"/x\",\"major\":0}",
          "linux.devices[0].minor: is required unless the type is p" },
        { "{\"type\":\"p\",\"path\":\"/dev/\"}", "linux.devices[0].path: '/dev/' does not name a file" },
        { "{\"type\":\"p\",\"path\":\"/dev/..\"}", "linux.devices[0].path: '/dev/..' does not name a file" },
        { "{\"type\":\"c\",\"path\":\"/x\",\"major\":1,\"minor\":2},{\"type\":\"u\",\"path\":\"/"
          "x\",\"major\":1,\"minor\":2}",
          NULL },
        { "{\"type\":\"c\",\"path\":\"/x\",\"major\":1,\"minor\":2},{\"type\":\"b\",\"path\":\"/"
          "x\",\"major\":1,\"minor\":2}",
          "linux.devices[1].path: /x is another device in linux.devices[0]" },
    };

    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{\"devices\":[%s]}}", rows,
                array_length(rows));
}

Test(validate, linux_block) /* items 82, 124, 125, 233-236 */
{
    static const struct row rows[] = {
        { "\"maskedPaths\":[\"/a\",\"b\"]", "linux.maskedPaths[1]: 'b' is not an absolute path" },
        { "\"readonlyPaths\":[\"\"]", "linux.readonlyPaths[0]: '' is not an absolute path" },
        { "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]}", NULL },
        { "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}",
          "linux.personality.flags[0]: 'X' is not supported, no flag is" },
        { "\"intelRdt\":{\"closID\":\"/\"}", NULL },
        { "\"intelRdt\":{\"closID\":\"a.b\",\"memBwSchema\":\"MB:0=20\",\"schemata\":[\"L3:0=f\"]}", NULL },
        { "\"intelRdt\":{\"closID\":\"..\"}",
          "linux.intelRdt.closID: '..' is not the name of a class or \"/\"" },
        { "\"intelRdt\":{\"closID\":\"a/b\"}",
          "linux.intelRdt.closID: 'a/b' is not the name of a class or \"/\"" },
        { "\"intelRdt\":{\"memBwSchema\":\"L3:0=f\"}",
          "linux.intelRdt.memBwSchema: must be one line that begins with MB:" },
        { "\"intelRdt\":{\"memBwSchema\":\"MB:0=1\\nL3:0=f\"}",
          "linux.intelRdt.memBwSchema: must be one line that begins with MB:" },
        { "\"intelRdt\":{\"schemata\":[\"a\",\"a\\nb\"]}", "linux.intelRdt.schemata[1]: must be one line" },
    };

    expect_rows(IN_LINUX, rows, array_length(rows));
}

Test(validate, memory_policy) /* items 241-243 */
{
    static const struct row rows[] = {
        { "{\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"\"}", NULL },
        { "{\"mode\":\"MPOL_PREFERRED\"}", NULL },
        { "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-1\",\"flags\":[\"MPOL_F_NUMA_BALANCING\",\"MPOL_F_STATIC_"
          "NODES\"]}",
          NULL },
        { "{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}", "linux.memoryPolicy.nodes: MPOL_LOCAL has none" },
        { "{\"mode\":\"MPOL_INTERLEAVE\"}", "linux.memoryPolicy.nodes: MPOL_INTERLEAVE needs at least one" },
        { "{\"mode\":\"MPOL_BIND\",\"nodes\":\"a\"}",
          "linux.memoryPolicy.nodes: 'a' is not a list like 0-3,7" },
        { "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_"
          "NODES\"]}",
          "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other" },
        { "{\"mode\":\"MPOL_PREFERRED\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}",
          "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES needs nodes" },
        { "{\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_NUMA_BALANCING\"]}",
          "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING does not go with MPOL_INTERLEAVE" },
    };

    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{\"memoryPolicy\":%s}}", rows,
                array_length(rows));
}

Test(validate, net_devices) /* item 157 */
{
    static const struct row without[] = {
        { "\"netDevices\":{}", NULL },
        { "\"netDevices\":{\"eth0\":{}}", "linux.netDevices: needs a network namespace in linux.namespaces" },
    };
    static const struct row rows[] = {
        { "\"eth0\":{},\"eth1\":{\"name\":\"\"},\"eth2\":{\"name\":\"ctr%d\"},\"eth3\":{\"name\":\"ctr%d\"}",
          NULL },
        { "\"eth%d\":{}", "linux.netDevices[\"eth%d\"]: 'eth%d' is not a name of a network interface" },
        { "\"a b\":{}", "linux.netDevices[\"a b\"]: 'a b' is not a name of a network interface" },
        { "\"..\":{}", "linux.netDevices[\"..\"]: '..' is not a name of a network interface" },
        { "\"eth0123456789012\":{}",
          "linux.netDevices.eth0123456789012: 'eth0123456789012' is not a name of a network interface" },
        { "\"eth0\":{\"name\":\"a/b\"}",
          "linux.netDevices.eth0.name: 'a/b' is not a name of a network interface" },
        { "\"eth0\":{\"name\":\"%d%d\"}",
          "linux.netDevices.eth0.name: '%d%d' is not a name of a network interface" },
        { "\"eth0\":{\"name\":\"e%s\"}",
          "linux.netDevices.eth0.name: 'e%s' is not a name of a network interface" },
        { "\"eth0\":{\"name\":\"eth1\"},\"eth1\":{}",
          "linux.netDevices.eth1.name: 'eth1' is the name of another one too" },
    };

    expect_rows(IN_LINUX, without, array_length(without));
    expect_rows("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT
                ",\"linux\":{\"namespaces\":[{\"type\":\"network\"}],"
                "\"netDevices\":{%s}}}",
                rows, array_length(rows));
}

Test(validate, seccomp) /* items 217, 218, 227, 228 */
{
    static const struct row rows[] = {
        { "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38", NULL },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\",\"listenerMetadata\":\"m\"", NULL },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":0",
          "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW returns no errno" },
        { "\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/x\"",
          "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default action" },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"m\"",
          "linux.seccomp.listenerMetadata: needs listenerPath" },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_"
          "KILL\",\"errnoRet\":1}]",
          "linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_KILL returns no errno" },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_"
          "NOTIFY\"}]",
          "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath" },
        { "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/"
          "x\",\"syscalls\":[{\"names\":[\"a\",\"write\"],"
          "\"action\":\"SCMP_ACT_NOTIFY\"}]",
          "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for write" },
    };

    expect_rows(IN_SECCOMP, rows, array_length(rows));
}

Test(validate, resources) /* items 167, 191, 193, 194, 197, 198 */
{
    static const struct row rows[] = {
        { "\"devices\":[{\"allow\":true,\"access\":\"mrw\"},{\"allow\":true}]", NULL },
        { "\"devices\":[{\"allow\":true,\"access\":\"rwx\"}]",
          "linux.resources.devices[0].access: 'rwx' may only hold r, w and m" },
        { "\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"\"}", NULL },
        { "\"cpu\":{\"cpus\":\"a\"}", "linux.resources.cpu.cpus: 'a' is not a list like 0-3,7" },
        { "\"cpu\":{\"mems\":\"0\\n\"}", "linux.resources.cpu.mems: '0 ' is not a list like 0-3,7" },
        { "\"memory\":{\"swappiness\":100}", NULL },
        { "\"memory\":{\"swappiness\":18446744073709551615}", NULL },
        { "\"memory\":{\"swappiness\":101}",
          "linux.resources.memory.swappiness: 101 is not in the range 0 to 100" },
        { "\"blockIO\":{\"weight\":0,\"leafWeight\":1000}", NULL },
        { "\"blockIO\":{\"weight\":9}",
          "linux.resources.blockIO.weight: 9 is neither 0 nor in the range 10 to 1000" },
        { "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0}]}",
          "linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight" },
        { "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]", NULL },
        { "\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":0}]",
          "linux.resources.hugepageLimits[0].pageSize: '2M' is not a size like 2MB" },
        { "\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":0}]",
          "linux.resources.hugepageLimits[0].pageSize: '02MB' is not a size like 2MB" },
        { "\"hugepageLimits\":[{\"pageSize\":\"../x\",\"limit\":0}]",
          "linux.resources.hugepageLimits[0].pageSize: '../x' is not a size like 2MB" },
        { "\"rdma\":{\"mlx5_1\":{}}", "linux.resources.rdma.mlx5_1: needs hcaHandles or hcaObjects" },
        { "\"unified\":{\"memory.high\":\"1\"}", NULL },
        { "\"unified\":{\"../memory.high\":\"1\"}",
          "linux.resources.unified[\"../memory.high\"]: is not a file name" },
        { "\"unified\":{\"..\":\"1\"}", "linux.resources.unified[\"..\"]: is not a file name" },
    };

    expect_rows(IN_RESOURCES, rows, array_length(rows));
}

Test(validate, resources_alone) /* update */
{
    static const char text[] = "{\"memory\":{\"swappiness\":18446744073709551615,\"limit\":5}}";
    static const char wrong[] = "{\"unified\":{\"a/b\":\"1\"}}";
    struct error err = { 0 };
    struct oci_resources *resources = oci_resources_parse("r.json", text, sizeof text - 1, &err);

    cr_assert_not_null(resources, "%s", err.text);
    cr_assert(resources->memory->has_limit && !resources->memory->has_swappiness);
    schema_free(&oci_resources_schema, resources);
    cr_assert_null(oci_resources_parse("r.json", wrong, sizeof wrong - 1, &err));
    cr_assert_str_eq(err.text, "r.json: unified[\"a/b\"]: is not a file name");
}

Test(validate, hooks) /* item 245 */
{
    static const struct row rows[] = { { "\"hooks\":{\"prestart\":[{\"path\":\"/bin/true\",\"timeout\":1}]}",
                                         NULL } };

    expect_rows(IN_TOP, rows, 1);
}

/* The rules with one property are the table's: their errors have a line. */
Test(validate, table_rules)
{
    static const struct {
        const char *part, *error;
    } rows[] = {
        { "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}",
          "hooks.poststop[0].timeout: 0 is not in the range 1 to 2147483647" },
        { "\"hooks\":{\"poststop\":[{\"path\":\"x\"}]}",
          "hooks.poststop[0].path: 'x' is not an absolute path" },
        { "\"hooks\":{\"poststop\":[{}]}", "hooks.poststop[0].path: is required" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text =
            memory_format("{\"ociVersion\":\"1.3.0\"," PROCESS "," ROOT ",\"linux\":{},%s}", rows[i].part);
        struct error err = { 0 };

        cr_expect_null(oci_config_parse("config.json", text, strlen(text), &err));
        cr_expect(strstr(err.text, rows[i].error), "%s", err.text);
    }
}
