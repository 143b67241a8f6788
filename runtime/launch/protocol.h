/*
 * The messages between the processes of a launch. Each is one SOCK_SEQPACKET datagram; a descriptor may ride
 * along.
 *
 *   runtime                                       init (or stage, then init)
 *      │── GO ─────────────────────────────────────────▶│  id maps written, inside its cgroup
 *      │◀──────────────────── CHILD (value: pid) ───────│  stage only: init was cloned as our child
 *      │◀────────────────────────────────── HOOKS ──────│  mounted: run prestart and createRuntime
 *      │── DONE ───────────────────────────────────────▶│
 *      │── NETWORK (+ namespace) ──────────────────────▶│  direct launch only: it was made meanwhile
 *      │◀───────────────────── TERMINAL (+ master fd) ──│  with process.terminal
 *      │◀─────────────────────────────── DEGRADED ──────│  Landlock lacks rules: a path does not exist (L-6)
 *      │◀─────── READY (value: device, address: inode of /) │  everything but the payload is in place
 *      │
 *   start (over start.sock) or run (same socket)        │  blocks on the gate: end of file never runs the
 * payload │── START ──────────────────────────────────────▶│ │◀─────────────────────── end of file
 * ───────────│  execve closed the socket: the payload runs
 *
 *   any process, any time:
 *      LOG   (value: level, text)      passed to the log
 *      ERROR (code, text)              message_receive() returns it as its own error
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum message_type {
    MESSAGE_END, /* end of file: never sent */
    MESSAGE_GO,
    MESSAGE_CHILD,
    MESSAGE_HOOKS,
    MESSAGE_DONE,
    MESSAGE_NETWORK,
    MESSAGE_TERMINAL,
    MESSAGE_DEGRADED,
    MESSAGE_READY,
    MESSAGE_START,
    MESSAGE_LISTENER, /* + fd; answered by DONE: see listener.h */
    MESSAGE_LOG,
    MESSAGE_ERROR,
};

struct message {
    enum message_type type;
    int32_t value;
    uint64_t address;
    int fd; /* received descriptor, or -1; the receiver's to close */
};

/* A connected pair, both ends close-on-exec. */
int message_pair(int ends[2], struct error *err);

/* Nobody holds the other end any more. What it has sent may still wait to be received. */
bool message_peer_is_gone(int socket);

int message_send(int socket, enum message_type type, int32_t value, int fd, struct error *err);

int message_send_address(int socket, enum message_type type, int32_t value, uint64_t address,
                         struct error *err);

/* Best effort: the other side may be gone. */
void message_send_error(int socket, const struct error *failure);

/* LOG lines go to the log on the way. An ERROR is returned as -1 with its text in err. End of file:
 * MESSAGE_END. */
int message_receive(int socket, struct message *message, struct error *err);

/* The same, and anything but `expected` is an error; end of file too: "WHO ended unexpectedly". */
int message_expect(int socket, enum message_type expected, const char *who, struct message *message,
                   struct error *err);

/* Makes the log of this process travel over the socket (log_set_sink). */
void message_log_to(int *socket);
