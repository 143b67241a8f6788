/* The runtime's side of a launch, shared by create (runtime.c), run (run.c) and exec (exec.c). */
#pragma once

#include "launch/context.h"
#include "launch/notify.h"

void launch_init(struct launch *launch, struct store *store, const struct launch_options *options,
                 bool foreground);

/* Up to "created": init waits at the gate. On failure nothing is left. */
int launch_prepare(struct launch *launch, struct error *err);

/* Takes back everything that launch_prepare() made. */
void launch_undo(struct launch *launch);

/* The seccomp filters, chained, and the Landlock plan: for init and for exec. */
int launch_plan_security(struct launch *launch, struct error *err);

/* Steps that launch_run_directly() has as well. */
int launch_make_plans(struct launch *launch, struct error *err);
int launch_open_outside(struct launch *launch, struct error *err);
int launch_plan_rootfs(struct launch *launch, struct error *err);

/* GO, then the conversation of protocol.h until READY; of a direct launch until the payload runs. */
int launch_serve_init(struct launch *launch, struct error *err);
int launch_let_go(struct launch *launch, struct error *err); /* its two halves */
int launch_converse(struct launch *launch, struct error *err);
void launch_plan_network(struct launch *launch); /* network.c */
int launch_make_network(struct launch *launch, struct error *err);
void launch_kill_init(struct launch *launch); /* kills and reaps it */

/* --timeout and --kill-signal, before anything is made. */
int launch_check_limit(struct launch *launch, struct error *err);

/* In the foreground: until the payload ends. Its status, or -1. `notify` may be NULL. */
int launch_supervise(struct launch *launch, int signal_fd, struct notify_proxy *notify, struct error *err);

void launch_close(struct launch *launch); /* memory only: its descriptors go with the process, which ends next */
