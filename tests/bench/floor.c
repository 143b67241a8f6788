/*
 * floor: makes a container with the least system calls that make it, and runs a program in it. It shows how
 * much of a runtime's time is the kernel's. It checks nothing and keeps no state: not a runtime.
 *
 *   floor RECIPE PROGRAM [ARGUMENT...]
 *
 * The recipe, which tests/bench/recipe.sh writes from a config.json, has a system call or two on each line,
 * as words separated by tabs; the rows below say which there are. What comes before `clone` is done by the
 * parent, the rest by the child. At the end the parent removes the directories that it made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORDS = 24, MAX_LINES = 4000, MAX_ENVIRONMENT = 64, RECIPE_SIZE = 1 << 20, FILTER_SIZE = 1 << 18 };

static char *environment[MAX_ENVIRONMENT + 1];
static int environment_count;

/* ---- the rows: each gets the words after its name, and returns what the system call did
 * ---------------------- */

static unsigned long number(const char *word)
{
    return strtoul(word, NULL, 0);
}

static const char *optional(const char *word)
{
    return word && *word ? word : NULL;
}

/* mkdir PATH */
static int make_directory(char **words)
{
    return mkdir(words[0], 0755);
}

/* write FILE TEXT... */
static int write_file(char **words)
{
    int fd = open(words[0], O_WRONLY | O_CLOEXEC);
    for (int i = 1; fd >= 0 && words[i]; i++)
        if (write(fd, words[i], strlen(words[i])) < 0)
            return -1;
    return fd < 0 ? -1 : close(fd);
}

/* unshare FLAGS */
static int unshare_more(char **words)
{
    return unshare((int)number(words[0]));
}

/* session */
static int new_session(char **words)
{
    (void)words;
    return setsid();
}

/* keyring NAME */
static int join_keyring(char **words)
{
    return (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, words[0]);
}

/* loopback */
static int bring_up_loopback(char **words)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)words;
    return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

/* chdir PATH */
static int change_directory(char **words)
{
    return chdir(words[0]);
}

/* mount SOURCE TARGET TYPE FLAGS [DATA] */
static int mount_one(char **words)
{
    return mount(optional(words[0]), words[1], optional(words[2]), number(words[3]),
                 words[4] ? optional(words[4]) : NULL);
}

/* umask MODE */
static int set_umask(char **words)
{
    umask((mode_t)number(words[0]));
    return 0;
}

/* node PATH MAJOR MINOR */
static int make_node(char **words)
{
    return mknod(words[0], S_IFCHR | 0666, makedev(number(words[1]), number(words[2])));
}

/* link TARGET PATH */
static int make_link(char **words)
{
    return symlink(words[0], words[1]);
}

/* pivot: the current directory becomes the root */
static int pivot(char **words)
{
    (void)words;
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return -1;
    return umount2(".", MNT_DETACH);
}

/* hostname NAME */
static int set_hostname(char **words)
{
    return sethostname(words[0], strlen(words[0]));
}

/* rlimit NUMBER SOFT HARD */
static int set_limit(char **words)
{
    struct rlimit limit = { number(words[1]), number(words[2]) };
    return setrlimit((__rlimit_resource_t)number(words[0]), &limit);
}

/* capabilities MASK LAST: the bounding, permitted and effective sets */
static int set_capabilities(char **words)
{
    unsigned long mask = number(words[0]), last = number(words[1]);
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { .effective = (unsigned)mask, .permitted = (unsigned)mask },
                                              { .effective = (unsigned)(mask >> 32),
                                                .permitted = (unsigned)(mask >> 32) } };
    for (unsigned long i = 0; i <= last; i++)
        if (!(mask >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
            return -1;
    return (int)syscall(SYS_capset, &header, data);
}

/* no_new_privileges */
static int no_new_privileges(char **words)
{
    (void)words;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* env NAME=VALUE */
static int add_environment(char **words)
{
    if (environment_count == MAX_ENVIRONMENT)
        return errno = E2BIG, -1;
    environment[environment_count++] = words[0];
    return 0;
}

static struct sock_filter program[FILTER_SIZE / sizeof(struct sock_filter)];
static size_t program_size;

/* filter FILE: the BPF program in it, as filter_of writes it */
static int read_filter(char **words)
{
    int fd = open(words[0], O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, program, sizeof program);
    if (size < 0)
        return -1;
    program_size = (size_t)size;
    return close(fd);
}

/* seccomp: loads it */
static int load_filter(char **words)
{
    struct sock_fprog filter = { (unsigned short)(program_size / sizeof *program), program };
    (void)words;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

static const struct row {
    const char *name;
    int words; /* at least */
    int (*run)(char **words);
} rows[] = {
    { "mkdir", 1, make_directory },
    { "write", 2, write_file },
    { "unshare", 1, unshare_more },
    { "session", 0, new_session },
    { "keyring", 1, join_keyring },
    { "loopback", 0, bring_up_loopback },
    { "chdir", 1, change_directory },
    { "mount", 4, mount_one },
    { "umask", 1, set_umask },
    { "node", 3, make_node },
    { "link", 2, make_link },
    { "pivot", 0, pivot },
    { "hostname", 1, set_hostname },
    { "rlimit", 3, set_limit },
    { "capabilities", 2, set_capabilities },
    { "no_new_privileges", 0, no_new_privileges },
    { "env", 1, add_environment },
    { "filter", 1, read_filter },
    { "seccomp", 0, load_filter },
};

/* ---- the recipe
 * ------------------------------------------------------------------------------------------------- */

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "floor: %s%s%s: %s\n", what, detail ? " " : "", detail ? detail : "", strerror(errno));
    _exit(1);
}

/* reads the file; lines are where each begins */
static int read_recipe(const char *path, char **lines)
{
    static char text[RECIPE_SIZE];
    int count = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size < 0)
        fail(path, NULL);
    close(fd);
    for (char *line = text, *end; *line && count < MAX_LINES; line = end + 1) {
        lines[count++] = line;
        end = strchrnul(line, '\n');
        if (!*end)
            break;
        *end = 0;
    }
    return count;
}

static void split(char *line, char **words)
{
    int count = 0;
    while (count < MAX_WORDS && (words[count] = strsep(&line, "\t")))
        count++;
    words[count] = NULL;
}

static void run_line(char *line)
{
    char *words[MAX_WORDS + 1];
    split(line, words);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, words[0]))
            continue;
        for (int j = 1; j <= rows[i].words; j++)
            if (!words[j])
                errno = EINVAL, fail(words[0], NULL);
        if (rows[i].run(words + 1) < 0)
            fail(words[0], words[1]);
        return;
    }
    errno = EINVAL;
    fail(words[0], NULL);
}

static bool is_clone(const char *line)
{
    return !strncmp(line, "clone\t", 6);
}

int main(int argc, char **argv)
{
    static char *lines[MAX_LINES];
    int status;
    if (argc < 3)
        return fputs("usage: floor RECIPE PROGRAM [ARGUMENT...]\n", stderr), 2;
    int count = read_recipe(argv[1], lines), first = 0;
    for (; first < count && !is_clone(lines[first]); first++)
        run_line(lines[first]);
    if (first == count)
        errno = EINVAL, fail(argv[1], "has no clone");
    long pid = syscall(SYS_clone, number(lines[first] + 6) | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        fail("clone", NULL);
    if (pid == 0) {
        while (++first < count)
            run_line(lines[first]);
        execve(argv[2], argv + 2, environment);
        fail(argv[2], NULL);
    }
    if (waitpid((pid_t)pid, &status, 0) < 0)
        fail("waitpid", NULL);
    while (first-- > 0) /* run_line has cut the words apart: the path follows the name */
        if (!strcmp(lines[first], "mkdir") && rmdir(lines[first] + sizeof "mkdir") < 0)
            fail("rmdir", lines[first] + sizeof "mkdir");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
