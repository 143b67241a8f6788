/* Bounded waiting: see wait.h. */
#include "cgroup/wait.h"

#include <time.h>

#define NANOSECONDS 1000000000ull
#define MILLISECOND 1000000ull
#define FIRST_PAUSE 50000ull /* processes that were just killed are gone in less */
#define LONGEST_PAUSE 20000000ull

bool patience_wait(struct patience *patience)
{
    struct timespec now, pause;
    uint64_t current;

    clock_gettime(CLOCK_MONOTONIC, &now);
    current = (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
    if (!patience->deadline) {
        patience->deadline = current + patience->limit * MILLISECOND;
        patience->pause = FIRST_PAUSE;
    }
    if (current >= patience->deadline)
        return false;
    pause = (struct timespec){ .tv_sec = 0, .tv_nsec = (long)patience->pause };
    nanosleep(&pause, NULL);
    if (patience->pause < LONGEST_PAUSE)
        patience->pause *= 2;
    return true;
}
