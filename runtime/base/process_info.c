/* /proc/PID/stat and pidfds: see process_info.h. */
#include "base/process_info.h"

#include "base/cleanup.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_FIELD 3
#define START_TIME_FIELD 22

/* By hand: sscanf() takes as long for this line as the kernel takes to write it. */
static bool parse_stat(const char *text, struct process_info *info)
{
    /* The name is in brackets and may hold anything, brackets and newlines included: look for the last one.
     */
    const char *field = strrchr(text, ')');
    char *end;

    for (int number = STATE_FIELD; field && number <= START_TIME_FIELD; number++) {
        field = strchr(field, ' ');
        if (field && *++field && number == STATE_FIELD)
            info->state = *field;
    }
    if (!field)
        return false;
    info->start_time = strtoull(field, &end, 10);
    return end > field;
}

int process_info_read(pid_t pid, struct process_info *info)
{
    char path[32], text[1024];
    auto_close int fd = -1;
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    length = read(fd, text, sizeof text - 1);
    if (length < 0)
        return -1;
    text[length] = '\0';
    if (parse_stat(text, info))
        return 0;
    errno = ESRCH;
    return -1;
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
