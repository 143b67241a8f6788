/*
 * Signals by pidfd to the members of a cgroup: see members.h. A pid from cgroup.procs may belong to another
 * process by the time that it is signalled. So each is opened, which pins whatever process it is, and the
 * cgroup is listed once more: what is in that list and can still be signalled had its pid all the while, and
 * is a member.
 */
#include "cgroup/members.h"

#include "base/cleanup.h"
#include "base/sys.h"
#include "cgroup/tree.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH 256 /* descriptors that are open at once; a process may have 1,024 */

struct member {
    pid_t pid;
    int pidfd;
};

struct batch {
    struct member items[BATCH];
    size_t count;
};

/* Also of struct member, by its first member. */
static int compare_pids(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a, second = *(const pid_t *)b;

    return (first > second) - (first < second);
}

static void close_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        close(batch->items[i].pidfd);
}

/* `pids` are in order, and so is the batch then. */
static int open_batch(struct batch *batch, const pid_t *pids, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        int pidfd = pids[i] == getpid() ? -1 : sys_pidfd_open(pids[i]);

        if (pidfd >= 0)
            batch->items[batch->count++] = (struct member){ pids[i], pidfd };
        else if (pids[i] != getpid() && errno != ESRCH)
            return fail_errno(err, "open process %d", (int)pids[i]);
    }
    return 0;
}

static int signal_batch(int directory_fd, const struct batch *batch, int signal, struct error *err)
{
    auto_free pid_t *now = NULL;
    size_t count = 0;

    if (batch->count > 0 && cgroup_tree_pids(directory_fd, &now, &count) < 0)
        return fail_errno(err, "list the processes of the cgroup");
    for (size_t i = 0; i < count; i++) {
        const struct member *member =
            bsearch(&now[i], batch->items, batch->count, sizeof *batch->items, compare_pids);

        if (member && sys_pidfd_send_signal(member->pidfd, signal) < 0 && errno != ESRCH)
            return fail_errno(err, "signal process %d", (int)member->pid);
    }
    return 0;
}

int cgroup_members_signal_listed(int directory_fd, pid_t *pids, size_t count, int signal, struct error *err)
{
    if (count > 1)
        qsort(pids, count, sizeof *pids, compare_pids);
    for (size_t i = 0; i < count; i += BATCH) {
        auto_cleanup(close_batch) struct batch batch = { .count = 0 };

        if (open_batch(&batch, pids + i, count - i < BATCH ? count - i : BATCH, err) < 0)
            return -1;
        if (signal_batch(directory_fd, &batch, signal, err) < 0)
            return -1;
    }
    return 0;
}

int cgroup_members_signal(int directory_fd, int signal, struct error *err)
{
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    if (cgroup_tree_pids(directory_fd, &pids, &count) < 0)
        return fail_errno(err, "list the processes of the cgroup");
    return cgroup_members_signal_listed(directory_fd, pids, count, signal, err);
}
