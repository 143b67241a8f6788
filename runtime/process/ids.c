/*
 * Groups, gid and uid of the payload (items 57-60). Runs in the process itself, after everything that needs
 * root and before capset: the uid goes last, and the permitted capabilities survive it so that
 * capabilities_apply() can choose from them.
 */
#include "process/process.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool contains(const gid_t *groups, size_t count, gid_t gid)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

/* May this process do without setgroups()? Only when nothing would be missing and nothing of ours would stay.
 */
static bool groups_are_right(const struct process_plan *plan)
{
    int count = getgroups(0, NULL);
    auto_free gid_t *current = memory_new_array(count > 0 ? (size_t)count : 0, sizeof *current);

    if (count < 0 || (count = getgroups(count, current)) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (current[i] != plan->gid && !contains(plan->groups, plan->group_count, current[i]))
            return false;
    for (size_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i] != plan->gid && !contains(current, (size_t)count, plan->groups[i]))
            return false;
    return true;
}

int process_plan_check_setgroups(struct process_plan *plan, int procfs, struct error *err)
{
    auto_close int fd = openat(procfs, "self/setgroups", O_RDONLY | O_CLOEXEC);
    char text[8] = "";

    if (fd < 0) /* not built with user namespaces */
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        return fail_errno(err, "read /proc/self/setgroups");
    if (strncmp(text, "deny", 4) != 0)
        return 0;
    for (size_t i = 0; i < plan->group_count && !plan->keep_groups; i++)
        if (plan->groups[i] != plan->gid)
            return fail(err, EPERM,
                        "%s.user.additionalGids[%zu]: the user namespace does not permit setgroups: "
                        "operation not permitted",
                        plan->what, i);
    plan->keep_groups = true;
    return 0;
}

static int apply_groups(const struct process_plan *plan, struct error *err)
{
    if (plan->keep_groups)
        return 0;
    if (setgroups(plan->group_count, plan->groups) == 0)
        return 0;
    fail_errno(err, "%s.user.additionalGids: setgroups", plan->what);
    if (err->code == EPERM && groups_are_right(plan))
        return 0;
    if (err->code == EINVAL)
        fail_hint(err, "is every group in linux.gidMappings?");
    return -1;
}

static int fail_id(const struct process_plan *plan, const char *property, const char *mappings, unsigned id,
                   struct error *err)
{
    fail_errno(err, "%s.user.%s: set %u", plan->what, property, id);
    if (err->code == EINVAL)
        fail_hint(err, "is it in linux.%s?", mappings);
    return -1;
}

int process_apply_ids(const struct process_plan *plan, struct error *err)
{
    /* Cleared again by execve; without it, leaving uid 0 empties the permitted set. */
    if (plan->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail_errno(err, "keep capabilities");
    if (apply_groups(plan, err) < 0)
        return -1;
    if (setresgid(plan->gid, plan->gid, plan->gid) < 0)
        return fail_id(plan, "gid", "gidMappings", plan->gid, err);
    if (setresuid(plan->uid, plan->uid, plan->uid) < 0)
        return fail_id(plan, "uid", "uidMappings", plan->uid, err);
    return 0;
}
