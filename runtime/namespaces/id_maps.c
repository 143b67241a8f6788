/*
 * Id maps of a new user namespace, written by the runtime for the waiting child: directly, or with the setuid
 * helpers newuidmap and newgidmap when the kernel refuses an ordinary user (item 139).
 */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail_no_helper(struct error *err)
{
    fail_in(err, "linux: run");
    return fail_hint(
        err, "other ids than our own need newuidmap and newgidmap: Debian package uidmap; without them, "
             "map one id: aril spec --rootless");
}

/* What the helper has to say is part of the error: engines show one line, and it may not reach them
 * otherwise. */
static pid_t spawn_helper(char *const *argv, int *output, struct error *err)
{
    auto_free char *path = program_find(argv[0], err);
    auto_free char **environment = NULL;
    posix_spawn_file_actions_t actions;
    int ends[2], code;
    pid_t child;

    if (!path)
        return fail_no_helper(err);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    environment = program_environment();
    code = posix_spawn(&child, path, &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    if (code == 0)
        return child;
    close(ends[0]);
    errno = code;
    fail_errno(err, "%s", argv[0]);
    return fail_no_helper(err);
}

static int explain_refusal(const char *program, int output, struct error *err)
{
    auto_free char *text = NULL;
    struct error ignored = { 0 };

    fail(err, EPERM, "linux: %s refused the mapping: operation not permitted", program);
    if (file_read_fd(output, 4096, program, &text, NULL, &ignored) < 0 || !*text)
        return fail_hint(err, "check /etc/subuid and /etc/subgid");
    text[strcspn(text, "\n")] = '\0';
    return fail_hint(err, "%s; check /etc/subuid and /etc/subgid", text);
}

static int run_helper(const char *program, pid_t pid, const char *map, struct error *err)
{
    auto_free char *words = memory_format("%s %d %s", program, (int)pid, map);
    auto_close int output = -1;
    char **argv = NULL;
    size_t count = 0;
    pid_t child;
    int status;

    for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n"))
        *array_grow(argv, count) = word;
    *array_grow(argv, count) = NULL;
    child = spawn_helper(argv, &output, err);
    free(argv);
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fail_errno(err, "linux: wait for %s", program);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : explain_refusal(program, output, err);
}

static int write_map(int procdir, const char *file, const char *helper, pid_t pid, const char *map,
                     struct error *err)
{
    if (file_write_string_at(procdir, file, map) == 0)
        return 0;
    if (errno == EPERM && geteuid() != 0)
        return run_helper(helper, pid, map, err);
    fail_errno(err, "linux.%s: write /proc/%d/%s", file[0] == 'u' ? "uidMappings" : "gidMappings", (int)pid,
               file);
    if (err->code == EPERM) /* root of a container around us */
        fail_hint(err, "this needs CAP_SETUID and CAP_SETGID, for uid 0 CAP_SETFCAP too; without them only "
                       "our own id, not 0");
    return -1;
}

static bool is_one_line(const char *map)
{
    return !strchr(map, '\n')[1];
}

int namespaces_write_id_maps(const struct namespace_plan *plan, pid_t pid, struct error *err)
{
    char path[32];
    auto_close int procdir = -1;

    if (!plan->uid_map)
        return 0;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    procdir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (procdir < 0)
        return fail_errno(err, "open %s", path);
    if (write_map(procdir, "uid_map", "newuidmap", pid, plan->uid_map, err) < 0)
        return -1;
    if (file_write_string_at(procdir, "gid_map", plan->gid_map) == 0)
        return 0;
    /*
     * An unprivileged writer must give up setgroups() first (user_namespaces(7)); newgidmap does that where
     * it has to. A map of one line, our own id, needs no helper.
     */
    if (errno == EPERM && is_one_line(plan->gid_map) &&
        file_write_string_at(procdir, "setgroups", "deny") == 0 &&
        file_write_string_at(procdir, "gid_map", plan->gid_map) == 0)
        return 0;
    return write_map(procdir, "gid_map", "newgidmap", pid, plan->gid_map, err);
}

bool namespaces_uid_outside(pid_t pid, uint32_t uid, uint32_t *outside)
{
    unsigned long first, host, count;
    bool found = false;
    char path[32];
    FILE *map;

    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    map = fopen(path, "re");
    while (map && !found && fscanf(map, "%lu %lu %lu", &first, &host, &count) == 3)
        found = uid >= first && uid - first < count && host + (uid - first) < UINT32_MAX;
    if (found)
        *outside = (uint32_t)(host + (uid - first));
    if (map)
        fclose(map);
    return found;
}
