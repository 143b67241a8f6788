/*
 * Entering namespaces: opening what linux.namespaces[].path names, setns(), time offsets, and becoming root
 * of a user namespace. Opening happens in the runtime before any side effect; the rest in the stage or in
 * init.
 */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static int open_one(struct namespace_join *join, struct error *err)
{
    int type;

    join->fd = open(join->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (join->fd < 0)
        return fail_errno(err, "linux.namespaces: open %s", join->path);
    type = ioctl(join->fd, NS_GET_NSTYPE);
    if (type < 0)
        return fail(err, EINVAL, "linux.namespaces: %s is not a namespace", join->path);
    if (type != join->flag)
        return fail(err, EINVAL, "linux.namespaces: %s is a namespace of another type", join->path);
    return 0;
}

int namespaces_open(struct namespace_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->join_count; i++)
        if (open_one(&plan->joins[i], err) < 0)
            return -1;
    return 0;
}

static const struct {
    int flag;
    const char *path; /* below /proc/PID */
} namespace_files[] = {
    { CLONE_NEWUSER, "ns/user" }, { CLONE_NEWPID, "ns/pid" },       { CLONE_NEWNET, "ns/net" },
    { CLONE_NEWIPC, "ns/ipc" },   { CLONE_NEWUTS, "ns/uts" },       { CLONE_NEWTIME, "ns/time" },
    { CLONE_NEWNS, "ns/mnt" },    { CLONE_NEWCGROUP, "ns/cgroup" },
};

static uint64_t all_flags(const struct namespace_plan *plan)
{
    uint64_t flags = 0;

    for (size_t i = 0; i < plan->join_count; i++)
        flags |= (uint64_t)(unsigned)plan->joins[i].flag;
    return flags;
}

int namespaces_open_each(struct namespace_plan *plan, pid_t init, int init_pidfd, struct error *err)
{
    const uint64_t wanted = all_flags(plan);
    char path[48];

    plan->join_count = 0;
    plan->borrowed = false; /* these are ours */
    for (size_t i = 0; i < array_length(namespace_files); i++) {
        struct namespace_join *join = &plan->joins[plan->join_count];

        if (!(wanted & (uint64_t)(unsigned)namespace_files[i].flag))
            continue;
        snprintf(path, sizeof path, "/proc/%d/%s", (int)init, namespace_files[i].path);
        *join = (struct namespace_join){ .path = namespace_files[i].path,
                                         .flag = namespace_files[i].flag,
                                         .fd = open(path, O_RDONLY | O_CLOEXEC) };
        if (join->fd < 0)
            return fail_errno(err, "linux.namespaces: open %s", path);
        plan->join_count++;
    }
    /* Still the same process: then what was opened is not a later one's. */
    return sys_pidfd_send_signal(init_pidfd, 0) < 0 ? fail_errno(err, "open init") : 0;
}

static bool same_namespace(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_dev == other->st_dev;
}

bool namespaces_share_user(pid_t pid)
{
    struct stat theirs, ours;
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
           same_namespace(&theirs, &ours);
}

/* setns() refuses to enter the user namespace that the caller is in already (EINVAL): then there is nothing
 * to do. */
static bool is_own_user_namespace(int fd)
{
    struct stat theirs, ours;

    return fstat(fd, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
           same_namespace(&theirs, &ours);
}

int namespaces_join(const struct namespace_plan *plan, uint64_t flags, struct error *err)
{
    for (size_t i = 0; i < plan->join_count; i++) {
        const struct namespace_join *join = &plan->joins[i];

        if (!(flags & (uint64_t)join->flag))
            continue;
        if (sys_setns(join->fd, join->flag) == 0)
            continue;
        if (join->flag == CLONE_NEWUSER && errno == EINVAL && is_own_user_namespace(join->fd))
            continue;
        return fail_errno(err, "linux.namespaces: join %s", join->path);
    }
    return 0;
}

int namespaces_check_mount_owner(int procfs, struct error *err)
{
    auto_close int mounts = openat(procfs, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
    auto_close int owner = mounts < 0 ? -1 : ioctl(mounts, NS_GET_USERNS);
    struct stat theirs, ours;

    if (mounts < 0)
        return fail_errno(err, "open our mount namespace");
    if (owner < 0 && errno != EPERM) /* EPERM: it is outside of our user namespace */
        return fail_errno(err, "owner of the mount namespace");
    if (owner >= 0 && (fstat(owner, &theirs) < 0 || fstatat(procfs, "self/ns/user", &ours, 0) < 0))
        return fail_errno(err, "owner of the mount namespace");
    if (owner >= 0 && same_namespace(&theirs, &ours))
        return 0;
    return fail(
        err, EPERM,
        "init is in a mount namespace that is not the container's, but a user namespace's of its own: "
        "nothing is executed there");
}

int namespaces_leave_pid(const struct namespace_plan *plan, struct error *err)
{
    auto_close int fd = -1;

    if (!(plan->join_flags & CLONE_NEWPID) || plan->needs_stage)
        return 0;
    fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || sys_setns(fd, CLONE_NEWPID) < 0)
        return fail_errno(err, "return to our own pid namespace");
    return 0;
}

static int write_offset(int fd, const char *clock, const struct oci_time_offset *offset, struct error *err)
{
    char line[96];
    int length;

    if (!offset)
        return 0;
    length = snprintf(line, sizeof line, "%s %lld %u\n", clock, (long long)offset->secs, offset->nanosecs);
    if (write(fd, line, (size_t)length) != length)
        return fail_errno(err, "linux.timeOffsets.%s", clock);
    return 0;
}

int namespaces_new_time(const struct namespace_plan *plan, struct error *err)
{
    auto_close int fd = -1;

    if (unshare(CLONE_NEWTIME) < 0)
        return fail_errno(err, "new time namespace");
    if (!plan->time_offsets)
        return 0;
    /* The kernel takes offsets only while the namespace is empty: before the first child. */
    fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "linux.timeOffsets: open /proc/self/timens_offsets");
    if (write_offset(fd, "monotonic", plan->time_offsets->monotonic, err) < 0 ||
        write_offset(fd, "boottime", plan->time_offsets->boottime, err) < 0)
        return -1;
    return 0;
}

int namespaces_become_root(const struct namespace_plan *plan, struct error *err)
{
    if ((plan->new_flags & CLONE_NEWUSER) && !plan->maps_root)
        return 0;
    /* EPERM: setgroups is denied in this namespace (rootless, one mapping); the groups stay as they are. */
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return fail_errno(err, "user namespace: setgroups");
    if (setresgid(0, 0, 0) < 0)
        return fail_errno(err, "user namespace: setresgid 0");
    if (setresuid(0, 0, 0) < 0)
        return fail_errno(err, "user namespace: setresuid 0");
    return 0;
}
