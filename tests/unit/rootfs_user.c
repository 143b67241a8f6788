/* runtime/rootfs: user namespaces and id-mapped mounts (contract items 100-105, 115-118, 122, 151). */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define JAIL(name, flags) JAIL_TEST(rootfs_user, name, flags)

/* ---- user namespaces -------------------------------------------------------------------------------- */

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
    auto_free char *rootfs = jail_host_path(jail, "rootfs");
    auto_free char *dev = jail_host_path(jail, "rootfs/dev");
    auto_free char *proc = jail_host_path(jail, "hostdev");

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
    auto_free char *locked = jail_host_path(jail, "locked");

    jail_mkdir(jail, "locked");
    jail_mkdir(jail, "locked/source");
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

    jail_share_everything(jail);
    before = jail_count_mounts(jail);
    user_config(jail, PROC "," DEV ",{'destination':'/volume','source':'volume','options':['bind']}",
                ",{'type':'pid'}");
    in_user_namespace(jail, CLONE_NEWPID, userns_is_cut_off);
    check(jail, jail_count_mounts(jail) == before);
}

/* ---- id-mapped mounts ------------------------------------------------------------------------------- */

static void check_owner(struct jail *jail, const char *path, uid_t uid, gid_t gid)
{
    struct stat status;

    check(jail, stat(path, &status) == 0);
    if (status.st_uid != uid || status.st_gid != gid)
        jail_fail(jail, __FILE__, __LINE__, "%s belongs to %u:%u", path, status.st_uid, status.st_gid);
}

static void make_volume(struct jail *jail)
{
    auto_free char *file = jail_host_path(jail, "volume/file");
    auto_free char *sub = jail_host_path(jail, "volume/sub");

    jail_mkdir(jail, "volume");
    jail_write(jail, "volume/file", "x");
    check(jail, chown(file, 1, 2) == 0);
    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0 && chown(sub, 1, 2) == 0);
}

JAIL(idmap, 0) /* items 100, 101, 104 */
{
    make_volume(jail);
    jail_linux(
        jail,
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
    jail_mkdir(jail, "volume");
    jail_linux(jail, "{'destination':'/d','source':'volume','options':['bind','idmap=uids=0-5;gids=0-0-9']}",
               "");
    check_error(jail, "mounts[0] (/d): options: idmap: a mapping has three numbers, as in 0-1000-1");
}
