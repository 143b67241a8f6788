/* runtime/cgroup: finding the mounted hierarchies and our place in them (contract items 162, 203). No root
 * needed. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "cgroup/hierarchies.h"
#include "cgroup/mountinfo.h"

#include <criterion/criterion.h>

/* One line per hierarchy: controllers, mount point, our own cgroup. */
static char *describe(const struct cgroup_hierarchies *hierarchies)
{
    struct buffer out = { 0 };

    buffer_add_string(&out, hierarchies->unified ? "v2" : "v1");
    for (size_t i = 0; i < hierarchies->count; i++)
        buffer_add_format(&out, "\n%s %s %s", hierarchies->items[i].controllers,
                          hierarchies->items[i].mount_point,
                          hierarchies->items[i].own ? hierarchies->items[i].own : "(none)");
    return buffer_take(&out);
}

static char *found(const char *mountinfo, const char *cgroups)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    char *text;

    cgroup_hierarchies_parse(mountinfo, cgroups, &hierarchies);
    text = describe(&hierarchies);
    cgroup_hierarchies_free(&hierarchies);
    return text;
}

static const struct {
    const char *name, *mountinfo, *cgroups, *expected;
} rows[] = {
    { "hybrid, as on a machine without systemd",
      "23 1 0:1 / / rw - ext4 /dev/root rw\n"
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:5 master:2 - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
      "4:memory:/process/6ba3\n3:cpuset:/\n1:cpu:/\n0::/\n",
      "v1\nmemory /sys/fs/cgroup/memory /process/6ba3\ncpu /sys/fs/cgroup/cpu /\n /sys/fs/cgroup/unified /" },
    { "combined and named hierarchies, in another order in the two files",
      "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"
      "33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
      "rw,xattr,release_agent=/lib/agent,name=systemd\n",
      "2:cpu,cpuacct:/user.slice\n1:name=systemd:/user.slice/session-1.scope\n",
      "v1\ncpu,cpuacct /sys/fs/cgroup/cpu,cpuacct /user.slice\n"
      "name=systemd /sys/fs/cgroup/systemd /user.slice/session-1.scope" },
    { "v2", "28 22 0:25 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n", "0::/user.slice/a:b\n",
      "v2\n /sys/fs/cgroup /user.slice/a:b" },
    { "v2, and a VPN client's net_cls elsewhere",
      "28 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "90 22 0:60 / /opt/vpn/net_cls rw - cgroup net_cls rw,net_cls\n",
      "1:net_cls:/\n0::/x\n", "v2\n /sys/fs/cgroup /x" },
    { "v2 mounted over the directory of v1 hides it",
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "50 31 0:38 / /sys/fs/cgroup rw - cgroup2 none rw\n",
      "1:cpu:/\n0::/\n", "v2\n /sys/fs/cgroup /" },
    { "a new sysfs over /sys hides all below",
      "20 1 0:3 / /sys rw - sysfs sysfs rw\n"
      "31 20 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "60 20 0:4 / /sys rw - sysfs sysfs rw\n"
      "61 60 0:29 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n",
      "1:cpu:/\n", "v1\ncpu /sys/fs/cgroup /" },
    { "inside a Docker container without a cgroup namespace: its cgroup is bind-mounted",
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "32 31 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
      "33 31 0:30 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
      "34 31 0:31 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
      "3:memory:/docker/abc\n2:pids:/docker/abc/sub\n1:cpu:/docker/abc\n",
      "v1\nmemory /sys/fs/cgroup/memory /\npids /sys/fs/cgroup/pids /sub\ncpu /sys/fs/cgroup/cpu (none)" },
    { "old mounts in a new cgroup namespace have no path to us",
      "28 22 0:25 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n", "v2\n /sys/fs/cgroup (none)" },
    { "we were moved out of our cgroup namespace", "28 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
      "0::/../x\n", "v2\n /sys/fs/cgroup (none)" },
    { "the copies in other containers' root file systems are passed over",
      "70 1 0:29 / /var/lib/c/merged/sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "71 1 0:29 /x /sys/fs/cgroup/other rw - cgroup cgroup rw,cpu\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
      "1:cpu:/\n", "v1\ncpu /sys/fs/cgroup/cpu /" },
    { "a writable mount before a read-only one",
      "32 31 0:29 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
      "33 31 0:29 / /mnt/cpu rw - cgroup cgroup rw,cpu\n",
      "1:cpu:/\n", "v1\ncpu /mnt/cpu /" },
    { "odd mount points", "32 31 0:29 / /odd\\040place/\\134x rw - cgroup cgroup rw,cpu\n", "1:cpu:/a b\n",
      "v1\ncpu /odd place/\\x /a b" },
    { "a hierarchy that is not mounted", "", "1:cpu:/\n0::/\n", "v1" },
    { "nothing at all", "", "", "v1" },
    { "nonsense", "a b\n\n36 35\n32 32 0:0 / / rw - cgroup cgroup rw,cpu\n", "1\n1:cpu\n1:cpu:/",
      "v1\ncpu / /" },
    { "only the named hierarchy beside v2 elsewhere",
      "32 31 0:29 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n33 31 0:30 / /cg/two rw - cgroup2 "
      "cgroup2 rw\n",
      "1:name=systemd:/\n0::/u\n", "v2\n /cg/two /u" },
};

Test(cgroup_hierarchies, are_found) /* item 203 */
{
    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text = found(rows[i].mountinfo, rows[i].cgroups);

        cr_expect_str_eq(text, rows[i].expected, "%s: %s", rows[i].name, text);
    }
}

Test(cgroup_hierarchies, list_words_are_whole)
{
    cr_assert(cgroup_list_has("cpu,cpuacct", "cpu", 3));
    cr_assert(cgroup_list_has("rw,cpuacct", "cpuacct", 7));
    cr_assert_not(cgroup_list_has("cpuacct", "cpu", 3));
    cr_assert_not(cgroup_list_has("", "", 0));
}

/* Whatever this machine has: a look at the usual places finds what its mountinfo says. */
Test(cgroup_hierarchies, are_read_here)
{
    struct cgroup_hierarchies hierarchies = { 0 };
    auto_free char *mountinfo = NULL, *here = NULL, *expected = NULL;
    struct error err = { 0 };

    cr_assert_eq(cgroup_hierarchies_read(&hierarchies, &err), 0, "%s", err.text);
    cr_assert_eq(file_read_proc("/proc/self/mountinfo", 1u << 24, &mountinfo, &err), 0, "%s", err.text);
    here = describe(&hierarchies);
    expected = found(mountinfo, hierarchies.listing);
    cr_assert_str_eq(here, expected);
    cgroup_hierarchies_free(&hierarchies);
}
