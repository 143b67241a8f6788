/* Both sides of handing a seccomp listener to its agent: see listener.h. */
#include "launch/listener.h"

#include "launch/protocol.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/sys.h"
#include "launch/lifecycle.h"
#include "oci-specs/schema.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define SPIN_LIMIT 20000000000ULL /* some ten seconds: then the peer is dead and the payload must not run */
#define TAKE_ATTEMPTS 50000       /* of 100 microseconds */

/* The descriptor number that the kernel will choose next. */
static int next_descriptor(struct error *err)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        fd = open("/", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "seccomp listener");
    close(fd);
    return fd;
}

int listener_load_filter(const struct seccomp_filter *filter, int socket, struct error *err)
{
    volatile uint32_t taken = 0;
    int listener = -1, expected = next_descriptor(err);

    if (expected < 0 || message_send_address(socket, MESSAGE_LISTENER, expected, (uintptr_t)&taken, err) < 0)
        return -1;
    if (seccomp_filter_load(filter, &listener, err) < 0)
        return -1;
    for (uint64_t i = 0; i < SPIN_LIMIT; i++)
        if (taken)
            return 0;
    return fail(err, ETIMEDOUT, "linux.seccomp.listenerPath: nobody took the listener");
}

static int take_listener(int pidfd, int number, struct error *err)
{
    const struct timespec pause = { .tv_nsec = 100000 };

    for (int i = 0; i < TAKE_ATTEMPTS; i++) {
        int fd = sys_pidfd_getfd(pidfd, number);

        if (fd >= 0 || errno != EBADF)
            return fd < 0 ? fail_errno(err, "linux.seccomp: take the listener") : fd;
        nanosleep(&pause, NULL);
    }
    return fail(err, ETIMEDOUT, "linux.seccomp: the filter was not loaded in time");
}

static int set_flag(pid_t pid, uint64_t address, struct error *err)
{
    uint32_t one = 1;
    struct iovec from = { .iov_base = &one, .iov_len = sizeof one };
    struct iovec to = { .iov_base = (void *)(uintptr_t)address, .iov_len = sizeof one };

    if (process_vm_writev(pid, &from, 1, &to, 1, 0) != (ssize_t)sizeof one)
        return fail_errno(err, "linux.seccomp: release the filtered process");
    return 0;
}

static void describe(const struct listener_peer *peer, struct buffer *text)
{
    char *names[] = { (char *)"seccompFd", NULL };
    struct oci_state *state = container_oci_state(peer->container, CONTAINER_CREATING);
    struct oci_container_process_state document = {
        .oci_version = (char *)OCI_VERSION,
        .fds = { .items = names, .count = 1 },
        .has_fds = true,
        .pid = peer->pid,
        .has_pid = true,
        .metadata = peer->config->linux->seccomp->listener_metadata,
        .state = state,
    };

    free(state->status);
    state->status = strdup(peer->status);
    schema_write(&oci_container_process_state_schema, &document, SCHEMA_COMPACT, text);
    schema_free(&oci_state_schema, state);
}

static int send_to_agent(const struct listener_peer *peer, int listener, struct error *err)
{
    const char *path = peer->config->linux->seccomp->listener_path;
    auto_buffer struct buffer text = { 0 };
    auto_close int socket = terminal_connect(path, err);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }
    };
    struct iovec part;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };

    if (socket < 0)
        return fail_in(err, "linux.seccomp.listenerPath");
    describe(peer, &text);
    part = (struct iovec){ .iov_base = text.data, .iov_len = text.length };
    memcpy(CMSG_DATA(&control.header), &listener, sizeof listener);
    /* The descriptor must be in the first message, and a stream may take it in parts only when it is huge
     * (item 225). */
    if (sendmsg(socket, &message, MSG_NOSIGNAL) != (ssize_t)text.length)
        return fail_errno(err, "linux.seccomp.listenerPath: send to %s", path);
    return 0;
}

int listener_hand_over(const struct listener_peer *peer, int fd_number, uint64_t flag_address,
                       struct error *err)
{
    auto_close int listener = take_listener(peer->pidfd, fd_number, err);

    /* First the agent, then the flag: whatever fails, the payload has not run yet. */
    if (listener < 0 || send_to_agent(peer, listener, err) < 0)
        return -1;
    return set_flag(peer->pid, flag_address, err);
}
