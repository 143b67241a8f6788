/*
 * aril sandbox-exec: a command on the host's own root file system, under a policy. Also as
 * `runok-linux-sandbox` and `aril-sandbox-exec`, by argv[0] (main.c).
 */
#include "cli/commands.h"
#include "launch/launch.h"
#include "sandbox/sandbox.h"
#include "security/seccomp_presets.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

extern char **environ;

struct sandbox_options {
    struct option_values policy, rw, ro, deny, overlay, env;
    const char *net, *cwd, *timeout, *seccomp;
    bool tmp, tty, keep_env, no_protect;
};

#define FIELD(member) offsetof(struct sandbox_options, member)

static const struct option_row options[] = {
    { "rw", 0, OPTION_LIST, FIELD(rw), "DIR", "writable; all else is read-only (may be repeated)" },
    { "ro", 0, OPTION_LIST, FIELD(ro), "PATH", "read-only also inside a writable directory; globs are fine" },
    { "deny", 0, OPTION_LIST, FIELD(deny), "PATH", "neither readable nor writable; globs are fine" },
    { "overlay", 0, OPTION_LIST, FIELD(overlay), "DIR", "writable, but what is written is thrown away at the end" },
    { "net", 0, OPTION_CHOICE, FIELD(net), "none|unix|host",
      "network: an own one with loopback (default), the same with AF_UNIX sockets only, the host's" },
    { "env", 'e', OPTION_LIST, FIELD(env), "NAME[=VALUE]", "set a variable, or pass one that is held back" },
    { "keep-env", 0, OPTION_FLAG, FIELD(keep_env), NULL, "pass also variables that look like secrets" },
    { "timeout", 0, OPTION_STRING, FIELD(timeout), "SECONDS", "end everything after this time; exit status 124" },
    { "tmp", 0, OPTION_FLAG, FIELD(tmp), NULL, "an own /tmp, even if something below /tmp is writable" },
    { "no-protect", 0, OPTION_FLAG, FIELD(no_protect), NULL,
      "leave .git, .codex and .agents in writable directories writable" },
    { "seccomp", 0, OPTION_CHOICE, FIELD(seccomp), "default|off",
      "the built-in list of system calls that are refused (default), or none" },
    { "tty", 't', OPTION_FLAG, FIELD(tty), NULL, "give the command a terminal of its own" },
    { "cwd", 0, OPTION_STRING, FIELD(cwd), "DIR", "the working directory (default: the current one)" },
    { "policy", 0, OPTION_LIST, FIELD(policy), "JSON|@FILE|fd:N",
      "a policy document of runok; the strictest of several counts" },
    { "apply-sandbox-then-exec", 0, OPTION_FLAG, OPTION_IGNORED, NULL, NULL }, /* runok's second stage */
    { 0 },
};

static void add_values(struct strings *to, const struct option_values *from)
{
    for (size_t i = 0; i < from->count; i++)
        strings_add(to, from->items[i]);
}

static void request_free(struct sandbox_request *request)
{
    struct strings *const lists[] = { &request->writable, &request->overlays,         &request->read_only,
                                      &request->denied,   &request->joined_read_only, &request->joined_denied };

    for (size_t i = 0; i < array_length(lists); i++)
        strings_free(lists[i]);
}

static int make_request(const struct sandbox_options *chosen, const char *cwd, struct sandbox_request *request,
                        struct error *err)
{
    *request = (struct sandbox_request){ .cwd = cwd, .private_tmp = chosen->tmp, .protect = !chosen->no_protect };
    add_values(&request->writable, &chosen->rw);
    add_values(&request->overlays, &chosen->overlay);
    add_values(&request->read_only, &chosen->ro);
    add_values(&request->denied, &chosen->deny);
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

static int check_time_limit(const char *text, struct error *err)
{
    char *end;
    double seconds;

    if (!text)
        return 0;
    seconds = strtod(text, &end);
    if (*end || text[strspn(text, "0123456789.")] || !(seconds >= 0.001 && seconds < 2000000))
        return fail(err, EINVAL, "--timeout %s: not a number of seconds between 0.001 and 2000000", text);
    return 0;
}

/* Beside this program (a build tree), or where it was installed. Never looked up in PATH. */
static char *find_init(struct error *err)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (length > 0) {
        self[length] = '\0';
        slash = strrchr(self, '/');
        auto_free char *beside = memory_format("%.*s/aril-init", (int)(slash - self), self);

        if (access(beside, X_OK) == 0)
            return take_ptr(beside);
    }
    if (access(HELPER_DIR "/aril-init", X_OK) == 0)
        return memory_string(HELPER_DIR "/aril-init");
    fail_errno(err, "%s", HELPER_DIR "/aril-init");
    return NULL;
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

static int launch_sandbox(const struct invocation *invocation, const struct sandbox_rules *rules,
                          enum sandbox_network network, const struct sandbox_command *command, struct error *err)
{
    char root[] = "/tmp/aril-state.XXXXXX", id[32];
    const char *given = invocation->globals->root;
    struct launch_options launch = { .id = id, .cgroup_driver = CGROUP_DRIVER_DISABLED };
    bool own_root = !given && command->uid != 0 && !getenv("XDG_RUNTIME_DIR");
    uint32_t number = 0;
    struct oci_seccomp *seccomp;
    struct store store;
    int result;

    if (own_root && !mkdtemp(root))
        return fail_errno(err, "state directory %s", root);
    if (getrandom(&number, sizeof number, 0) < 0)
        return fail_errno(err, "getrandom");
    snprintf(id, sizeof id, "sandbox-%08x", (unsigned)number);
    if (store_open(own_root ? root : given, true, &store, err) < 0)
        return -1;
    result = make_seccomp(invocation->options, network, &seccomp, err);
    if (result == 0) {
        launch.made = sandbox_config_make(rules, network, command, seccomp);
        result = launch_run(&store, &launch, err);
    }
    store_close(&store);
    if (own_root)
        rmdir(root);
    return result;
}

static int run_rules(const struct invocation *invocation, const struct sandbox_options *chosen,
                     const struct sandbox_request *request, const struct sandbox_rules *rules, struct error *err)
{
    auto_free char *init = find_init(err);
    struct sandbox_command command = {
        .args = invocation->arguments,
        .init = init,
        .time_limit = chosen->timeout,
        .cwd = request->cwd,
        .terminal = chosen->tty,
        .uid = geteuid(),
        .gid = getegid(),
        .user_namespace = geteuid() != 0,
    };
    int result = -1;

    if (!init)
        return -1;
    if (sandbox_environment_make(environ, chosen->keep_env, chosen->env.items, chosen->env.count, &command.env,
                                 err) == 0)
        result = launch_sandbox(invocation, rules, request->network, &command, err);
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

    /* The launch path would pass on what these stand for (E-3): the sandbox gets nothing of that kind. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
    if (!cwd)
        return fail_errno(err, "--cwd %s", chosen->cwd ? chosen->cwd : ".");
    if (!invocation->arguments[0][0])
        return fail(err, EINVAL, "the command is empty");
    if (check_time_limit(chosen->timeout, err) < 0)
        return -1;
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
