/* What ends an exec'd process and all it has started when the runtime or its caller dies: exec
 * --die-with-client. */
#pragma once

#include "launch/context.h"

struct keeper {
    pid_t pid; /* 0: there is none */
    int pipe;  /* its end is the runtime's */
};

/* Before the runtime joins a pid namespace. When the runtime dies, all in `branch` is killed. */
int keeper_start(struct keeper *keeper, struct cgroup_branch *branch, struct error *err);
/* And this child of the runtime, with its group. From here on the runtime dies with its caller. */
int keeper_watch(const struct keeper *keeper, pid_t pid, struct error *err);
/* Nobody is killed any more. */
void keeper_end(const struct keeper *keeper);
