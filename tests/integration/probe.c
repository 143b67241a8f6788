/*
 * probe: prints as one JSON object what a process sees, so that tests compare facts and need no image.
 * It is the payload of the test containers, linked statically. It trusts nothing but the kernel: what /proc does
 * not tell (or may not be mounted for) comes from system calls.
 *
 *   probe                  the report
 *   probe look PATH...     the report, with what can be learnt of the paths and what some system calls answer; on a
 *                          terminal it waits for input then, because runtimes lose output that is there at the end
 *   probe exit N           ends with status N
 *   probe kill N           ends by signal N (blocks nothing, resets the handler)
 *   probe wait             sleeps until a signal ends it
 *   probe open MODE PATH   r, w or c (create): prints "ok" or the name of the error
 *   probe fds              the open descriptors, one per line
 *   probe eat MIB          touches that much memory, then sleeps
 *   probe notify TEXT      sends TEXT to the datagram socket that NOTIFY_SOCKET names
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- a small JSON writer: the comma before a member is decided by the character before it ---------------- */

static char last = '{';

static void put(const char *text)
{
    fputs(text, stdout);
    if (*text)
        last = text[strlen(text) - 1];
}

static void put_comma(void)
{
    if (last != '{' && last != '[')
        put(",");
}

static void put_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
    last = '"';
}

static void put_key(const char *key)
{
    put_comma();
    put_string(key);
    put(":");
}

static void put_number(const char *key, long long value)
{
    put_key(key);
    printf("%lld", value);
    last = '0';
}

static void put_text(const char *key, const char *value)
{
    put_key(key);
    put_string(value);
}

static void put_octal(const char *key, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%04o", value);
    put_text(key, text);
}

static void put_item(const char *value)
{
    put_comma();
    put_string(value);
}

/* ---- files ------------------------------------------------------------------------------------------------ */

/* the file's first bytes without trailing newlines, or "" */
static const char *slurp(const char *path)
{
    static char text[65536];
    ssize_t used = 0, got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "";
    while ((got = read(fd, text + used, sizeof text - 1 - (size_t)used)) > 0)
        used += got;
    close(fd);
    while (used > 0 && text[used - 1] == '\n')
        used--;
    text[used] = 0;
    return text;
}

static const char *link_target(const char *path)
{
    static char target[4096];
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    return target;
}

/* the value of "Key:\tvalue" in /proc/self/status */
static const char *status_value(const char *key)
{
    static char value[256];
    const char *line = slurp("/proc/self/status");
    size_t length = strlen(key);
    value[0] = 0;
    for (; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (!strncmp(line, key, length) && line[length] == ':') {
            sscanf(line + length + 1, " %255[^\n]", value);
            break;
        }
    }
    return value;
}

/* ---- sections of the report --------------------------------------------------------------------------------- */

static void report_ids(void)
{
    unsigned r, e, s;
    syscall(SYS_getresuid, &r, &e, &s);
    put_key("uid");
    printf("[%u,%u,%u,%ld]", r, e, s, syscall(SYS_setfsuid, -1));
    last = ']';
    syscall(SYS_getresgid, &r, &e, &s);
    put_key("gid");
    printf("[%u,%u,%u,%ld]", r, e, s, syscall(SYS_setfsgid, -1));
    last = ']';
    gid_t groups[256];
    int count = getgroups(256, groups);
    put_key("groups");
    put("[");
    for (int i = 0; i < count; i++) {
        put_comma();
        printf("%u", groups[i]);
        last = '0';
    }
    put("]");
}

static void report_processes(void)
{
    put_number("pid", getpid());
    put_number("ppid", getppid());
    put_number("pgid", getpgid(0));
    put_number("sid", getsid(0));
    int nr = 0;
    const char *stat = strrchr(slurp("/proc/self/stat"), ')');
    if (stat)
        sscanf(stat, ") %*c %*d %*d %*d %d", &nr);
    put_number("tty_nr", nr);
    put_number("dumpable", prctl(PR_GET_DUMPABLE));
    int signal = 0;
    prctl(PR_GET_PDEATHSIG, &signal);
    put_number("parent_death_signal", signal);
}

static const char *const capability_names[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
};
#define CAPABILITY_COUNT (sizeof capability_names / sizeof *capability_names)

static void put_capabilities(const char *key, uint64_t set)
{
    put_key(key);
    put("[");
    for (unsigned i = 0; i < 64; i++) {
        char name[64];
        if (!(set >> i & 1))
            continue;
        if (i < CAPABILITY_COUNT)
            snprintf(name, sizeof name, "CAP_%s", capability_names[i]);
        else
            snprintf(name, sizeof name, "%u", i);
        put_item(name);
    }
    put("]");
}

static void report_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    uint64_t bounding = 0, ambient = 0;
    syscall(SYS_capget, &header, data);
    for (unsigned i = 0; i < 64; i++) {
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            bounding |= UINT64_C(1) << i;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
            ambient |= UINT64_C(1) << i;
    }
    put_key("capabilities");
    put("{");
    put_capabilities("bounding", bounding);
    put_capabilities("effective", data[0].effective | (uint64_t)data[1].effective << 32);
    put_capabilities("permitted", data[0].permitted | (uint64_t)data[1].permitted << 32);
    put_capabilities("inheritable", data[0].inheritable | (uint64_t)data[1].inheritable << 32);
    put_capabilities("ambient", ambient);
    put("}");
    put_number("securebits", prctl(PR_GET_SECUREBITS));
    put_number("no_new_privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    put_number("seccomp", prctl(PR_GET_SECCOMP));
    put_number("seccomp_filters", atoi(status_value("Seccomp_filters")));
}

static void report_rlimits(void)
{
    static const char *const names[] = {"CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
                                        "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
    put_key("rlimits");
    put("{");
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        struct rlimit limit;
        char key[32];
        if (getrlimit((__rlimit_resource_t)i, &limit) < 0)
            continue;
        snprintf(key, sizeof key, "RLIMIT_%s", names[i]);
        put_key(key);
        printf("{\"soft\":%lld,\"hard\":%lld}", (long long)limit.rlim_cur, (long long)limit.rlim_max);
        last = '}';
    }
    put("}");
}

/* calls show(fd, target) for each descriptor that was open before we looked */
static void each_fd(void (*show)(int fd, const char *target))
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[64];
        int fd = atoi(entry->d_name);
        if (!isdigit((unsigned char)*entry->d_name) || fd == dirfd(directory))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        show(fd, link_target(path));
    }
    closedir(directory);
}

static void put_fd(int fd, const char *target)
{
    struct stat info;
    put_comma();
    put("{");
    put_number("fd", fd);
    put_text("target", target);
    put_number("flags", fcntl(fd, F_GETFL));
    if (!fstat(fd, &info)) {
        put_number("uid", info.st_uid);
        put_octal("mode", info.st_mode & 07777);
    }
    put("}");
}

static void print_fd(int fd, const char *target)
{
    printf("%d %s\n", fd, target);
}

static void report_fds(void)
{
    put_key("fds");
    put("[");
    each_fd(put_fd);
    put("]");
}

static void report_terminal(void)
{
    struct winsize size = {0};
    char name[64] = "";
    put_key("terminal");
    put("{");
    put_number("stdin", isatty(0));
    put_number("stdout", isatty(1));
    put_number("stderr", isatty(2));
    ttyname_r(0, name, sizeof name);
    put_text("name", name);
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    put_number("controlling", fd >= 0);
    if (ioctl(fd >= 0 ? fd : 0, TIOCGWINSZ, &size) < 0)
        size.ws_row = size.ws_col = 0;
    put_number("rows", size.ws_row);
    put_number("columns", size.ws_col);
    if (fd >= 0)
        close(fd);
    put("}");
}

static void report_surroundings(int argc, char **argv)
{
    char cwd[4096] = "", text[64];
    struct utsname names;
    struct statvfs root;
    put_text("cwd", getcwd(cwd, sizeof cwd) ? cwd : "");
    mode_t mask = umask(0);
    umask(mask);
    put_octal("umask", mask);
    put_key("args");
    put("[");
    for (int i = 0; i < argc; i++)
        put_item(argv[i]);
    put("]");
    put_key("env");
    put("[");
    for (char **entry = environ; *entry; entry++)
        put_item(*entry);
    put("]");
    uname(&names);
    put_text("hostname", names.nodename);
    put_text("domainname", names.domainname);
    put_text("machine", names.machine);
    snprintf(text, sizeof text, "0x%x", (unsigned)personality(0xffffffff));
    put_text("personality", text);
    put_number("oom_score_adj", atoll(slurp("/proc/self/oom_score_adj")));
    put_number("root_readonly", !statvfs("/", &root) && root.f_flag & ST_RDONLY);
    put_text("exe", link_target("/proc/self/exe"));
}

static void report_namespaces(void)
{
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    put_key("namespaces");
    put("{");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        put_text(names[i], link_target(path));
    }
    put("}");
    put_text("uid_map", slurp("/proc/self/uid_map"));
    put_text("gid_map", slurp("/proc/self/gid_map"));
    put_text("setgroups", slurp("/proc/self/setgroups"));
    put_text("timens_offsets", slurp("/proc/self/timens_offsets"));
    put_text("cgroup", slurp("/proc/self/cgroup"));
}

/* 36 35 0:30 / /proc rw,nosuid shared:1 master:2 - proc proc rw */
static void put_mount(char *line)
{
    char *rest, *fields[6], *separator = strstr(line, " - ");
    if (!separator)
        return;
    *separator = 0;
    for (int i = 0; i < 6; i++)
        fields[i] = strtok_r(i ? NULL : line, " ", &rest);
    char *propagation = strtok_r(NULL, "", &rest);
    char *after = separator + 3;
    char *type = strsep(&after, " "), *source = strsep(&after, " "), *super = strsep(&after, " ");
    put_comma();
    put("{");
    put_text("root", fields[3]);
    put_text("target", fields[4]);
    put_text("options", fields[5]);
    put_text("propagation", propagation ? propagation : "");
    put_text("type", type ? type : "");
    put_text("source", source ? source : "");
    put_text("super", super ? super : "");
    put("}");
}

static void report_mounts(void)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    put_key("mounts");
    put("[");
    while (file && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        put_mount(line);
    }
    put("]");
    if (file)
        fclose(file);
    free(line);
}

static void report_scheduling(void)
{
    struct sched_param parameter = {0};
    cpu_set_t set;
    long io = syscall(SYS_ioprio_get, 1, 0);
    put_key("scheduling");
    put("{");
    put_number("policy", sched_getscheduler(0));
    sched_getparam(0, &parameter);
    put_number("priority", parameter.sched_priority);
    put_number("nice", getpriority(PRIO_PROCESS, 0));
    put_number("io_class", io >> 13);
    put_number("io_priority", io & 0x1fff);
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    put_key("cpus");
    put("[");
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &set)) {
            put_comma();
            printf("%d", i);
            last = '0';
        }
    }
    put("]");
    put("}");
}

static void report_rest(void)
{
    char keyring[256] = "";
    /* KEYCTL_DESCRIBE of KEY_SPEC_SESSION_KEYRING: "keyring;uid;gid;perm;name" */
    long length = syscall(SYS_keyctl, 6, -3, keyring, sizeof keyring, 0);
    put_text("keyring", length > 0 && strrchr(keyring, ';') ? strrchr(keyring, ';') + 1 : "");
    put_number("keyring_id", syscall(SYS_keyctl, 0, -3, 0));
    memset(keyring, 0, sizeof keyring);
    syscall(SYS_keyctl, 17, -3, keyring, sizeof keyring - 1); /* KEYCTL_GET_SECURITY */
    put_text("keyring_label", keyring);
    put_key("signals");
    put("{");
    put_text("blocked", status_value("SigBlk"));
    put_text("ignored", status_value("SigIgn"));
    put("}");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    put_number("monotonic", now.tv_sec);
    clock_gettime(CLOCK_BOOTTIME, &now);
    put_number("boottime", now.tv_sec);
}

/* ---- of paths and system calls, for `look` ---------------------------------------------------------------- */

static const char *file_type(mode_t mode)
{
    static const char *const names[] = {"none", "fifo", "char", "3",    "dir",    "5", "block", "7",
                                        "file", "9",    "link", "11", "socket", "13", "14",    "15"};
    return names[mode >> 12 & 15];
}

/* "ok" or the name of the error. A device is opened, too: the cgroup may forbid it. */
static const char *open_result(const char *path, int flags, bool directory)
{
    int fd;
    if (directory && flags == O_WRONLY)
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? strerrorname_np(errno) : "ok";
    fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return strerrorname_np(errno);
    close(fd);
    return "ok";
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_entries(const char *path)
{
    char *names[1024];
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; count < 1024 && (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, (size_t)count, sizeof *names, by_name);
    put_key("entries");
    put("[");
    for (int i = 0; i < count; i++) {
        put_item(names[i]);
        free(names[i]);
    }
    put("]");
}

static void put_content(const char *path, const struct stat *info)
{
    char text[32];
    if (S_ISLNK(info->st_mode))
        put_text("link", link_target(path));
    if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode)) {
        snprintf(text, sizeof text, "%u:%u", major(info->st_rdev), minor(info->st_rdev));
        put_text("rdev", text);
    }
    put_text("read", open_result(path, O_RDONLY, S_ISDIR(info->st_mode)));
    put_text("write", open_result(path, O_WRONLY, S_ISDIR(info->st_mode)));
    if (S_ISDIR(info->st_mode))
        put_entries(path);
    if (S_ISREG(info->st_mode))
        put_text("text", slurp(path));
}

static void report_paths(char **paths)
{
    put_key("files");
    put("{");
    for (; *paths; paths++) {
        struct stat info;
        put_key(*paths);
        put("{");
        if (lstat(*paths, &info) < 0) {
            put_text("type", strerrorname_np(errno));
        } else {
            put_text("type", file_type(info.st_mode));
            put_octal("mode", info.st_mode & 07777);
            put_number("uid", info.st_uid);
            put_number("gid", info.st_gid);
            put_content(*paths, &info);
        }
        put("}");
    }
    put("}");
}

static void put_call(const char *name, long result)
{
    put_text(name, result < 0 ? strerrorname_np(errno) : "ok");
}

/* calls that change nothing, whatever they answer; what seccomp filters and capabilities do to them */
static void report_calls(void)
{
    put_key("calls");
    put("{");
    put_call("mkdir", mkdir("/proc/none/none", 0700));
    put_call("chmod", chmod("/proc/none/none", 0700));
    put_call("getpriority", syscall(SYS_getpriority, PRIO_PROCESS, 0));
    put_call("getpriority of a group", syscall(SYS_getpriority, PRIO_PGRP, 0));
    put_call("chroot", chroot("/"));
    put_call("sethostname", syscall(SYS_sethostname, "", -1));
    put_call("unshare", unshare(CLONE_NEWUTS));
    put_call("bind", syscall(SYS_bind, -1, NULL, 0));
    put_call("openat2", syscall(SYS_openat2, -1, NULL, NULL, 0));
    put_call("number 1000", syscall(1000));
    put("}");
}

static int report(int argc, char **argv)
{
    put("{");
    report_fds();
    report_ids();
    report_processes();
    report_capabilities();
    report_rlimits();
    report_terminal();
    report_surroundings(argc, argv);
    report_namespaces();
    report_mounts();
    report_scheduling();
    report_rest();
    if (argc > 1 && !strcmp(argv[1], "look")) {
        report_paths(argv + 2);
        report_calls();
    }
    put("}");
    put("\n");
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "look") && isatty(0))
        return read(0, &(char){0}, 1) < 0;
    return 0;
}

/* ---- the other commands --------------------------------------------------------------------------------------- */

static int do_kill(int number)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(number, SIG_DFL);
    kill(getpid(), number);
    /* the kernel protects pid 1 of a namespace from signals without a handler */
    return 99;
}

static int do_open(const char *mode, const char *path)
{
    int flags = *mode == 'r' ? O_RDONLY : *mode == 'c' ? O_WRONLY | O_CREAT : O_WRONLY;
    int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, 0644);
    puts(fd >= 0 ? "ok" : strerrorname_np(errno));
    return fd < 0;
}

static int do_eat(size_t mebibytes)
{
    size_t size = mebibytes << 20;
    char *memory = malloc(size);
    if (!memory)
        return 1;
    for (size_t i = 0; i < size; i += 4096)
        memory[i] = 1;
    pause();
    return memory[0];
}

static int do_notify(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!path || fd < 0)
        return 1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof address) < 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "exit") && argc == 3)
        return atoi(argv[2]);
    if (!strcmp(what, "kill") && argc == 3)
        return do_kill(atoi(argv[2]));
    if (!strcmp(what, "wait"))
        return pause();
    if (!strcmp(what, "open") && argc == 4)
        return do_open(argv[2], argv[3]);
    if (!strcmp(what, "eat") && argc == 3)
        return do_eat((size_t)atoi(argv[2]));
    if (!strcmp(what, "notify") && argc == 3)
        return do_notify(argv[2]);
    if (!strcmp(what, "fds"))
        return each_fd(print_fd), 0;
    return report(argc, argv);
}
