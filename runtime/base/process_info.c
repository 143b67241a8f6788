/* /proc/PID/stat and pidfds: see process_info.h. */
#include "base/process_info.h"

#include "base/cleanup.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int process_info_read(pid_t pid, struct process_info *info)
{
    char path[32], text[1024], *after_name;
    auto_close int fd = -1;
    unsigned long long start_time;
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    length = read(fd, text, sizeof text - 1);
    if (length < 0)
        return -1;
    text[length] = '\0';
    /* The name is in brackets and may hold anything, brackets and newlines included: look for the last one.
     */
    after_name = strrchr(text, ')');
    if (!after_name ||
        sscanf(after_name + 1,
               " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &info->state, &start_time) != 2) {
        errno = ESRCH;
        return -1;
    }
    info->start_time = start_time;
    return 0;
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
    struct process_info info;

    /* Of a pid that nobody has, /proc learns the name only to forget it: ten times the work of kill(). */
    if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
        return false;
    return pid > 0 && process_info_read(pid, &info) == 0 && info.start_time == start_time &&
           info.state != 'Z' && info.state != 'X';
}

int process_open(pid_t pid, uint64_t start_time)
{
    auto_close int pidfd = sys_pidfd_open(pid);

    if (pidfd < 0)
        return -1;
    /* Order matters: the pidfd pins whichever process it is, then the start time says whether it is ours. */
    if (!process_is_alive(pid, start_time)) {
        errno = ESRCH;
        return -1;
    }
    return take_fd(&pidfd);
}

int process_wait(int pidfd, int timeout_ms)
{
    struct pollfd waiting = { .fd = pidfd, .events = POLLIN };
    int ready;

    do
        ready = poll(&waiting, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready;
}
