/*
 * From a request to a changed configuration: see policy.h. Runs in the runtime, right after config.json was
 * read. Everything that can be refused is refused here, when nothing has been made (P-4).
 */
#include "policy/internal.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"
#include "security/seccomp_presets.h"
#include "security/speculation.h"

#include <stdlib.h>
#include <string.h>

int policy_profile_parse(const char *name, const char *what, enum policy_profile *profile, struct error *err)
{
    *profile = name ? policy_profile_value(name) : policy_profile_unset;
    if (name && !*profile)
        return fail(err, EINVAL, "%s: '%s' is not one of strict, balanced", what, name);
    return 0;
}

/* ---- seccomp ------------------------------------------------------------------------------------------- */

static void append(struct strings *list, const struct strings *more)
{
    for (size_t i = 0; i < more->count; i++)
        strings_add(list, more->items[i]);
}

static enum seccomp_network network_filter(enum policy_network network)
{
    return network == POLICY_NETWORK_UNIX_ONLY    ? SECCOMP_NETWORK_UNIX_ONLY
           : network == POLICY_NETWORK_RESTRICTED ? SECCOMP_NETWORK_RESTRICTED
                                                  : SECCOMP_NETWORK_ANY;
}

static int make_seccomp(const struct policy_request *request, const struct policy_operator *operator,
                        const struct oci_config * config, struct policy_record *record, struct error *err)
{
    const struct oci_seccomp *own = config->linux->seccomp;
    const bool lists = request->seccomp == POLICY_SECCOMP_DEFAULT || request->seccomp == POLICY_SECCOMP_ADD;
    struct strings deny = { 0 };
    struct seccomp_preset preset = {
        .builtin = lists && !(operator&& operator->has_seccomp_deny),
        .deny = &deny,
        .network = network_filter(request->network),
        .denial = request->denial ? (enum seccomp_denial)(request->denial - 1) : SECCOMP_DENY_EPERM,
        .architectures = own ? own->architectures : NULL,
        .architecture_count = own ? own->architectures_count : 0,
    };

    if (lists && operator&& operator->has_seccomp_deny)
        append(&deny, &operator->seccomp_deny);
    append(&deny, &request->seccomp_deny);
    if (preset.builtin || deny.count || preset.network != SECCOMP_NETWORK_ANY)
        record->seccomp = seccomp_preset_make(&preset, POLICY_PREFIX "seccomp.deny", err);
    else
        preset.deny = NULL; /* nothing to deny: no filter */
    strings_free(&deny);
    return preset.deny && !record->seccomp ? -1 : 0;
}

/* ---- the configuration --------------------------------------------------------------------------------- */

static void set_user(const struct policy_request *request, struct oci_process *process)
{
    if (!request->has_uid && !request->has_gid && !request->has_umask)
        return;
    if (!process->user)
        process->user = memory_new(sizeof *process->user);
#define SET(member)                                                                                          \
    if (request->has_##member) {                                                                             \
        process->user->member = request->member;                                                             \
        process->user->has_##member = true;                                                                  \
    }
    SET(uid)
    SET(gid)
    SET(umask)
#undef SET
}

static void make_network_private(struct oci_config *config)
{
    struct oci_linux *linux_config = config->linux;

    for (size_t i = 0; i < linux_config->namespaces_count; i++) {
        if (linux_config->namespaces[i].type == OCI_NAMESPACE_NETWORK) {
            free(linux_config->namespaces[i].path);
            linux_config->namespaces[i].path = NULL;
            return;
        }
    }
    *array_grow(linux_config->namespaces, linux_config->namespaces_count) =
        (struct oci_namespace){ .type = OCI_NAMESPACE_NETWORK };
}

/* In front: it must not cover what config.json mounts. */
static void add_private_tmp(struct oci_config *config)
{
    static const char *const options[] = { "nosuid", "nodev", "mode=1777" };
    struct oci_mount mount = { .destination = memory_string("/tmp"),
                               .type = memory_string("tmpfs"),
                               .source = memory_string("tmpfs") };

    for (size_t i = 0; i < array_length(options); i++)
        strings_add(&mount.options, options[i]);
    array_grow(config->mounts, config->mounts_count);
    memmove(config->mounts + 1, config->mounts, (config->mounts_count - 1) * sizeof *config->mounts);
    mount.has_options = true;
    config->mounts[0] = mount;
}

static void change_config(const struct policy_request *request, const struct policy_record *record,
                          struct oci_config *config)
{
    set_user(request, config->process);
    policy_env_filter(record, &config->process->env, 0);
    if (record->no_new_privileges)
        config->process->no_new_privileges = config->process->has_no_new_privileges = true;
    if (request->network == POLICY_NETWORK_NONE)
        make_network_private(config);
}

static void make_record(const struct policy_request *request, const struct policy_operator *operator,
                        struct policy_record * record)
{
    record->profile = request->profile;
    record->speculation = request->speculation;
    if (request->required[POLICY_LAYER_SPECULATION])
        record->speculation = POLICY_SPECULATION_REQUIRED;
    record->env_mode = request->env_mode;
    append(&record->env_keys, &request->env_keys);
    record->has_env_keys = request->has_env_keys;
    record->refuse_secrets = record->has_refuse_secrets = operator&& operator->refuse_secrets;
}

/* What network_allowed=false asks for is a network mode as well: Landlock knows only TCP. */
static void settle_network(struct policy_request *request)
{
    const struct policy_landlock *landlock = request->landlock;

    if (landlock && landlock->has_network_allowed && !landlock->network_allowed &&
        request->network != POLICY_NETWORK_RESTRICTED)
        request->network = POLICY_NETWORK_UNIX_ONLY;
}

static int transform(struct oci_config *config, struct policy_request *request,
                     const struct policy_operator *operator, struct policy_record * record, struct error *err)
{
    const bool strict = request->profile == POLICY_STRICT;
    const bool landlock_required = request->required[POLICY_LAYER_LANDLOCK] ||
                                   (request->landlock && request->landlock->mode == POLICY_LANDLOCK_REQUIRED);

    if (request->required[POLICY_LAYER_SECCOMP] && !request->seccomp && !config->linux->seccomp)
        request->seccomp = POLICY_SECCOMP_DEFAULT;
    settle_network(request);
    make_record(request, operator, record);
    if (record->refuse_secrets && policy_env_refuse_secrets(&config->process->env, "process", err) < 0)
        return -1;
    if (strict && policy_check_sources(config, operator, err) < 0)
        return -1;
    if (make_seccomp(request, operator, config, record, err) < 0 ||
        policy_add_writable(&request->extra_writable, operator, config, err) < 0 ||
        (request->init && policy_add_init(operator, config, err) < 0))
        return -1;
    if (request->required[POLICY_LAYER_SECCOMP] && !record->seccomp && !config->linux->seccomp)
        return fail(err, EINVAL, POLICY_PREFIX "required: seccomp, but " POLICY_PREFIX "seccomp is off");
    if (strict && policy_tmp_is_free(config, request->landlock))
        add_private_tmp(config);
    if (strict || request->landlock || landlock_required)
        record->landlock = policy_ruleset_make(config, request->landlock, landlock_required);
    if (record->landlock)
        policy_ruleset_add_roots(record->landlock, &request->extra_writable);
    if (policy_guards_plan(request, operator, config, &record->guards, err) < 0)
        return -1;
    record->no_new_privileges = record->has_no_new_privileges = strict || record->landlock;
    change_config(request, record, config);
    return 0;
}

int policy_apply_with(struct oci_config *config, enum policy_profile profile,
                      const struct policy_operator *operator, struct policy_record ** record,
                      struct error *err)
{
    struct policy_request request;
    struct policy_record *made = memory_new(sizeof *made);
    int result = -1;

    *record = NULL;
    if (!config->process || !config->linux)
        fail(err, EINVAL, "%s: is needed by a sandbox policy", config->process ? "linux" : "process");
    else if (policy_request_parse(config, &request, err) == 0 &&
             policy_settle(&request, profile, operator, err) == 0)
        result = transform(config, &request, operator, made, err);
    if (config->process && config->linux)
        policy_request_free(&request);
    if (result == 0)
        *record = made;
    else
        schema_free(&policy_record_schema, made);
    return result;
}

/* ---- what this machine makes of it --------------------------------------------------------------------- */

static int describe_landlock(const struct policy_record *record, struct policy_layers *layers,
                             struct error *err)
{
    static const char *const names[] = {
        [LANDLOCK_ACTIVE] = "active", [LANDLOCK_DEGRADED] = "degraded", [LANDLOCK_UNSUPPORTED] = "unsupported"
    };
    enum landlock_state state = LANDLOCK_ACTIVE;
    struct landlock_plan plan;
    int result;

    if (!record->landlock) {
        layers->landlock = memory_string("disabled");
        return 0;
    }
    policy_landlock_plan(record, &plan);
    result = landlock_plan_check(&plan, landlock_abi(), &state, err);
    landlock_plan_free(&plan);
    layers->landlock = memory_string(names[state]);
    if (state == LANDLOCK_UNSUPPORTED)
        layers->landlock_message =
            memory_string("not in this kernel, or not in its list of security modules");
    else if (state == LANDLOCK_DEGRADED)
        layers->landlock_message = memory_format("ABI %d of this kernel lacks some rights", landlock_abi());
    return result;
}

static int describe_speculation(const struct policy_record *record, struct policy_layers *layers,
                                struct error *err)
{
    static const char *const names[] = { [SPECULATION_ACTIVE] = "active",
                                         [SPECULATION_DEGRADED] = "degraded",
                                         [SPECULATION_UNSUPPORTED] = "unsupported" };
    enum speculation_state state;

    if (record->speculation < POLICY_SPECULATION_BEST_EFFORT) {
        layers->speculation = memory_string("disabled");
        return 0;
    }
    state = speculation_probe();
    layers->speculation = memory_string(names[state]);
    if (state != SPECULATION_ACTIVE)
        layers->speculation_message =
            memory_format("the processor or the boot parameters offer %s of the two controls",
                          state == SPECULATION_DEGRADED ? "one" : "none");
    if (record->speculation == POLICY_SPECULATION_REQUIRED && state != SPECULATION_ACTIVE)
        return fail(err, ENOTSUP, "unavailable: speculation guard: is required, but %s on this machine",
                    names[state]);
    return 0;
}

/* `state` shows what is in force (P-6). */
static int publish_layers(const struct policy_record *record, struct oci_config *config, struct error *err)
{
    struct policy_layers layers = { 0 };
    auto_buffer struct buffer json = { 0 };
    int result = describe_landlock(record, &layers, err);

    if (result == 0)
        result = describe_speculation(record, &layers, err);
    layers.protect = record->guards ? memory_string("active") : NULL;
    layers.seccomp = memory_string(record->seccomp || config->linux->seccomp ? "active" : "disabled");
    schema_write(&policy_layers_schema, &layers, SCHEMA_COMPACT, &json);
    buffer_add_char(&json, '\0');
    string_map_set(&config->annotations, POLICY_PREFIX "layers", json.data);
    free(layers.landlock);
    free(layers.landlock_message);
    free(layers.seccomp);
    free(layers.speculation);
    free(layers.protect);
    free(layers.speculation_message);
    return result;
}

void policy_note_degraded_landlock(struct string_map *annotations)
{
    static const char name[] = POLICY_PREFIX "layers";
    const char *text = string_map_get(annotations, name);
    auto_buffer struct buffer json = { 0 };
    struct policy_layers *layers;
    struct error ignored;

    layers = text ? schema_parse(&policy_layers_schema, name, text, strlen(text), &ignored) : NULL;
    if (!layers || layers->landlock_message)
        return schema_free(&policy_layers_schema, layers);
    free(layers->landlock);
    layers->landlock = memory_string("degraded");
    layers->landlock_message = memory_string("a path that may be used does not exist");
    schema_write(&policy_layers_schema, layers, SCHEMA_COMPACT, &json);
    buffer_add_char(&json, '\0');
    string_map_set(annotations, name, json.data);
    schema_free(&policy_layers_schema, layers);
}

int policy_describe(struct strings *profiles, struct strings *allowed_writable, struct error *err)
{
    struct policy_operator *operator;

    for (enum policy_profile profile = 1; policy_profile_name(profile); profile++)
        strings_add(profiles, policy_profile_name(profile));
    if (policy_operator_read(POLICY_OPERATOR_FILE, &operator, err) < 0)
        return -1;
    if (operator)
        append(allowed_writable, &operator->allowed_writable);
    schema_free(&policy_operator_schema, operator);
    return 0;
}

int policy_apply(struct oci_config *config, enum policy_profile profile, struct policy_record **record,
                 struct error *err)
{
    struct policy_operator *operator;
    int result;

    *record = NULL;
    if (!profile && !policy_is_asked_for(config))
        return 0;
    if (policy_operator_read(POLICY_OPERATOR_FILE, &operator, err) < 0)
        return -1;
    result = policy_apply_with(config, profile, operator, record, err);
    schema_free(&policy_operator_schema, operator);
    return result < 0 ? -1 : publish_layers(*record, config, err);
}
