/*
 * aril sandbox-exec: a command on the host's own root file system, under a policy. Also as
 * `runok-linux-sandbox` and `aril-sandbox-exec`, by argv[0] (main.c).
 */
#include "cli/commands.h"
#include "guard/guard.h"
#include "launch/launch.h"
#include "policy/policy.h"
#include "sandbox/sandbox.h"
#include "security/seccomp_presets.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

struct sandbox_options {
    struct option_values policy, rw, ro, deny, overlay, env;
    const char *net, *cwd, *timeout, *seccomp, *landlock, *speculation;
    bool tmp, tty, keep_env, no_protect;
};

#define FIELD(member) offsetof(struct sandbox_options, member)

static const struct option_row options[] = {
    { "rw", 0, OPTION_LIST, FIELD(rw), "DIR", "writable; all else is read-only (may be repeated)" },
    { "ro", 0, OPTION_LIST, FIELD(ro), "PATH", "read-only also inside a writable directory; globs are fine" },
    { "deny", 0, OPTION_LIST, FIELD(deny), "PATH", "neither readable nor writable; globs are fine" },
    { "overlay", 0, OPTION_LIST, FIELD(overlay), "DIR",
      "writable, but what is written is thrown away at the end" },
    { "net", 0, OPTION_CHOICE, FIELD(net), "none|unix|host",
      "network: an own one with loopback (default), the same with AF_UNIX sockets only, the host's" },
    { "env", 'e', OPTION_LIST, FIELD(env), "NAME[=VALUE]", "set a variable, or pass one that is held back" },
    { "keep-env", 0, OPTION_FLAG, FIELD(keep_env), NULL, "pass also variables that look like secrets" },
    { "timeout", 0, OPTION_STRING, FIELD(timeout), "SECONDS",
      "end everything after this time; exit status 124" },
    { "tmp", 0, OPTION_FLAG, FIELD(tmp), NULL, "an own /tmp, even if something below /tmp is writable" },
    { "no-protect", 0, OPTION_FLAG, FIELD(no_protect), NULL,
      "leave .git, .codex and .agents in writable directories writable" },
    { "seccomp", 0, OPTION_CHOICE, FIELD(seccomp), "default|off",
      "the built-in list of system calls that are refused (default), or none" },
    { "landlock", 0, OPTION_CHOICE, FIELD(landlock), "best_effort|required|off",
      "the kernel's check of every path, beside the mounts (default: best_effort)" },
    { "speculation", 0, OPTION_CHOICE, FIELD(speculation), "best-effort|required|off",
      "the guard against speculative execution attacks (default: best-effort)" },
    { "tty", 't', OPTION_FLAG, FIELD(tty), NULL, "give the command a terminal of its own" },
    { "cwd", 0, OPTION_STRING, FIELD(cwd), "DIR", "the working directory (default: the current one)" },
    { "policy", 0, OPTION_LIST, FIELD(policy), "JSON|@FILE|fd:N",
      "a policy document of runok; the strictest of several counts" },
    { "apply-sandbox-then-exec", 0, OPTION_FLAG, OPTION_IGNORED, NULL, NULL }, /* runok's second stage */
    { 0 },
};

/* An empty path is a variable that was not set: what was to be protected would not be. */
static int add_paths(struct strings *to, const struct option_values *from, const char *option,
                     struct error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        auto_free char *path = sandbox_path_expand_home(from->items[i]);

        if (!*path)
            return fail(err, EINVAL, "%s: the path is empty", option);
        strings_add(to, path);
    }
    return 0;
}

static void request_free(struct sandbox_request *request)
{
    struct strings *const lists[] = {
        &request->writable, &request->overlays,         &request->read_only,
        &request->denied,   &request->joined_read_only, &request->joined_denied
    };

    for (size_t i = 0; i < array_length(lists); i++)
        strings_free(lists[i]);
}

static int make_request(const struct sandbox_options *chosen, const char *cwd,
                        struct sandbox_request *request, struct error *err)
{
    *request = (struct sandbox_request){ .cwd = cwd,
                                         .private_tmp = chosen->tmp,
                                         .protect = !chosen->no_protect,
                                         .user_namespace = geteuid() != 0 };
    if (add_paths(&request->writable, &chosen->rw, "--rw", err) < 0 ||
        add_paths(&request->overlays, &chosen->overlay, "--overlay", err) < 0 ||
        add_paths(&request->read_only, &chosen->ro, "--ro", err) < 0 ||
        add_paths(&request->denied, &chosen->deny, "--deny", err) < 0)
        return -1;
    if (chosen->policy.count > 0 &&
        sandbox_policy_apply(chosen->policy.items, chosen->policy.count, request, err) < 0)
        return fail_in(err, "--policy");
    if (chosen->net && strcmp(chosen->net, "host") == 0 && chosen->policy.count > 0 &&
        request->network != SANDBOX_NETWORK_HOST)
        return fail(err, EPERM, "--net host: the policy does not allow the network");
    if (chosen->net)
        request->network = strcmp(chosen->net, "host") == 0   ? SANDBOX_NETWORK_HOST
                           : strcmp(chosen->net, "unix") == 0 ? SANDBOX_NETWORK_UNIX
                                                              : SANDBOX_NETWORK_NONE;
    return 0;
}

/*
 * The layers that no config.json has words for, as containers have them: best effort unless something else is
 * said. Abstract sockets belong to the network namespace: with the host's, anybody's would be in reach.
 */
static struct policy_record *make_layers(const struct sandbox_options *chosen, enum sandbox_network network,
                                         const struct oci_config *config)
{
    struct policy_record *record;
    enum policy_landlock_mode landlock = POLICY_LANDLOCK_BEST_EFFORT;
    enum policy_speculation speculation = POLICY_SPECULATION_BEST_EFFORT;

    if (chosen->landlock) /* "off" is none of the modes */
        landlock = policy_landlock_mode_value(chosen->landlock);
    if (chosen->speculation)
        speculation = policy_speculation_value(chosen->speculation);
    record = policy_record_for(config, landlock, speculation);
    if (record->landlock && network == SANDBOX_NETWORK_HOST)
        record->landlock->scopes |= LANDLOCK_SCOPE_ABSTRACT_UNIX;
    return record;
}

/* NULL in *seccomp: no filter is needed. */
static int make_seccomp(const struct sandbox_options *chosen, enum sandbox_network network,
                        struct oci_seccomp **seccomp, struct error *err)
{
    const struct seccomp_preset preset = {
        .builtin = !chosen->seccomp || strcmp(chosen->seccomp, "off") != 0,
        .network = network == SANDBOX_NETWORK_UNIX ? SECCOMP_NETWORK_UNIX_ONLY : SECCOMP_NETWORK_ANY,
    };

    *seccomp = NULL;
    if (!preset.builtin && preset.network == SECCOMP_NETWORK_ANY)
        return 0;
    *seccomp = seccomp_preset_make(&preset, "--seccomp", err);
    return *seccomp ? 0 : -1;
}

/* The config is the plan of one process of ours: a name that no other session keyring has is all it needs. */
static int launch_sandbox(const struct sandbox_options *chosen, const struct sandbox_rules *rules,
                          enum sandbox_network network, const struct sandbox_command *command,
                          struct error *err)
{
    char id[32];
    struct launch_options launch = { .id = id,
                                     .cgroup_driver = CGROUP_DRIVER_DISABLED,
                                     .limit.seconds = chosen->timeout };
    struct oci_seccomp *seccomp;
    struct oci_config *config;

    snprintf(id, sizeof id, "sandbox-%d", (int)getpid());
    if (make_seccomp(chosen, network, &seccomp, err) < 0)
        return -1;
    config = sandbox_config_make(rules, network, command, seccomp);
    return launch_run_directly(config, make_layers(chosen, network, config), &launch, err);
}

/* The command's file is on the host, and would be missing in there for no reason that the user can see. */
static void warn_of_hidden(const char *program, const struct sandbox_rules *rules)
{
    static const char *const private[] = { "/tmp", "/run" };
    const bool is_private[] = { rules->private_tmp, rules->private_run };
    auto_free char *real = strchr(program, '/') ? realpath(program, NULL) : NULL;

    for (size_t i = 0; real && i < array_length(private); i++) {
        if (!is_private[i] || !guard_is_within(real, private[i]))
            continue;
        for (size_t rule = 0; rule < rules->count; rule++)
            if (strcmp(rules->items[rule].path, "/") != 0 &&
                guard_is_within(real, rules->items[rule].path))
                return;
        log_warning("%s is not in the sandbox, which has its own %s: show it with --ro", program, private[i]);
    }
}

/* It can only be asked for by setting it. */
static mode_t current_umask(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return mask;
}

static int run_rules(const struct invocation *invocation, const struct sandbox_options *chosen,
                     const struct sandbox_request *request, const struct sandbox_rules *rules,
                     struct error *err)
{
    struct sandbox_command command = {
        .args = invocation->arguments,
        .cwd = request->cwd,
        .terminal = chosen->tty,
        .uid = geteuid(),
        .gid = getegid(),
        .umask = current_umask(),
        .user_namespace = geteuid() != 0,
    };
    int result = -1;

    warn_of_hidden(invocation->arguments[0], rules);
    if (sandbox_environment_make(environ, chosen->keep_env, chosen->env.items, chosen->env.count,
                                 &command.env, err) == 0)
        result = launch_sandbox(chosen, rules, request->network, &command, err);
    strings_free(&command.env);
    return result;
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct sandbox_options *chosen = invocation->options;
    auto_free char *cwd = chosen->cwd ? realpath(chosen->cwd, NULL) : getcwd(NULL, 0);
    struct sandbox_request request;
    struct sandbox_rules rules = { 0 };
    int result = -1;

    /* Here a person asks, not an engine: what a pattern or a slip of the pen leaves open must be seen. */
    if (!invocation->globals->log_level && !invocation->globals->debug)
        log_set_level(LOG_LEVEL_WARNING);
    /* The launch path would pass on what these stand for (E-3): the sandbox gets nothing of that kind. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
    if (!cwd && chosen->cwd)
        return fail_errno(err, "--cwd %s", chosen->cwd);
    if (!cwd) {
        fail_errno(err, "the current directory");
        return err->code == ENOENT ? fail_hint(err, "it was deleted: choose another one with --cwd") : -1;
    }
    if (!invocation->arguments[0][0])
        return fail(err, EINVAL, "the command is empty");
    if (make_request(chosen, cwd, &request, err) == 0 && sandbox_rules_make(&request, &rules, err) == 0)
        result = run_rules(invocation, chosen, &request, &rules, err);
    sandbox_rules_free(&rules);
    request_free(&request);
    return result;
}

const struct command command_sandbox_exec = {
    .name = "sandbox-exec",
    .summary = "Run a command on this machine's files under a policy: no image, no bundle",
    .arguments = "COMMAND [ARGUMENT...]",
    .options = options,
    .options_size = sizeof(struct sandbox_options),
    .min_arguments = 1,
    .max_arguments = COMMAND_ANY_ARGUMENTS,
    .order = OPTIONS_FIRST,
    .run = run,
};
