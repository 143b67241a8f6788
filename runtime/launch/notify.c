/*
 * The proxy between the payload's sd_notify() and the host's: see notify.h. In the runtime: create, start and
 * run. Of the payload's datagrams only the line READY=1 counts, and descriptors in them are dropped.
 */
#include "launch/notify.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "launch/context.h"
#include "oci-specs/edit.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define STATE_DIRECTORY "notify"
#define STATE_SOCKET STATE_DIRECTORY "/notify.sock"
#define CONTAINER_DIRECTORY "/run/notify"
#define CONTAINER_SOCKET CONTAINER_DIRECTORY "/notify.sock"
#define DATAGRAM_MAX 4096
#define DATAGRAMS_PER_TURN 64
#define BARRIER_TIMEOUT_MS 30000

static const char *host_socket(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    return path && *path ? path : NULL;
}

/* ---- create ----------------------------------------------------------------------------------------- */

static void add_mount(struct oci_config *config, const char *source)
{
    static const char *const options[] = { "bind", "ro", "nosuid", "nodev", "noexec" };
    struct oci_mount *mount = array_grow(config->mounts, config->mounts_count);

    mount->destination = memory_string(CONTAINER_DIRECTORY);
    mount->type = memory_string("bind");
    mount->source = memory_string(source);
    for (size_t i = 0; i < array_length(options); i++)
        strings_add(&mount->options, options[i]);
}

int notify_offer(struct launch *launch, struct error *err)
{
    const struct oci_namespace *mounts = oci_config_namespace(launch->bundle.config, OCI_NAMESPACE_MOUNT);
    auto_free char *source = NULL;

    if (!host_socket())
        return 0;
    if (!mounts || mounts->path) {
        log_warning("NOTIFY_SOCKET: not passed on, the container has no mount namespace of its own");
        return 0;
    }
    /* The mode is for users of any namespace; nobody but root gets here from the host's side (0700 above). */
    if (mkdirat(launch->container.fd, STATE_DIRECTORY, 0755) < 0 ||
        fchmodat(launch->container.fd, STATE_DIRECTORY, 0755, 0) < 0)
        return fail_errno(err, "NOTIFY_SOCKET: directory in the state directory");
    source = memory_format("%s/%s/" STATE_DIRECTORY, launch->store->root, launch->options->id);
    add_mount(launch->bundle.config, source);
    process_plan_set_env(&launch->process, "NOTIFY_SOCKET", CONTAINER_SOCKET, true);
    return 0;
}

/* ---- the payload's side ----------------------------------------------------------------------------- */

int notify_open(const struct container *container, struct notify_proxy *proxy, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_close int socket_fd = -1;

    *proxy = (struct notify_proxy){ .host = host_socket(), .socket = -1 };
    if (!proxy->host || faccessat(container->fd, STATE_DIRECTORY, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (proxy->host[0] != '/' && proxy->host[0] != '@')
        return fail(err, EINVAL, "NOTIFY_SOCKET=%s: neither a path nor an abstract socket", proxy->host);
    socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" STATE_SOCKET, container->fd);
    if (socket_fd < 0 || bind(socket_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        fchmodat(container->fd, STATE_SOCKET, 0666, 0) < 0)
        return fail_errno(err, "NOTIFY_SOCKET: socket for the container");
    proxy->socket = take_fd(&socket_fd);
    return 0;
}

void notify_close(struct notify_proxy *proxy)
{
    cleanup_close(&proxy->socket);
    proxy->socket = -1;
}

static bool has_line(const char *text, const char *line)
{
    const size_t length = strlen(line);

    for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
        if (strncmp(text, line, length) == 0 && (text[length] == '\n' || !text[length]))
            return true;
    return false;
}

/* Reads what is there: has the payload said that it is ready? One that never stops talking gets no more than
 * its turn.
 */
static bool is_ready(int socket)
{
    char text[DATAGRAM_MAX + 1];
    bool ready = false;
    ssize_t length;

    for (int i = 0; i < DATAGRAMS_PER_TURN && (length = recv(socket, text, DATAGRAM_MAX, 0)) >= 0; i++) {
        text[length] = '\0';
        ready = ready || has_line(text, "READY=1");
    }
    return ready;
}

/* ---- the host's side -------------------------------------------------------------------------------- */

struct host_address {
    struct sockaddr_un name;
    socklen_t length;
    int path_fd; /* where the path is too long for an address */
};

static int fill_address(const char *path, struct host_address *address, struct error *err)
{
    char *name = address->name.sun_path;
    size_t length = strlen(path);

    *address = (struct host_address){ .name.sun_family = AF_UNIX, .path_fd = -1 };
    if (length >= sizeof address->name.sun_path) {
        address->path_fd = path[0] == '/' ? open(path, O_PATH | O_CLOEXEC) : (errno = ENAMETOOLONG, -1);
        if (address->path_fd < 0)
            return fail_errno(err, "NOTIFY_SOCKET=%s", path);
        length = (size_t)snprintf(name, sizeof address->name.sun_path, "/proc/self/fd/%d", address->path_fd);
    } else {
        memcpy(name, path, length);
    }
    if (path[0] == '@')
        name[0] = '\0';
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '/'));
    return 0;
}

static int send_datagram(const char *path, const char *text, int fd, struct error *err)
{
    auto_close int host = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct iovec part = { .iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text) };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }
    };
    struct host_address address;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    ssize_t sent;

    if (host < 0)
        return fail_errno(err, "NOTIFY_SOCKET: socket");
    if (fill_address(path, &address, err) < 0)
        return -1;
    message.msg_name = &address.name;
    message.msg_namelen = address.length;
    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    sent = sendmsg(host, &message, MSG_NOSIGNAL);
    if (sent < 0)
        fail_errno(err, "NOTIFY_SOCKET: send to %s", path);
    cleanup_close(&address.path_fd);
    return sent < 0 ? -1 : 0;
}

/*
 * Waits until the service manager has read what was sent: it looks the sender up by its pid, which is about
 * to end. It closes the pipe that comes with the barrier when it gets there.
 */
static int wait_behind_barrier(const char *host, struct error *err)
{
    auto_close int read_end = -1, write_end = -1;
    struct pollfd waiting = { 0 };
    int ends[2], ready;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "NOTIFY_SOCKET: pipe");
    read_end = ends[0];
    write_end = ends[1];
    if (send_datagram(host, "BARRIER=1", write_end, err) < 0)
        return -1;
    cleanup_close(&write_end);
    write_end = -1;
    waiting.fd = read_end;
    do
        ready = poll(&waiting, 1, BARRIER_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        log_warning("NOTIFY_SOCKET: %s took the notification, but did not answer its barrier", host);
    return 0;
}

static int tell_host(const struct notify_proxy *proxy, pid_t pid, struct error *err)
{
    char text[64];

    snprintf(text, sizeof text, "MAINPID=%d\nREADY=1", (int)pid); /* in one: both hold from the same moment */
    if (send_datagram(proxy->host, text, -1, err) < 0)
        return -1;
    return wait_behind_barrier(proxy->host, err);
}

int notify_wait(struct notify_proxy *proxy, pid_t pid, int pidfd, struct error *err)
{
    struct pollfd fds[] = { { .fd = proxy->socket, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

    while (proxy->socket >= 0) {
        if (poll(fds, array_length(fds), -1) < 0 && errno != EINTR)
            return fail_errno(err, "NOTIFY_SOCKET: wait for READY=1");
        if (is_ready(proxy->socket)) {
            notify_close(proxy);
            return tell_host(proxy, pid, err);
        }
        if (fds[1].revents) /* ended without a word: its exit status tells the engine */
            notify_close(proxy);
    }
    return 0;
}

void notify_receive(struct notify_proxy *proxy)
{
    struct error err;

    if (!is_ready(proxy->socket))
        return;
    if (send_datagram(proxy->host, "READY=1", -1, &err) < 0)
        log_warning("%s", err.text);
    notify_close(proxy);
}
