/*
 * User namespaces that hold the mapping of an idmapped mount (items 100-105). The container's own does not
 * exist yet when the runtime needs it, so a helper process makes one with the same mapping and is ended
 * again. Runs in the runtime.
 */
#include "rootfs/mount.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct id_maps {
    struct buffer uid, gid; /* lines of /proc/PID/uid_map */
};

static void id_maps_free(struct id_maps *maps)
{
    buffer_free(&maps->uid);
    buffer_free(&maps->gid);
}

static void add_mappings(struct buffer *text, const struct oci_id_mapping *mappings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_add_format(text, "%u %u %u\n", mappings[i].container_id, mappings[i].host_id,
                          mappings[i].size);
}

/* "0-1000-10#10-2000-5" */
static int add_text(struct buffer *text, const char *mapping, size_t length, struct error *err)
{
    auto_free char *copy = memory_string_n(mapping, length);
    char *line_state = NULL;

    for (char *line = strtok_r(copy, "#", &line_state); line; line = strtok_r(NULL, "#", &line_state)) {
        uint64_t numbers[3];
        char *state = NULL, *number = strtok_r(line, "-", &state);
        int count = 0;

        for (; number && count < 3; number = strtok_r(NULL, "-", &state))
            if (!number_parse_unsigned(number, UINT32_MAX - 1, &numbers[count++]))
                return fail(err, EINVAL, "options: idmap: '%s' is not a number", number);
        if (count != 3 || number)
            return fail(err, EINVAL, "options: idmap: a mapping has three numbers, as in 0-1000-1");
        buffer_add_format(text, "%u %u %u\n", (unsigned)numbers[0], (unsigned)numbers[1],
                          (unsigned)numbers[2]);
    }
    return 0;
}

/* "uids=0-1000-10#…;gids=…" (crun's form) */
static int parse_option(const char *option, struct id_maps *maps, struct error *err)
{
    while (*option) {
        size_t length = strcspn(option, ";");
        struct buffer *text = strncmp(option, "uids=", 5) == 0   ? &maps->uid
                              : strncmp(option, "gids=", 5) == 0 ? &maps->gid
                                                                 : NULL;

        if (!text || text->length > 0)
            return fail(err, EINVAL, "options: idmap: expected uids=…;gids=… at '%s'", option);
        if (add_text(text, option + 5, length - 5, err) < 0)
            return -1;
        option += length + (option[length] == ';');
    }
    if (!maps->uid.length || !maps->gid.length)
        return fail(err, EINVAL, "options: idmap: uids and gids are both needed");
    return 0;
}

static int collect(const struct rootfs_plan *plan, const struct mount_op *op, struct id_maps *maps,
                   struct error *err)
{
    const struct oci_linux *config = plan->linux_config;

    if (op->options.idmap)
        return parse_option(op->options.idmap, maps, err);
    if (op->config->uid_mappings_count) {
        add_mappings(&maps->uid, op->config->uid_mappings, op->config->uid_mappings_count);
        add_mappings(&maps->gid, op->config->gid_mappings, op->config->gid_mappings_count);
        return 0;
    }
    add_mappings(&maps->uid, config->uid_mappings, config->uid_mappings_count);
    add_mappings(&maps->gid, config->gid_mappings, config->gid_mappings_count);
    if (!maps->uid.length || !maps->gid.length)
        return fail(err, EINVAL, "options: idmap: the user namespace has no mappings");
    return 0;
}

/* The mapping of a user namespace that the container joins is that namespace itself. */
static const char *joined_user_namespace(const struct rootfs_plan *plan, const struct mount_op *op)
{
    if (op->options.idmap || op->config->uid_mappings_count)
        return NULL;
    for (size_t i = 0; i < plan->linux_config->namespaces_count; i++)
        if (plan->linux_config->namespaces[i].type == OCI_NAMESPACE_USER)
            return plan->linux_config->namespaces[i].path;
    return NULL;
}

static pid_t start_holder(struct error *err)
{
    const struct sys_clone_args arguments = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
    pid_t parent = getpid(), pid = sys_clone3(&arguments);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        while (getppid() == parent) /* it may have died before we asked to be told */
            pause();
        _exit(0);
    }
    return pid < 0 ? fail_errno(err, "make a user namespace for the id mapping") : pid;
}

static int write_map(pid_t pid, const char *file, const struct buffer *text, struct error *err)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    if (file_write_at(AT_FDCWD, path, text->data, text->length) < 0)
        return fail_errno(err, "write %s of the id mapping", file);
    return 0;
}

static int open_holder(pid_t pid, const struct id_maps *maps, struct error *err)
{
    char path[64];
    int fd;

    if (write_map(pid, "uid_map", &maps->uid, err) < 0 || write_map(pid, "gid_map", &maps->gid, err) < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? fail_errno(err, "open the user namespace of the id mapping") : fd;
}

int idmap_open(const struct rootfs_plan *plan, const struct mount_op *op, struct error *err)
{
    auto_cleanup(id_maps_free) struct id_maps maps = { 0 };
    const char *joined = joined_user_namespace(plan, op);
    pid_t pid;
    int fd;

    if (joined) {
        fd = open(joined, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? fail_errno(err, "open %s", joined) : fd;
    }
    if (collect(plan, op, &maps, err) < 0)
        return -1;
    pid = start_holder(err);
    if (pid < 0)
        return -1;
    fd = open_holder(pid, &maps, err);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return fd;
}
