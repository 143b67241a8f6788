/* runtime/rootfs: mounts, devices, masks and the new root, made for real in throw-away namespaces. */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ALL_NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)

#define NAMESPACES                                                                                           \
    "'namespaces':[{'type':'mount'},{'type':'pid'},{'type':'ipc'},{'type':'network'},{'type':'cgroup'}]"
#define CONFIG(root, mounts, linux_part)                                                                     \
    "{'ociVersion':'1.3.0','root':{'path':'rootfs'" root "},'mounts':[" mounts                               \
    "],'linux':{" NAMESPACES linux_part "}}"

static mode_t mode_of(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? status.st_mode : 0;
}

static void check_link(struct jail *jail, const char *path, const char *target)
{
    char text[128] = "";

    check(jail, readlink(path, text, sizeof text - 1) > 0);
    check_equal(jail, text, target);
}

static void check_mount(struct jail *jail, const char *path, const char *options, const char *type)
{
    auto_free char *line = jail_mountinfo(jail, path);

    check_contains(jail, line, options);
    check_contains(jail, line, type);
}

/* ---- the default configuration ------------------------------------------------------------------------ */

static void default_config(struct jail *jail)
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
    check_mount(jail, "/proc/sys", "ro,relatime", "- proc proc"); /* item 125 */
    check_mount(jail, "/proc/keys", "", "- ");                    /* item 124 */
    check(jail,
          stat("/proc/keys", &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
    check(jail, stat("/dev/null", &status) == 0 && status.st_rdev == makedev(1, 3));
    check(jail, mode_of("/dev/tty") == (S_IFCHR | 0666));
    check_link(jail, "/dev/fd", "/proc/self/fd"); /* item 45 */
    check_link(jail, "/dev/stderr", "/proc/self/fd/2");
    check_link(jail, "/dev/ptmx", "pts/ptmx");
    check_mount(jail, "/", "ro,relatime", "- tmpfs"); /* root.readonly of the default config, item 9 */
    check(jail, open("/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
    check(jail, access(jail->directory, F_OK) < 0); /* the host is gone */
}

Test(rootfs_mount, default_config)
{
    jail_run(ALL_NAMESPACES, default_config);
}
