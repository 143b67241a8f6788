/*
 * `exec --die-with-client` (F-6): nobody is left to end the exec'd process when the runtime is killed, and
 * what it has started may have any session and parent by then. So a child of the runtime waits for that, and
 * for nothing else. It has left the runtime's session and process group, which callers kill as a whole; and
 * it is made before the runtime enters the container's pid namespace, where it would be seen.
 */
#include "launch/keeper.h"

#include "base/cleanup.h"
#include "base/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What read() on the pipe gave: a whole pid, or not (the end). */
static bool read_pid(int pipe, pid_t *pid)
{
    ssize_t got;

    do
        got = read(pipe, pid, sizeof *pid);
    while (got < 0 && errno == EINTR);
    return got == sizeof *pid;
}

static void keep(struct cgroup_branch *branch, int pipe) __attribute__((noreturn));
static void keep(struct cgroup_branch *branch, int pipe)
{
    int pidfd = -1;
    pid_t pid = 0, more;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    descriptors_close(-3, pipe, -1);
    if (read_pid(pipe, &pid)) {
        pidfd = sys_pidfd_open(pid); /* nobody has reaped it yet */
        while (read_pid(pipe, &more))
            ;
    }
    /* As long as it is there, its group is no other one. */
    if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL) == 0)
        kill(-pid, SIGKILL);
    cgroup_branch_end(branch, true);
    _exit(0);
}

int keeper_start(struct keeper *keeper, struct cgroup_branch *branch, struct error *err)
{
    auto_close int other = -1;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "--die-with-client: pipe");
    other = ends[0];
    keeper->pipe = ends[1];
    keeper->pid = fork();
    if (keeper->pid == 0)
        keep(branch, other);
    return keeper->pid < 0 ? fail_errno(err, "--die-with-client: fork") : 0;
}

int keeper_watch(const struct keeper *keeper, pid_t pid, struct error *err)
{
    const pid_t caller = getppid();

    if (keeper->pid <= 0)
        return 0;
    if (write(keeper->pipe, &pid, sizeof pid) != sizeof pid)
        return fail_errno(err, "--die-with-client");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail_errno(err, "--die-with-client: PR_SET_PDEATHSIG");
    return getppid() == caller ? 0 : fail(err, ESRCH, "--die-with-client: the caller has ended");
}

void keeper_end(const struct keeper *keeper)
{
    if (keeper->pid <= 0)
        return;
    kill(keeper->pid, SIGKILL);
    waitpid(keeper->pid, NULL, 0);
    close(keeper->pipe);
}
