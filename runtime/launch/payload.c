/* The payload's process: see payload.h. Runs in init and in exec's child; must not print and must not open
 * host paths. */
#include "launch/payload.h"

#include "launch/protocol.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/signals.h"
#include "security/speculation.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int payload_leave_runtime(struct launch *launch, struct error *err)
{
    /* The state directory's fd carries the creator's lock, which must end with the creator. */
    cleanup_close(&launch->container.fd);
    launch->container.fd = -1;
    message_log_to(&launch->socket);
    launch->ignored_signals = signals_ignored(launch->procfs); /* while /proc/self still belongs to us */
    if (descriptors_hide(launch->preserve_fds, err) < 0)
        return -1;
    setsid(); /* fails only where we lead a session already */
    return 0;
}

int payload_keyring(struct launch *launch, struct error *err)
{
    const char *label = launch->process.process->selinux_label;

    if (launch->options->no_new_keyring)
        return 0;
    if (label && label_set_keyring(label, launch->procfs, err) < 0)
        return -1;
    return keyring_join(launch->options->id, err);
}

int payload_oom_score(struct launch *launch, struct error *err)
{
    return process_apply_oom_score(&launch->process, launch->procfs, err);
}

/*
 * Whoever has a cgroup gets all CPUs of its cpuset, not those that an engine or its systemd unit happens to
 * run on: the kernel keeps a mask across the move. Without a cgroup of its own the caller's mask is the only
 * limit there is.
 */
int payload_reset_affinity(struct launch *launch, struct error *err)
{
    const struct cgroup_location *location = launch->cgroup_location;

    return location && location->created.count > 0 ? process_reset_affinity(err) : 0;
}

int payload_attributes(struct launch *launch, struct error *err)
{
    const struct oci_config *config = launch->bundle.config;

    if (process_apply_rlimits(&launch->process, err) < 0 ||
        process_apply_scheduler(&launch->process, err) < 0 || process_apply_memory_policy(config, err) < 0)
        return -1;
    return process_apply_personality(config, err);
}

int payload_label(struct launch *launch, struct error *err)
{
    return label_set_exec(launch->process.process, launch->procfs, err);
}

static int apply_capabilities(const struct launch *launch, struct error *err)
{
    struct process_plan plan = launch->process;

    if (launch->seccomp.program.len && !plan.process->no_new_privileges) {
        plan.cap_permitted |= 1ULL << CAP_SYS_ADMIN;
        plan.cap_effective |= 1ULL << CAP_SYS_ADMIN;
    }
    return capabilities_apply(&plan, err);
}

/* As root, so that a directory of root's can be the cwd of any user; where root may not enter (NFS), again as
 * the user. */
static int enter_cwd(const struct process_plan *plan, bool *again, struct error *err)
{
    if (process_apply_cwd(plan, err) == 0)
        return 0;
    *again = err->code == EACCES;
    return *again ? 0 : -1;
}

static int guard_speculation(const struct launch *launch, struct error *err)
{
    const struct policy_record *policy = launch->policy;

    if (!policy || policy->speculation < POLICY_SPECULATION_BEST_EFFORT)
        return 0;
    return speculation_guard(policy->speculation == POLICY_SPECULATION_REQUIRED, NULL, err);
}

int payload_check_groups(struct launch *launch, struct error *err)
{
    if (!launch->in_user_namespace)
        return 0;
    return process_plan_check_setgroups(&launch->process, launch->procfs, err);
}

int payload_shed_privileges(struct launch *launch, struct error *err)
{
    struct process_plan *plan = &launch->process;
    bool cwd_again = false;

    /* Those of a sandbox are its caller's, who stays who he is. */
    if ((!launch->direct && stdio_give_to(plan->uid, err) < 0) || enter_cwd(plan, &cwd_again, err) < 0 ||
        capabilities_drop_bounding(plan, err) < 0)
        return -1;
    if (plan->process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail_errno(err, "process.noNewPrivileges");
    if (process_apply_ids(plan, err) < 0 || apply_capabilities(launch, err) < 0)
        return -1;
    umask(plan->umask);
    if (cwd_again && process_apply_cwd(plan, err) < 0)
        return -1;
    return guard_speculation(launch, err);
}

int payload_landlock_rules(struct launch *launch, struct error *err)
{
    enum landlock_state state;

    if (!launch->landlock.enabled)
        return 0;
    if (landlock_make_ruleset(&launch->landlock, &launch->landlock_ruleset, &state, err) < 0)
        return -1;
    launch->landlock_degraded = state == LANDLOCK_DEGRADED;
    return 0;
}

int payload_landlock(struct launch *launch, struct error *err)
{
    return landlock_enforce(launch->landlock_ruleset, err);
}

int payload_find_executable(struct launch *launch, struct error *err)
{
    return process_find_executable(&launch->process, &launch->executable, err);
}

int payload_ready(struct launch *launch, struct error *err)
{
    struct stat root;

    if (stat("/", &root) < 0)
        return fail_errno(err, "stat /");
    if (launch->landlock_degraded && message_send(launch->socket, MESSAGE_DEGRADED, 0, -1, err) < 0)
        return -1;
    prctl(PR_SET_PDEATHSIG, 0); /* from here on we outlive the runtime */
    return message_send_address(launch->socket, MESSAGE_READY, (int32_t)root.st_dev, root.st_ino, err);
}

int payload_wait_at_gate(struct launch *launch, struct error *err)
{
    return gate_wait(launch, err);
}

int payload_reset_signals(struct launch *launch, struct error *err)
{
    (void)err;
    signals_reset(launch->ignored_signals);
    return 0;
}

int payload_seccomp(struct launch *launch, struct error *err)
{
    int none = -1;

    if (!launch->seccomp.program.len)
        return 0;
    if (launch->seccomp.notify)
        return listener_load_filter(&launch->seccomp, launch->socket, err);
    return seccomp_filter_load(&launch->seccomp, &none, err);
}

int payload_execute(struct launch *launch, struct error *err)
{
    return process_execute(&launch->process, launch->executable, err);
}
