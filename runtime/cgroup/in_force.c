/* Values that are in force: see in_force.h. Runs in the runtime, for `update`. */
#include "cgroup/in_force.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (1u << 20)

/* Files with a line for each device or interface do not list one that has no limit. */
static const struct {
    const char *file, *unlimited;
} listed[] = {
    { "io.max", "rbps=max wbps=max riops=max wiops=max" },
    { "io.weight", "default" },
    { "io.bfq.weight", "default" },
    { "blkio.throttle.read_bps_device", "0" },
    { "blkio.throttle.write_bps_device", "0" },
    { "blkio.throttle.read_iops_device", "0" },
    { "blkio.throttle.write_iops_device", "0" },
    { "blkio.bfq.weight_device", "0" },
    { "blkio.weight_device", "0" },
};

/* The line that starts with the same word as `value`, or NULL. */
static const char *find_line(const char *text, const char *value)
{
    size_t length = strcspn(value, " ") + 1; /* with the blank */

    while (*text && strncmp(text, value, length) != 0) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return *text ? text : NULL;
}

static char *copy_line(const char *line)
{
    size_t length = strcspn(line, "\n");

    return length > 0 ? memory_string_n(line, length) : memory_string("\n"); /* an empty write is none */
}

char *cgroup_value_in_force(const char *file, const char *text, const char *value)
{
    static const char oom[] = "oom_kill_disable ";
    const char *line;

    if (strcmp(file, "memory.oom_control") == 0)
        return strncmp(text, oom, strlen(oom)) == 0 ? copy_line(text + strlen(oom)) : NULL;
    if (!strchr(value, ' ') || strcmp(file, "cpu.max") == 0) /* one value for the whole file */
        return copy_line(text);
    line = find_line(text, value);
    if (line)
        return copy_line(line);
    for (size_t i = 0; i < array_length(listed); i++)
        if (strcmp(file, listed[i].file) == 0)
            return memory_format("%.*s %s", (int)strcspn(value, " "), value, listed[i].unlimited);
    return NULL;
}

static char *read_in_force(const struct cgroup_directory *directory, const struct cgroup_row *row)
{
    auto_free char *path = memory_format("%s/%s", directory->path, row->file), *text = NULL;
    struct error ignored = { 0 };

    if (file_read_at(AT_FDCWD, path, FILE_LIMIT, &text, NULL, &ignored) < 0)
        return NULL;
    return cgroup_value_in_force(row->file, text, row->value);
}

void cgroup_rows_in_force(const struct cgroup_rows *rows, const struct cgroup_directories *directories,
                          struct cgroup_rows *old)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct cgroup_row *row = &rows->items[i];
        const struct cgroup_directory *directory = cgroup_directory_of(directories, row);
        auto_free char *value = directory ? read_in_force(directory, row) : NULL;

        if (value)
            cgroup_rows_add(old, row->controller, row->file, row->property, "%s", value)->v2 = row->v2;
    }
}

/* Twice: one value may have to wait for another, like the limits of memory and of memory plus swap. */
void cgroup_rows_restore(const struct cgroup_rows *old, const struct cgroup_directories *directories)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = old->count; i > 0; i--) {
            const struct cgroup_rows one = { .items = &old->items[i - 1], .count = 1 };

            cgroup_rows_write(&one, directories, &(struct error){ 0 });
        }
    }
}
