/* One container's record: read, save, lock, remove, and as OCI state. Runs in the runtime. Knows nothing of
 * processes. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "container/record.h"
#include "oci-specs/schema.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATUS_FILE "status.json"
#define INIT_LINK "init"
#define REMOVE_WAIT_MS 10000

int record_fail_missing(const char *id, struct error *err)
{
    return fail(err, ENOENT, "container `%s` does not exist", id);
}

static bool is_deleted(const struct container *container)
{
    struct stat status;

    return fstat(container->fd, &status) == 0 && status.st_nlink == 0;
}

/* What is in there decides which processes we signal: nobody else may have written it. */
static int check_owner(const struct container *container, struct error *err)
{
    struct stat status;

    if (fstat(container->fd, &status) < 0)
        return fail_errno(err, "container `%s`: stat", container->id);
    if (status.st_nlink == 0)
        return record_fail_missing(container->id, err);
    if (status.st_uid != geteuid())
        return fail(err, EPERM, "container `%s`: its state directory belongs to uid %u", container->id,
                    (unsigned)status.st_uid);
    if (status.st_mode & 022)
        return fail(err, EPERM, "container `%s`: its state directory is writable for others", container->id);
    return 0;
}

static struct container_status *empty_status(const char *id)
{
    struct container_status *status = memory_new(sizeof *status);

    status->id = memory_string(id);
    status->bundle = memory_string("");
    return status;
}

static struct container_status *read_status(const struct container *container, struct error *err)
{
    return schema_read_at(&container_status_schema, container->fd, STATUS_FILE, err);
}

int record_read(struct container *container, struct error *err)
{
    struct error read_error = { 0 };

    if (check_owner(container, err) < 0)
        return -1;
    schema_free(&container_status_schema, container->status);
    container->status = read_status(container, &read_error);
    container->corrupt = !container->status;
    if (!container->corrupt)
        return 0;
    container->status = empty_status(container->id);
    if (read_error.code == ENOENT && is_deleted(container))
        return record_fail_missing(container->id, err);
    return 0;
}

int container_check(const struct container *container, struct error *err)
{
    struct container_status *status;

    if (!container->corrupt)
        return 0;
    status = read_status(container, err);
    if (!status) {
        fail_hint(err, "delete --force removes what is left of it");
        return fail_in(err, "container `%s`", container->id);
    }
    schema_free(&container_status_schema, status); /* it is whole by now: another command has just finished */
    return fail(err, EAGAIN, "container `%s` is being changed by another command", container->id);
}

/* A full or read-only disk: which one? */
static int fail_in_directory(int fd, struct error *err)
{
    char link[32], path[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path);
    return length < 0 ? -1 : fail_in(err, "state in %.*s", (int)length, path);
}

static int save(const struct container *container,
                int (*write)(int, const char *, const void *, size_t, mode_t, struct error *),
                struct error *err)
{
    auto_buffer struct buffer text = { 0 };

    schema_write(&container_status_schema, container->status, SCHEMA_COMPACT, &text);
    buffer_add_char(&text, '\n');
    if (write(container->fd, STATUS_FILE, text.data, text.length, 0600, err) == 0)
        return 0;
    return fail_in_directory(container->fd, err);
}

int record_create(struct container *container, struct error *err)
{
    return save(container, file_create_at, err);
}

int container_save(struct container *container, struct error *err)
{
    return save(container, file_replace_at, err);
}

bool container_has_cgroup(const struct container *container)
{
    const struct cgroup_location *location = container->status->cgroup;

    return location && location->driver != cgroup_driver_unset &&
           location->driver != CGROUP_DRIVER_DISABLED && location->created.count > 0;
}

/* ---- init without a cgroup ---------------------------------------------------------------------------- */

int container_note_init(const struct container *container, pid_t pid, uint64_t start_time, struct error *err)
{
    char target[48];

    snprintf(target, sizeof target, "%d %" PRIu64, (int)pid, start_time);
    if (symlinkat(target, container->fd, INIT_LINK) == 0)
        return 0;
    if (errno != EEXIST || unlinkat(container->fd, INIT_LINK, 0) < 0 ||
        symlinkat(target, container->fd, INIT_LINK) < 0) {
        fail_errno(err, "note init");
        return fail_in_directory(container->fd, err);
    }
    return 0;
}

bool container_noted_init(const struct container *container, pid_t *pid, uint64_t *start_time)
{
    char target[48] = "";
    int number;

    if (readlinkat(container->fd, INIT_LINK, target, sizeof target - 1) < 0 ||
        sscanf(target, "%d %" SCNu64, &number, start_time) != 2 || number <= 0)
        return false;
    *pid = number;
    return true;
}

/* ---- the lock --------------------------------------------------------------------------------------- */

static int64_t milliseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* flock() itself cannot time out without a signal handler. */
static int wait_for_lock(int fd, int timeout_ms)
{
    int64_t deadline = timeout_ms > 0 ? milliseconds_now() + timeout_ms : 0;
    struct timespec pause = { .tv_nsec = 1000000 };

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        if (timeout_ms <= 0 || milliseconds_now() >= deadline) {
            errno = EWOULDBLOCK;
            return -1;
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 32000000)
            pause.tv_nsec *= 2;
    }
    return 0;
}

static int take_lock(struct container *container, int timeout_ms, struct error *err)
{
    if (wait_for_lock(container->fd, timeout_ms) < 0) {
        if (errno == EWOULDBLOCK)
            return fail(err, EWOULDBLOCK, "container `%s` is locked by another command", container->id);
        return fail_errno(err, "container `%s`: lock", container->id);
    }
    container->locked = true;
    return 0;
}

int container_lock(struct container *container, int timeout_ms, struct error *err)
{
    if (container->locked)
        return 0;
    return take_lock(container, timeout_ms, err) < 0 ? -1 : record_read(container, err);
}

int container_lock_again(struct container *container, int timeout_ms, struct error *err)
{
    if (take_lock(container, timeout_ms, err) < 0)
        return -1;
    return is_deleted(container) ? record_fail_missing(container->id, err) : 0;
}

void container_unlock(struct container *container)
{
    if (container->locked)
        flock(container->fd, LOCK_UN);
    container->locked = false;
}

bool container_is_locked(const struct container *container)
{
    if (container->locked)
        return false;
    if (flock(container->fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(container->fd, LOCK_UN);
    return false;
}

/* ---- the end
 * ----------------------------------------------------------------------------------------------- */

/* Our files by name, the status last: as long as there is something to find, its record is there, too. */
static int remove_files(const struct container *container, struct error *err)
{
    static const char *const files[] = { INIT_LINK, "config.json", "start.sock", STATUS_FILE };

    for (size_t i = container_has_cgroup(container) ? 1 : 0; i < array_length(files); i++)
        if (unlinkat(container->fd, files[i], 0) < 0 && errno != ENOENT)
            return fail_errno(err, "remove %s of container `%s`", files[i], container->id);
    return 0;
}

int container_remove(struct container *container, struct error *err)
{
    if (!container->locked) {
        if (wait_for_lock(container->fd, REMOVE_WAIT_MS) < 0)
            return fail(err, EWOULDBLOCK, "container `%s` is locked by another command", container->id);
        container->locked = true;
    }
    if (is_deleted(container)) /* by another command; what has this name now is another container */
        return 0;
    if (remove_files(container, err) < 0)
        return -1;
    if (unlinkat(container->root_fd, container->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    /* Temporary files, left by a command that was killed. */
    if (file_remove_tree_at(container->root_fd, container->id) < 0)
        return fail_errno(err, "remove the state directory of container `%s`", container->id);
    return 0;
}

void container_close(struct container *container)
{
    container_unlock(container); /* closing is not enough: a cloned child may still have the fd */
    if (container->fd >= 0)
        close(container->fd);
    schema_free(&container_status_schema, container->status);
    free(container->id);
    *container = (struct container){ .fd = -1, .root_fd = -1 };
}

/* ---- as OCI state ----------------------------------------------------------------------------------- */

const char *container_state_name(enum container_state state)
{
    static const char *const names[] = {
        [CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created", [CONTAINER_RUNNING] = "running",
        [CONTAINER_PAUSED] = "paused",     [CONTAINER_STOPPED] = "stopped",
    };

    return names[state];
}

/* Not string_map_set(): that looks each key up, and there may be very many. */
static void copy_map(const struct string_map *from, struct string_map *to)
{
    for (size_t i = 0; i < from->count; i++) {
        struct string_pair *pair = array_grow(to->items, to->count);

        pair->key = memory_string(from->items[i].key);
        pair->value = memory_string(from->items[i].value);
    }
}

struct oci_state *container_oci_state(const struct container *container, enum container_state state)
{
    const struct container_status *status = container->status;
    struct oci_state *document = memory_new(sizeof *document);

    document->oci_version = memory_string(OCI_VERSION);
    document->id = memory_string(container->id);
    document->pid = state == CONTAINER_STOPPED ? 0 : status->pid;
    document->has_pid = true; /* contract O1: 0 when there is none */
    document->status = memory_string(container_state_name(state));
    document->bundle = memory_string(status->bundle);
    document->rootfs = memory_string(status->rootfs);
    document->created = memory_string(status->created);
    document->owner = memory_string("");
    copy_map(&status->annotations, &document->annotations);
    return document;
}
