/* What surrounds the payload: descriptors, signals, keyring, and the files through which engines learn of it.
 */
#include "launch/context.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sys.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define PROC_ROOT_INODE 1

int procfs_open(struct error *err)
{
    auto_close int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs filesystem;
    struct stat status;

    if (fd < 0)
        return fail_errno(err, "open /proc");
    if (fstatfs(fd, &filesystem) < 0 || fstat(fd, &status) < 0)
        return fail_errno(err, "stat /proc");
    if (filesystem.f_type != PROC_SUPER_MAGIC || status.st_ino != PROC_ROOT_INODE)
        return fail(err, EINVAL, "/proc is not the root of a proc file system");
    return take_fd(&fd);
}

/* Pipes and files that the engine made as root must be usable by the payload's user through /dev/stdout (item
 * 51). */
int stdio_give_to(uid_t uid, struct error *err)
{
    for (int fd = 0; fd <= 2; fd++) {
        struct stat status;

        if (fstat(fd, &status) < 0)
            continue;
        if (status.st_uid == uid || S_ISBLK(status.st_mode) ||
            (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)))
            continue;
        if (S_ISCHR(status.st_mode) && isatty(fd))
            continue;
        if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS && errno != EINVAL)
            return fail_errno(err, "give fd %d to uid %u", fd, uid);
    }
    return 0;
}

int descriptors_check(int preserve_fds, struct error *err)
{
    for (int fd = 3; fd < 3 + preserve_fds; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return fail_errno(err, "--preserve-fds: fd %d", fd);
    return 0;
}

int descriptors_hide(int preserve_fds, struct error *err)
{
    if (sys_close_range((unsigned)(3 + preserve_fds), ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    if (errno != ENOSYS && errno != EINVAL)
        return fail_errno(err, "close_range");
    for (int fd = 3 + preserve_fds, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* kernels before 5.11 */
    return 0;
}

static void close_range_of(unsigned first, unsigned last)
{
    if (first > last || sys_close_range(first, last, 0) == 0)
        return;
    for (unsigned fd = first, end = (unsigned)sysconf(_SC_OPEN_MAX); fd <= last && fd < end; fd++)
        close((int)fd); /* kernels before 5.9 */
}

void descriptors_close(int preserve_fds, int kept, int other)
{
    const int sorted[] = { kept < other ? kept : other, kept < other ? other : kept };
    unsigned first = (unsigned)(3 + preserve_fds);

    for (size_t i = 0; i < array_length(sorted); i++)
        if (sorted[i] >= (int)first) {
            close_range_of(first, (unsigned)sorted[i] - 1);
            first = (unsigned)sorted[i] + 1;
        }
    close_range_of(first, ~0U);
}

extern char **environ;

void environment_scrub(void)
{
    for (char **variable = environ; *variable; variable++)
        explicit_bzero(*variable, strlen(*variable));
    *environ = NULL;
}

int keyring_join(const char *id, struct error *err)
{
    auto_free char *name = memory_format("_ses.%s", id);

    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) >= 0)
        return 0;
    /* EPERM: a seccomp filter around us (Docker's default), then the payload cannot use keyrings either. */
    if (errno == ENOSYS || errno == EPERM)
        return 0;
    fail_errno(err, "session keyring");
    return err->code == EDQUOT ? fail_hint(err, "raise kernel.keys.maxkeys or use --no-new-keyring") : -1;
}

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
    char digits[16];
    int length = snprintf(digits, sizeof digits, "%d", (int)pid); /* digits only (contract G15) */

    if (!path)
        return 0;
    if (file_replace_at(AT_FDCWD, path, digits, (size_t)length, 0644, err) < 0)
        return fail_in(err, "--pid-file");
    return 0;
}

int pidfd_send(const char *what, const char *socket_path, int pidfd, struct error *err)
{
    auto_close int socket = -1;

    if (!socket_path || !*socket_path)
        return 0;
    socket = terminal_connect(socket_path, err);
    if (socket < 0 || terminal_send_fd(socket, pidfd, err) < 0)
        return fail_in(err, "%s", what);
    return 0;
}
