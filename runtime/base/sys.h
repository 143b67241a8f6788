/*
 * Raw system calls that glibc 2.36 (Debian 12) lacks or whose structs it hides. Thin: same arguments, -1 and
 * errno. Everything newer than the oldest kernel we support (5.4) can fail with ENOSYS, and inside another
 * container's seccomp filter with EPERM.
 */
#pragma once

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* <linux/sched.h> cannot be included beside <sched.h>. */
struct sys_clone_args {
    uint64_t flags;
    uint64_t pidfd;       /* int *: where the pidfd goes with CLONE_PIDFD */
    uint64_t child_tid;   /* unused here */
    uint64_t parent_tid;  /* unused here */
    uint64_t exit_signal; /* SIGCHLD; 0 with CLONE_PARENT */
    uint64_t stack;
    uint64_t stack_size;
    uint64_t tls;
    uint64_t set_tid;
    uint64_t set_tid_size;
    uint64_t cgroup; /* a directory fd with CLONE_INTO_CGROUP */
};

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* Like fork(), but glibc's own book-keeping (atfork handlers, stdio locks) does not run: the runtime has no threads. */
pid_t sys_clone3(const struct sys_clone_args *arguments);

int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags);
int sys_fsopen(const char *type, unsigned flags);
int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attributes);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attributes);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int signal);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_setns(int fd, int type);
int sys_execveat(int dirfd, const char *path, char *const *args, char *const *env, int flags);
