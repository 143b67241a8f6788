/*
 * Starts one hook, in the process that runs it: the runtime, or the container's init for hooks in its
 * namespaces. Knows nothing of timeouts and results (hooks.c).
 *
 * The child borrows our memory until execve(), as vfork() does: page tables are not copied, and a step that
 * fails is reported by a plain store. What it may do there is little: system calls on its own copy of the fd
 * table, the signal dispositions and the credentials. The runtime has no signal handlers that could run in
 * it.
 */
#include "hooks/spawn.h"

#include "base/cleanup.h"
#include "base/signals.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STACK_SIZE (16 * 1024) /* execve() and its argument walk; no libc formatting happens there */

struct child {
    const struct hook_command *command;
    pid_t parent;
    const char *failed; /* the step, or NULL */
    int code;
};

static int child_failed(struct child *child, const char *step)
{
    child->failed = step;
    child->code = errno;
    return 127;
}

static int child_main(void *argument)
{
    struct child *child = argument;
    const struct hook_command *command = child->command;

    signals_reset(SIGNALS_ALL);
    /* Own session: a timeout kills the group, and no terminal of ours is within reach. Cannot fail: the pid
     * is new. */
    setsid();
    /* A hook of a create that was killed (conmon does that, contract M10) must not go on working on its
     * remains. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent) /* killed before we asked to be told */
        return 127;
    if (dup2(command->input, STDIN_FILENO) < 0 || dup2(command->output, STDOUT_FILENO) < 0 ||
        dup2(command->output, STDERR_FILENO) < 0)
        return child_failed(child, "dup2");
    /* Everything of ours is close-on-exec; what our caller left open is not, and is none of the hook's
     * business. */
    closefrom(STDERR_FILENO + 1);
    if (command->cwd && chdir(command->cwd) < 0)
        return child_failed(child, "chdir");
    execve(command->path, command->args, command->env);
    return child_failed(child, "exec");
}

int hook_spawn(const struct hook_command *command, struct hook_process *process, struct error *err)
{
    alignas(16) char stack[CHILD_STACK_SIZE];
    struct child child = { .command = command, .parent = getpid() };
    int pidfd = -1;
    pid_t pid = clone(child_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                      &child, &pidfd);

    if (pid < 0)
        return fail_errno(err, "clone");
    *process = (struct hook_process){ .pid = pid, .pidfd = pidfd };
    if (!child.failed)
        return 0;
    waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){ 0 }, WEXITED);
    close(pidfd);
    errno = child.code;
    return fail_errno(err, "%s", child.failed);
}

/* A file instead of a pipe, for states (annotations!) that no pipe holds. */
static int input_in_memory(const char *state_json, size_t length, struct error *err)
{
    auto_close int fd = memfd_create("state.json", MFD_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, "memfd_create");
    if (pwrite(fd, state_json, length, 0) != (ssize_t)length)
        return fail_errno(err, "write the state");
    return take_fd(&fd);
}

int hook_input_open(const char *state_json, struct error *err)
{
    size_t length = strlen(state_json);
    auto_close int read_end = -1;
    auto_close int write_end = -1;
    int fds[2];

    /*
     * Written before the hook runs, while we hold the read end: a hook that reads nothing costs us neither a
     * SIGPIPE nor a wait. Only the write end is non-blocking; hooks get an ordinary pipe.
     */
    if (pipe2(fds, O_CLOEXEC) < 0)
        return fail_errno(err, "pipe");
    read_end = fds[0];
    write_end = fds[1];
    if (fcntl(write_end, F_SETFL, O_NONBLOCK) < 0)
        return fail_errno(err, "fcntl");
    if (write(write_end, state_json, length) != (ssize_t)length)
        return input_in_memory(state_json, length, err);
    return take_fd(&read_end);
}
