/*
 * spec-guard [--tool-call-pipes] PROGRAM [ARGUMENT...]: turns speculative store bypass and indirect branch
 * speculation off for good, gives files it makes to nobody else (umask 0077), closes every inherited
 * descriptor from 3 on and executes PROGRAM. It is what runs first inside a jail of another tool; aril's own
 * containers do the same in their launch path. Static, needs nothing of the file system but /proc, and that
 * only where close_range(2) is missing. Its texts and exit codes are an interface (requirement G-3).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_SPECULATION_CTRL
#define PR_SET_SPECULATION_CTRL 53
#define PR_SPEC_STORE_BYPASS 0
#define PR_SPEC_INDIRECT_BRANCH 1
#define PR_SPEC_FORCE_DISABLE (1UL << 3)
#endif

#define FD_LIMIT_UNKNOWN 1024
#define FD_LIMIT_MAX 1048576
#define PIPE_OUT 3 /* --tool-call-pipes: requests go out here … */
#define PIPE_IN 4  /* … and answers come in here */

static void force_disable_speculation(void)
{
    /* Best effort: it must run where the processor has no such switch. */
    prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_FORCE_DISABLE, 0, 0);
    prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE, 0, 0);
}

static bool is_pipe(int fd, int access)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) == access && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static int close_all(int first)
{
#if defined SYS_close_range && !defined SPEC_GUARD_WITHOUT_CLOSE_RANGE
    return (int)syscall(SYS_close_range, first, ~0U, 0);
#else
    (void)first;
    errno = ENOSYS;
    return -1;
#endif
}

static void close_up_to(int first, int limit)
{
    for (int fd = first; fd < limit; fd++)
        close(fd);
}

static int close_listed(int first)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    if (!dir)
        return -1;
    while ((entry = readdir(dir))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && !*end && fd >= first && fd != dirfd(dir))
            close((int)fd);
    }
    closedir(dir);
    return 0;
}

static int soft_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return FD_LIMIT_UNKNOWN;
    return limit.rlim_cur < FD_LIMIT_MAX ? (int)limit.rlim_cur : FD_LIMIT_MAX;
}

/* The limit may have been lowered after descriptors above it were opened, so it is no bound for them. */
static void close_inherited(int first)
{
    if (close_all(first) == 0 || close_listed(first) == 0)
        return;
    if (errno == EMFILE || errno == ENFILE) {
        close_up_to(first, soft_limit()); /* makes room for the one that reads /proc */
        if (close_listed(first) == 0)
            return;
    }
    close_up_to(first, FD_LIMIT_MAX);
}

int main(int argc, char **argv)
{
    bool pipes = argc > 1 && strcmp(argv[1], "--tool-call-pipes") == 0;
    char **program = argv + (pipes ? 2 : 1);

    if (argc < 2 || !*program) {
        fputs("usage: spec-guard <command> [args...]\n", stderr);
        return 1;
    }
    if (pipes && !(is_pipe(PIPE_OUT, O_WRONLY) && is_pipe(PIPE_IN, O_RDONLY))) {
        fputs("invalid tool-call pipes\n", stderr);
        return 1;
    }
    force_disable_speculation();
    umask(0077);
    close_inherited(pipes ? PIPE_IN + 1 : STDERR_FILENO + 1);
    execvp(program[0], program);
    perror("exec");
    return 1;
}
