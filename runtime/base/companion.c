/* Running the companion: see companion.h. In the runtime. */
#include "base/companion.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10
#endif
#define ANSWER_LIMIT (1u << 20)
#define OUT_OF_THE_WAY 10 /* above all numbers that mean something to the companion */

extern const char companion_image[], companion_image_end[];
extern char **environ;

static int make_file(struct error *err)
{
    auto_close int fd = memfd_create("aril-companion", MFD_CLOEXEC | MFD_EXEC);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("aril-companion", MFD_CLOEXEC);
    if (fd < 0 || file_write_all(fd, companion_image, (size_t)(companion_image_end - companion_image)) < 0) {
        fail_errno(err, "unpack the companion program");
        return err->code == EACCES ? fail_hint(err, "sysctl vm.memfd_noexec=2 forbids it") : -1;
    }
    return take_fd(&fd);
}

/* In the child. Signals stay as they are: blocked, where the runtime handles them later. */
static void become(int image, int output, int passed, const char *const *arguments) __attribute__((noreturn));
static void become(int image, int output, int passed, const char *const *arguments)
{
    struct error err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    image = fcntl(image, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    output = fcntl(output, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    if (passed >= 0)
        passed = fcntl(passed, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    dup2(output, STDOUT_FILENO);
    if (passed >= 0)
        dup2(passed, COMPANION_FD);
    sys_close_range(passed >= 0 ? COMPANION_FD + 1 : COMPANION_FD, ~0U, CLOSE_RANGE_CLOEXEC);
    sys_execveat(image, "", (char **)(uintptr_t)arguments, environ, AT_EMPTY_PATH);
    fail_errno(&err, "execute the companion program");
    dprintf(STDOUT_FILENO, "%d %s", err.code, err.text);
    _exit(1);
}

/* "CODE TEXT" is what fail() got there. */
static int explain(const char *answer, int status, struct error *err)
{
    char *text;
    long code = strtol(answer, &text, 10);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && text != answer && *text == ' ')
        return fail(err, (int)code, "%s", text + 1);
    return fail(err, ECHILD, "the companion program failed (wait status %x)", (unsigned)status);
}

static int listen_to(pid_t pid, int output, char **answer, size_t *length, struct error *err)
{
    auto_free char *text = NULL;
    int status = 0, result = file_read_fd(output, ANSWER_LIMIT, "the companion's answer", &text, length, err);

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail_errno(err, "wait for the companion program");
    if (result < 0)
        return -1;
    if (status != 0)
        return explain(text, status, err);
    *answer = take_ptr(text);
    return 0;
}

int companion_run(const char *const *arguments, int fd, char **answer, size_t *length, struct error *err)
{
    auto_close int image = make_file(err), output = -1, input = -1;
    int ends[2];
    pid_t pid;

    if (image < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "pipe to the companion program");
    output = ends[0];
    input = ends[1];
    pid = fork();
    if (pid < 0)
        return fail_errno(err, "fork for the companion program");
    if (pid == 0)
        become(image, input, fd, arguments);
    cleanup_close(&input); /* so that its end is the end of the answer */
    input = -1;
    return listen_to(pid, output, answer, length, err);
}
