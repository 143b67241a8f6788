/* runtime/rootfs: devices, links, masked and read-only paths, /dev/console, the procfs of the runtime
 * (contract items 45, 124, 125, 145-154). */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define JAIL(name, flags) JAIL_TEST(rootfs_devices, name, flags)

/* ---- devices ---------------------------------------------------------------------------------------- */

JAIL(devices, 0) /* items 145-150 */
{
    struct stat status;

    umask(077);
    jail_linux(
        jail, DEV,
        ",'devices':[{'path':'/dev/a','type':'c','major':1,'minor':5,'fileMode':432,'uid':5,'gid':6},"
        "{'path':'/dev/sub/b','type':'b','major':7,'minor':99},{'path':'/opt/p','type':'p','fileMode':4534},"
        "{'path':'/dev/null','type':'c','major':1,'minor':3,'fileMode':8630}]");
    jail_apply(jail);
    check_device(jail, "/dev/a", S_IFCHR | 0660, 1, 5);
    check(jail, stat("/dev/a", &status) == 0 && status.st_uid == 5 && status.st_gid == 6);
    check_device(jail, "/dev/sub/b", S_IFBLK | 0666, 7, 99);
    check_device(jail, "/opt/p", S_IFIFO | 0666, 0, 0);
    check_device(jail, "/dev/null", S_IFCHR | 0666, 1, 3);
    check_device(jail, "/dev/zero", S_IFCHR | 0666, 1, 5);
    check_device(jail, "/dev/full", S_IFCHR | 0666, 1, 7);
    check_device(jail, "/dev/random", S_IFCHR | 0666, 1, 8);
    check_device(jail, "/dev/urandom", S_IFCHR | 0666, 1, 9);
    check_device(jail, "/dev/tty", S_IFCHR | 0666, 5, 0);
    check(jail, umask(0) == 077);
}

JAIL(a_device_that_exists_is_fine, 0)
{
    auto_free char *node = jail_host_path(jail, "rootfs/dev/null");

    check(jail, mknod(node, S_IFCHR | 0600, makedev(1, 3)) == 0);
    jail_linux(jail, "", "");
    jail_apply(jail);
    check_device(jail, "/dev/null", S_IFCHR | 0600, 1, 3);
}

JAIL(another_device_is_an_error, 0) /* item 146 */
{
    auto_free char *node = jail_host_path(jail, "rootfs/dev/x");

    check(jail, mknod(node, S_IFCHR | 0600, makedev(1, 5)) == 0);
    jail_linux(jail, "", ",'devices':[{'path':'/dev/x','type':'c','major':1,'minor':3}]");
    check_error(jail, "linux.devices[0] (/dev/x): a file that is not this device exists there: file exists");
}

JAIL(a_link_for_a_device_is_an_error, 0)
{
    jail_symlink(jail, "zero", "rootfs/dev/null");
    jail_linux(jail, "", "");
    check_error(jail, "device /dev/null: a file that is not this device exists there");
}

JAIL(dev_as_a_link_stays_inside, 0) /* CVE-2026-41579, CVE-2026-47766 */
{
    struct stat status;
    auto_free char *dev = jail_host_path(jail, "rootfs/dev");
    auto_free char *victim = jail_host_path(jail, "victim");
    auto_free char *ptmx = jail_host_path(jail, "victim/ptmx");

    jail_mkdir(jail, "victim");
    jail_write(jail, "victim/ptmx", "precious");
    check(jail, rmdir(dev) == 0 && symlink(victim, dev) == 0);
    {
        auto_close int directory = open(victim, O_PATH | O_CLOEXEC);

        jail_linux(jail, "", "");
        jail_apply(jail);
        check(jail, fstatat(directory, "ptmx", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode));
        check(jail, fstatat(directory, "null", &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
    }
    (void)ptmx;
}

JAIL(a_mount_in_place_of_a_default_device_stays, 0)
{
    struct stat status;

    jail_linux(jail, DEV ",{'destination':'/dev/random','source':'/dev/urandom','options':['bind']}", "");
    jail_apply(jail);
    check(jail, stat("/dev/random", &status) == 0 && status.st_rdev == makedev(1, 9));
}

JAIL(a_bound_dev_is_left_alone, 0) /* item 152 */
{
    struct stat status;
    auto_free char *dev = jail_host_path(jail, "hostdev");

    check(jail, mkdir(dev, 0755) == 0);
    jail_linux(jail, "{'destination':'/dev','source':'hostdev','options':['rbind']}",
               ",'devices':[{'path':'/dev/x','type':'c','major':1,'minor':3},{'path':'/x','type':'p'}]");
    jail_apply(jail);
    check(jail, lstat("/x", &status) == 0 && S_ISFIFO(status.st_mode));
    check(jail,
          lstat("/dev/null", &status) < 0 && lstat("/dev/fd", &status) < 0 && lstat("/dev/x", &status) < 0);
}

JAIL(links_need_their_targets, CLONE_NEWPID) /* item 45 */
{
    struct stat status;

    jail_linux(jail, DEV, "");
    jail_apply(jail);
    check(jail, lstat("/dev/fd", &status) < 0 && lstat("/dev/core", &status) < 0);
    check(jail, lstat("/dev/ptmx", &status) == 0);
}

JAIL(ptmx_of_the_image_is_replaced, 0)
{
    char target[16] = "";
    auto_free char *node = jail_host_path(jail, "rootfs/dev/ptmx");

    check(jail, mknod(node, S_IFCHR | 0666, makedev(5, 2)) == 0);
    jail_linux(jail, "", "");
    jail_apply(jail);
    check(jail, readlink("/dev/ptmx", target, sizeof target - 1) == 8);
}

/* ---- masks ------------------------------------------------------------------------------------------ */

JAIL(masks, CLONE_NEWPID) /* items 124, 125; CVE-2025-31133 */
{
    char byte;

    jail_mkdir(jail, "rootfs/secret");
    jail_mkdir(jail, "rootfs/other");
    jail_write(jail, "rootfs/secret/key", "s3cret");
    jail_write(jail, "rootfs/file", "s3cret");
    jail_write(jail, "rootfs/file2", "s3cret");
    jail_write(jail, "rootfs/etc/ro", "text");
    jail_symlink(jail, "/etc/ro", "rootfs/dev/null2");
    jail_symlink(jail, "secret", "rootfs/alias");
    jail_linux(jail, PROC "," DEV,
               ",'maskedPaths':['/alias','/other','/file','/file2','/missing','/file/below','/proc/keys'],"
               "'readonlyPaths':['/etc','/missing','/proc/sys']");
    jail_apply(jail);
    check(jail, access("/secret/key", F_OK) < 0 && errno == ENOENT);
    check_mount(jail, "/secret", "ro,nosuid,nodev,noexec", "- tmpfs");
    check_mount(jail, "/other", "ro,nosuid,nodev,noexec", "- tmpfs");
    check(jail, mkdir("/other/x", 0700) < 0 && errno == EROFS);
    for (int i = 0; i < 3; i++) {
        auto_close int fd = open(i == 0 ? "/file" : i == 1 ? "/file2" : "/proc/keys", O_RDONLY | O_CLOEXEC);
        struct stat status;

        check(jail, fd >= 0 && fstat(fd, &status) == 0 && status.st_rdev == makedev(1, 3));
        check(jail, read(fd, &byte, 1) == 0);
    }
    check(jail, open("/etc/ro", O_WRONLY) < 0 && errno == EROFS);
    check_mount(jail, "/etc", "ro,relatime", "- tmpfs");
    check_mount(jail, "/proc/sys", "ro,relatime", "- proc");
}

JAIL(the_images_dev_null_is_never_used, 0)
{
    struct stat status;

    jail_write(jail, "rootfs/victim", "precious");
    jail_write(jail, "rootfs/masked", "s3cret");
    jail_linux(jail, DEV ",{'destination':'/dev/null','source':'rootfs/victim','options':['bind']}",
               ",'maskedPaths':['/masked']");
    jail_apply(jail);
    check(jail, stat("/masked", &status) == 0 && status.st_rdev == makedev(1, 3));
}

JAIL(a_read_only_path_keeps_its_flags, 0)
{
    jail_linux(jail,
               "{'destination':'/x','type':'tmpfs','options':['nosuid','nodev','noexec']},"
               "{'destination':'/x/y','type':'tmpfs'}",
               ",'readonlyPaths':['/x']");
    jail_apply(jail);
    check_mount(jail, "/x", "ro,nosuid,nodev,noexec,relatime", "- tmpfs");
    check_mount(jail, "/x/y", "rw,relatime", "- tmpfs");
}

JAIL(a_masked_path_through_a_magic_link_is_an_error, CLONE_NEWPID)
{
    jail_symlink(jail, "/proc/self/fd/0", "rootfs/masked");
    jail_linux(jail, PROC, ",'maskedPaths':['/masked']");
    check_error(jail, "linux.maskedPaths[0] (/masked): open: too many levels of symbolic links");
}

/* ---- terminal, procfs ------------------------------------------------------------------------------- */

#define PTS "{'destination':'/dev/pts','type':'devpts','options':['newinstance','ptmxmode=0666','mode=0620']}"

static void apply_until_pivot(struct jail *jail)
{
    jail_plan(jail);
    check(jail, rootfs_prepare(jail->plan, &jail->err) == 0);
    check(jail, rootfs_mount_all(jail->plan, &jail->err) == 0);
    check(jail, rootfs_make_devices(jail->plan, &jail->err) == 0);
}

JAIL(console, CLONE_NEWPID) /* item 150; CVE-2025-52565 */
{
    auto_close int master = -1, slave = -1;
    struct stat console, terminal;
    int unlock = 0;

    jail_linux(jail, DEV "," PTS, "");
    apply_until_pivot(jail);
    master = file_open_in_root(rootfs_root_fd(jail->plan), "/dev/pts/ptmx", O_RDWR, 0);
    check(jail, master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    check(jail, slave >= 0);
    check(jail, rootfs_set_console(jail->plan, slave, &jail->err) == 0);
    check(jail, rootfs_pivot(jail->plan, &jail->err) == 0 && rootfs_finish(jail->plan, &jail->err) == 0);
    check(jail, stat("/dev/console", &console) == 0 && fstat(slave, &terminal) == 0);
    check(jail, console.st_rdev == terminal.st_rdev && S_ISCHR(console.st_mode));
    check_mount(jail, "/dev/console", "", "- devpts");
}

JAIL(a_console_must_be_a_pty, 0)
{
    auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    jail_linux(jail, DEV, "");
    apply_until_pivot(jail);
    check(jail, rootfs_set_console(jail->plan, null, &jail->err) < 0);
    check_equal(jail, jail->err.text, "/dev/console: terminal: not a pseudo-terminal of devpts");
}

static void check_procfs(struct jail *jail, const char *mounts)
{
    auto_free char *text = NULL;
    struct statfs status;
    int procfs;

    jail_write(jail, "info", "fake");
    jail_linux(jail, mounts, "");
    apply_until_pivot(jail);
    procfs = rootfs_procfs(jail->plan, &jail->err);
    check(jail, procfs >= 0 && rootfs_procfs(jail->plan, &jail->err) == procfs);
    check(jail, fstatfs(procfs, &status) == 0 && status.f_type == PROC_SUPER_MAGIC);
    check(jail, file_read_at(procfs, "sys/kernel/hostname", 100, &text, NULL, &jail->err) == 0);
    check(jail, file_write_string_at(procfs, "sys/kernel/hostname", "from-inside") == 0);
    free(text);
    check(jail, file_read_at(procfs, "cpuinfo", 1 << 20, &text, NULL, &jail->err) == 0);
    check(jail, strcmp(text, "fake") != 0);
    check(jail, rootfs_pivot(jail->plan, &jail->err) == 0 && rootfs_finish(jail->plan, &jail->err) == 0);
    check(jail, file_write_string_at(procfs, "sys/kernel/hostname", "again") ==
                    0); /* out of reach of readonlyPaths */
}

JAIL(procfs_of_the_runtime, CLONE_NEWPID | CLONE_NEWUTS) /* CVE-2025-52881 */
{
    check_procfs(jail, "");
}

JAIL(procfs_is_not_what_config_puts_into_proc, CLONE_NEWPID | CLONE_NEWUTS)
{
    check_procfs(jail, "{'destination':'/proc','type':'proc','options':['ro']},"
                       "{'destination':'/proc/cpuinfo','source':'info','options':['bind']}");
}
