/*
 * Seccomp notify listeners (contract items 225-229): the payload's filter returns a descriptor inside init
 * (or exec's child), which must reach the agent at linux.seccomp.listenerPath. After the filter is loaded the
 * thread that loaded it may use no system call at all (each could be one that waits for the agent), and the
 * peer may lack the right to take the descriptor out of it (pidfd_getfd: an ordinary user, a container around
 * us). So a second thread, which has no filter, sends it. This is the only thread there is; execve ends it.
 *
 *   init                                              start, run or exec
 *     │   first thread                                     │
 *     │     clone(CLONE_THREAD)                            │
 *     │     seccomp(NEW_LISTENER)      second thread       │
 *     │     reads the shared state     ── LISTENER (+ fd) ─▶│  sends state and descriptor to the agent
 *     │     in a loop                  ◀─ DONE ────────────│
 *     │     execve                                         │
 */
#pragma once

#include "base/error.h"
#include "container/store.h"
#include "oci-specs/config.h"
#include "security/security.h"

#include <stdint.h>
#include <sys/types.h>

/* In the process that is to be filtered. Returns only when the listener was taken. */
int listener_load_filter(const struct seccomp_filter *filter, int socket, struct error *err);

struct listener_peer { /* what the other side knows */
    const struct oci_config *config;
    const struct container *container;
    const char *status; /* "creating" for init, "running" for exec (item 226) */
    pid_t pid;
};
/* Sends the listener to its agent, then tells the process at the other end of `socket` to go on. */
int listener_hand_over(const struct listener_peer *peer, int listener, int socket, struct error *err);
