/*
 * steps: runs a command instruction by instruction, and says which of its instructions it executed how often.
 *
 *   steps RESULT COMMAND...
 *
 * RESULT gets a line for each instruction, its address in the file and the count, of the command itself and
 * of what it clones until that executes another program (which must not be position-independent, as a static
 * busybox is not). What still runs when the command ends is killed. It takes a minute for a million.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_SIZE = 1 << 23 };

#define LIBRARIES 0x7f0000000000UL /* position-independent programs are above this */

static unsigned counts[PROGRAM_SIZE];
static unsigned long base;

static void die(const char *what)
{
    fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Where its file begins in memory, which is the same after a second start. */
static void find_base(pid_t pid)
{
    char path[64], line[512], flags[8];
    unsigned long start, offset;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        die(path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%lx-%*x %7s %lx", &start, flags, &offset) == 3 && offset == 0 &&
            start > LIBRARIES && !strchr(line, '[')) {
            base = start;
            break;
        }
    fclose(file);
}

/* Returns whether the process is worth following. */
static bool count_step(pid_t pid)
{
    unsigned long at = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), 0);
    if (at >= base && at - base < PROGRAM_SIZE)
        counts[at - base]++;
    return at > LIBRARIES;
}

static pid_t start(char **command)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return pid;
    personality(ADDR_NO_RANDOMIZE);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(command[0], command);
    die(command[0]);
    return -1;
}

/* Follows all until the first ends. */
static int follow(pid_t first)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        int signal = 0;
        bool stepped = true;
        if (pid < 0)
            die("wait");
        if (!WIFSTOPPED(status)) {
            if (pid == first)
                return status;
            continue;
        }
        if (WSTOPSIG(status) != SIGTRAP)
            signal = WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
        else if (status >> 16 == PTRACE_EVENT_EXEC)
            find_base(pid);
        else
            stepped = count_step(pid);
        ptrace(stepped ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, 0, signal);
    }
}

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        return fputs("usage: steps RESULT COMMAND...\n", stderr), 2;
    pid_t pid = start(argv + 2);
    waitpid(pid, &status, 0);
    if (ptrace(PTRACE_SETOPTIONS, pid, 0,
               PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                   PTRACE_O_EXITKILL) < 0)
        die("ptrace");
    ptrace(PTRACE_CONT, pid, 0, 0);
    status = follow(pid);
    FILE *file = fopen(argv[1], "we");
    if (!file)
        die(argv[1]);
    for (unsigned long i = 0; i < PROGRAM_SIZE; i++)
        if (counts[i])
            fprintf(file, "%lx %u\n", i, counts[i]);
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
