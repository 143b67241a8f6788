/*
 * filter_of: writes the seccomp program that a process has loaded, so that the floor loads the very same.
 *
 *   filter_of PID >PROGRAM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

int main(int argc, char **argv)
{
    static struct sock_filter program[1 << 15];
    pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
        waitpid(pid, NULL, __WALL) < 0) {
        fprintf(stderr, "filter_of: process %d: %s\n", (int)pid, strerror(errno));
        return 1;
    }
    long count = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)0, program);
    if (count < 0) {
        fprintf(stderr, "filter_of: its filter: %s\n", strerror(errno));
        return 1;
    }
    return fwrite(program, sizeof *program, (size_t)count, stdout) != (size_t)count;
}
