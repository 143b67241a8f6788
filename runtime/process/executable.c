/*
 * Finding and running args[0] (item 56): what execvp() does, with the container's PATH. Runs in the
 * container's init or in an exec'd process, inside the container's root, as whom the payload will be. Only
 * looks at files, never opens them: a FIFO must not hold us. The wording of the errors is a contract (E4, E5,
 * P7, D1): engines turn "executable file not found in" and "no such file or directory" into exit status 127,
 * "permission denied" into 126.
 */
#include "process/process.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For a config without PATH, as crun has it; execvp() itself would look into /bin and /usr/bin. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* 0 or an errno value. In an old Docker's seccomp filter the call that looks at effective ids and
 * capabilities gives EPERM. */
static int check_access(const char *path)
{
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
        return 0;
    if (errno != EPERM)
        return errno;
    return faccessat(AT_FDCWD, path, X_OK, 0) < 0 ? errno : 0;
}

/* 0, or the errno value that execve() would give (EISDIR instead of its EACCES for a directory). */
static int check_executable(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return check_access(path);
}

static int fail_path(const char *name, int code, struct error *err)
{
    /* podman knows only the second half, Docker both. */
    if (code == EISDIR)
        return fail(err, EACCES, "exec: \"%s\": is a directory: permission denied", name);
    return fail(err, code, "exec: \"%s\": %s", name, errno_text(code));
}

/* The next candidate of a PATH: DIRECTORY/NAME; an empty element is the working directory. Owned. */
static char *next_candidate(const char **search, const char *name)
{
    const char *directory = *search;
    const size_t length = strcspn(directory, ":");

    *search = directory[length] ? directory + length + 1 : NULL;
    if (length == 0)
        return memory_format("./%s", name);
    return memory_format("%.*s/%s", (int)length, directory, name);
}

/* Goes on where execvp() does; everything else (a loop of links, say) is the answer. */
static bool try_next(int code)
{
    return code == EACCES || code == EISDIR || code == ENOENT || code == ENOTDIR || code == ESTALE ||
           code == ENODEV || code == ETIMEDOUT || code == ENAMETOOLONG;
}

static int search_path(const char *search, const char *name, char **path, struct error *err)
{
    bool denied = false;

    while (search && *name) {
        auto_free char *candidate = next_candidate(&search, name);
        int code = check_executable(candidate);

        if (code == 0) {
            *path = take_ptr(candidate);
            return 0;
        }
        if (!try_next(code))
            return fail_path(name, code, err);
        /* A directory of PATH that we may not enter is not a program that we may not execute. */
        denied = denied || code == EISDIR || (code == EACCES && faccessat(AT_FDCWD, candidate, F_OK, 0) == 0);
    }
    if (denied)
        return fail_path(name, EACCES, err);
    return fail(err, ENOENT, "exec: \"%s\": executable file not found in $PATH: no such file or directory",
                name);
}

int process_find_executable(const struct process_plan *plan, char **path, struct error *err)
{
    const char *name = plan->process->args.items[0];
    const char *search;
    int code;

    if (!strchr(name, '/')) {
        search = process_plan_get_env(plan, "PATH");
        return search_path(search ? search : DEFAULT_PATH, name, path, err);
    }
    code = check_executable(name);
    if (code != 0)
        return fail_path(name, code, err);
    *path = memory_string(name);
    return 0;
}

/* A file that the kernel has no loader for fails (ENOEXEC) as with runc; execvp() would hand it to /bin/sh.
 */
int process_execute(const struct process_plan *plan, const char *path, struct error *err)
{
    execve(path, plan->process->args.items, plan->env);
    fail_errno(err, "exec %s", path);
    if (err->code == ENOENT)
        fail_hint(err, "does its interpreter exist in the container?");
    return -1;
}
