/* The statistics and OOM kills of a recorded cgroup: see stats.h. In the runtime, for `events`. */
#include "cgroup/stats.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "cgroup/directories.h"
#include "cgroup/hierarchies.h"
#include "cgroup/location.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FILE_LIMIT (1u << 20)
#define HUGE_PAGES "/sys/kernel/mm/hugepages"
#define PAGE_SIZE_COUNT 8

/* ---- files ------------------------------------------------------------------------------------------- */

/* Which hierarchy is which shows in the files: every one is looked for in all directories. */
static char *read_file(void *context, const char *controller, const char *file)
{
    const struct cgroup_location *location = context;
    auto_close int fd = -1;
    struct error ignored = { 0 };
    char *text = NULL;

    (void)controller;
    fd = cgroup_location_open_with(location, file);
    if (fd < 0 || file_read_at(fd, file, FILE_LIMIT, &text, NULL, &ignored) < 0)
        return NULL;
    return text;
}

/* "hugepages-2048kB" → "2MB", as the cgroup's files have it. */
static bool page_size_name(const char *directory, char *name, size_t size)
{
    static const struct {
        unsigned long kilobytes;
        const char *unit;
    } units[] = { { 1ul << 20, "GB" }, { 1ul << 10, "MB" }, { 1, "KB" } };
    unsigned long kilobytes;
    char end;

    if (sscanf(directory, "hugepages-%12luk%c", &kilobytes, &end) != 2 || end != 'B')
        return false;
    for (size_t i = 0; i < array_length(units); i++) {
        if (kilobytes < units[i].kilobytes)
            continue;
        snprintf(name, size, "%lu%s", kilobytes / units[i].kilobytes, units[i].unit);
        return true;
    }
    return false;
}

static void find_page_sizes(char names[PAGE_SIZE_COUNT][32], const char *sizes[PAGE_SIZE_COUNT + 1])
{
    DIR *directory = opendir(HUGE_PAGES);
    size_t count = 0;

    for (struct dirent *entry; directory && count < PAGE_SIZE_COUNT && (entry = readdir(directory));)
        if (page_size_name(entry->d_name, names[count], sizeof names[count])) {
            sizes[count] = names[count];
            count++;
        }
    sizes[count] = NULL;
    if (directory)
        closedir(directory);
}

/* With commas instead of blanks; NULL when there is no v2 directory. */
static char *v2_controllers(const struct cgroup_location *location)
{
    auto_close int fd = cgroup_location_open_with(location, "cgroup.controllers");
    char *list = fd >= 0 ? cgroup_file_read(fd, "cgroup.controllers") : NULL;

    for (char *c = list; c && *c; c++)
        if (*c == ' ')
            *c = ',';
    return list;
}

int cgroup_stats(const struct cgroup_location *location, const char *id, const char *intel_rdt,
                 struct buffer *out, struct error *err)
{
    auto_free char *controllers = v2_controllers(location);
    char names[PAGE_SIZE_COUNT][32];
    const char *sizes[PAGE_SIZE_COUNT + 1];
    struct stats_source source = { .unified = controllers && location->created.count == 1,
                                   .v2_controllers = controllers,
                                   .read = read_file,
                                   .context = (void *)location,
                                   .page_sizes = sizes,
                                   .intel_rdt = intel_rdt };

    if (!location || location->created.count == 0)
        return fail(err, ENOTSUP, "the container has no cgroup");
    find_page_sizes(names, sizes);
    stats_format(&source, id, out);
    return 0;
}

/* ---- OOM --------------------------------------------------------------------------------------------- */

/* v2 has memory.events, v1 memory.oom_control; both with a line "oom_kill N". */
static const char *const oom_files[] = { "memory.events", "memory.oom_control" };

uint64_t cgroup_oom_kills(const struct cgroup_location *location)
{
    for (size_t i = 0; i < array_length(oom_files); i++) {
        auto_free char *text = read_file((void *)location, "memory", oom_files[i]);
        const char *line = text ? strstr(text, "oom_kill ") : NULL;

        if (line)
            return strtoull(line + strlen("oom_kill "), NULL, 10);
    }
    return 0;
}

/* The kernel announces changes of memory.events to inotify. */
static int watch_v2(int directory)
{
    auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d/memory.events", directory);
    return fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0 ? -1 : take_fd(&fd);
}

/* v1: an eventfd, registered with the file that it is about. */
static int watch_v1(int directory)
{
    auto_close int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto_close int control = openat(directory, "memory.oom_control", O_RDONLY | O_CLOEXEC);
    char text[32];

    snprintf(text, sizeof text, "%d %d", fd, control);
    if (fd < 0 || control < 0 || file_write_string_at(directory, "cgroup.event_control", text) < 0)
        return -1;
    return take_fd(&fd);
}

int cgroup_oom_watch(const struct cgroup_location *location)
{
    auto_close int v2 = cgroup_location_open_with(location, oom_files[0]);
    auto_close int v1 = v2 < 0 ? cgroup_location_open_with(location, oom_files[1]) : -1;

    if (v2 >= 0)
        return watch_v2(v2);
    return v1 >= 0 ? watch_v1(v1) : -1;
}
