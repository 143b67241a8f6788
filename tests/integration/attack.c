/*
 * What code that nobody trusts would try. Each argument is an attack; the program prints "NAME: done" or
 * "NAME: ERRNO" for it. Built static, runs as the payload.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long int80_socket(void)
{
#if defined __x86_64__
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(359L), "b"(2L), "c"(1L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
#else
    errno = ENOSYS;
    return -1;
#endif
}

static long try_connect(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? fd : connect(fd, (struct sockaddr *)&address, sizeof address);
}

static long try_bind(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? fd : bind(fd, (struct sockaddr *)&address, sizeof address);
}

static long connect_unix(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/no-such" };

    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static long abstract_socket(const char *name, int (*use)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    return fd < 0 || use(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : fd;
}

static long listen_abstract(const char *name)
{
    long fd = abstract_socket(name, bind);

    return fd < 0 || listen((int)fd, 5) < 0 ? -1 : pause();
}

static long attempt(const char *name)
{
    static unsigned char zeros[256];
    int pair[2];

    if (strcmp(name, "io_uring") == 0)
        return syscall(425, 4, zeros);
    if (strcmp(name, "tiocsti") == 0)
        return syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, "x");
    if (strcmp(name, "vsock") == 0)
        return syscall(SYS_socket, 0x100000000UL | 40, SOCK_STREAM, 0);
    if (strcmp(name, "clone3") == 0)
        return syscall(435, zeros, 0);
    if (strcmp(name, "clone_newuser") == 0)
        return syscall(SYS_clone, 0x10000000UL | SIGCHLD, 0, 0, 0, 0);
    if (strcmp(name, "fsopen") == 0)
        return syscall(430, "tmpfs", 0);
    if (strcmp(name, "open_tree") == 0)
        return syscall(428, AT_FDCWD, "/", 1);
    if (strcmp(name, "handle") == 0)
        return syscall(SYS_open_by_handle_at, 0, zeros, 0);
    if (strcmp(name, "keyctl") == 0)
        return syscall(SYS_keyctl, 0, -3, 0);
    if (strcmp(name, "bpf") == 0)
        return syscall(SYS_bpf, 0, zeros, 0);
    if (strcmp(name, "perf") == 0)
        return syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0);
    if (strcmp(name, "store_bypass") == 0)
        return prctl(53 /* PR_SET_SPECULATION_CTRL */, 0UL, 2UL /* PR_SPEC_ENABLE */, 0UL, 0UL);
    if (strcmp(name, "int80_socket") == 0)
        return int80_socket();
    if (strcmp(name, "x32") == 0)
        return syscall(0x40000000L | SYS_getpid);
    if (strcmp(name, "inet") == 0)
        return socket(AF_INET, SOCK_STREAM, 0);
    if (strcmp(name, "inet6") == 0)
        return socket(AF_INET6, SOCK_STREAM, 0);
    if (strcmp(name, "netlink") == 0)
        return socket(AF_NETLINK, SOCK_RAW, 0);
    if (strcmp(name, "unix") == 0)
        return socket(AF_UNIX, SOCK_STREAM, 0);
    if (strcmp(name, "unix_pair") == 0)
        return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    if (strcmp(name, "connect") == 0)
        return connect_unix();
    if (strncmp(name, "tcp:", 4) == 0)
        return try_connect(atoi(name + 4));
    if (strncmp(name, "bind:", 5) == 0)
        return try_bind(atoi(name + 5));
    if (strncmp(name, "listen:", 7) == 0)
        return listen_abstract(name + 7);
    if (strncmp(name, "abstract:", 9) == 0)
        return abstract_socket(name + 9, connect);
    if (strncmp(name, "signal:", 7) == 0)
        return kill(atoi(name + 7), 0);
    if (strncmp(name, "rename:", 7) == 0 && creat(name + 7, 0600) >= 0) /* to another directory */
        return rename(name + 7, "/two/moved");
    if (strncmp(name, "mknod:", 6) == 0)
        return mknod(name + 6, S_IFIFO | 0600, 0);
    if (strncmp(name, "trunc:", 6) == 0)
        return truncate(name + 6, 0);
    if (strncmp(name, "write:", 6) == 0)
        return open(name + 6, O_WRONLY | O_CREAT, 0600);
    if (strncmp(name, "read:", 5) == 0)
        return open(name + 5, O_RDONLY);
    return -1;
}

int main(int count, char **names)
{
    for (int i = 1; i < count; i++) {
        errno = 0;
        if (attempt(names[i]) >= 0)
            printf("%s: done\n", names[i]);
        else
            printf("%s: %s\n", names[i], strerrorname_np(errno));
        fflush(stdout);
    }
    return 0;
}
