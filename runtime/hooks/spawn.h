/* One hook as a process: what hooks.c needs to start it, and nothing else does. */
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct hook_command {
    const char *path;
    char *const *args;
    char *const *env;
    const char *cwd; /* NULL: stay */
    int input;       /* becomes fd 0 */
    int output;      /* becomes fds 1 and 2 */
};

struct hook_process {
    pid_t pid; /* also its process group and session */
    int pidfd;
};

/* Returns once the program runs (execve succeeded), or -1 with the step that failed. */
int hook_spawn(const struct hook_command *command, struct hook_process *process, struct error *err);

/* What the hook reads on stdin: readable to its end without anyone writing any more. Returns the fd. */
int hook_input_open(const char *state_json, struct error *err);
