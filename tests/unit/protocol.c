/* runtime/launch/protocol.h: what the processes of a launch tell each other. */
#include "launch/protocol.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

static struct error err;

/* The peer fails while a message to it is under way: the kernel reports that first. */
Test(protocol, an_error_survives_a_message_that_its_sender_never_read)
{
    struct error failure = { 0 };
    struct message message;
    int ends[2];

    cr_assert_eq(message_pair(ends, &err), 0);
    fail(&failure, ENOSYS, "mounts[0] (/proc): fsopen");
    message_send_error(ends[1], &failure);
    cr_assert_eq(message_send(ends[0], MESSAGE_NETWORK, 0, -1, &err), 0);
    close(ends[1]);

    cr_assert_eq(message_receive(ends[0], &message, &err), -1);
    cr_assert_eq(err.code, ENOSYS);
    cr_assert_str_eq(err.text, "mounts[0] (/proc): fsopen");
    cr_assert_eq(message_receive(ends[0], &message, &err), 0);
    cr_assert_eq(message.type, MESSAGE_END);
}

Test(protocol, what_was_expected)
{
    struct message message;
    int ends[2];

    cr_assert_eq(message_pair(ends, &err), 0);
    cr_assert_not(message_peer_is_gone(ends[0]));
    cr_assert_eq(message_send(ends[1], MESSAGE_GO, 7, -1, &err), 0);
    cr_assert_eq(message_expect(ends[0], MESSAGE_GO, "init", &message, &err), 0);
    cr_assert_eq(message.value, 7);
    cr_assert_eq(message.fd, -1);

    cr_assert_eq(message_send(ends[1], MESSAGE_DONE, 0, STDERR_FILENO, &err), 0);
    cr_assert_eq(message_expect(ends[0], MESSAGE_GO, "init", &message, &err), -1);
    cr_assert_eq(err.code, EPROTO);
    cr_assert_eq(message.fd, -1);

    close(ends[1]);
    cr_assert(message_peer_is_gone(ends[0]));
    cr_assert_eq(message_expect(ends[0], MESSAGE_GO, "init", &message, &err), -1);
    cr_assert_str_eq(err.text, "init ended unexpectedly");
}
