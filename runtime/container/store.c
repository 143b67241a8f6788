/*
 * The directory of all containers: where it is, what is in it, reserving an id. Runs in the runtime. What
 * happens to one container's record is in container.c. See store.h for the layout and the rules of locking.
 */
#include "container/store.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "container/record.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_root(const char *path, bool create)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT || !create)
        return fd;
    if (file_mkdir_all(path, 0700) < 0)
        return -1;
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * A default root must be our own: inside a user namespace /run/aril can be the host's, which is there but not
 * for us.
 */
static int open_own_root(const char *path, bool create)
{
    auto_close int fd = open_root(path, create);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -1;
    if (status.st_uid != geteuid()) {
        errno = EACCES;
        return -1;
    }
    return take_fd(&fd);
}

static int open_default_root(bool create, struct store *store, struct error *err)
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
    bool superuser = geteuid() == 0;

    if (superuser) {
        store->root = memory_string("/run/aril");
        store->fd = open_own_root(store->root, create);
        if (store->fd >= 0)
            return 0;
    }
    if (runtime_dir && runtime_dir[0] == '/') {
        free(store->root);
        store->root = memory_format("%s/aril", runtime_dir);
        store->fd = open_own_root(store->root, create);
        if (store->fd >= 0)
            return 0;
    } else if (!superuser) {
        return fail(err, EINVAL, "XDG_RUNTIME_DIR is not set (set it, or use --root)");
    }
    return fail_errno(err, "state directory %s", store->root);
}

static int open_given_root(const char *root, bool create, struct store *store, struct error *err)
{
    if (root[0] == '/') {
        store->root = memory_string(root);
    } else {
        auto_free char *cwd = getcwd(NULL, 0);

        if (!cwd)
            return fail_errno(err, "--root %s: getcwd", root);
        store->root = memory_format("%s/%s", cwd, root);
    }
    store->fd = open_root(store->root, create);
    if (store->fd < 0)
        return fail_errno(err, "state directory %s", root);
    return 0;
}

int store_open(const char *root, bool create, struct store *store, struct error *err)
{
    *store = (struct store){ .fd = -1 };
    if ((root ? open_given_root(root, create, store, err) : open_default_root(create, store, err)) == 0)
        return 0;
    store_close(store);
    return -1;
}

void store_close(struct store *store)
{
    if (store->fd >= 0)
        close(store->fd);
    free(store->root);
    *store = (struct store){ .fd = -1 };
}

/* ---- reserving an id ---------------------------------------------------------------------------------- */

/*
 * Makes ROOT/ID and locks it. Between mkdir and flock a `delete --force` may take the lock and remove the
 * directory again: then *fd is of a directory that is no more, and the caller starts over. Returns 1, 0 for
 * that, or -1 with an error.
 */
static int reserve(struct store *store, const char *id, int *fd, struct error *err)
{
    auto_close int opened = -1;
    struct stat status;

    if (mkdirat(store->fd, id, 0700) < 0) {
        if (errno == EEXIST)
            return fail(err, EEXIST, "container with given ID already exists: container `%s` already exists",
                        id);
        return fail_errno(err, "create %s/%s", store->root, id);
    }
    opened = openat(store->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0)
        return errno == ENOENT ? 0 : fail_errno(err, "open %s/%s", store->root, id);
    if (flock(opened, LOCK_EX) < 0)
        return fail_errno(err, "lock %s/%s", store->root, id);
    if (fstat(opened, &status) < 0)
        return fail_errno(err, "stat %s/%s", store->root, id);
    if (status.st_nlink == 0)
        return 0;
    if ((status.st_mode & 07777) != 0700 && fchmod(opened, 0700) < 0) /* an odd umask */
        return fail_errno(err, "chmod %s/%s", store->root, id);
    *fd = take_fd(&opened);
    return 1;
}

static struct container_status *first_status(const char *id, const struct container_status *given)
{
    struct container_status *status = schema_copy(&container_status_schema, given);
    char now[TIMESTAMP_SIZE];

    free(status->id);
    status->id = memory_string(id);
    if (!status->bundle)
        status->bundle = memory_string("");
    if (!status->created) {
        timestamp_now(now);
        status->created = memory_string(now);
    }
    if (!status->has_owner_uid) {
        status->owner_uid = geteuid();
        status->has_owner_uid = true;
    }
    return status;
}

int store_create(struct store *store, const char *id, const struct container_status *status,
                 struct container *container, struct error *err)
{
    int reserved;

    *container = (struct container){ .fd = -1, .root_fd = store->fd };
    if (container_id_check(id, err) < 0)
        return -1;
    do
        reserved = reserve(store, id, &container->fd, err);
    while (reserved == 0);
    if (reserved < 0)
        return -1;
    container->locked = true;
    container->id = memory_string(id);
    container->status = first_status(id, status);
    if (record_create(container, err) == 0)
        return 0;
    container_remove(container, &(struct error){ 0 });
    container_close(container);
    return -1;
}

/* ---- what is there ---------------------------------------------------------------------------------- */

int store_load(struct store *store, const char *id, struct container *container, struct error *err)
{
    *container = (struct container){ .fd = -1, .root_fd = store->fd };
    if (container_id_check(id, err) < 0)
        return -1;
    container->id = memory_string(id);
    container->fd = openat(store->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (container->fd < 0) {
        if (errno == ENOENT)
            record_fail_missing(id, err);
        else
            fail_errno(err, "container `%s`: open %s/%s", id, store->root, id);
    } else if (record_read(container, err) == 0) {
        return 0;
    }
    container_close(container);
    return -1;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_container(int dirfd, const struct dirent *entry)
{
    struct error ignored = { 0 };
    struct stat status;

    if (container_id_check(entry->d_name, &ignored) < 0)
        return false;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

int store_list(struct store *store, struct strings *ids, struct error *err)
{
    auto_close int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto_closedir DIR *dir = NULL;
    struct dirent *entry;

    *ids = (struct strings){ 0 };
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return fail_errno(err, "state directory %s", store->root);
    take_fd(&fd);
    while ((entry = readdir(dir)))
        if (is_container(dirfd(dir), entry))
            strings_add(ids, entry->d_name);
    if (ids->count)
        qsort(ids->items, ids->count, sizeof *ids->items, compare_ids);
    return 0;
}
