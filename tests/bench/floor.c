/*
 * floor: the least program that makes the container of the default spec and runs a program in it. It shows how much
 * of a runtime's time is the kernel's. No config, no state, no cgroup, no cleaning, no safety: not a runtime.
 *
 *   floor ROOTFS PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        _exit(1);
    }
}

static void mounts(void)
{
    static const struct {
        const char *type, *target, *data;
        unsigned long flags;
    } table[] = {
        {"proc", "proc", NULL, 0},
        {"tmpfs", "dev", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
        {"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
        {"tmpfs", "dev/shm", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
        {"mqueue", "dev/mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
        {"sysfs", "sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        mkdir(table[i].target, 0755);
        check(mount(table[i].type, table[i].target, table[i].type, table[i].flags, table[i].data), table[i].target);
    }
}

static void devices(void)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                 {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    umask(0);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
    umask(022);
    symlink("/proc/self/fd", "dev/fd");
    symlink("/proc/self/fd/0", "dev/stdin");
    symlink("/proc/self/fd/1", "dev/stdout");
    symlink("/proc/self/fd/2", "dev/stderr");
    symlink("pts/ptmx", "dev/ptmx");
}

static void masks(void)
{
    static const char *const masked[] = {"proc/kcore", "proc/keys", "proc/timer_list"};
    static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
        mount("dev/null", masked[i], NULL, MS_BIND, NULL);
    check(mount("tmpfs", "sys/firmware", "tmpfs", MS_RDONLY, "size=0"), "sys/firmware");
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
        /* what this kernel lacks is left out, as runtimes do */
        if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) == 0)
            mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
    }
}

static void privileges(void)
{
    const unsigned long long keep = 1ULL << CAP_AUDIT_WRITE | 1ULL << CAP_KILL | 1ULL << CAP_NET_BIND_SERVICE;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = (unsigned)keep, .permitted = (unsigned)keep}};
    struct rlimit files = {1024, 1024};
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (!(keep >> i & 1))
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    check((int)syscall(SYS_capset, &header, data), "capset");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int child(char **argv)
{
    check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
    check(mount(argv[1], argv[1], NULL, MS_BIND | MS_REC, NULL), argv[1]);
    check(chdir(argv[1]), argv[1]);
    mounts();
    devices();
    check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount");
    masks();
    check(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "remount");
    sethostname("floor", 5);
    setsid();
    privileges();
    execv(argv[2], argv + 2);
    check(-1, argv[2]);
    return 1;
}

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        return fputs("usage: floor ROOTFS PROGRAM [ARGUMENT...]\n", stderr), 2;
    unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    check((int)pid, "clone");
    if (pid == 0)
        return child(argv);
    check(waitpid((pid_t)pid, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
