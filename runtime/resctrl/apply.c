/*
 * Executes a resctrl plan below a descriptor of the file system's root. Runs in the runtime, which moves init
 * into its class before init runs anything; the kernel puts children into the class of their parent.
 */
#include "resctrl/resctrl.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define MOUNT_POINT "/sys/fs/resctrl"
#define RESCTRL_MAGIC 0x7655821
#define SCHEMATA_LIMIT (1 << 16)
#define PATH_ROOM (2 * NAME_MAX + 64)

static int make_directory(int dirfd, const char *path)
{
    return mkdirat(dirfd, path, 0755);
}

int resctrl_open(struct resctrl *resctrl, struct error *err)
{
    auto_close int fd = open(MOUNT_POINT, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs filesystem;

    *resctrl = (struct resctrl){ .root = -1 };
    if (fd < 0 || fstatfs(fd, &filesystem) < 0 || filesystem.f_type != RESCTRL_MAGIC)
        return fail(err, ENOTSUP, "linux.intelRdt: resctrl is not mounted on " MOUNT_POINT);
    resctrl->root = take_fd(&fd);
    resctrl->path = memory_string(MOUNT_POINT);
    resctrl->make_directory = make_directory;
    return 0;
}

void resctrl_close(struct resctrl *resctrl)
{
    cleanup_close(&resctrl->root);
    free(resctrl->path);
    *resctrl = (struct resctrl){ .root = -1 };
}

static bool exists(const struct resctrl *resctrl, const char *path)
{
    return faccessat(resctrl->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the kernel has to say about the last failure. */
static int fail_write(const struct resctrl *resctrl, const char *path, struct error *err)
{
    auto_free char *reason = NULL;
    struct error ignored;
    size_t length;

    fail_errno(err, "linux.intelRdt: write to %s/%s", resctrl->path, path);
    if (file_read_at(resctrl->root, "info/last_cmd_status", 4096, &reason, &length, &ignored) == 0 &&
        strcspn(reason, "\n") > 0 && strncmp(reason, "ok", 2) != 0)
        fail_hint(err, "%.*s", (int)strcspn(reason, "\n"), reason);
    return -1;
}

static int write_file(const struct resctrl *resctrl, const char *directory, const char *name,
                      const char *text, struct error *err)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return file_write_string_at(resctrl->root, path, text) < 0 ? fail_write(resctrl, path, err) : 0;
}

static int compare(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct error *err)
{
    auto_free char *existing = NULL;
    char path[PATH_ROOM];
    size_t length;

    if (!plan->schemata)
        return 0;
    snprintf(path, sizeof path, "%s/schemata", plan->group);
    if (file_read_at(resctrl->root, path, SCHEMATA_LIMIT, &existing, &length, err) < 0)
        return fail_in(err, "linux.intelRdt");
    if (!resctrl_schemata_match(plan->schemata, existing))
        return fail(err, EEXIST, "linux.intelRdt.closID: class '%s' exists with other schemata", plan->group);
    return 0;
}

static int make_group(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct error *err)
{
    if (plan->must_exist) {
        if (!exists(resctrl, plan->group))
            return fail(err, ENOENT,
                        "linux.intelRdt.closID: there is no class '%s', and no schemata to make it with",
                        plan->group);
        return 0;
    }
    if (strcmp(plan->group, ".") == 0)
        return compare(plan, resctrl, err);
    if (resctrl->make_directory(resctrl->root, plan->group) < 0) {
        if (errno == EEXIST)
            return compare(plan, resctrl, err);
        fail_errno(err, "linux.intelRdt: make class '%s'", plan->group);
        return err->code == ENOSPC ? fail_hint(err, "the processor has no more classes") : -1;
    }
    if (!plan->schemata || write_file(resctrl, plan->group, "schemata", plan->schemata, err) == 0)
        return 0;
    unlinkat(resctrl->root, plan->group, AT_REMOVEDIR); /* nobody is in it yet */
    return -1;
}

static void monitor_name(const struct resctrl_plan *plan, char path[static PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/mon_groups/%s", plan->group, plan->monitor);
}

static int make_monitor(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct error *err)
{
    char path[PATH_ROOM];

    if (!plan->monitor)
        return 0;
    monitor_name(plan, path);
    if (resctrl->make_directory(resctrl->root, path) < 0)
        return fail_errno(err, "linux.intelRdt.enableMonitoring: make %s/%s", resctrl->path, path);
    return 0;
}

int resctrl_create(const struct resctrl_plan *plan, const struct resctrl *resctrl, struct error *err)
{
    const bool is_ours = !plan->named && !exists(resctrl, plan->group);

    if (make_group(plan, resctrl, err) < 0)
        return -1;
    if (make_monitor(plan, resctrl, err) == 0)
        return 0;
    if (is_ours)
        unlinkat(resctrl->root, plan->group, AT_REMOVEDIR);
    return -1;
}

int resctrl_assign(const struct resctrl_plan *plan, const struct resctrl *resctrl, pid_t pid,
                   struct error *err)
{
    char path[PATH_ROOM], text[16];

    snprintf(text, sizeof text, "%d", (int)pid);
    if (write_file(resctrl, plan->group, "tasks", text, err) < 0)
        return -1;
    if (!plan->monitor)
        return 0;
    monitor_name(plan, path); /* after the class: moving there resets it */
    return write_file(resctrl, path, "tasks", text, err);
}

int resctrl_update(const struct resctrl_plan *plan, const struct resctrl *resctrl, const char *schemata,
                   struct error *err)
{
    return write_file(resctrl, plan->group, "schemata", schemata, err);
}

char *resctrl_group_path(const struct resctrl_plan *plan, const struct resctrl *resctrl)
{
    if (plan->named || exists(resctrl, plan->group))
        return NULL;
    return memory_format("%s/%s", resctrl->path, plan->group);
}

char *resctrl_monitor_path(const struct resctrl_plan *plan, const struct resctrl *resctrl)
{
    char path[PATH_ROOM];

    if (!plan->monitor)
        return NULL;
    monitor_name(plan, path);
    return exists(resctrl, path) ? NULL : memory_format("%s/%s", resctrl->path, path);
}

int resctrl_remove(const char *group, const char *monitor, struct error *err)
{
    const char *const paths[] = { monitor, group }; /* it may be inside the group */

    for (size_t i = 0; i < array_length(paths); i++)
        if (paths[i] && rmdir(paths[i]) < 0 && errno != ENOENT)
            return fail_errno(err, "linux.intelRdt: remove %s", paths[i]);
    return 0;
}
