/*
 * deny-calls: runs a program for which system calls of the mount API do not exist (ENOSYS), as on an old
 * kernel or under a seccomp filter that does not know them. Inherited by everything the program starts.
 *
 *   deny-calls all|mount_setattr|openat2 PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned calls[] = { SYS_mount_setattr, SYS_open_tree, SYS_move_mount, SYS_fsopen,
                                  SYS_fsconfig,      SYS_fsmount,   SYS_fspick };
#define COUNT (sizeof calls / sizeof calls[0])

static int deny(const unsigned *denied, size_t count)
{
    struct sock_filter program[COUNT * 2 + 2];
    struct sock_fprog filter = { .filter = program };

    program[filter.len++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        program[filter.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0, 1);
        program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int deny_named(const char *name)
{
    static const unsigned openat2 = SYS_openat2;

    if (strcmp(name, "openat2") == 0)
        return deny(&openat2, 1);
    return deny(calls, strcmp(name, "all") == 0 ? COUNT : 1);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fputs("usage: deny-calls all|mount_setattr|openat2 PROGRAM [ARGUMENT...]\n", stderr), 2;
    if (deny_named(argv[1]) < 0)
        return perror("deny-calls: seccomp"), 1;
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 1;
}
