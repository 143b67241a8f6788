/* Raw system calls: see sys.h. */
#include "base/sys.h"

#include <stddef.h>

pid_t sys_clone3(const struct sys_clone_args *arguments)
{
    return (pid_t)syscall(SYS_clone3, arguments, sizeof *arguments);
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
    return (int)syscall(SYS_openat2, dirfd, path, how, sizeof *how);
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
    return (int)syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags);
}

int sys_fsopen(const char *type, unsigned flags)
{
    return (int)syscall(SYS_fsopen, type, flags);
}

int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux)
{
    return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

int sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
    return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attributes)
{
    return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attributes, sizeof *attributes);
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int sys_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}

int sys_setns(int fd, int type)
{
    return (int)syscall(SYS_setns, fd, type);
}

int sys_execveat(int dirfd, const char *path, char *const *args, char *const *env, int flags)
{
    return (int)syscall(SYS_execveat, dirfd, path, args, env, flags);
}
