/*
 * runtime/rootfs: devices, masks, the new root and what of it the host sees, user namespaces, id mappings;
 * made for real in throw-away namespaces (contract items 45, 100-128, 145-154).
 */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define JAIL(name, flags)                                                                                    \
    static void name##_body(struct jail *jail);                                                              \
    Test(rootfs_isolation, name)                                                                             \
    {                                                                                                        \
        jail_run(flags, name##_body);                                                                        \
    }                                                                                                        \
    static void name##_body(struct jail *jail)

#define DEV "{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','mode=755']}"
#define PROC "{'destination':'/proc','type':'proc','source':'proc'}"

/* mounts and the rest of the linux object, after its namespaces */
static void config(struct jail *jail, const char *mounts, const char *more)
{
    auto_free char *json =
        memory_format("{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':[%s],'linux':{"
                      "'namespaces':[{'type':'mount'},{'type':'pid'},{'type':'network'}]%s}}",
                      mounts, more);

    jail_config(jail, json);
}

static char *host_path(const struct jail *jail, const char *path)
{
    return memory_format("%s/%s", jail->directory, path);
}

static void host_symlink(struct jail *jail, const char *target, const char *path)
{
    auto_free char *full = host_path(jail, path);

    check(jail, symlink(target, full) == 0);
}

static void host_mkdir(struct jail *jail, const char *path)
{
    auto_free char *full = host_path(jail, path);

    check(jail, mkdir(full, 0755) == 0);
}

static void check_mount(struct jail *jail, const char *path, const char *options, const char *type)
{
    auto_free char *line = jail_mountinfo(jail, path);

    check_contains(jail, line, options);
    check_contains(jail, line, type);
}

static void check_no_mount(struct jail *jail, const char *path)
{
    auto_free char *line = jail_mountinfo(jail, path);

    check_equal(jail, line, "");
}

static void check_error(struct jail *jail, const char *part)
{
    check(jail, jail_try(jail) < 0);
    check_contains(jail, jail->err.text, part);
}

static void check_device(struct jail *jail, const char *path, mode_t mode, unsigned major_number,
                         unsigned minor_number)
{
    struct stat status;

    check(jail, lstat(path, &status) == 0);
    if (status.st_mode != mode || status.st_rdev != makedev(major_number, minor_number))
        jail_fail(jail, __FILE__, __LINE__, "%s: mode %o, %u:%u", path, (unsigned)status.st_mode,
                  major(status.st_rdev), minor(status.st_rdev));
}

/* ---- devices ------------------------------------------------------------------------------------------ */

JAIL(devices, 0) /* items 145-150 */
{
    struct stat status;

    umask(077);
    config(
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
    auto_free char *node = host_path(jail, "rootfs/dev/null");

    check(jail, mknod(node, S_IFCHR | 0600, makedev(1, 3)) == 0);
    config(jail, "", "");
    jail_apply(jail);
    check_device(jail, "/dev/null", S_IFCHR | 0600, 1, 3);
}

JAIL(another_device_is_an_error, 0) /* item 146 */
{
    auto_free char *node = host_path(jail, "rootfs/dev/x");

    check(jail, mknod(node, S_IFCHR | 0600, makedev(1, 5)) == 0);
    config(jail, "", ",'devices':[{'path':'/dev/x','type':'c','major':1,'minor':3}]");
    check_error(jail, "linux.devices[0] (/dev/x): a file that is not this device exists there: file exists");
}

JAIL(a_link_for_a_device_is_an_error, 0)
{
    host_symlink(jail, "zero", "rootfs/dev/null");
    config(jail, "", "");
    check_error(jail, "device /dev/null: a file that is not this device exists there");
}

JAIL(dev_as_a_link_stays_inside, 0) /* CVE-2026-41579, CVE-2026-47766 */
{
    struct stat status;
    auto_free char *dev = host_path(jail, "rootfs/dev");
    auto_free char *victim = host_path(jail, "victim");
    auto_free char *ptmx = host_path(jail, "victim/ptmx");

    host_mkdir(jail, "victim");
    jail_write(jail, "victim/ptmx", "precious");
    check(jail, rmdir(dev) == 0 && symlink(victim, dev) == 0);
    {
        auto_close int directory = open(victim, O_PATH | O_CLOEXEC);

        config(jail, "", "");
        jail_apply(jail);
        check(jail, fstatat(directory, "ptmx", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode));
        check(jail, fstatat(directory, "null", &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
    }
    (void)ptmx;
}

JAIL(a_mount_in_place_of_a_default_device_stays, 0)
{
    struct stat status;

    config(jail, DEV ",{'destination':'/dev/random','source':'/dev/urandom','options':['bind']}", "");
    jail_apply(jail);
    check(jail, stat("/dev/random", &status) == 0 && status.st_rdev == makedev(1, 9));
}

JAIL(a_bound_dev_is_left_alone, 0) /* item 152 */
{
    struct stat status;
    auto_free char *dev = host_path(jail, "hostdev");

    check(jail, mkdir(dev, 0755) == 0);
    config(jail, "{'destination':'/dev','source':'hostdev','options':['rbind']}",
           ",'devices':[{'path':'/dev/x','type':'c','major':1,'minor':3},{'path':'/x','type':'p'}]");
    jail_apply(jail);
    check(jail, lstat("/x", &status) == 0 && S_ISFIFO(status.st_mode));
    check(jail,
          lstat("/dev/null", &status) < 0 && lstat("/dev/fd", &status) < 0 && lstat("/dev/x", &status) < 0);
}

JAIL(links_need_their_targets, CLONE_NEWPID) /* item 45 */
{
    struct stat status;

    config(jail, DEV, "");
    jail_apply(jail);
    check(jail, lstat("/dev/fd", &status) < 0 && lstat("/dev/core", &status) < 0);
    check(jail, lstat("/dev/ptmx", &status) == 0);
}

JAIL(ptmx_of_the_image_is_replaced, 0)
{
    char target[16] = "";
    auto_free char *node = host_path(jail, "rootfs/dev/ptmx");

    check(jail, mknod(node, S_IFCHR | 0666, makedev(5, 2)) == 0);
    config(jail, "", "");
    jail_apply(jail);
    check(jail, readlink("/dev/ptmx", target, sizeof target - 1) == 8);
}

/* ---- masks -------------------------------------------------------------------------------------------- */

JAIL(masks, CLONE_NEWPID) /* items 124, 125; CVE-2025-31133 */
{
    char byte;

    host_mkdir(jail, "rootfs/secret");
    host_mkdir(jail, "rootfs/other");
    jail_write(jail, "rootfs/secret/key", "s3cret");
    jail_write(jail, "rootfs/file", "s3cret");
    jail_write(jail, "rootfs/file2", "s3cret");
    jail_write(jail, "rootfs/etc/ro", "text");
    host_symlink(jail, "/etc/ro", "rootfs/dev/null2");
    host_symlink(jail, "secret", "rootfs/alias");
    config(jail, PROC "," DEV,
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
    config(jail, DEV ",{'destination':'/dev/null','source':'rootfs/victim','options':['bind']}",
           ",'maskedPaths':['/masked']");
    jail_apply(jail);
    check(jail, stat("/masked", &status) == 0 && status.st_rdev == makedev(1, 3));
}

JAIL(a_read_only_path_keeps_its_flags, 0)
{
    config(jail,
           "{'destination':'/x','type':'tmpfs','options':['nosuid','nodev','noexec']},"
           "{'destination':'/x/y','type':'tmpfs'}",
           ",'readonlyPaths':['/x']");
    jail_apply(jail);
    check_mount(jail, "/x", "ro,nosuid,nodev,noexec,relatime", "- tmpfs");
    check_mount(jail, "/x/y", "rw,relatime", "- tmpfs");
}

JAIL(a_masked_path_through_a_magic_link_is_an_error, CLONE_NEWPID)
{
    host_symlink(jail, "/proc/self/fd/0", "rootfs/masked");
    config(jail, PROC, ",'maskedPaths':['/masked']");
    check_error(jail, "linux.maskedPaths[0] (/masked): open: too many levels of symbolic links");
}

/* ---- the root ----------------------------------------------------------------------------------------- */

JAIL(no_pivot, CLONE_NEWPID) /* items 112, 113 */
{
    static char rootfs[128];
    struct rootfs_context context = { .bundle = jail->directory, .rootfs = rootfs, .no_pivot = true };
    struct stat status;

    snprintf(rootfs, sizeof rootfs, "%s/rootfs", jail->directory);
    jail_write(jail, "rootfs/inside", "x");
    config(jail, PROC, ",'maskedPaths':['/proc/keys']");
    jail->plan = rootfs_plan_make(jail->config, &context, &jail->err);
    check(jail, jail->plan);
    jail_apply(jail);
    check(jail, access("/inside", F_OK) == 0 && access(jail->directory, F_OK) < 0);
    check(jail, stat("/proc/keys", &status) == 0 && S_ISCHR(status.st_mode));
    { /* item 113: the host's instances are gone, which chroot alone would leave in the namespace */
        auto_free char *info = NULL;
        size_t count = 0;

        check(jail, file_read_at(jail->host_proc, "self/mountinfo", 1 << 20, &info, NULL, &jail->err) == 0);
        for (const char *c = info; (c = strstr(c, " - proc ")); c++)
            count++;
        check(jail, count == 1 && !strstr(info, " - sysfs "));
    }
}

JAIL(without_a_mount_namespace_it_is_chroot, 0)
{
    char cwd[64] = "";

    jail_write(jail, "rootfs/inside", "x");
    jail_config(jail, "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{'namespaces':[]}}");
    jail_apply(jail);
    check(jail, access("/inside", F_OK) == 0 && access(jail->directory, F_OK) < 0);
    check(jail, getcwd(cwd, sizeof cwd));
    check_equal(jail, cwd, "/");
    check_device(jail, "/dev/null", S_IFCHR | 0666, 1, 3);
}

JAIL(a_read_only_root_keeps_its_flags, 0) /* item 128 */
{
    auto_free char *rootfs = host_path(jail, "rootfs");

    check(jail, mount(rootfs, rootfs, NULL, MS_BIND, NULL) == 0);
    check(jail, mount(NULL, rootfs, NULL, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NOATIME, NULL) == 0);
    jail_config(jail, "{'ociVersion':'1.3.0','root':{'path':'rootfs','readonly':true},'mounts':["
                      "{'destination':'/tmp','type':'tmpfs'}],'linux':{'namespaces':[{'type':'mount'}]}}");
    jail_apply(jail);
    check_mount(jail, "/", "ro,nosuid,noatime", "- tmpfs");
    check_mount(jail, "/tmp", "rw,", "- tmpfs");
}

JAIL(mounts_of_the_root_come_along, 0)
{
    auto_free char *sub = host_path(jail, "rootfs/sub");

    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0);
    config(jail, "", "");
    jail_apply(jail);
    check_mount(jail, "/sub", "rw", "- tmpfs");
}

/* ---- propagation: the body is the host, a child of it the container -------------------------------------
 */

/* Applies the config in a new mount namespace, runs `body` there, and returns to the host. */
static void in_container(struct jail *jail, unsigned long flags, void (*body)(struct jail *jail))
{
    struct sys_clone_args arguments = { .flags = CLONE_NEWNS | flags, .exit_signal = SIGCHLD };
    int status;
    pid_t pid;

    jail_plan(jail);
    pid = sys_clone3(&arguments);
    check(jail, pid >= 0);
    if (pid == 0) {
        jail_apply(jail);
        if (body)
            body(jail);
        _exit(0);
    }
    check(jail, waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(1); /* it has reported why */
}

static size_t count_mounts(struct jail *jail)
{
    auto_free char *text = NULL;
    size_t count = 0;

    check(jail, file_read_at(jail->host_proc, "self/mountinfo", 1 << 20, &text, NULL, &jail->err) == 0);
    for (const char *c = text; *c; c++)
        count += *c == '\n';
    return count;
}

static void share_everything(struct jail *jail)
{
    auto_free char *rootfs = host_path(jail, "rootfs");
    auto_free char *sub = host_path(jail, "rootfs/sub");
    auto_free char *volume = host_path(jail, "volume");

    check(jail, mkdir(volume, 0755) == 0 && mount("tmpfs", volume, "tmpfs", 0, NULL) == 0);
    check(jail, mount(rootfs, rootfs, NULL, MS_BIND, NULL) == 0);
    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0);
    check(jail, mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
}

static void make_mount_in_volume(struct jail *jail)
{
    check(jail, mkdir("/volume/new", 0755) == 0);
    check(jail, mount("tmpfs", "/volume/new", "tmpfs", 0, NULL) == 0);
    check(jail, mkdir("/sub/new", 0755) == 0);
    check(jail, mount("tmpfs", "/sub/new", "tmpfs", 0, NULL) == 0);
}

static void propagation(struct jail *jail, const char *root, const char *option, bool reaches_host)
{
    auto_free char *mounts =
        memory_format("{'destination':'/volume','source':'volume','options':['rbind','%s']},"
                      "{'destination':'/sub/dir','type':'tmpfs'},"
                      "{'destination':'/tmp','type':'tmpfs'}",
                      option);
    size_t before;

    share_everything(jail);
    before = count_mounts(jail);
    config(jail, mounts, root);
    in_container(jail, 0, make_mount_in_volume);
    check(jail, count_mounts(jail) == before + (reaches_host ? 1 : 0));
}

JAIL(nothing_reaches_the_host_by_default, 0) /* items 110, 111 */
{
    propagation(jail, "", "rprivate", false);
}

JAIL(nothing_reaches_the_host_from_a_slave, 0)
{
    propagation(jail, ",'rootfsPropagation':'rslave'", "rslave", false);
}

JAIL(shared_without_a_shared_root_is_shared_with_nobody, 0)
{
    propagation(jail, "", "rshared", false);
}

JAIL(a_shared_volume_of_a_shared_root_reaches_the_host, 0) /* Kubernetes: Bidirectional */
{
    propagation(jail, ",'rootfsPropagation':'rshared'", "rshared", true);
}

JAIL(a_private_volume_of_a_shared_root_does_not, 0)
{
    propagation(jail, ",'rootfsPropagation':'shared'", "rprivate", false);
}

static void root_is_shared(struct jail *jail)
{
    check_mount(jail, "/", "shared:", "- tmpfs");
    check_mount(jail, "/tmp", "shared:", "- tmpfs");
}

JAIL(the_new_root_gets_its_propagation, 0)
{
    share_everything(jail);
    config(jail, "{'destination':'/tmp','type':'tmpfs'}", ",'rootfsPropagation':'rshared'");
    in_container(jail, 0, root_is_shared);
}

static void root_is_unbindable(struct jail *jail)
{
    check_mount(jail, "/", "unbindable", "- tmpfs");
}

static void covers_what_the_runtime_brought(struct jail *jail)
{
    check(jail, mount("tmpfs", "/sys", "tmpfs", 0, NULL) == 0);
    check(jail, mount("/file", "/proc/keys", NULL, MS_BIND, NULL) == 0);
    check(jail, mount("/file", "/dev/null", NULL, MS_BIND, NULL) == 0);
}

JAIL(the_hosts_dev_null_is_not_shared_with_the_container, 0)
{
    size_t before;

    share_everything(jail);
    jail_write(jail, "rootfs/file", "x");
    before = count_mounts(jail);
    config(jail, PROC "," DEV, ",'rootfsPropagation':'rshared','maskedPaths':['/proc/keys']");
    in_container(jail, 0, covers_what_the_runtime_brought);
    check(jail, count_mounts(jail) == before);
}

JAIL(an_unbindable_root, 0)
{
    config(jail, "", ",'rootfsPropagation':'unbindable'");
    in_container(jail, 0, root_is_unbindable);
}

static void types_are_applied_in_order(struct jail *jail)
{
    check_mount(jail, "/x", "shared:", "- tmpfs");
    check_mount(jail, "/y", "unbindable", "- tmpfs");
    check_mount(jail, "/z", "rw,relatime shared:", "master:");
}

JAIL(several_propagation_options, 0) /* item 110 */
{
    share_everything(jail);
    config(jail,
           "{'destination':'/x','type':'tmpfs','options':['private','shared']},"
           "{'destination':'/y','type':'tmpfs','options':['unbindable']},"
           "{'destination':'/z','source':'volume','options':['bind','slave','shared']}",
           ",'rootfsPropagation':'shared'");
    in_container(jail, 0, types_are_applied_in_order);
}

static void only_slaves_see_the_host(struct jail *jail)
{
    check_mount(jail, "/slave", "master:", "- tmpfs");
    {
        auto_free char *line = jail_mountinfo(jail, "/private");

        check(jail, !strstr(line, "master:") && !strstr(line, "shared:"));
    }
    make_mount_in_volume(jail);
}

JAIL(a_slave_volume_sees_the_host_without_more, 0)
{
    size_t before;

    share_everything(jail);
    before = count_mounts(jail);
    config(jail,
           "{'destination':'/slave','source':'volume','options':['rbind','rslave']},"
           "{'destination':'/private','source':'volume','options':['rbind']},"
           "{'destination':'/volume','source':'volume','options':['rbind','rprivate']}",
           "");
    in_container(jail, 0, only_slaves_see_the_host);
    check(jail, count_mounts(jail) == before);
}

/* ---- races ----------------------------------------------------------------------------------------------
 */

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* Another container that shares the volume exchanges a directory for a link, again and again, until it is
 * killed. */
static pid_t start_swapper(struct jail *jail)
{
    auto_free char *directory = host_path(jail, "volume/dir");
    auto_free char *link = host_path(jail, "volume/link");
    pid_t pid = fork();

    check(jail, pid >= 0);
    while (pid == 0)
        renameat2(AT_FDCWD, directory, AT_FDCWD, link, RENAME_EXCHANGE);
    return pid;
}

static void try_once(struct jail *jail)
{
    struct sys_clone_args arguments = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };
    pid_t pid = sys_clone3(&arguments);

    check(jail, pid >= 0);
    if (pid == 0) {
        struct error err;

        if (rootfs_prepare(jail->plan, &err) == 0 && rootfs_mount_all(jail->plan, &err) == 0 &&
            rootfs_make_devices(jail->plan, &err) == 0)
            rootfs_pivot(jail->plan, &err);
        _exit(0);
    }
    check(jail, waitpid(pid, NULL, 0) == pid);
}

JAIL(swapped_links_lead_nowhere, 0) /* CVE-2021-30465, CVE-2024-45310 */
{
    struct stat status;
    size_t mounts;
    pid_t swapper;

    host_mkdir(jail, "volume");
    host_mkdir(jail, "volume/dir");
    host_mkdir(jail, "victim");
    host_symlink(jail, "../../victim", "volume/link");
    jail_write(jail, "file", "x");
    {
        auto_free char *volume = host_path(jail, "rootfs/vol");

        check(jail, symlink("volume", volume) == 0);
    }
    mounts = count_mounts(jail);
    config(jail,
           "{'destination':'/v','source':'volume','options':['rbind','rshared']},"
           "{'destination':'/v/dir/new/dir','type':'tmpfs'},{'destination':'/v/dir/file','source':'file',"
           "'options':['bind']}",
           ",'devices':[{'path':'/v/dir/node','type':'c','major':1,'minor':3}]");
    jail_plan(jail);
    swapper = start_swapper(jail);
    for (int i = 0; i < 300; i++)
        try_once(jail);
    kill(swapper, SIGKILL);
    check(jail, waitpid(swapper, NULL, 0) == swapper);
    check(jail, count_mounts(jail) == mounts);
    {
        auto_free char *victim = host_path(jail, "victim");

        check(jail, stat(victim, &status) == 0 && status.st_nlink == 2);
        check(jail, rmdir(victim) == 0); /* still empty */
    }
}

/* ---- user namespaces ------------------------------------------------------------------------------------
 */

#define ROOTLESS_ID 100000

static void write_map(struct jail *jail, pid_t pid, const char *file)
{
    auto_free char *path = memory_format("%d/%s", (int)pid, file);

    check(jail, file_write_string_at(jail->host_proc, path, "0 100000 65536\n") == 0);
}

/* The container with a user namespace: the runtime's part here, init's part in the child. */
static void in_user_namespace(struct jail *jail, unsigned long flags, void (*body)(struct jail *jail))
{
    struct sys_clone_args arguments = { .flags = CLONE_NEWUSER | CLONE_NEWNS | flags,
                                        .exit_signal = SIGCHLD };
    int ready[2], status;
    char byte = 0;
    pid_t pid;

    check(jail, pipe2(ready, O_CLOEXEC) == 0);
    jail_plan(jail);
    pid = sys_clone3(&arguments);
    check(jail, pid >= 0);
    if (pid == 0) {
        check(jail, read(ready[0], &byte, 1) == 1);
        check(jail, setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
        jail_apply(jail);
        body(jail);
        _exit(0);
    }
    write_map(jail, pid, "uid_map");
    write_map(jail, pid, "gid_map");
    check(jail, write(ready[1], &byte, 1) == 1);
    check(jail, waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(1);
}

static void user_config(struct jail *jail, const char *mounts, const char *namespaces)
{
    auto_free char *json =
        memory_format("{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':[%s],'linux':{"
                      "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
                      "'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
                      "'maskedPaths':['/proc/"
                      "keys','/masked'],"
                      "'readonlyPaths':['/proc/sys'],'namespaces':[{'type':'mount'},{'type':'user'}%s]}}",
                      mounts, namespaces);
    auto_free char *rootfs = host_path(jail, "rootfs");
    auto_free char *dev = host_path(jail, "rootfs/dev");
    auto_free char *proc = host_path(jail, "hostdev");

    check(jail, chown(rootfs, ROOTLESS_ID, ROOTLESS_ID) == 0 && chown(dev, ROOTLESS_ID, ROOTLESS_ID) == 0);
    (void)proc;
    jail_config(jail, json);
}

static void userns_has_everything(struct jail *jail)
{
    struct stat status;
    auto_free char *text = jail_read(jail, "/secret/file");

    check(jail, stat("/dev/null", &status) == 0 && status.st_rdev == makedev(1, 3));
    check_mount(jail, "/dev/null", "nosuid,noexec", "- ");
    check_mount(jail, "/dev/urandom", "nosuid,noexec", "- ");
    check_mount(jail, "/proc", "rw,relatime", "- proc");
    check_mount(jail, "/proc/keys", "", "- ");
    check_mount(jail, "/proc/sys", "ro,", "- proc");
    check_mount(jail, "/sys", "ro,", "- sysfs");
    check_mount(jail, "/secret", "ro,", "- tmpfs");
    check_equal(jail, text, "content");
}

#define MQUEUE ",{'destination':'/dev/mqueue','type':'mqueue','options':['nosuid']}"
#define USER_MOUNTS                                                                                          \
    PROC "," DEV ","                                                                                         \
         "{'destination':'/sys','type':'sysfs','options':['ro','nosuid']},"                                  \
         "{'destination':'/secret','source':'locked/source','options':['rbind','ro']}"

/* A source below a directory that the container's root must not enter (item 122). */
static void make_locked_source(struct jail *jail)
{
    auto_free char *locked = host_path(jail, "locked");

    host_mkdir(jail, "locked");
    host_mkdir(jail, "locked/source");
    jail_write(jail, "locked/source/file", "content");
    check(jail, chmod(locked, 0700) == 0);
}

JAIL(user_namespace, 0) /* items 118, 122, 151 */
{
    make_locked_source(jail);
    user_config(jail, USER_MOUNTS MQUEUE, ",{'type':'pid'},{'type':'network'},{'type':'ipc'}");
    in_user_namespace(jail, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC, userns_has_everything);
}

JAIL(user_namespace_with_the_hosts_others, 0) /* items 115, 116, 118: the host's instances are bound */
{
    make_locked_source(jail);
    user_config(jail, USER_MOUNTS, "");
    in_user_namespace(jail, 0, userns_has_everything);
}

static void userns_is_there(struct jail *jail)
{
    check(jail, access("/inside", F_OK) == 0);
}

JAIL(user_namespace_that_cannot_reach_the_root, 0)
{
    jail_write(jail, "rootfs/inside", "x");
    user_config(jail, PROC "," DEV, ",{'type':'pid'}");
    check(jail, chmod(jail->directory, 0700) == 0);
    in_user_namespace(jail, CLONE_NEWPID, userns_is_there);
}

static void userns_is_cut_off(struct jail *jail)
{
    auto_free char *line = jail_mountinfo(jail, "/");
    auto_free char *sub = jail_mountinfo(jail, "/sub");
    auto_free char *volume = jail_mountinfo(jail, "/volume");

    check(jail, !strstr(line, "shared:") && !strstr(line, "master:"));
    check(jail, !strstr(sub, "shared:") && !strstr(sub, "master:"));
    check(jail, !strstr(volume, "shared:") && !strstr(volume, "master:"));
}

JAIL(user_namespace_is_not_a_peer_of_the_host, 0) /* what the runtime opened was the host's until now */
{
    size_t before;

    share_everything(jail);
    before = count_mounts(jail);
    user_config(jail, PROC "," DEV ",{'destination':'/volume','source':'volume','options':['bind']}",
                ",{'type':'pid'}");
    in_user_namespace(jail, CLONE_NEWPID, userns_is_cut_off);
    check(jail, count_mounts(jail) == before);
}

/* ---- id-mapped mounts -----------------------------------------------------------------------------------
 */

static void check_owner(struct jail *jail, const char *path, uid_t uid, gid_t gid)
{
    struct stat status;

    check(jail, stat(path, &status) == 0);
    if (status.st_uid != uid || status.st_gid != gid)
        jail_fail(jail, __FILE__, __LINE__, "%s belongs to %u:%u", path, status.st_uid, status.st_gid);
}

static void make_volume(struct jail *jail)
{
    auto_free char *file = host_path(jail, "volume/file");
    auto_free char *sub = host_path(jail, "volume/sub");

    host_mkdir(jail, "volume");
    jail_write(jail, "volume/file", "x");
    check(jail, chown(file, 1, 2) == 0);
    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0 && chown(sub, 1, 2) == 0);
}

JAIL(idmap, 0) /* items 100, 101, 104 */
{
    make_volume(jail);
    config(jail,
           "{'destination':'/a','source':'volume','options':['rbind','idmap','ro'],"
           "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
           "'gidMappings':[{'containerID':0,'hostID':2000,'size':10}]},"
           "{'destination':'/b','source':'volume','options':['rbind','ridmap'],"
           "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
           "'gidMappings':[{'containerID':0,'hostID':2000,'size':10}]},"
           "{'destination':'/c','source':'volume','options':['bind'],"
           "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
           "'gidMappings':[{'containerID':0,'hostID':2000,'size':10}]},"
           "{'destination':'/d','source':'volume','options':['bind','idmap=uids=0-5-1#1-7-1;gids=0-0-9']},"
           "{'destination':'/e','type':'tmpfs','options':['idmap','mode=755'],"
           "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
           "'gidMappings':[{'containerID':0,'hostID':2000,'size':10}]}",
           "");
    jail_apply(jail);
    check_owner(jail, "/a/file", 1001, 2002);
    check_owner(jail, "/a/sub", 1, 2);
    check_mount(jail, "/a", "ro,", "idmapped");
    check_owner(jail, "/b/sub", 1001, 2002);
    check_owner(jail, "/c/file", 1001, 2002);
    check_owner(jail, "/d/file", 7, 2);
    check_owner(jail, "/e", 1000, 2000);
}

static void userns_sees_its_own_ids(struct jail *jail)
{
    check_owner(jail, "/volume/file", 1, 2);
}

JAIL(idmap_of_the_containers_user_namespace, 0)
{
    make_volume(jail);
    user_config(jail, "{'destination':'/volume','source':'volume','options':['bind','idmap']}," DEV, "");
    in_user_namespace(jail, 0, userns_sees_its_own_ids);
}

JAIL(a_bad_idmap_is_an_error, 0)
{
    host_mkdir(jail, "volume");
    config(jail, "{'destination':'/d','source':'volume','options':['bind','idmap=uids=0-5;gids=0-0-9']}", "");
    check_error(jail, "mounts[0] (/d): options: idmap: a mapping has three numbers, as in 0-1000-1");
}

/* ---- terminal, procfs -----------------------------------------------------------------------------------
 */

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

    config(jail, DEV "," PTS, "");
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

    config(jail, DEV, "");
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
    config(jail, mounts, "");
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

/* ---- old kernels ----------------------------------------------------------------------------------------
 */

static void forbid(struct jail *jail, unsigned number, unsigned result)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | result),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { array_length(filter), filter };

    check(jail, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    check(jail, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

JAIL(without_mount_setattr, CLONE_NEWPID) /* item 130: Linux before 5.12 */
{
    host_mkdir(jail, "src");
    jail_config(jail, "{'ociVersion':'1.3.0','root':{'path':'rootfs','readonly':true},'mounts':[" PROC ","
                      "{'destination':'/dev','type':'tmpfs','options':['ro','nosuid']},"
                      "{'destination':'/x','source':'src','options':['rbind','ro','nodev','rprivate']},"
                      "{'destination':'/y','source':'src','options':['bind','noexec','shared']}],"
                      "'linux':{'namespaces':[{'type':'mount'},{'type':'pid'}],'maskedPaths':['/proc/keys'],"
                      "'readonlyPaths':['/proc/sys']}}");
    forbid(jail, SYS_mount_setattr, ENOSYS);
    jail_apply(jail);
    check_mount(jail, "/", "ro,", "- tmpfs");
    check_mount(jail, "/dev", "ro,nosuid", "- tmpfs");
    check_mount(jail, "/x", "ro,nodev", "- tmpfs");
    check_mount(jail, "/y", "rw,noexec,relatime shared:", "- tmpfs");
    check_mount(jail, "/proc/sys", "ro,", "- proc");
    check_no_mount(jail, "/src");
}

JAIL(recursive_attributes_need_mount_setattr, CLONE_NEWPID)
{
    host_mkdir(jail, "src");
    config(jail, "{'destination':'/x','source':'src','options':['rbind','rro']}", "");
    forbid(jail, SYS_mount_setattr, ENOSYS);
    check_error(jail, "mounts[0] (/x): set mount attributes: operation not supported");
}

JAIL(a_failed_move_is_an_error, 0) /* crun#2262: never a second try by path */
{
    host_mkdir(jail, "src");
    config(jail, "{'destination':'/x','source':'src','options':['rbind']}", "");
    jail_plan(jail);
    check(jail, rootfs_prepare(jail->plan, &jail->err) == 0);
    forbid(jail, SYS_move_mount, EPERM);
    check(jail, rootfs_mount_all(jail->plan, &jail->err) < 0);
    check_equal(jail, jail->err.text, "mounts[0] (/x): move_mount: operation not permitted");
}
