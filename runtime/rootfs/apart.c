/*
 * Makes a mount in a mount namespace that nobody else sees: a helper process has one for itself and shares
 * the descriptors of the runtime, so that the mount it makes is the runtime's. The namespace goes with the
 * process; the mount must be detached. Runs in the runtime.
 */
#include "rootfs/mount.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct reply { /* in memory that both share */
    int mount;
    struct error error;
};

/* Private, or what is mounted here would appear on the host. */
static int leave_host(struct error *err)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
        return fail_errno(err, "make a mount namespace");
    return 0;
}

static void wait_for(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int run(struct rootfs_plan *plan, mount_maker *make, struct reply *reply, struct error *err)
{
    const struct sys_clone_args arguments = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
    pid_t pid = sys_clone3(&arguments);

    if (pid < 0)
        return fail_errno(err, "start a process for a mount namespace");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        reply->mount = leave_host(&reply->error) < 0 ? -1 : make(plan, &reply->error);
        _exit(0);
    }
    wait_for(pid);
    *err = reply->error;
    return reply->mount;
}

int apart_mount(struct rootfs_plan *plan, mount_maker *make, struct error *err)
{
    struct reply *reply =
        mmap(NULL, sizeof *reply, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int mount;

    if (reply == MAP_FAILED)
        return fail_errno(err, "mmap");
    reply->mount = fail(&reply->error, ECHILD, "the process that makes a mount was killed");
    mount = run(plan, make, reply, err);
    munmap(reply, sizeof *reply);
    return mount;
}
