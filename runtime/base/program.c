/* Programs of the system: see program.h. */
#include "base/program.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

static bool is_in_working_directory(const char *directory)
{
    auto_free char *real = realpath(directory, NULL), *cwd = getcwd(NULL, 0);
    size_t length = cwd ? strlen(cwd) : 0;

    if (!real || !cwd)
        return true;
    return length > 1 && strncmp(real, cwd, length) == 0 && (real[length] == '/' || real[length] == '\0');
}

static bool is_trusted(const char *directory)
{
    struct stat status;

    if (directory[0] != '/' || stat(directory, &status) < 0 || is_in_working_directory(directory))
        return false;
    return (status.st_uid == 0 || status.st_uid == geteuid()) && !(status.st_mode & S_IWOTH);
}

char *program_find(const char *name, struct error *err)
{
    const char *search = getenv("PATH");
    auto_free char *copy = memory_string(search ? search : DEFAULT_PATH);
    char *rest = copy, *directory;

    while ((directory = strsep(&rest, ":"))) {
        auto_free char *path = memory_format("%s/%s", directory, name);

        if (access(path, X_OK) < 0)
            continue;
        if (is_trusted(directory))
            return take_ptr(path);
        log_warning("%s: not used: others can write to its directory, or it is in the working directory",
                    path);
    }
    fail(err, ENOENT, "%s: executable file not found in $PATH", name);
    return NULL;
}

char **program_environment(void)
{
    static const char *const names[] = { "PATH=", "TMPDIR=", "TMP=", "TEMP=" };
    char **kept = memory_new_array(array_length(names) + 1, sizeof *kept);
    size_t count = 0;

    for (size_t i = 0; i < array_length(names); i++)
        for (char **variable = environ; *variable; variable++)
            if (strncmp(*variable, names[i], strlen(names[i])) == 0) {
                kept[count++] = *variable;
                break;
            }
    return kept;
}
