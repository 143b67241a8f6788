/* What `exec` runs: see exec_process.h. */
#include "cli/exec_process.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "cli/cli.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/security.h"

#include <string.h>

#define ID_MAX (UINT32_MAX - 1) /* (uid_t)-1 means "no change" to the kernel */

/* ---- numbers ---------------------------------------------------------------------------------------- */

static int parse_id(const char *text, uint32_t *id, const char *what, struct error *err)
{
    uint64_t number;

    /* No name is ever looked up: a name that looks like a number, or a number too large, became root
     * elsewhere. */
    if (!number_parse_unsigned(text, ID_MAX, &number))
        return fail(err, EINVAL, "%s \"%s\": not a number from 0 to %u", what, text, ID_MAX);
    *id = (uint32_t)number;
    return 0;
}

int exec_parse_user(const char *text, struct oci_user *user, struct error *err)
{
    const char *colon = strchr(text, ':');
    auto_free char *uid_text = colon ? memory_string_n(text, (size_t)(colon - text)) : memory_string(text);
    uint32_t uid = 0, gid = user->gid;

    if (parse_id(uid_text, &uid, "--user: uid", err) < 0 ||
        (colon && parse_id(colon + 1, &gid, "--user: gid", err) < 0))
        return -1;
    user->uid = uid;
    user->gid = gid;
    user->has_uid = user->has_gid = true;
    return 0;
}

/* "-g 10 -g 20" and "-g 10,20". */
static int add_gids(const struct option_values *values, struct oci_user *user, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        auto_free char *copy = memory_string(values->items[i]);
        char *rest = copy, *one;

        while ((one = strsep(&rest, ","))) {
            uint32_t gid = 0;

            if (parse_id(one, &gid, "--additional-gids: gid", err) < 0)
                return -1;
            user->additional_gids = memory_resize(user->additional_gids, (user->additional_gids_count + 1) *
                                                                             sizeof *user->additional_gids);
            user->additional_gids[user->additional_gids_count++] = gid;
        }
    }
    return 0;
}

/* ---- flags
 * ------------------------------------------------------------------------------------------------- */

static struct oci_user *user_of(struct oci_process *process)
{
    if (!process->user)
        process->user = memory_new(sizeof *process->user);
    return process->user;
}

static int apply_user(const struct exec_flags *flags, struct oci_process *process, struct error *err)
{
    if (flags->user && exec_parse_user(flags->user, user_of(process), err) < 0)
        return -1;
    return add_gids(&flags->additional_gids, user_of(process), err);
}

static int apply_env(const struct exec_flags *flags, struct oci_process *process, struct error *err)
{
    for (size_t i = 0; i < flags->env.count; i++) {
        const char *value = flags->env.items[i];

        if (!strchr(value, '=') || value[0] == '=')
            return fail(err, EINVAL, "--env \"%s\": must be NAME=VALUE", value);
        strings_add(&process->env, value);
        process->has_env = true;
    }
    return 0;
}

/*
 * --cap adds to three sets. Inheritable stays as it is (CVE-2022-29162), and without it the kernel lets no
 * capability become ambient; runc does the same.
 */
static int apply_caps(const struct exec_flags *flags, struct oci_process *process, struct error *err)
{
    for (size_t i = 0; i < flags->caps.count; i++) {
        const char *name = flags->caps.items[i];

        if (capability_from_name(name) < 0)
            return fail(err, EINVAL, "--cap \"%s\": unknown capability", name);
        if (!process->capabilities)
            process->capabilities = memory_new(sizeof *process->capabilities);
        strings_add(&process->capabilities->bounding, name);
        strings_add(&process->capabilities->effective, name);
        strings_add(&process->capabilities->permitted, name);
        process->capabilities->has_bounding = true;
        process->capabilities->has_effective = true;
        process->capabilities->has_permitted = true;
    }
    return 0;
}

static void replace(char **place, const char *value)
{
    if (!value)
        return;
    free(*place);
    *place = memory_string(value);
}

static void apply_switches(const struct exec_flags *flags, struct oci_process *process)
{
    if (flags->tty != OPTION_UNSET) {
        process->terminal = flags->tty == OPTION_ON;
        process->has_terminal = true;
    }
    if (flags->no_new_privs != OPTION_UNSET) {
        process->no_new_privileges = flags->no_new_privs == OPTION_ON;
        process->has_no_new_privileges = true;
    }
}

static int apply_flags(const struct exec_flags *flags, struct oci_process *process, struct error *err)
{
    replace(&process->cwd, flags->cwd);
    replace(&process->apparmor_profile, flags->apparmor);
    replace(&process->selinux_label, flags->process_label);
    apply_switches(flags, process);
    if (apply_user(flags, process, err) < 0 || apply_env(flags, process, err) < 0)
        return -1;
    return apply_caps(flags, process, err);
}

/* ---- the process ------------------------------------------------------------------------------------ */

static struct oci_process *from_file(const char *path, struct error *err)
{
    struct oci_process *process;
    auto_free char *text = NULL;
    size_t length;

    if (cli_read_input(path, &text, &length, err) < 0)
        return NULL;
    process = schema_parse(&oci_process_schema, path, text, length, err);
    return process;
}

/*
 * What a file does not say is the same as for the container's own process, as in runc: confinement must not
 * end where nobody wrote it down again.
 */
static void inherit(struct oci_process *process, const struct oci_process *from)
{
#define INHERIT_OBJECT(member, schema)                                                                       \
    if (!process->member && from->member)                                                                    \
        process->member = schema_copy(&schema, from->member);
    INHERIT_OBJECT(capabilities, oci_capabilities_schema)
    INHERIT_OBJECT(scheduler, oci_scheduler_schema)
    INHERIT_OBJECT(io_priority, oci_io_priority_schema)
    INHERIT_OBJECT(exec_cpu_affinity, oci_exec_cpu_affinity_schema)
#undef INHERIT_OBJECT
    if (!process->apparmor_profile)
        process->apparmor_profile = memory_string(from->apparmor_profile);
    if (!process->selinux_label)
        process->selinux_label = memory_string(from->selinux_label);
    if (!process->has_oom_score_adj && from->has_oom_score_adj) {
        process->oom_score_adj = from->oom_score_adj;
        process->has_oom_score_adj = true;
    }
    if (process->rlimits_count == 0)
        for (size_t i = 0; i < from->rlimits_count; i++)
            *array_grow(process->rlimits, process->rlimits_count) = from->rlimits[i]; /* holds no pointers */
}

static struct oci_process *from_config(const struct oci_config *config)
{
    struct oci_process *process;

    if (config->process)
        process = schema_copy(&oci_process_schema, config->process);
    else
        process = memory_new(sizeof *process);
    if (!process->cwd)
        process->cwd = memory_string("/");
    strings_free(&process->args);
    process->terminal = false; /* only if asked for: --tty */
    return process;
}

static int set_args(const struct exec_flags *flags, const char *const *args, struct oci_process *process,
                    struct error *err)
{
    if (flags->process && *args)
        return fail(err, EINVAL, "a command and --process exclude each other");
    if (!flags->process && !*args)
        return fail(err, EINVAL, "no command given (neither as arguments nor with --process)");
    for (; *args; args++)
        strings_add(&process->args, *args);
    process->has_args = true;
    return 0;
}

struct oci_process *exec_process_make(const struct exec_flags *flags, const char *const *args,
                                      const struct oci_config *config, struct error *err)
{
    struct oci_process *process = flags->process ? from_file(flags->process, err) : from_config(config);

    if (!process)
        return NULL;
    if (flags->process && config->process)
        inherit(process, config->process);
    if (set_args(flags, args, process, err) == 0 && apply_flags(flags, process, err) == 0 &&
        oci_process_validate(process, "process", err) == 0)
        return process;
    schema_free(&oci_process_schema, process);
    return NULL;
}
