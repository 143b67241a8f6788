/* Both sides of handing a seccomp listener to its agent: see listener.h. */
#include "launch/listener.h"

#include "launch/protocol.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "launch/lifecycle.h"
#include "oci-specs/schema.h"
#include "terminal/terminal.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- in init, or in exec's child ---------------------------------------------------------------------- */

#define STACK_SIZE 32768

enum { HAND_OVER_NOT_LOADED = -1, HAND_OVER_FAILED = -2, HAND_OVER_TAKEN = -3, HAND_OVER_ENDED = -4 };

struct hand_over {     /* shared by the two threads */
    _Atomic int state; /* the listener's descriptor, or one of the above */
    int socket;
};

/*
 * The second thread. Where the peer is gone or refuses, nobody would ever answer the notifications of the
 * first one, not even those of its exit: it ends both.
 */
static int hand_over_main(void *context)
{
    const struct timespec pause = { .tv_nsec = 50000 };
    struct hand_over *hand_over = context;
    struct message message;
    struct error ignored;
    int state;

    while ((state = hand_over->state) == HAND_OVER_NOT_LOADED)
        nanosleep(&pause, NULL);
    if (state == HAND_OVER_FAILED) {
        hand_over->state = HAND_OVER_ENDED;
        return 0;
    }
    if (message_send(hand_over->socket, MESSAGE_LISTENER, 0, state, &ignored) < 0 ||
        message_expect(hand_over->socket, MESSAGE_DONE, "the runtime", &message, &ignored) < 0)
        _exit(1);
    hand_over->state = HAND_OVER_TAKEN;
    return 0;
}

static int start_thread(struct hand_over *hand_over, char *stack, struct error *err)
{
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

    if (clone(hand_over_main, stack + STACK_SIZE, flags, hand_over) >= 0)
        return 0;
    fail_errno(err, "linux.seccomp.listenerPath: a thread for the listener");
    return err->code == EAGAIN ? fail_hint(err, "a limit of processes counts it, too") : -1;
}

int listener_load_filter(const struct seccomp_filter *filter, int socket, struct error *err)
{
    _Alignas(16) char stack[STACK_SIZE];
    struct hand_over hand_over = { .state = HAND_OVER_NOT_LOADED, .socket = socket };
    int listener;

    if (start_thread(&hand_over, stack, err) < 0)
        return -1;
    if (seccomp_filter_load(filter, &listener, err) < 0) {
        hand_over.state = HAND_OVER_FAILED;
        while (hand_over.state != HAND_OVER_ENDED)
            ;
        return -1;
    }
    hand_over.state = listener;
    while (hand_over.state != HAND_OVER_TAKEN) /* without a system call: see listener.h */
        ;
    return 0;
}

/* ---- in start, run or exec ----------------------------------------------------------------------------- */

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

int listener_hand_over(const struct listener_peer *peer, int listener, int socket, struct error *err)
{
    /* First the agent, then the word: whatever fails, the payload has not run yet. */
    if (send_to_agent(peer, listener, err) < 0)
        return -1;
    return message_send(socket, MESSAGE_DONE, 0, -1, err);
}
