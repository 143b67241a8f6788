/* Which namespaces to make and to join: linux.namespaces, id mappings and time offsets as plain data. Pure.
 */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"

#include <string.h>

static const struct {
    enum oci_namespace_type type;
    int flag;
} kinds[NAMESPACE_KINDS] = {
    { OCI_NAMESPACE_USER, CLONE_NEWUSER },     { OCI_NAMESPACE_PID, CLONE_NEWPID },
    { OCI_NAMESPACE_NETWORK, CLONE_NEWNET },   { OCI_NAMESPACE_IPC, CLONE_NEWIPC },
    { OCI_NAMESPACE_UTS, CLONE_NEWUTS },       { OCI_NAMESPACE_TIME, CLONE_NEWTIME },
    { OCI_NAMESPACE_CGROUP, CLONE_NEWCGROUP }, { OCI_NAMESPACE_MOUNT, CLONE_NEWNS },
};

static const struct oci_namespace *find(const struct oci_linux *linux, enum oci_namespace_type type)
{
    for (size_t i = 0; i < linux->namespaces_count; i++)
        if (linux->namespaces[i].type == type)
            return &linux->namespaces[i];
    return NULL;
}

static char *map_text(const struct oci_id_mapping *mappings, size_t count)
{
    auto_buffer struct buffer text = { 0 };

    for (size_t i = 0; i < count; i++)
        buffer_add_format(&text, "%u %u %u\n", mappings[i].container_id, mappings[i].host_id,
                          mappings[i].size);
    return buffer_take(&text);
}

static bool maps_root(const struct oci_id_mapping *mappings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mappings[i].container_id == 0 && mappings[i].size > 0)
            return true;
    return false;
}

int namespace_plan_make(const struct oci_config *config, struct namespace_plan *plan, struct error *err)
{
    const struct oci_linux *linux = config->linux;

    *plan = (struct namespace_plan){ .time_offsets = linux->time_offsets };
    for (size_t i = 0; i < array_length(kinds); i++) {
        const struct oci_namespace *namespace = find(linux, kinds[i].type);

        if (!namespace)
            continue;
        if (!namespace->path) {
            plan->new_flags |= (uint64_t)kinds[i].flag;
            continue;
        }
        plan->join_flags |= (uint64_t)kinds[i].flag;
        plan->joins[plan->join_count++] =
            (struct namespace_join){ .path = namespace->path, .flag = kinds[i].flag, .fd = -1 };
    }
    if (plan->new_flags & CLONE_NEWUSER) {
        plan->uid_map = map_text(linux->uid_mappings, linux->uid_mappings_count);
        plan->gid_map = map_text(linux->gid_mappings, linux->gid_mappings_count);
        plan->maps_root = maps_root(linux->uid_mappings, linux->uid_mappings_count) &&
                          maps_root(linux->gid_mappings, linux->gid_mappings_count);
    }
    if (plan->time_offsets && !(plan->new_flags & CLONE_NEWTIME))
        return fail(err, EINVAL, "linux.timeOffsets: needs a new time namespace in linux.namespaces");
    plan->needs_stage = (plan->join_flags & CLONE_NEWUSER) ||
                        ((plan->new_flags & CLONE_NEWUSER) &&
                         ((plan->join_flags & CLONE_NEWPID) || (plan->new_flags & CLONE_NEWTIME)));
    return 0;
}

uint64_t namespaces_made_by_init(const struct namespace_plan *plan)
{
    uint64_t flags = CLONE_NEWCGROUP | (plan->new_flags & CLONE_NEWUSER ? CLONE_NEWIPC : 0);

    return plan->new_flags & flags;
}

static void add_join(struct namespace_plan *plan, uint64_t flags, int pidfd)
{
    if (!flags)
        return;
    plan->join_flags |= flags;
    plan->joins[plan->join_count++] =
        (struct namespace_join){ .path = "the container's namespaces", .flag = (int)flags, .fd = pidfd };
}

static bool lists(const struct strings *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/*
 * With CAP_SYS_PTRACE a payload can stop what joins its pid namespace in its first instruction, and look
 * through it at the host. Without, the process has more capabilities than the payload as long as there is
 * something to see, and is not dumpable: that saves the stage, a quarter of the time of exec.
 */
static bool may_trace(const struct oci_config *config)
{
    const struct oci_capabilities *capabilities = config->process ? config->process->capabilities : NULL;
    static const char name[] = "CAP_SYS_PTRACE";

    return capabilities && (lists(&capabilities->bounding, name) || lists(&capabilities->permitted, name) ||
                            lists(&capabilities->inheritable, name) || lists(&capabilities->ambient, name));
}

void namespace_plan_for_exec(const struct oci_config *config, pid_t init, int init_pidfd,
                             struct namespace_plan *plan)
{
    uint64_t listed = 0;

    for (size_t i = 0; i < array_length(kinds); i++)
        if (find(config->linux, kinds[i].type))
            listed |= (uint64_t)kinds[i].flag;
    if ((listed & CLONE_NEWUSER) && namespaces_share_user(init))
        listed &= ~(uint64_t)CLONE_NEWUSER;
    *plan = (struct namespace_plan){ .borrowed = true };
    add_join(plan, listed & CLONE_NEWUSER, init_pidfd);
    add_join(plan, listed & CLONE_NEWPID, init_pidfd);
    add_join(plan, listed & ~(uint64_t)(CLONE_NEWUSER | CLONE_NEWPID), init_pidfd);
    plan->needs_stage = (listed & CLONE_NEWUSER) || ((listed & CLONE_NEWPID) && may_trace(config));
}

void namespace_plan_free(struct namespace_plan *plan)
{
    for (size_t i = 0; i < plan->join_count && !plan->borrowed; i++)
        cleanup_close(&plan->joins[i].fd);
    free(plan->uid_map);
    free(plan->gid_map);
    *plan = (struct namespace_plan){ 0 };
}

void namespace_plan_describe(const struct namespace_plan *plan, struct buffer *out)
{
    const char *separator = "";

    buffer_add_char(out, '[');
    for (size_t i = 0; i < array_length(kinds); i++) {
        bool made = plan->new_flags & (uint64_t)kinds[i].flag;

        if (!made && !(plan->join_flags & (uint64_t)kinds[i].flag))
            continue;
        buffer_add_format(out, "%s{\"type\":\"%s\",\"action\":\"%s\"}", separator,
                          oci_namespace_type_name(kinds[i].type), made ? "make" : "join");
        separator = ",";
    }
    buffer_add_char(out, ']');
}
