/* runtime/rootfs: mounts made for real in throw-away namespaces (contract items 85-129). */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ALL_NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)

/* Host files and directories of a test: names that end in "/" are directories, "a->b" a link. */
static void prepare(struct jail *jail, const char *const *names)
{
    for (; *names; names++) {
        const char *arrow = strstr(*names, "->");
        auto_free char *path = arrow
                                   ? memory_format("%s/%.*s", jail->directory, (int)(arrow - *names), *names)
                                   : memory_format("%s/%s", jail->directory, *names);

        if (arrow)
            check(jail, symlink(arrow + 2, path) == 0);
        else if (path[strlen(path) - 1] == '/')
            check(jail, mkdir(path, 0755) == 0 || errno == EEXIST);
        else
            jail_write(jail, *names, *names);
    }
}

#define PREPARE(jail, ...) prepare(jail, (const char *const[]){ __VA_ARGS__, NULL })

/* A configuration with these mounts, in new mount, pid and so on namespaces. */
static void mounts(struct jail *jail, const char *text)
{
    auto_free char *json =
        memory_format("{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':[%s],'linux':{'namespaces':[{'"
                      "type':'mount'},"
                      "{'type':'pid'},{'type':'ipc'},{'type':'network'},{'type':'cgroup'}]}}",
                      text);

    jail_config(jail, json);
}

#define JAIL(name, flags) JAIL_TEST(rootfs_mount, name, flags)

/* ---- the default configuration ------------------------------------------------------------------------ */

JAIL(default_config, ALL_NAMESPACES)
{
    struct stat status;

    jail->config = oci_config_default(false);
    jail_apply(jail);
    check_mount(jail, "/proc", "rw,relatime", "- proc proc");
    check_mount(jail, "/dev", "rw,nosuid", "- tmpfs tmpfs rw,size=65536k,mode=755");
    check_mount(jail, "/dev/pts", "rw,nosuid,noexec,relatime",
                "- devpts devpts rw,gid=5,mode=620,ptmxmode=666");
    check_mount(jail, "/dev/shm", "rw,nosuid,nodev,noexec,relatime", "- tmpfs shm rw,size=65536k");
    check_mount(jail, "/dev/mqueue", "rw,nosuid,nodev,noexec,relatime", "- mqueue mqueue");
    check_mount(jail, "/sys", "ro,nosuid,nodev,noexec,relatime", "- sysfs sysfs");
    check_mount(jail, "/sys/fs/cgroup", "ro,nosuid,nodev,noexec,relatime", "- ");
    check_mount(jail, "/proc/sys", "ro,relatime", "- proc proc");                     /* item 125 */
    check(jail, stat("/proc/keys", &status) == 0 && status.st_rdev == makedev(1, 3)); /* item 124 */
    check(jail, stat("/dev/null", &status) == 0 && status.st_rdev == makedev(1, 3));
    check(jail, mode_of("/dev/tty") == (S_IFCHR | 0666));
    check_link(jail, "/dev/fd", "/proc/self/fd"); /* item 45 */
    check_link(jail, "/dev/stderr", "/proc/self/fd/2");
    check_link(jail, "/dev/ptmx", "pts/ptmx");
    check_mount(jail, "/", "ro,relatime", "- tmpfs"); /* root.readonly: items 9, 128 */
    check(jail, open("/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
    check(jail, access(jail->directory, F_OK) < 0); /* the host is gone */
}

/* ---- destinations ------------------------------------------------------------------------------------- */

JAIL(destinations_stay_inside_the_root, 0) /* items 87, 88; CVE-2019-18837, CVE-2021-30465, CVE-2024-45310 */
{
    PREPARE(jail, "src/", "src/file", "victim/", "rootfs/up->../../../../../..", "rootfs/abs->/etc",
            "rootfs/etc/deep->/etc/x", "rootfs/var->/new/var", "rootfs/a->b", "rootfs/b->c");
    mounts(jail, "{'destination':'/up/tmp/made','source':'src','options':['bind']},"
                 "{'destination':'/abs/made','source':'src','options':['bind']},"
                 "{'destination':'/etc/deep/made','source':'src','options':['bind']},"
                 "{'destination':'/var/run/made','source':'src/file','options':['bind']},"
                 "{'destination':'/a','source':'src','options':['bind']}");
    jail_apply(jail);
    check_file(jail, "/tmp/made/file", "src/file");
    check_file(jail, "/etc/made/file", "src/file");
    check_file(jail, "/etc/x/made/file", "src/file");
    check_file(jail, "/new/var/run/made", "src/file"); /* through a link that dangled */
    check_file(jail, "/c/file", "src/file");
    check(jail, mode_of("/new/var") == (S_IFDIR | 0755));
    check(jail, mode_of("/abs") == (S_IFLNK | 0777));
}

JAIL(destinations_ignore_the_umask, 0)
{
    PREPARE(jail, "src");
    umask(077);
    mounts(
        jail,
        "{'destination':'/new/file','source':'src','options':['bind']},{'destination':'/d','type':'tmpfs'}");
    jail_apply(jail);
    check(jail, mode_of("/new") == (S_IFDIR | 0755));
    check(jail, umask(0) == 077);
}

JAIL(a_loop_of_links_is_an_error, 0)
{
    PREPARE(jail, "rootfs/l1->l2", "rootfs/l2->l1");
    mounts(jail, "{'destination':'/l1/x','type':'tmpfs'}");
    check_error(jail, "mounts[0] (/l1/x): destination: too many levels of symbolic links");
}

JAIL(a_file_in_the_way_is_an_error, 0)
{
    PREPARE(jail, "rootfs/file", "src/");
    mounts(jail, "{'destination':'/file/x','type':'tmpfs'}");
    check_error(jail, "mounts[0] (/file/x): destination: not a directory");
}

/* ---- /proc and /sys ----------------------------------------------------------------------------------- */

JAIL(proc_must_not_be_a_link, CLONE_NEWPID) /* item 120; CVE-2019-19921, CVE-2025-54867 */
{
    auto_free char *proc = memory_format("%s/rootfs/proc", jail->directory);

    check(jail, rmdir(proc) == 0 && symlink("/etc", proc) == 0);
    mounts(jail, "{'destination':'/proc','type':'proc','source':'proc'}");
    check_error(
        jail,
        "mounts[0] (/proc): destination: not an ordinary directory, or reached through a symbolic link");
}

JAIL(sys_must_not_be_a_link, CLONE_NEWNET)
{
    auto_free char *sys = memory_format("%s/rootfs/sys", jail->directory);

    check(jail, rmdir(sys) == 0 && symlink("etc", sys) == 0);
    mounts(jail, "{'destination':'/sys','source':'/sys','options':['rbind']}");
    check_error(jail, "reached through a symbolic link");
}

JAIL(proc_is_made_when_missing, CLONE_NEWPID)
{
    auto_free char *proc = memory_format("%s/rootfs/proc", jail->directory);

    check(jail, rmdir(proc) == 0);
    mounts(jail, "{'destination':'/proc','type':'proc','source':'proc'}");
    jail_apply(jail);
    check(jail, access("/proc/self/stat", F_OK) == 0);
}

JAIL(files_of_proc_can_be_covered_but_few, CLONE_NEWPID) /* item 119 */
{
    PREPARE(jail, "info");
    mounts(jail, "{'destination':'/proc','type':'proc','source':'proc'},"
                 "{'destination':'/proc/cpuinfo','source':'info','options':['bind','ro']}");
    jail_apply(jail);
    check_file(jail, "/proc/cpuinfo", "info");
}

static void check_covered(struct jail *jail, const char *destination, const char *error)
{
    auto_free char *text = memory_format("{'destination':'/proc','type':'proc','source':'proc'},"
                                         "{'destination':'%s','source':'info','options':['bind']}",
                                         destination);

    PREPARE(jail, "info", "rootfs/link->/proc/sys/kernel", "rootfs/self->/proc/self/fd/0");
    mounts(jail, text);
    check_error(jail, error);
}

JAIL(other_files_of_proc_cannot_be_covered, CLONE_NEWPID)
{
    check_covered(
        jail, "/proc/sys/kernel/core_pattern",
        "mounts[1] (/proc/sys/kernel/core_pattern): destination: '/proc/sys/kernel/core_pattern' is inside "
        "/proc, where only a few files can be mounted over");
}

JAIL(nor_through_a_link, CLONE_NEWPID) /* CVE-2019-16884 */
{
    check_covered(jail, "/link/core_pattern", "'/proc/sys/kernel/core_pattern' is inside /proc");
}

JAIL(nor_through_a_magic_link, CLONE_NEWPID)
{
    check_covered(jail, "/self", "mounts[1] (/self): destination: too many levels of symbolic links");
}

JAIL(only_procfs_can_be_bound_on_proc, 0)
{
    PREPARE(jail, "fake/");
    mounts(jail, "{'destination':'/proc','source':'fake','options':['bind']}");
    check_error(jail, "fake: not a procfs, only that can be mounted on /proc");
}

JAIL(part_of_a_procfs_cannot_be_bound_on_proc, 0)
{
    mounts(jail, "{'destination':'/proc','source':'/proc/sys','options':['bind']}");
    check_error(jail, "source /proc/sys: not a procfs");
}

JAIL(the_hosts_procfs_can_be_bound_on_proc, 0)
{
    mounts(jail, "{'destination':'/proc','source':'/proc','options':['rbind','ro']}");
    jail_apply(jail);
    check_mount(jail, "/proc", "ro,", "- proc proc");
}

/* ---- binds -------------------------------------------------------------------------------------------- */

JAIL(binds, 0) /* items 89, 90, 97, 108, 109 */
{
    PREPARE(jail, "src/", "src/sub/", "file");
    {
        auto_free char *src = memory_format("%s/src", jail->directory);
        auto_free char *sub = memory_format("%s/src/sub", jail->directory);

        check(jail, mount("tmpfs", src, "tmpfs", MS_NOEXEC | MS_NODEV | MS_RDONLY, "") == 0);
        check(jail, mount(NULL, src, NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_NODEV, "") == 0);
        check(jail, mkdir(sub, 0755) == 0 || errno == EROFS);
        check(jail, mount("tmpfs", src, "tmpfs", MS_NOEXEC | MS_NODEV, "") == 0);
        check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, "") == 0);
    }
    mounts(jail, "{'destination':'/keep','source':'src','options':['bind']},"
                 "{'destination':'/ro','source':'src','options':['rbind','ro']},"
                 "{'destination':'/rro','source':'src','options':['rbind','rro','nosuid']},"
                 "{'destination':'/clear','source':'src','options':['rbind','exec','dev','rnosuid']},"
                 "{'destination':'/file','source':'file','options':['bind','ro','noatime','nosymfollow']}");
    jail_apply(jail);
    check_mount(jail, "/keep", "rw,nodev,noexec,relatime", "- tmpfs");
    check(jail, access("/keep/sub/x", F_OK) < 0);
    check_mount(jail, "/ro", "ro,nodev,noexec,relatime", "- tmpfs");
    check_mount(jail, "/ro/sub", "rw,relatime", "- tmpfs");
    check_mount(jail, "/rro", "ro,nosuid,nodev,noexec,relatime", "- tmpfs");
    check_mount(jail, "/rro/sub", "ro,relatime", "- tmpfs");
    check_mount(jail, "/clear", "rw,nosuid,relatime", "- tmpfs");
    check_mount(jail, "/clear/sub", "rw,nosuid,relatime", "- tmpfs");
    check_mount(jail, "/file", "ro,noatime,nosymfollow", "- tmpfs");
    check_file(jail, "/file", "file");
}

JAIL(a_missing_source_is_an_error, 0)
{
    mounts(jail, "{'destination':'/x','source':'/no/such','options':['bind']}");
    check_error(jail, "mounts[0] (/x): source /no/such: no such file or directory");
}

JAIL(a_directory_on_a_file_is_an_error, 0)
{
    PREPARE(jail, "src/", "rootfs/file");
    mounts(jail, "{'destination':'/file','source':'src','options':['bind']}");
    check_error(jail, "mounts[0] (/file): destination: not a directory");
}

JAIL(links_as_sources_and_destinations, 0) /* item 129 */
{
    PREPARE(jail, "target", "other", "source->target", "rootfs/place->/etc/file");
    mounts(jail, "{'destination':'/followed','source':'source','options':['bind']},"
                 "{'destination':'/copied/link','source':'source','options':['bind','copy-symlink']},"
                 "{'destination':'/plain','source':'other','options':['bind','copy-symlink']},"
                 "{'destination':'/place','source':'other','options':['bind']}");
    jail_apply(jail);
    check_file(jail, "/followed", "target");
    check_link(jail, "/copied/link", "target");
    check_file(jail, "/plain", "other");
    check_file(jail, "/etc/file", "other"); /* made through the link */
    check(jail, S_ISLNK(mode_of("/place")));
}

JAIL(links_that_are_not_followed, 0)
{
    PREPARE(jail, "target", "other", "source->target", "rootfs/etc/file", "rootfs/place->/etc/file",
            "rootfs/covered->/etc/file");
    mounts(jail,
           "{'destination':'/place','source':'other','options':['bind','dest-nofollow']},"
           "{'destination':'/covered','source':'source','options':['bind','src-nofollow','dest-nofollow']}");
    jail_apply(jail);
    check_file(jail, "/etc/file", "rootfs/etc/file");
    check_file(jail, "/place", "other");
    check_link(jail, "/covered", "target");
}

/* M-2: for sources that were judged before: a link on the way means that somebody swapped a part */
JAIL(sources_without_links, 0)
{
    PREPARE(jail, "real/", "link->real");
    mounts(jail, "{'destination':'/place','source':'link','options':['bind','src-nolinks']}");
    check_error(jail, "source");
}

JAIL(a_copied_link_does_not_replace_another, 0)
{
    PREPARE(jail, "source->target", "rootfs/link->elsewhere");
    mounts(jail, "{'destination':'/link','source':'source','options':['bind','copy-symlink']}");
    check_error(jail, "destination: exists, and is not a symbolic link to 'target'");
}

/* ---- file systems ------------------------------------------------------------------------------------- */

JAIL(tmpfs_looks_like_what_it_covers, 0)
{
    auto_free char *covered = memory_format("%s/rootfs/covered", jail->directory);

    check(jail, mkdir(covered, 0) == 0 && chmod(covered, 01750) == 0);
    mounts(jail, "{'destination':'/covered','type':'tmpfs'},{'destination':'/new','type':'tmpfs'},"
                 "{'destination':'/tmp','type':'tmpfs','options':['mode=700','size=1m']}");
    jail_apply(jail);
    check(jail, mode_of("/covered") == (S_IFDIR | 01750));
    check(jail, mode_of("/new") == (S_IFDIR | 01777));
    check(jail, mode_of("/tmp") == (S_IFDIR | 0700));
    check_mount(jail, "/tmp", "rw,relatime", "- tmpfs none rw,size=1024k,mode=700");
}

JAIL(a_read_only_tmpfs_can_have_mounts_inside, 0)
{
    PREPARE(jail, "file");
    mounts(jail, "{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['ro','nosuid']},"
                 "{'destination':'/dev/in/side','source':'file','options':['bind']}");
    jail_apply(jail);
    check_mount(jail, "/dev", "ro,nosuid,relatime", "- tmpfs");
    check_file(jail, "/dev/in/side", "file");
    check(jail, S_ISCHR(mode_of("/dev/null")));
}

JAIL(tmpcopyup, 0) /* item 106 */
{
    struct stat status;
    char value[16] = "";

    PREPARE(jail, "victim", "rootfs/data/", "rootfs/data/sub/", "rootfs/data/sub/file",
            "rootfs/data/link->/victim", "rootfs/data/out->../../victim");
    {
        auto_free char *data = memory_format("%s/rootfs/data", jail->directory);
        auto_free char *file = memory_format("%s/sub/file", data);
        auto_free char *fifo = memory_format("%s/fifo", data);

        check(jail, chmod(data, 0711) == 0 && chown(file, 3, 4) == 0 && chmod(file, 04711) == 0);
        check(jail, mkfifo(fifo, 0600) == 0);
        check(jail, setxattr(file, "trusted.x", "y", 1, 0) == 0);
    }
    mounts(jail, "{'destination':'/data','type':'tmpfs','options':['tmpcopyup','ro']}");
    jail_apply(jail);
    check_mount(jail, "/data", "ro,relatime", "- tmpfs");
    check_file(jail, "/data/sub/file", "rootfs/data/sub/file");
    check(jail, mode_of("/data") == (S_IFDIR | 0711));
    check(jail, stat("/data/sub/file", &status) == 0 && status.st_uid == 3 && status.st_gid == 4);
    check(jail, status.st_mode == (S_IFREG | 04711));
    check(jail, getxattr("/data/sub/file", "trusted.x", value, sizeof value) == 1 && value[0] == 'y');
    check_link(jail, "/data/link", "/victim");
    check_link(jail, "/data/out", "../../victim");
    check(jail, S_ISFIFO(mode_of("/data/fifo")));
}

JAIL(tmpcopyup_fails_when_it_does_not_fit, 0)
{
    PREPARE(jail, "rootfs/data/", "rootfs/data/one");
    {
        auto_free char *big = memory_format("%s/rootfs/data/big", jail->directory);

        check(jail, close(open(big, O_CREAT | O_WRONLY, 0600)) == 0 && truncate(big, 1 << 20) == 0);
    }
    mounts(jail, "{'destination':'/data','type':'tmpfs','options':['tmpcopyup','size=64k']}");
    check_error(jail, "mounts[0] (/data): tmpcopyup: big: no space left on device");
}

JAIL(an_unknown_type_is_an_error, 0) /* item 91 */
{
    mounts(jail, "{'destination':'/x','type':'nosuchfs'}");
    check_error(jail,
                "mounts[0] (/x): fsopen nosuchfs: no such device (this kernel has no such file system)");
}

JAIL(an_unknown_option_is_an_error, 0) /* item 92 */
{
    mounts(jail, "{'destination':'/x','type':'tmpfs','options':['foo=bar']}");
    check_error(jail, "mounts[0] (/x): option 'foo=bar': invalid argument (tmpfs: Unknown parameter 'foo')");
}

/* On a host with SELinux, which we play: the label is an option of file systems, but not of proc, sysfs and
 * the like. */
JAIL(mount_label_is_an_option, CLONE_NEWPID | CLONE_NEWNET) /* item 126 */
{
    jail_linux(jail, PROC ",{'destination':'/sys','type':'sysfs'},{'destination':'/x','type':'tmpfs'}",
               ",'mountLabel':'a:b:c:d'");
    jail_plan(jail);
    jail->plan->selinux = 1;
    check(jail, jail_try(jail) < 0); /* this kernel's tmpfs does not know it, or not this label */
    check_contains(jail, jail->err.text, "mounts[2] (/x): option 'context=a:b:c:d'");
}

JAIL(relabelling_is_refused_with_selinux, 0) /* item 127 */
{
    mounts(jail, "{'destination':'/x','source':'rootfs','options':['bind','Z']}");
    jail_plan(jail);
    jail->plan->selinux = 1;
    check(jail, jail_try(jail) < 0);
    check_contains(jail, jail->err.text, "mounts[0] (/x)");
}

JAIL(superblock_flags, 0) /* items 93-95 */
{
    mounts(
        jail,
        "{'destination':'/x','type':'tmpfs','options':['sync','dirsync','lazytime','silent']},"
        "{'destination':'/y','type':'tmpfs','options':['strictatime','nodiratime','nosymfollow','noexec']}");
    jail_apply(jail);
    check_mount(jail, "/x", "rw,relatime", "- tmpfs none rw,sync,dirsync,lazytime");
    check_mount(jail, "/y", "rw,noexec,nodiratime,nosymfollow", "- tmpfs none rw");
}

JAIL(later_mounts_cover_earlier_ones, 0) /* item 85 */
{
    PREPARE(jail, "one", "two");
    mounts(jail, "{'destination':'/x','source':'one','options':['bind']},"
                 "{'destination':'/x','source':'two','options':['bind']}");
    jail_apply(jail);
    check_file(jail, "/x", "two");
}

JAIL(remount, CLONE_NEWPID) /* item 108 */
{
    PREPARE(jail, "src/");
    mounts(jail, "{'destination':'/x','type':'tmpfs'},"
                 "{'destination':'/x','type':'tmpfs','options':['remount','size=64k','nosuid']},"
                 "{'destination':'/y','source':'src','options':['bind']},"
                 "{'destination':'/y','type':'none','options':['bind','remount','ro','nodev']},"
                 "{'destination':'/','type':'none','options':['bind','remount','nosuid']}");
    jail_apply(jail);
    check_mount(jail, "/x", "rw,nosuid,relatime", "- tmpfs none rw,size=64k");
    check_mount(jail, "/y", "ro,nodev,relatime", "- tmpfs");
    check_mount(jail, "/", "rw,nosuid,relatime", "- tmpfs");
}

JAIL(remount_of_what_is_no_mount_is_an_error, 0)
{
    mounts(jail, "{'destination':'/etc','type':'none','options':['bind','remount','ro']}");
    check_error(jail, "mounts[0] (/etc): set mount attributes: invalid argument");
}

JAIL(overlay_with_long_options, 0) /* item 123; values beyond what fsconfig takes */
{
    auto_buffer struct buffer lower = { 0 };
    auto_buffer struct buffer json = { 0 };

    PREPARE(jail, "up/", "work/");
    for (int i = 0; i < 12; i++) {
        auto_free char *path = memory_format("%s/lower-%d-with-quite-a-long-name", jail->directory, i);
        auto_free char *file = memory_format("lower-%d-with-quite-a-long-name/file%d", i, i);

        check(jail, mkdir(path, 0755) == 0);
        jail_write(jail, file, "x");
        buffer_add_format(&lower, "%s%s", i ? ":" : "", path);
    }
    buffer_add_format(&json,
                      "{'destination':'/o','type':'overlay','source':'overlay','options':['lowerdir=%s',"
                      "'upperdir=%s/up','workdir=%s/work','nosuid','noatime']}",
                      lower.data, jail->directory, jail->directory);
    check(jail, lower.length > 255);
    mounts(jail, json.data);
    jail_apply(jail);
    check_mount(jail, "/o", "rw,nosuid,noatime", "- overlay overlay rw");
    check_file(jail, "/o/file11", "x");
}

/* ---- cgroups ------------------------------------------------------------------------------------------ */

JAIL(cgroup_with_its_namespace, CLONE_NEWCGROUP | CLONE_NEWPID) /* item 117 */
{
    auto_free char *hierarchies = jail_read(jail, "/proc/self/cgroup");

    mounts(
        jail,
        "{'destination':'/proc','type':'proc'},"
        "{'destination':'/cg','type':'cgroup','source':'cgroup','options':['ro','nosuid','noexec','nodev']}");
    jail_apply(jail);
    if (strstr(hierarchies, ":memory:")) {
        check_mount(jail, "/cg", "ro,nosuid,nodev,noexec", "- tmpfs");
        check_mount(jail, "/cg/memory", "ro,nosuid,nodev,noexec", "- cgroup cgroup");
        check(jail, access("/cg/memory/cgroup.procs", F_OK) == 0);
        check(jail, mkdir("/cg/memory/x", 0755) < 0 && errno == EROFS);
    } else {
        check_mount(jail, "/cg", "ro,nosuid,nodev,noexec", "- cgroup2 cgroup");
    }
}

JAIL(cgroup_without_its_namespace, 0)
{
    auto_free char *hierarchies = jail_read(jail, "/proc/self/cgroup");

    jail_config(jail, "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':["
                      "{'destination':'/cg','type':'cgroup','source':'cgroup','options':['ro','nosuid']}],"
                      "'linux':{'namespaces':[{'type':'mount'}]}}");
    jail_apply(jail);
    if (strstr(hierarchies, ":memory:")) {
        check_mount(jail, "/cg", "ro,nosuid", "- tmpfs");
        check_mount(jail, "/cg/memory", "ro,nosuid", "- cgroup cgroup");
    } else {
        check_mount(jail, "/cg", "ro,nosuid", "- cgroup2");
    }
}

JAIL(cgroup2_on_a_hybrid_host, CLONE_NEWCGROUP)
{
    mounts(jail, "{'destination':'/cg','type':'cgroup2','source':'cgroup','options':['rw']}");
    jail_apply(jail);
    check_mount(jail, "/cg", "rw,relatime", "- cgroup2 cgroup");
}
