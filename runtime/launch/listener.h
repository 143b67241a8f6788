/*
 * Seccomp notify listeners (contract items 225-229): the payload's filter returns a descriptor inside init
 * (or exec's child), which must reach the agent at linux.seccomp.listenerPath. After the filter is loaded the
 * process may use no system call at all (each could be one that waits for the agent), so the peer takes the
 * descriptor out of it:
 *
 *   init                                              start, run or exec
 *     │── LISTENER (fd number, address of a flag) ────────▶│
 *     │   seccomp(NEW_LISTENER)                            │  pidfd_getfd() until it is there
 *     │   reads the flag in a loop, no system calls        │  sets the flag with process_vm_writev()
 *     │   execve                                           │  sends state and descriptor to the agent
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
    int pidfd;
};
int listener_hand_over(const struct listener_peer *peer, int fd_number, uint64_t flag_address,
                       struct error *err);
