/* aril exec: one more process in a container that runs. */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "cli/exec_process.h"
#include "cli/signals.h"
#include "launch/launch.h"
#include "oci-specs/schema.h"
#include "policy/policy.h"

#include <string.h>

struct exec_arguments {
    struct exec_flags flags;
    struct exec_options launch; /* process is filled in by execute() */
};

#define FLAG(member) offsetof(struct exec_arguments, flags.member)
#define LAUNCH(member) offsetof(struct exec_arguments, launch.member)

static const struct option_row options[] = {
    { "process", 'p', OPTION_STRING, FLAG(process), "FILE", "read the process from this file (JSON)" },
    { "cwd", 0, OPTION_STRING, FLAG(cwd), "DIR", "its working directory" },
    { "env", 'e', OPTION_LIST, FLAG(env), "NAME=VALUE", "add to its environment" },
    { "tty", 't', OPTION_SWITCH, FLAG(tty), NULL, "give it a terminal" },
    { "user", 'u', OPTION_TEXT, FLAG(user), "UID[:GID]", "run it as this user" },
    { "additional-gids", 'g', OPTION_LIST, FLAG(additional_gids), "GID", "add to its groups" },
    { "cap", 'c', OPTION_LIST, FLAG(caps), "CAP_NAME", "add a capability" },
    { "no-new-privs", 0, OPTION_SWITCH, FLAG(no_new_privs), NULL, "set no_new_privs" },
    { "process-label", 0, OPTION_STRING, FLAG(process_label), "LABEL", "its SELinux label" },
    { "apparmor", 0, OPTION_STRING, FLAG(apparmor), "PROFILE", "its AppArmor profile" },
    { "detach", 'd', OPTION_FLAG, LAUNCH(detach), NULL, "return as soon as it runs" },
    { "console-socket", 0, OPTION_STRING, LAUNCH(console_socket), "SOCKET",
      "send the terminal's master to this AF_UNIX socket" },
    { "pid-file", 0, OPTION_STRING, LAUNCH(pid_file), "FILE", "write its pid to this file" },
    { "pidfd-socket", 0, OPTION_STRING, LAUNCH(pidfd_socket), "SOCKET",
      "send its pidfd to this AF_UNIX socket" },
    { "preserve-fds", 0, OPTION_COUNT, LAUNCH(preserve_fds), "N", "pass descriptors 3 to 2+N to it" },
    { "cgroup", 0, OPTION_STRING, LAUNCH(cgroup), "PATH", "run it in this cgroup below the container's" },
    { "ignore-paused", 0, OPTION_FLAG, LAUNCH(ignore_paused), NULL, "allow it in a paused container" },
    { "timeout", 0, OPTION_STRING, LAUNCH(limit.seconds), "SECONDS",
      "end it after this time; the exit status is 124 then" },
    { "kill-signal", 0, OPTION_STRING, LAUNCH(limit.signal), "SIGNAL",
      "what it gets first at --timeout (default: TERM; KILL after two seconds)" },
    { "die-with-client", 0, OPTION_FLAG, LAUNCH(die_with_client), NULL,
      "end it and all it has started when aril or its caller dies" },
    { "no-subreaper", 0, OPTION_FLAG, OPTION_IGNORED, NULL, NULL },
    { 0 },
};

/* The container and its configuration as it was at create, not what the bundle holds now (item 12). */
static int open_container(struct store *store, const char *id, struct container *container,
                          struct oci_config **config, struct policy_record **policy, struct error *err)
{
    if (store_load(store, id, container, err) < 0)
        return -1;
    if (container_check(container, err) == 0)
        *config = oci_config_read_at(container->fd, "config.json", err);
    if (*config && container->status->policy)
        *policy = policy_load(container->fd, err);
    if (*config && (*policy || !container->status->policy))
        return 0;
    oci_config_free(*config);
    container_close(container);
    return -1;
}

static int execute(struct store *store, const struct invocation *invocation, struct error *err)
{
    const struct exec_arguments *chosen = invocation->options;
    struct exec_options launch = chosen->launch;
    const char *const *args = invocation->arguments + 1;
    struct oci_config *config = NULL;
    struct container container;
    struct policy_record *policy = NULL;
    struct oci_process *process;
    int result;

    if (launch.limit.signal && (launch.limit.number = signal_parse(launch.limit.signal, err)) < 0)
        return fail_in(err, "--kill-signal");
    if (*args && strcmp(*args, "--") == 0) /* exec ID -- COMMAND: as with kubectl */
        args++;
    if (open_container(store, invocation->arguments[0], &container, &config, &policy, err) < 0)
        return -1;
    process = exec_process_make(&chosen->flags, args, config, err);
    if (!process) {
        schema_free(&policy_record_schema, policy);
        container_close(&container);
        oci_config_free(config);
        return -1;
    }
    launch.process = process;
    launch.policy = policy;
    result = policy ? policy_apply_to_exec(policy, config, process, chosen->flags.env.count, err) : 0;
    if (result == 0) {
        result = launch_exec(&container, config, &launch, err);
    } else {
        container_close(&container);
        oci_config_free(config);
    }
    schema_free(&policy_record_schema, policy);
    schema_free(&oci_process_schema, process);
    return result;
}

static int run(const struct invocation *invocation, struct error *err)
{
    struct store store;
    int result;

    if (cli_open_store(invocation, invocation->arguments[0], &store, err) < 0)
        return -1;
    result = execute(&store, invocation, err);
    store_close(&store);
    return result;
}

const struct command command_exec = {
    .name = "exec",
    .summary = "Run another process in a container",
    .arguments = "ID [COMMAND [ARGUMENT...]]",
    .options = options,
    .options_size = sizeof(struct exec_arguments),
    .min_arguments = 1,
    .max_arguments = COMMAND_ANY_ARGUMENTS,
    .order = OPTIONS_FIRST,
    .seals_self = true,
    .failure_status = 255, /* contract X2: it must differ from what the process may return */
    .run = run,
};
