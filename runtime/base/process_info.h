/* What the host's /proc says of a process, and pidfds that cannot hit a later process with the same pid. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_info {
    char state;          /* R S D Z X … */
    uint64_t start_time; /* field 22 of /proc/PID/stat, in clock ticks since boot */
};

/* 0, or -1 with errno ESRCH/ENOENT when there is no such process. */
int process_info_read(pid_t pid, struct process_info *info);

/* Is it the process that had this start time, and neither zombie nor dead? */
bool process_is_alive(pid_t pid, uint64_t start_time);

/* A pidfd of exactly that process, or -1 with errno ESRCH when it is gone or the pid was reused. */
int process_open(pid_t pid, uint64_t start_time);

/* Waits until the process has ended, a zombie included: 1, 0 when it lives on after that time, or -1 with
 * errno. */
int process_wait(int pidfd, int timeout_ms);
