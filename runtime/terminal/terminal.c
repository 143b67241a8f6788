/*
 * The pseudo-terminal of a container: made in its init process, before the root is entered, and made the
 * payload's there. Knows nothing of who is at the other end (socket.c: an engine, relay.c: our own terminal).
 */
#include "terminal/terminal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sys.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

/*
 * The directory is checked before anything in it is opened: opening a device node that an image put there
 * could already do harm. In a devpts only the kernel makes nodes, so its ptmx can be trusted as long as
 * nothing is mounted over it.
 */
static int open_ptmx(int root_fd, struct error *err)
{
    auto_close int pts = file_open_in_root(root_fd, "dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    struct open_how how = { .flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
    struct statfs status;
    int master;

    if (pts < 0)
        return fail_errno(err, "open /dev/pts");
    if (fstatfs(pts, &status) < 0)
        return fail_errno(err, "statfs /dev/pts");
    if (status.f_type != DEVPTS_SUPER_MAGIC)
        return fail(err, ENODEV, "/dev/pts is not a devpts, which process.terminal needs: add it to mounts");
    master = sys_openat2(pts, "ptmx", &how);
    return master < 0 ? fail_errno(err, "open /dev/pts/ptmx") : master;
}

/* CVE-2025-52565: never by name, /dev/pts/N could be something else by now. */
static int open_peer(int master, struct error *err)
{
    auto_close int slave = -1;
    struct stat status;

    if (ioctl(master, TIOCSPTLCK, &(int){ 0 }) < 0)
        return fail_errno(err, "TIOCSPTLCK");
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return fail_errno(err, "TIOCGPTPEER");
    if (fstat(slave, &status) < 0)
        return fail_errno(err, "stat the pseudo-terminal");
    if (!S_ISCHR(status.st_mode) || major(status.st_rdev) < PTS_MAJOR_FIRST ||
        major(status.st_rdev) > PTS_MAJOR_LAST)
        return fail(err, ENODEV, "/dev/pts/ptmx: not a pseudo-terminal");
    return take_fd(&slave);
}

/* item 291. The group stays as the mount option gid= of devpts made it (5, tty: write(1), wall(1)). */
static int give_to(int slave, uid_t uid, struct error *err)
{
    if (fchown(slave, uid, (gid_t)-1) == 0)
        return 0;
    /* An id without a mapping in this user namespace; a payload with that id cannot exist there either. */
    if (errno == EPERM || errno == EINVAL || errno == EROFS)
        return 0;
    return fail_errno(err, "chown the pseudo-terminal to %u", (unsigned)uid);
}

int terminal_open(int root_fd, const struct oci_console_size *size, uid_t uid, int *master, int *slave,
                  struct error *err)
{
    auto_close int own_master = open_ptmx(root_fd, err);
    auto_close int own_slave = -1;

    if (own_master < 0)
        return fail_in(err, "terminal");
    own_slave = open_peer(own_master, err);
    if (own_slave < 0)
        return fail_in(err, "terminal");
    if (size) {
        struct winsize window = { .ws_row = (unsigned short)size->height,
                                  .ws_col = (unsigned short)size->width };

        if (ioctl(own_master, TIOCSWINSZ, &window) < 0)
            return fail_errno(err, "terminal: TIOCSWINSZ (process.consoleSize)");
    }
    if (give_to(own_slave, uid, err) < 0)
        return fail_in(err, "terminal");
    *master = take_fd(&own_master);
    *slave = take_fd(&own_slave);
    return 0;
}

int terminal_control(int slave, struct error *err)
{
    return ioctl(slave, TIOCSCTTY, 0) < 0 ? fail_errno(err, "terminal: TIOCSCTTY") : 0;
}

int terminal_become(int slave, struct error *err)
{
    return terminal_control(slave, err) < 0 ? -1 : terminal_use(slave, err);
}

int terminal_use(int slave, struct error *err)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fd == slave ? fcntl(fd, F_SETFD, 0) < 0 : dup2(slave, fd) < 0)
            return fail_errno(err, "terminal: dup2");
    if (slave > STDERR_FILENO)
        close(slave);
    return 0;
}
