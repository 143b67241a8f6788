/* runtime/rootfs: the new root, what the host sees of it, races, and kernels without mount_setattr (contract
 * items 110-113, 128, 130). */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"
#include "rootfs/mount.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define JAIL(name, flags) JAIL_TEST(rootfs_isolation, name, flags)

/* ---- the root --------------------------------------------------------------------------------------- */

JAIL(no_pivot, CLONE_NEWPID) /* items 112, 113 */
{
    static char rootfs[128];
    struct rootfs_context context = { .bundle = jail->directory, .rootfs = rootfs, .no_pivot = true };
    struct stat status;

    snprintf(rootfs, sizeof rootfs, "%s/rootfs", jail->directory);
    jail_write(jail, "rootfs/inside", "x");
    jail_linux(jail, PROC, ",'maskedPaths':['/proc/keys']");
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
    auto_free char *rootfs = jail_host_path(jail, "rootfs");

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
    auto_free char *sub = jail_host_path(jail, "rootfs/sub");

    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0);
    jail_linux(jail, "", "");
    jail_apply(jail);
    check_mount(jail, "/sub", "rw", "- tmpfs");
}

/* ---- propagation: the body is the host, a child of it the container --------------------------------- */

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

    jail_share_everything(jail);
    before = jail_count_mounts(jail);
    jail_linux(jail, mounts, root);
    jail_container(jail, 0, make_mount_in_volume);
    check(jail, jail_count_mounts(jail) == before + (reaches_host ? 1 : 0));
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
    jail_share_everything(jail);
    jail_linux(jail, "{'destination':'/tmp','type':'tmpfs'}", ",'rootfsPropagation':'rshared'");
    jail_container(jail, 0, root_is_shared);
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

    jail_share_everything(jail);
    jail_write(jail, "rootfs/file", "x");
    before = jail_count_mounts(jail);
    jail_linux(jail, PROC "," DEV, ",'rootfsPropagation':'rshared','maskedPaths':['/proc/keys']");
    jail_container(jail, 0, covers_what_the_runtime_brought);
    check(jail, jail_count_mounts(jail) == before);
}

JAIL(an_unbindable_root, 0)
{
    jail_linux(jail, "", ",'rootfsPropagation':'unbindable'");
    jail_container(jail, 0, root_is_unbindable);
}

static void types_are_applied_in_order(struct jail *jail)
{
    check_mount(jail, "/x", "shared:", "- tmpfs");
    check_mount(jail, "/y", "unbindable", "- tmpfs");
    check_mount(jail, "/z", "rw,relatime shared:", "master:");
}

JAIL(several_propagation_options, 0) /* item 110 */
{
    jail_share_everything(jail);
    jail_linux(jail,
               "{'destination':'/x','type':'tmpfs','options':['private','shared']},"
               "{'destination':'/y','type':'tmpfs','options':['unbindable']},"
               "{'destination':'/z','source':'volume','options':['bind','slave','shared']}",
               ",'rootfsPropagation':'shared'");
    jail_container(jail, 0, types_are_applied_in_order);
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

    jail_share_everything(jail);
    before = jail_count_mounts(jail);
    jail_linux(jail,
               "{'destination':'/slave','source':'volume','options':['rbind','rslave']},"
               "{'destination':'/private','source':'volume','options':['rbind']},"
               "{'destination':'/volume','source':'volume','options':['rbind','rprivate']}",
               "");
    jail_container(jail, 0, only_slaves_see_the_host);
    check(jail, jail_count_mounts(jail) == before);
}

/* ---- races ------------------------------------------------------------------------------------------ */

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* Another container that shares the volume exchanges a directory for a link, again and again, until it is
 * killed. */
static pid_t start_swapper(struct jail *jail)
{
    auto_free char *directory = jail_host_path(jail, "volume/dir");
    auto_free char *link = jail_host_path(jail, "volume/link");
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

    jail_mkdir(jail, "volume");
    jail_mkdir(jail, "volume/dir");
    jail_mkdir(jail, "victim");
    jail_symlink(jail, "../../victim", "volume/link");
    jail_write(jail, "file", "x");
    {
        auto_free char *volume = jail_host_path(jail, "rootfs/vol");

        check(jail, symlink("volume", volume) == 0);
    }
    mounts = jail_count_mounts(jail);
    jail_linux(jail,
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
    check(jail, jail_count_mounts(jail) == mounts);
    {
        auto_free char *victim = jail_host_path(jail, "victim");

        check(jail, stat(victim, &status) == 0 && status.st_nlink == 2);
        check(jail, rmdir(victim) == 0); /* still empty */
    }
}

/* ---- old kernels ------------------------------------------------------------------------------------ */

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
    jail_mkdir(jail, "src");
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

static void old_kernel_is_cut_off(struct jail *jail)
{
    check_mount(jail, "/slave", "master:", "- tmpfs");
    {
        auto_free char *private = jail_mountinfo(jail, "/volume");

        check(jail, !strstr(private, "master:") && !strstr(private, "shared:"));
    }
    make_mount_in_volume(jail);
}

static void old_kernel(struct jail *jail, const char *propagation)
{
    size_t before;

    jail_share_everything(jail);
    before = jail_count_mounts(jail);
    jail_linux(jail,
               DEV "," PROC
                   ",{'destination':'/volume','source':'volume','options':['rbind','ro','rw','rprivate']},"
                   "{'destination':'/slave','source':'volume','options':['rbind','rslave']}",
               propagation);
    forbid(jail, SYS_mount_setattr, ENOSYS);
    jail_container(jail, 0, old_kernel_is_cut_off);
    check(jail, jail_count_mounts(jail) == before);
}

JAIL(without_mount_setattr_nothing_reaches_the_host, CLONE_NEWPID)
{
    old_kernel(jail, "");
}

JAIL(without_mount_setattr_a_slave_root, CLONE_NEWPID)
{
    old_kernel(jail, ",'rootfsPropagation':'rslave','maskedPaths':['/proc/keys']");
}

JAIL(recursive_attributes_need_mount_setattr, CLONE_NEWPID)
{
    jail_mkdir(jail, "src");
    jail_linux(jail, "{'destination':'/x','source':'src','options':['rbind','rro']}", "");
    forbid(jail, SYS_mount_setattr, ENOSYS);
    check_error(jail, "mounts[0] (/x): set mount attributes: operation not supported");
}

JAIL(a_failed_move_is_an_error, 0) /* crun#2262: never a second try by path */
{
    jail_mkdir(jail, "src");
    jail_linux(jail, "{'destination':'/x','source':'src','options':['rbind']}", "");
    jail_plan(jail);
    check(jail, rootfs_prepare(jail->plan, &jail->err) == 0);
    forbid(jail, SYS_move_mount, EPERM);
    check(jail, rootfs_mount_all(jail->plan, &jail->err) < 0);
    check_equal(jail, jail->err.text, "mounts[0] (/x): move_mount: operation not permitted");
}

/* ---- a mount namespace for a moment ------------------------------------------------------------------- */

static int make_hidden(struct rootfs_plan *plan, struct error *err)
{
    int tree;

    if (mount("aril-hidden", plan->rootfs, "tmpfs", 0, NULL) < 0)
        return fail_errno(err, "mount");
    tree = sys_open_tree(AT_FDCWD, plan->rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return tree < 0 ? fail_errno(err, "open_tree") : tree;
}

static int refuse(struct rootfs_plan *plan, struct error *err)
{
    return fail(err, EBUSY, "not below %s", plan->rootfs);
}

static int die(struct rootfs_plan *plan, struct error *err)
{
    (void)plan;
    (void)err;
    return raise(SIGKILL);
}

/* O-18: the mount reaches whoever asked for it, and nobody sees how it was made, not even on shared mounts */
JAIL(a_mount_made_apart, 0)
{
    struct statfs status;
    size_t before;
    int tree;

    jail_share_everything(jail);
    jail_linux(jail, PROC, "");
    jail_plan(jail);
    before = jail_count_mounts(jail);
    tree = apart_mount(jail->plan, make_hidden, &jail->err);
    check(jail, tree >= 0 && fstatfs(tree, &status) == 0 && status.f_type == TMPFS_MAGIC);
    check(jail, jail_count_mounts(jail) == before);
    check(jail, apart_mount(jail->plan, refuse, &jail->err) < 0 && jail->err.code == EBUSY);
    check_contains(jail, jail->err.text, "not below /");
    check(jail, apart_mount(jail->plan, die, &jail->err) < 0);
    check_equal(jail, jail->err.text, "the process that makes a mount was killed");
}
