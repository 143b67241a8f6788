/*
 * The runtime's side of create and run: from a bundle to an init process that waits at the gate. The table
 * below is the order, and its undo column is what a failed create (and `run` at its end) takes back.
 */
#include "launch/runtime.h"
#include "launch/context.h"
#include "launch/guards.h"
#include "launch/lifecycle.h"
#include "launch/notify.h"
#include "launch/protocol.h"
#include "launch/steps.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/privilege.h"
#include "base/process_info.h"
#include "base/sys.h"
#include "base/timestamp.h"
#include "oci-specs/edit.h"
#include "rootfs/overlay.h"
#include "terminal/terminal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* ---- before anything is touched --------------------------------------------------------------------- */

static int open_bundle(struct launch *launch, struct error *err)
{
    return bundle_open(launch->options->bundle, launch->options->config, &launch->bundle, err);
}

/* Rewrites the configuration; from here on nobody else has to know that there is a policy. */
static int apply_policy(struct launch *launch, struct error *err)
{
    return policy_apply(launch->bundle.config, launch->options->profile, &launch->policy, err);
}

static int check_terminal(struct launch *launch, struct error *err)
{
    bool terminal = launch->bundle.config->process->terminal;

    if (terminal && !launch->foreground && !launch->options->console_socket)
        return fail(err, EINVAL, "cannot allocate tty if aril will detach without setting console socket");
    if (launch->options->console_socket && !terminal)
        return fail(err, EINVAL, "cannot use console socket if aril will not detach or allocate tty");
    return 0;
}

/* Socket activation: LISTEN_FDS descriptors follow the ones of --preserve-fds (item 47). */
static int plan_listen_fds(struct launch *launch, struct error *err)
{
    const char *text = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
    int64_t count;

    launch->preserve_fds = launch->options->preserve_fds;
    if (text && *text) {
        if (!number_parse(text, 0, 1 << 16, &count))
            return fail(err, EINVAL, "environment: LISTEN_FDS=%s is not a number", text);
        launch->preserve_fds += (int)count;
        process_plan_set_env(&launch->process, "LISTEN_FDS", text, true);
        process_plan_set_env(&launch->process, "LISTEN_PID", "1", false);
        if (names)
            process_plan_set_env(&launch->process, "LISTEN_FDNAMES", names, true);
    }
    return descriptors_check(launch->preserve_fds, err);
}

int launch_plan_security(struct launch *launch, struct error *err)
{
    if (seccomp_filter_from_config(launch->bundle.config, &launch->seccomp, err) < 0)
        return -1;
    if (!launch->policy)
        return 0;
    policy_landlock_plan(launch->policy, &launch->landlock);
    return policy_chain_seccomp(launch->policy, &launch->seccomp, err);
}

int launch_make_plans(struct launch *launch, struct error *err)
{
    const struct oci_config *config = launch->bundle.config;

    launch->in_user_namespace = launch->rootless || oci_config_namespace(config, OCI_NAMESPACE_USER);
    if (namespace_plan_make(config, &launch->namespaces, err) < 0 || sysctl_check(config, err) < 0 ||
        net_devices_check(config, err) < 0 ||
        process_plan_make(config, config->process, "process", &launch->process, err) < 0 ||
        plan_listen_fds(launch, err) < 0)
        return -1;
    if (overlay_request_read(config, launch->bundle.path, &launch->overlay, err) < 0 ||
        (launch->overlay && !launch->rootless &&
         overlay_request_bound(launch->overlay, launch->bundle.path, err) < 0))
        return -1;
    if (launch_find_guards(launch, err) < 0)
        return -1;
    launch->cgroup = cgroup_plan_make(config, launch->options->id, launch->options->cgroup_driver, err);
    if (!launch->cgroup)
        return -1;
    if (launch_plan_security(launch, err) < 0)
        return -1;
    return resctrl_plan_make(config, launch->options->id, &launch->resctrl_plan, err);
}

static int make_plans(struct launch *launch, struct error *err)
{
    if (launch_make_plans(launch, err) < 0)
        return -1;
    launch_plan_network(launch);
    return 0;
}

int launch_open_outside(struct launch *launch, struct error *err)
{
    if (namespaces_open(&launch->namespaces, err) < 0)
        return -1;
    launch->procfs = procfs_open(err);
    if (launch->procfs < 0)
        return -1;
    if (launch->resctrl_plan.group && resctrl_open(&launch->resctrl, err) < 0)
        return -1;
    if (!launch->options->console_socket)
        return 0;
    launch->console_socket = terminal_connect(launch->options->console_socket, err);
    return launch->console_socket < 0 ? fail_in(err, "--console-socket") : 0;
}

/* ---- what must be taken back ------------------------------------------------------------------------ */

/* The record comes first: whatever happens from here on, `delete --force` finds it (security rule 9). */
static int reserve_id(struct launch *launch, struct error *err)
{
    char created[TIMESTAMP_SIZE];
    struct container_status status = {
        .id = (char *)launch->options->id,
        .oci_version = (char *)OCI_VERSION,
        .bundle = launch->bundle.path,
        .rootfs = launch->bundle.rootfs,
        .owner_uid = getuid(),
        .has_owner_uid = true,
        .own_pid_namespace = launch->namespaces.new_flags & CLONE_NEWPID,
        .has_own_pid_namespace = true,
        .created = created,
        .annotations = launch->bundle.config->annotations, /* borrowed: store_create copies the record */
    };
    const struct oci_hooks *hooks = launch->bundle.config->hooks;
    const struct policy_guards *guards = launch_guards(launch);
    int result;

    status.start_needs_config = status.has_start_needs_config =
        (hooks && hooks->poststart_count) || launch->seccomp.notify;
    status.policy = status.has_policy = launch->policy != NULL;
    status.poststop_hooks = status.has_poststop_hooks = hooks && hooks->poststop_count;
    status.placeholders = status.has_placeholders = guards && guards->placeholders_count > 0;
    timestamp_now(created);
    status.cgroup = cgroup_plan_location(launch->cgroup);
    result = store_create(launch->store, launch->options->id, &status, &launch->container, err);
    schema_free(&cgroup_location_schema, status.cgroup);
    return result;
}

static void release_id(struct launch *launch)
{
    struct error err;

    if (launch->container.status && container_remove(&launch->container, &err) < 0)
        log_warning("%s", err.text);
}

/* What was decided now holds for every later command, whatever becomes of the operator's file (P-5). */
static int save_policy(struct launch *launch, struct error *err)
{
    auto_buffer struct buffer json = { 0 };

    schema_write(&oci_config_schema, launch->bundle.config, SCHEMA_COMPACT, &json);
    if (file_create_at(launch->container.fd, "config.json", json.data, json.length, 0600, err) < 0)
        return -1;
    return policy_save(launch->policy, launch->container.fd, err);
}

static int save_config(struct launch *launch, struct error *err)
{
    if (launch->policy)
        return save_policy(launch, err);
    return file_create_at(launch->container.fd, "config.json", launch->bundle.config_text,
                          launch->bundle.config_length, 0600, err);
}

static int open_gate(struct launch *launch, struct error *err)
{
    return launch->by_start ? gate_open_socket(launch, err) : 0;
}

static int make_cgroup(struct launch *launch, struct error *err)
{
    struct cgroup_location *location = launch->container.status->cgroup;

    launch->cgroup_location = location;
    if (cgroup_create(launch->cgroup, &launch->cgroup_fd, err) < 0)
        return -1;
    cgroup_plan_drop_absent(launch->cgroup, location);
    return 0;
}

static void destroy_cgroup(struct launch *launch)
{
    struct error err;

    if (launch->container.status && launch->container.status->cgroup &&
        cgroup_destroy(launch->container.status->cgroup, &err) < 0)
        log_warning("%s", err.text);
}

static void remove_cgroup(struct launch *launch)
{
    if (!cgroup_needs_process(launch->cgroup))
        destroy_cgroup(launch);
}

/* Recorded before it is made, so that `delete` finds what a killed create has left. */
static int make_intel_rdt_groups(struct launch *launch, struct error *err)
{
    struct container_status *status = launch->container.status;

    if (!launch->resctrl_plan.group)
        return 0;
    status->intel_rdt_group = resctrl_group_path(&launch->resctrl_plan, &launch->resctrl);
    status->intel_rdt_monitor = resctrl_monitor_path(&launch->resctrl_plan, &launch->resctrl);
    if (container_save(&launch->container, err) < 0)
        return -1;
    return resctrl_create(&launch->resctrl_plan, &launch->resctrl, err);
}

static void remove_intel_rdt_groups(struct launch *launch)
{
    const struct container_status *status = launch->container.status;
    struct error err;

    if (status && resctrl_remove(status->intel_rdt_group, status->intel_rdt_monitor, &err) < 0)
        log_warning("%s", err.text);
}

/*
 * Of a joined pid namespace: the fd, where init can mount its procfs without being in it (Linux 6.17), so
 * that it need not be seen there while it still holds the host's files. Where it cannot, -1.
 */
static int pid_namespace_of_procfs(const struct launch *launch)
{
    const struct namespace_plan *plan = &launch->namespaces;

    if (plan->needs_stage)
        return -1;
    for (size_t i = 0; i < plan->join_count; i++)
        if (plan->joins[i].flag == CLONE_NEWPID && rootfs_can_mount_procfs_of(plan->joins[i].fd))
            return plan->joins[i].fd;
    return -1;
}

int launch_plan_rootfs(struct launch *launch, struct error *err)
{
    struct rootfs_context context = {
        .overlay = launch->overlay,
        .bundle = launch->bundle.path,
        .rootfs = launch->bundle.rootfs,
        .no_pivot = launch->options->no_pivot,
        .rootless = launch->rootless,
        .guards = launch_guards(launch),
        .cgroups = launch->cgroup ? cgroup_plan_listing(launch->cgroup) : NULL,
    };

    context.procfs_of = pid_namespace_of_procfs(launch);
    launch->enters_pid_late = context.procfs_of >= 0;
    /* Without the host's privileges we could not come back from there: a stage goes. */
    if (launch->rootless && (launch->namespaces.join_flags & CLONE_NEWPID) && !launch->enters_pid_late)
        launch->namespaces.needs_stage = true;
    launch->rootfs = rootfs_plan_make(launch->bundle.config, &context, err);
    if (!launch->rootfs)
        return -1;
    return rootfs_open_sources(launch->rootfs, err);
}

void launch_kill_init(struct launch *launch)
{
    if (launch->pid <= 0)
        return;
    sys_pidfd_send_signal(launch->pidfd, SIGKILL);
    while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    launch->pid = 0;
}

/* A joined pid namespace is for init: hooks of the host must not be seen in it. */
static int clone_init(struct launch *launch, struct error *err)
{
    if (launch_clone_init(launch, err) < 0)
        return -1;
    if (launch->enters_pid_late || namespaces_leave_pid(&launch->namespaces, err) == 0)
        return 0;
    launch_kill_init(launch);
    return -1;
}

/* Only the systemd driver has something to do here: init must wait for GO before it does anything. */
static int make_cgroup_around(struct launch *launch, struct error *err)
{
    if (!cgroup_needs_process(launch->cgroup))
        return 0;
    if (cgroup_create_around(launch->cgroup, launch->cgroup_location, launch->pid, launch->pidfd, err) < 0)
        return -1;
    cgroup_plan_drop_absent(launch->cgroup, launch->container.status->cgroup);
    return 0;
}

static void remove_cgroup_around(struct launch *launch)
{
    if (cgroup_needs_process(launch->cgroup))
        destroy_cgroup(launch);
}

static int place_init(struct launch *launch, struct error *err)
{
    return launch_place_init(launch, err);
}

static int assign_intel_rdt(struct launch *launch, struct error *err)
{
    if (!launch->resctrl_plan.group)
        return 0;
    return resctrl_assign(&launch->resctrl_plan, &launch->resctrl, launch->pid, err);
}

static int move_net_devices(struct launch *launch, struct error *err)
{
    const struct oci_config *config = launch->bundle.config;

    return config->linux->net_devices_count ? net_devices_move(config, launch->pid, err) : 0;
}

/* ---- the conversation with init --------------------------------------------------------------------- */

static int take_terminal(struct launch *launch, int master, struct error *err)
{
    if (launch->console_socket < 0) {
        /* Before the payload runs: it must find the modes and the size that it will keep. */
        launch->relay = terminal_relay_open(master, launch->process.process->console_size != NULL, err);
        return launch->relay ? 0 : -1;
    }
    if (terminal_send_fd(launch->console_socket, master, err) < 0) {
        close(master);
        return fail_in(err, "--console-socket");
    }
    close(master);
    cleanup_close(&launch->console_socket);
    launch->console_socket = -1;
    return 0;
}

/* Callers match on the words of E12. */
static int explain_kill(const struct oci_config *config, struct error *err)
{
    const struct oci_resources *resources = config->linux ? config->linux->resources : NULL;

    if (!resources || !resources->memory || resources->memory->limit <= 0)
        return fail(err, ECHILD, "container init was killed by signal %d", SIGKILL);
    fail(err, ECHILD, "container init was OOM-killed (memory limit too low?)");
    return fail_in(err, "linux.resources.memory.limit: %" PRId64, resources->memory->limit);
}

/* Init is gone without a word: its status says what happened to it. */
static int explain_death(struct launch *launch, struct error *err)
{
    int status = 0;

    if (waitpid(launch->pid, &status, 0) == launch->pid)
        launch->pid = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return explain_kill(launch->bundle.config, err);
    if (WIFSIGNALED(status))
        return fail(err, ECHILD, "container init was killed by signal %d", WTERMSIG(status));
    return fail(err, ECHILD, "container init exited with status %d before it was ready", WEXITSTATUS(status));
}

/* Before init is told to go: once it is ready it outlives us, and no cgroup leads to it. */
int launch_note_init(struct launch *launch, struct error *err)
{
    struct process_info info;

    if (!launch->container.status || container_has_cgroup(&launch->container))
        return 0;
    if (process_info_read(launch->pid, &info) < 0)
        return explain_death(launch, err);
    return container_note_init(&launch->container, launch->pid, info.start_time, err);
}

/* An init that takes no message has ended. Why it did is in its last message, or in its status. */
static int tell_init(struct launch *launch, enum message_type type, struct error *err)
{
    struct message message;

    if (message_send(launch->socket, type, 0, -1, err) == 0)
        return 0;
    return message_receive(launch->socket, &message, err) < 0 ? -1 : explain_death(launch, err);
}

int launch_serve_init(struct launch *launch, struct error *err)
{
    return launch_let_go(launch, err) < 0 ? -1 : launch_converse(launch, err);
}

int launch_let_go(struct launch *launch, struct error *err)
{
    return tell_init(launch, MESSAGE_GO, err);
}

int launch_converse(struct launch *launch, struct error *err)
{
    struct message message;

    for (;;) {
        if (message_receive(launch->socket, &message, err) < 0)
            return -1;
        switch (message.type) {
        case MESSAGE_HOOKS:
            if (hooks_at_create_runtime(launch, err) < 0 || tell_init(launch, MESSAGE_DONE, err) < 0)
                return -1;
            break;
        case MESSAGE_TERMINAL:
            if (take_terminal(launch, message.fd, err) < 0)
                return -1;
            break;
        case MESSAGE_CHILD:
            if (launch_take_child(launch, &message, err) < 0)
                return -1;
            break;
        case MESSAGE_DEGRADED:
            launch->landlock_degraded = true;
            break;
        case MESSAGE_READY:
            launch->root_device = (uint32_t)message.value;
            launch->root_inode = message.address;
            return 0;
        case MESSAGE_END:
            return launch->direct ? 0 : explain_death(launch, err);
        default:
            return fail(err, EPROTO, "init sent unexpected message %d", (int)message.type);
        }
    }
}

static void run_poststop_hooks(struct launch *launch)
{
    hooks_at_poststop(launch->bundle.config, &launch->container);
}

/* crun's way to ask for what --pidfd-socket does (item 293). */
static int send_to_receiver(const struct launch *launch, struct error *err)
{
    const char *path = string_map_get(&launch->bundle.config->annotations, "run.oci.pidfd_receiver");

    return pidfd_send("annotations.run.oci.pidfd_receiver", path, launch->pidfd, err);
}

/* With the pid on record the container is "created". */
static int publish(struct launch *launch, struct error *err)
{
    struct container_status *status = launch->container.status;
    struct process_info info;

    if (process_info_read(launch->pid, &info) < 0)
        return explain_death(launch, err);
    status->pid = launch->pid;
    status->has_pid = true;
    status->pid_start_time = info.start_time;
    status->has_pid_start_time = true;
    status->root_device = launch->root_device;
    status->root_inode = launch->root_inode;
    status->has_root_device = status->has_root_inode = true;
    if (launch->landlock_degraded)
        policy_note_degraded_landlock(&status->annotations);
    if (pidfd_send("--pidfd-socket", launch->options->pidfd_socket, launch->pidfd, err) < 0 ||
        send_to_receiver(launch, err) < 0 || pid_file_write(launch->options->pid_file, launch->pid, err) < 0)
        return -1;
    return container_save(&launch->container, err);
}

static const struct step create_steps[] = {
    { "bundle", open_bundle, NULL },
    { "policy", apply_policy,
      NULL }, /* pure but for reading the operator's file; nothing at all without one */
    { "terminal options", check_terminal, NULL },
    { "plans", make_plans, NULL }, /* pure: a bad config fails here and has touched nothing */
    { "namespaces, sockets", launch_open_outside,
      NULL }, /* wrong paths fail before any side effect (item 133) */
    { "state directory", reserve_id, release_id },
    { "saved config", save_config, NULL },
    { "start.sock", open_gate, NULL },
    { "notify socket", notify_offer, NULL },        /* adds a mount: before they are planned */
    { "poststop hooks", NULL, run_poststop_hooks }, /* undo only: after all below is gone (item 34) */
    { "cgroup", make_cgroup, remove_cgroup },
    { "intelRdt groups", make_intel_rdt_groups, remove_intel_rdt_groups },
    { "placeholders", launch_make_placeholders, launch_remove_placeholders }, /* on record since the saved config */
    { "mount sources", launch_plan_rootfs, NULL },
    { "init", clone_init, launch_kill_init },                    /* enters its cgroup before all else */
    { "cgroup unit", make_cgroup_around, remove_cgroup_around }, /* the systemd driver's "cgroup" */
    { "cgroup, id maps", place_init,
      NULL }, /* before GO: nothing of the payload's side runs outside its limits */
    { "intelRdt tasks", assign_intel_rdt, NULL },  /* before GO, like the cgroup */
    { "network devices", move_net_devices, NULL }, /* before the hooks, which may expect them (item 160) */
    { "note of init", launch_note_init, NULL },
    { "go", launch_let_go, NULL },
    { "network", launch_make_network, NULL }, /* while init is at work */
    { "container", launch_converse, NULL },
    { "state", publish, NULL },
};

int launch_prepare(struct launch *launch, struct error *err)
{
    return steps_run(create_steps, array_length(create_steps), launch, err);
}

void launch_undo(struct launch *launch)
{
    steps_undo(create_steps, array_length(create_steps), launch);
}

void launch_init(struct launch *launch, struct store *store, const struct launch_options *options,
                 bool foreground)
{
    *launch = (struct launch){
        .store = store,
        .options = options,
        .foreground = foreground,
        .child_main = init_main,
        .procfs = -1,
        .resctrl = { .root = -1 },
        .container_root = -1,
        .start_socket = -1,
        .console_socket = -1,
        .cgroup_fd = -1,
        .socket = -1,
        .peer_socket = -1,
        .pidfd = -1,
        .landlock_ruleset = -1,
        .bundle = { .fd = -1 },
        .container = { .fd = -1 },
    };
    launch->rootless = !privilege_of_host();
}

void launch_close(struct launch *launch)
{
    terminal_relay_close(launch->relay);
    container_close(&launch->container);
    if (!memory_is_watched())
        return;
    rootfs_plan_free(launch->rootfs);
    overlay_request_free(launch->overlay);
    cgroup_plan_free(launch->cgroup);
    process_plan_free(&launch->process);
    seccomp_filter_free(&launch->seccomp);
    landlock_plan_free(&launch->landlock);
    schema_free(&policy_record_schema, launch->policy);
    resctrl_plan_free(&launch->resctrl_plan);
    resctrl_close(&launch->resctrl);
    namespace_plan_free(&launch->namespaces);
    bundle_close(&launch->bundle);
}

int launch_create(struct store *store, const struct launch_options *options, struct error *err)
{
    struct launch launch;
    int result;

    launch_init(&launch, store, options, false);
    launch.by_start = true;
    result = launch_prepare(&launch, err);
    launch_close(&launch);
    return result;
}
