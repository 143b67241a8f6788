/* Pseudo-terminals: made inside the container, handed to the engine or relayed in the foreground. */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <sys/types.h>

struct pollfd;

/*
 * In init, after the mounts and before pivot_root: opens /dev/pts/ptmx of the container through root_fd
 * (checked to be devpts: CVE-2025-52565), the slave with TIOCGPTPEER, sets the size (NULL: left alone), and
 * fchowns the slave to `uid`.
 */
int terminal_open(int root_fd, const struct oci_console_size *size, uid_t uid, int *master, int *slave,
                  struct error *err);

/* setsid() was called: makes the slave the controlling terminal and fds 0, 1, 2; `slave` itself is closed. */
int terminal_become(int slave, struct error *err);
/* The two parts of it, where another process leads the session later: 0, 1, 2; and the controlling terminal.
 */
int terminal_use(int slave, struct error *err);
int terminal_control(int slave, struct error *err);

/* Sends the master to an AF_UNIX stream socket with SCM_RIGHTS, the name as payload (items 289-293). */
int terminal_send(const char *socket_path, int master, struct error *err);

/* Connects before the container's namespaces hide the path. Any length of path. Returns the socket. */
int terminal_connect(const char *socket_path, struct error *err);
int terminal_send_fd(int socket, int master, struct error *err);

/*
 * Foreground: our own terminal in raw mode, bytes copied both ways, window size followed. fds for the
 * caller's poll loop in supervise/, which has blocked SIGPIPE. Never waits, except terminal_relay_close() for
 * at most a second.
 */
#define TERMINAL_RELAY_FDS 3
struct terminal_relay;

/* Takes over `master`, also when it fails. Copies between it and fds 0 and 1. It gets the size of our
 * terminal, unless it has one (process.consoleSize). */
struct terminal_relay *terminal_relay_open(int master, bool has_size, struct error *err);
int terminal_relay_fds(struct terminal_relay *relay, struct pollfd *fds, int max); /* how many were filled */
void terminal_relay_handle(struct terminal_relay *relay, const struct pollfd *fds, int count);
void terminal_relay_resize(struct terminal_relay *relay); /* on SIGWINCH */

/* Job control of our own terminal: before we stop, and after SIGCONT. */
void terminal_relay_suspend(struct terminal_relay *relay);
void terminal_relay_resume(struct terminal_relay *relay);

/*
 * The process has ended: what it wrote is read, input is no longer. Everything is delivered as soon as
 * terminal_relay_fds() returns 0; processes that still hold the terminal do not delay that.
 */
void terminal_relay_finish(struct terminal_relay *relay);

/* Delivers what is left, restores our terminal, frees. NULL is fine. */
void terminal_relay_close(struct terminal_relay *relay);
