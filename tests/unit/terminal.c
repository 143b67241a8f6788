/* runtime/terminal: contract items 52, 53, 289-292, G16, CVE-2025-52565. The relay is tested with supervise.
 */
#include "terminal/terminal.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char root[] = "/tmp/aril-terminal-XXXXXX";

/* An empty root with /dev/pts, in a mount namespace that ends with the test. */
static int make_root(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
        cr_skip_test("needs root");
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    cr_assert(mkdtemp(root));
    cr_assert_eq(mount("tmpfs", root, "tmpfs", 0, NULL), 0);
    rmdir(root);
    cr_assert_eq(chdir(root), 0);
    mkdir("dev", 0755);
    return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void end_root(void)
{
    cr_assert_eq(chdir("/"), 0);
    umount2(root, MNT_DETACH);
    rmdir(root);
}

static void mount_devpts(void)
{
    mkdir("dev/pts", 0755);
    cr_assert_eq(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=0620,gid=5"),
                 0);
}

Test(terminal, items_291_and_53_owner_and_size)
{
    auto_close int root_fd = make_root();
    auto_close int master = -1;
    auto_close int slave = -1;
    struct oci_console_size size = { .height = 33, .width = 101 };
    struct winsize window;
    struct stat status;
    struct error err = { 0 };

    mount_devpts();
    cr_assert_eq(terminal_open(root_fd, &size, 1234, &master, &slave, &err), 0, "%s", err.text);
    cr_assert_eq(fstat(slave, &status), 0);
    cr_assert_eq(status.st_uid, 1234);
    cr_assert_eq(status.st_gid, 5);
    cr_assert_eq(major(status.st_rdev), 136);
    cr_assert_eq(minor(status.st_rdev), 0); /* the container's own instance */
    cr_assert_eq(ioctl(slave, TIOCGWINSZ, &window), 0);
    cr_assert_eq(window.ws_row, 33);
    cr_assert_eq(window.ws_col, 101);
    cr_assert(fcntl(master, F_GETFD) & FD_CLOEXEC);
    cr_assert(fcntl(slave, F_GETFD) & FD_CLOEXEC);
    end_root();
}

static void nothing(void)
{
}

static void plain_directory(void)
{
    mkdir("dev/pts", 0755);
    mknod("dev/pts/ptmx", S_IFCHR | 0666, makedev(5, 2)); /* the host's, if it were opened */
}

static void linked_directory(void)
{
    mkdir("dev/other", 0755);
    cr_assert_eq(mount("devpts", "dev/other", "devpts", 0, "newinstance,ptmxmode=0666"), 0);
    cr_assert_eq(symlink("other", "dev/pts"), 0);
}

static void covered_ptmx(void)
{
    mount_devpts();
    cr_assert_eq(mount("/dev/null", "dev/pts/ptmx", NULL, MS_BIND, NULL), 0);
}

/* CVE-2025-52565 */
Test(terminal, only_a_real_devpts_will_do)
{
    static const struct {
        void (*prepare)(void);
        const char *error;
    } rows[] = {
        { nothing, "terminal: open /dev/pts: no such file or directory" },
        { plain_directory,
          "terminal: /dev/pts is not a devpts, which process.terminal needs: add it to mounts" },
        { linked_directory, "terminal: open /dev/pts: not a directory" },
        { covered_ptmx, "terminal: open /dev/pts/ptmx: invalid cross-device link" },
    };
    auto_close int root_fd = make_root();

    for (size_t i = 0; i < array_length(rows); i++) {
        int master = -1, slave = -1;
        struct error err = { 0 };

        rows[i].prepare();
        cr_expect_eq(terminal_open(root_fd, NULL, 0, &master, &slave, &err), -1);
        cr_expect_str_eq(err.text, rows[i].error);
        cr_expect_eq(master, -1);
        while (umount2("dev/pts/ptmx", MNT_DETACH) == 0 || umount2("dev/pts", MNT_DETACH) == 0)
            ;
        cr_assert_eq(file_remove_tree_at(AT_FDCWD, "dev/pts"), 0);
    }
    umount2("dev/other", MNT_DETACH);
    end_root();
}

Test(terminal, item_52_becomes_controlling_terminal_and_stdio)
{
    auto_close int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int master = -1, slave = -1, status;
    struct error err = { 0 };
    pid_t pid;

    if (terminal_open(root_fd, NULL, getuid(), &master, &slave, &err) < 0)
        cr_skip_test("%s", err.text);
    pid = fork();
    if (pid == 0) {
        setsid();
        if (terminal_become(slave, &err) < 0)
            _exit(1);
        for (int fd = 0; fd < 3; fd++)
            if (!isatty(fd) || tcgetsid(fd) != getpid() || fcntl(fd, F_GETFD) != 0)
                _exit(2 + fd);
        if (fcntl(slave, F_GETFD) >= 0 || access("/dev/tty", F_OK) != 0 || open("/dev/tty", O_RDWR) < 0)
            _exit(5);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0, "%x", (unsigned)status);
    close(master);
    close(slave);
}

static int listen_at(const char *directory, const char *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    cr_assert_eq(chdir(directory), 0);
    strcpy(address.sun_path, name);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(chdir("/"), 0);
    return fd;
}

/* items 289, G16: one fd, and a name that is not empty */
static int receive(int listener)
{
    auto_close int fd = accept(listener, NULL, NULL);
    char name[4096], control[CMSG_SPACE(4 * sizeof(int))];
    struct iovec vector = { name, sizeof name };
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct cmsghdr *header;
    int received;

    cr_assert_eq(recvmsg(fd, &message, 0), 9);
    cr_assert_eq(memcmp(name, "/dev/ptmx", 9), 0);
    header = CMSG_FIRSTHDR(&message);
    cr_assert_eq(header->cmsg_len, CMSG_LEN(sizeof(int)));
    cr_assert_eq(header->cmsg_type, SCM_RIGHTS);
    memcpy(&received, CMSG_DATA(header), sizeof received);
    return received;
}

Test(terminal, item_289_console_socket)
{
    char directory[] = "/tmp/aril-terminal-XXXXXX";
    auto_free char *deep = NULL;
    auto_free char *deeper = NULL;

    cr_assert(mkdtemp(directory));
    deep = memory_format("%s/%0*d", directory, 200, 7);
    deeper = memory_format("%s/%0*d", deep, 200, 7);
    cr_assert_eq(file_mkdir_all(deeper, 0700), 0);
    for (int i = 0; i < 2; i++) { /* a short path and one that no sockaddr_un holds */
        auto_close int listener = listen_at(i ? deeper : directory, "console.sock");
        auto_free char *path = memory_format("%s/console.sock", i ? deeper : directory);
        auto_close int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        auto_close int received = -1;
        struct error err = { 0 };
        struct stat one, two;

        cr_assert_eq(terminal_send(path, file, &err), 0, "%s", err.text);
        received = receive(listener);
        fstat(file, &one);
        fstat(received, &two);
        cr_assert_eq(one.st_rdev, two.st_rdev);
    }
    file_remove_tree_at(AT_FDCWD, directory);
}

Test(terminal, console_socket_errors)
{
    static const struct {
        const char *path, *error;
    } rows[] = {
        { "/nonexistent/s", "connect to /nonexistent/s: no such file or directory" },
        { "/dev/null", "connect to /dev/null: connection refused" },
        { "", "connect to : connection refused" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct error err = { 0 };

        cr_expect_eq(terminal_connect(rows[i].path, &err), -1);
        cr_expect_str_eq(err.text, rows[i].error);
    }
}

Test(terminal, engine_that_is_gone_is_an_error_not_a_sigpipe)
{
    int pair[2];
    struct error err = { 0 };

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    cr_assert_eq(terminal_send_fd(pair[0], 0, &err), -1);
    cr_assert_str_eq(err.text, "send a descriptor: broken pipe");
}
