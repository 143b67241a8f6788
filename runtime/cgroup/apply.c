/*
 * Executes a plan: see cgroup.h. Runs in the runtime before the clone, so that the limits are there before
 * the first process is. It knows rows, directories and device rules, not the config they come from.
 */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/privilege.h"
#include "cgroup/controllers.h"
#include "cgroup/devices_v2.h"
#include "cgroup/directories.h"
#include "cgroup/make.h"
#include "cgroup/owner.h"
#include "cgroup/plan.h"
#include "cgroup/systemd.h"

#include <fcntl.h>
#include <unistd.h>

static bool is_refusal(int code)
{
    return code == EACCES || code == EPERM || code == EROFS;
}

/* Without the right to make cgroups, a container that asks for no limit runs in the caller's (item 171). */
static int make_directory(const struct cgroup_plan *plan, struct cgroup_directory *directory,
                          struct cgroup_made *made, struct error *err)
{
    if (cgroup_make(directory, made, err) == 0)
        return 0;
    if (!plan->requested && is_refusal(err->code) && !privilege_of_host()) {
        directory->absent = true;
        return 0;
    }
    if (is_refusal(err->code) && plan->requested)
        fail_hint(err,
                  "%s needs a cgroup that this user may make: one that root has delegated, or systemd's user "
                  "manager",
                  plan->rows.items[0].property);
    else if (is_refusal(err->code))
        fail_hint(err, "--cgroup-manager=disabled runs without cgroups");
    return -1;
}

static int make_directories(const struct cgroup_plan *plan, struct cgroup_made *made, struct error *err)
{
    if (plan->directories.count == 0 && plan->driver != CGROUP_DRIVER_DISABLED &&
        (plan->requested || privilege_of_host())) {
        fail(err, ENOENT, "no cgroup hierarchy is mounted");
        return fail_hint(err, "--cgroup-manager=disabled runs without cgroups");
    }
    for (size_t i = 0; i < plan->directories.count; i++) {
        struct cgroup_directory *directory = &plan->directories.items[i];

        if (make_directory(plan, directory, made, err) < 0)
            return -1;
        if (!directory->controllers[0] && !directory->absent)
            cgroup_controllers_enable(directory, plan->requested);
    }
    return 0;
}

/* Without privilege the kernel takes no program; the devices that it would deny cannot be made then either.
 */
static int apply_devices(const struct cgroup_plan *plan, int cgroup_fd, struct error *err)
{
    if (device_rules_allow_all(&plan->devices))
        return 0;
    if (devices_v2_apply(cgroup_fd, &plan->devices, err) == 0)
        return 0;
    return is_refusal(err->code) && !privilege_of_host() ? 0 : -1;
}

/* v2 alone: the directory that init is cloned into. */
static int apply_unified(const struct cgroup_plan *plan, int *into, struct error *err)
{
    const struct cgroup_directory *directory = plan->directories.items; /* none: cgroups are disabled */
    auto_close int fd = -1;

    if (!plan->unified || !directory || directory->absent)
        return 0;
    fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "open the cgroup %s", directory->path);
    if (apply_devices(plan, fd, err) < 0)
        return -1;
    if (plan->owned && plan->owner != geteuid() && cgroup_owner_set(fd, plan->owner, err) < 0)
        return -1;
    *into = take_fd(&fd);
    return 0;
}

int cgroup_create(const struct cgroup_plan *plan, int *into, struct error *err)
{
    auto_cleanup(cgroup_made_free) struct cgroup_made made = { 0 };

    *into = -1;
    if (cgroup_needs_process(plan))
        return 0;
    if (make_directories(plan, &made, err) == 0 &&
        cgroup_rows_write(&plan->rows, &plan->directories, err) == 0 && apply_unified(plan, into, err) == 0)
        return 0;
    cgroup_unmake(&made);
    return -1;
}

bool cgroup_needs_process(const struct cgroup_plan *plan)
{
    return plan && plan->driver == CGROUP_DRIVER_SYSTEMD;
}

/*
 * systemd made the directory of its own hierarchy; on v1 perhaps none of the others. On failure the unit
 * stays for cgroup_destroy(): the record has it.
 */
static int complete_directories(const struct cgroup_plan *plan, struct error *err)
{
    auto_cleanup(cgroup_made_free) struct cgroup_made made = { 0 };

    for (size_t i = 0; i < plan->directories.count; i++) {
        struct cgroup_directory *directory = &plan->directories.items[i];

        if (access(directory->path, F_OK) < 0 && make_directory(plan, directory, &made, err) < 0)
            return -1;
        if (!directory->controllers[0])
            cgroup_controllers_enable(directory, false);
    }
    return 0;
}

static int limit_unit(const struct cgroup_plan *plan, const struct cgroup_location *location, pid_t pid,
                      struct error *err)
{
    auto_close int fd = -1;

    if (complete_directories(plan, err) < 0)
        return -1;
    if (!plan->unified && cgroup_attach(location, pid, err) < 0)
        return -1;
    if (cgroup_rows_write(&plan->rows, &plan->directories, err) < 0)
        return -1;
    return apply_unified(plan, &fd, err);
}

int cgroup_create_around(const struct cgroup_plan *plan, const struct cgroup_location *location, pid_t pid,
                         int pidfd, struct error *err)
{
    if (cgroup_systemd_start(plan, pid, pidfd, err) < 0) /* a unit of that name may be somebody else's */
        return -1;
    if (limit_unit(plan, location, pid, err) == 0)
        return 0;
    cgroup_destroy(location, &(struct error){ 0 });
    return -1;
}
