/* Directories of a cgroup and the writes into them: see directories.h. Runs in the runtime (create, update).
 */
#include "cgroup/directories.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/privilege.h"
#include "cgroup/location.h"
#include "cgroup/mountinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_ENOTSUPP 524 /* leaks out of some cgroup files; no errno of user space */

void cgroup_directories_add(struct cgroup_directories *directories, const char *controllers,
                            const char *mount_point, const char *path)
{
    *array_grow(directories->items, directories->count) = (struct cgroup_directory){
        .controllers = memory_string(controllers),
        .mount_point = memory_string(mount_point),
        .path = memory_join(strcmp(mount_point, "/") == 0 ? "" : mount_point, path, ""),
        .fd = -1,
    };
}

void cgroup_directories_free(struct cgroup_directories *directories)
{
    for (size_t i = 0; i < directories->count; i++) {
        free(directories->items[i].controllers);
        free(directories->items[i].mount_point);
        free(directories->items[i].path);
        if (directories->items[i].fd >= 0)
            close(directories->items[i].fd);
    }
    free(directories->items);
    *directories = (struct cgroup_directories){ 0 };
}

struct cgroup_directory *cgroup_directory_of(const struct cgroup_directories *directories,
                                             const struct cgroup_row *row)
{
    for (size_t i = 0; i < directories->count; i++) {
        struct cgroup_directory *directory = &directories->items[i];

        if (directory->absent)
            continue;
        if (row->v2 || !directory->controllers[0]
                ? row->v2 == !directory->controllers[0]
                : cgroup_list_has(directory->controllers, row->controller, strlen(row->controller)))
            return directory;
    }
    return NULL;
}

/* The last file written to stays open: device rules are many writes to one file. */
struct writer {
    struct cgroup_directory *directory;
    const char *file;
    int fd;
};

static void close_writer(struct writer *writer)
{
    cleanup_close(&writer->fd);
}

/* Returns 0 or -1 with errno. */
static int open_row(struct writer *writer, struct cgroup_directory *directory, const struct cgroup_row *row)
{
    if (writer->fd >= 0 && writer->directory == directory && strcmp(writer->file, row->file) == 0)
        return 0;
    close_writer(writer);
    writer->fd = -1;
    if (directory->fd < 0)
        directory->fd = open(directory->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory->fd < 0)
        return -1;
    writer->fd = openat(directory->fd, row->file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    writer->directory = directory;
    writer->file = row->file;
    return writer->fd < 0 ? -1 : 0;
}

static int write_value(struct writer *writer, struct cgroup_directory *directory,
                       const struct cgroup_row *row)
{
    ssize_t written;

    if (open_row(writer, directory, row) < 0)
        return -1;
    do
        written = write(writer->fd, row->value, strlen(row->value));
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno == KERNEL_ENOTSUPP)
        errno = ENOTSUP;
    return written < 0 ? -1 : 0;
}

static int fail_row(const struct cgroup_row *row, const struct cgroup_directory *directory, struct error *err)
{
    int code = errno;

    if (code == ENOENT)
        return fail(err, ENOENT, "%s: %s has no %s (is the %s controller enabled there?)", row->property,
                    directory->path, row->file, row->controller);
    fail_errno(err, "%s: write '%s' to %s", row->property, row->value, row->file);
    if (code == EBUSY && strcmp(row->controller, "memory") == 0)
        fail_hint(err, "more than that is in use");
    /* Never given to the cgroups above: their budget is shared with others, and is theirs who made them. */
    if (code == EINVAL && strcmp(row->file, "cpu.rt_runtime_us") == 0)
        fail_hint(err, "the cgroups above it must have as much time in their own cpu.rt_runtime_us");
    return -1;
}

enum outcome { FAILED = -1, WRITTEN, MISSING, LATER };

/* A rootless container can neither make nor be given a device that a rule would have to deny. */
static bool is_needless_device_rule(const struct cgroup_row *row)
{
    return strcmp(row->controller, "devices") == 0 && !row->v2 && !privilege_of_host();
}

static bool is_kept(const struct cgroup_directory *directory, const struct cgroup_row *row)
{
    auto_free char *text = cgroup_file_read(directory->fd, row->file);
    uint64_t kept, wanted;

    return text && number_parse_unsigned(text, UINT64_MAX, &kept) &&
           number_parse_unsigned(row->value, UINT64_MAX, &wanted) && kept <= wanted;
}

static enum outcome write_row(struct writer *writer, const struct cgroup_directories *directories,
                              const struct cgroup_row *row, bool may_wait, struct error *err)
{
    struct cgroup_directory *directory = cgroup_directory_of(directories, row);

    if (!directory) {
        if (row->rule == ROW_OPTIONAL || is_needless_device_rule(row))
            return MISSING;
        return (enum outcome)fail(err, ENOTSUP, "%s: there is no %s controller here", row->property,
                                  row->controller);
    }
    if (write_value(writer, directory, row) == 0) {
        if (row->doubted && !is_kept(directory, row))
            return (enum outcome)fail(err, ENOTSUP, "%s: this kernel does not keep %s", row->property,
                                      row->file);
        return WRITTEN;
    }
    if (errno == ENOENT && (row->rule == ROW_OPTIONAL || row->rule == ROW_OR_NEXT))
        return MISSING;
    if (errno == EPERM && (row->rule == ROW_IF_PERMITTED || is_needless_device_rule(row)))
        return MISSING;
    if (errno == EINVAL && row->retry && may_wait)
        return LATER;
    return (enum outcome)fail_row(row, directory, err);
}

int cgroup_rows_write(const struct cgroup_rows *rows, const struct cgroup_directories *directories,
                      struct error *err)
{
    auto_cleanup(close_writer) struct writer writer = { .fd = -1 };
    auto_free bool *later = NULL;

    for (size_t i = 0; i < rows->count; i++) {
        const struct cgroup_row *row = &rows->items[i];
        enum outcome outcome = write_row(&writer, directories, row, true, err);

        if (outcome == FAILED)
            return -1;
        if (outcome == WRITTEN && row->rule == ROW_OR_NEXT)
            i++;
        if (outcome == LATER) {
            if (!later)
                later = memory_new_array(rows->count, sizeof *later);
            later[i] = true;
        }
    }
    for (size_t i = 0; later && i < rows->count; i++)
        if (later[i] && write_row(&writer, directories, &rows->items[i], false, err) == FAILED)
            return -1;
    return 0;
}
