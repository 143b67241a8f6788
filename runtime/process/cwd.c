/*
 * process.cwd (item 54). Runs in the container's init or in an exec'd process, inside the container's root.
 * The path is the config's, but the image decides what it leads to.
 */
#include "process/process.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Makes it below the root as openat2 sees it: no magic link of /proc can send the new directory elsewhere. */
static int make_and_enter(const char *path)
{
    auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_close int directory = -1;
    mode_t saved;

    if (root < 0)
        return -1;
    saved = umask(0022);
    directory = file_mkdir_in_root(root, path, 0755);
    umask(saved);
    return directory < 0 ? -1 : fchdir(directory);
}

/*
 * CVE-2024-21626: a cwd of /proc/self/fd/N led to a directory of the host that a descriptor still held. The
 * kernel says
 * "(unreachable)/…" for a directory outside the root; glibc's getcwd() would hide that.
 */
static int check_inside(void)
{
    char path[PATH_MAX];

    if (syscall(SYS_getcwd, path, sizeof path) < 0)
        return -1;
    if (path[0] == '/')
        return 0;
    errno = EXDEV;
    return -1;
}

int process_apply_cwd(const struct process_plan *plan, struct error *err)
{
    const char *path = plan->process->cwd;

    if (chdir(path) < 0 && (errno != ENOENT || make_and_enter(path) < 0))
        return fail_errno(err, "%s.cwd: chdir %s", plan->what, path);
    if (strcmp(path, "/") == 0)
        return 0;
    if (check_inside() == 0)
        return 0;
    if (errno == EXDEV)
        return fail(err, EXDEV, "%s.cwd: %s leads outside the container's root", plan->what, path);
    return fail_errno(err, "%s.cwd: getcwd in %s", plan->what, path);
}
