/*
 * The top of config.json, and the entry points of the validator. Pure: whatever depends on the host (are
 * there such users, files, controllers?) is checked by the domains when they plan.
 */
#include "oci-specs/validate.h"

#include "base/memory.h"

#include <string.h>

#define HOST_NAME_LIMIT 64 /* __NEW_UTS_LEN, of both names */

/* ---- ociVersion -------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number without leading zeros; moves past it. */
static bool skip_number(const char **text)
{
    const char *begin = *text;

    while (is_digit(**text))
        (*text)++;
    return *text > begin && (*begin != '0' || *text == begin + 1);
}

/* Identifiers with dots between them, as after "-" and "+". Numeric ones of a pre-release have no leading
 * zeros. */
static bool skip_identifiers(const char **text, bool pre_release)
{
    for (;;) {
        const char *begin = *text;
        bool numeric = true;

        for (; is_digit(**text) || **text == '-' || (((**text | 0x20) >= 'a') && ((**text | 0x20) <= 'z'));
             (*text)++)
            numeric = numeric && is_digit(**text);
        if (*text == begin || (pre_release && numeric && *begin == '0' && *text > begin + 1))
            return false;
        if (**text != '.')
            return true;
        (*text)++;
    }
}

/* Semantic Versioning 2.0.0 */
static bool is_semver(const char *text)
{
    if (!skip_number(&text) || *text++ != '.' || !skip_number(&text) || *text++ != '.' || !skip_number(&text))
        return false;
    if (*text == '-' && (text++, !skip_identifiers(&text, true)))
        return false;
    if (*text == '+' && (text++, !skip_identifiers(&text, false)))
        return false;
    return *text == '\0';
}

/* Item 3: a newer minor version is no reason to refuse; another major one is. */
static int check_version(const struct oci_config *config, struct error *err)
{
    if (!is_semver(config->oci_version))
        return fail(err, EINVAL, "ociVersion: '%.80s' is not a semantic version like " OCI_VERSION,
                    config->oci_version);
    if (strncmp(config->oci_version, "1.", 2) != 0)
        return fail(err, EINVAL, "ociVersion: '%.80s' is not supported, only 1.x is", config->oci_version);
    return 0;
}

/* ---- blocks ------------------------------------------------------------------------------------------ */

/* Items 8, 11, 13. The spec leaves `linux` optional; without it there would be no isolation at all. */
static int check_blocks(const struct oci_config *config, struct error *err)
{
    if (!config->root)
        return fail(err, EINVAL, "root: is required");
    if (!config->process)
        return fail(err, EINVAL, "process: is required");
    if (!config->linux)
        return fail(err, EINVAL, "linux: is required");
    return 0;
}

/* Items 52-82 */
static int check_process(const struct oci_config *config, struct error *err)
{
    return oci_process_validate(config->process, "process", err);
}

/* Items 80, 81: in the host's namespace these would rename the host. */
static int check_name(const struct oci_config *config, const char *name, const char *what, struct error *err)
{
    if (!is_set(name))
        return 0;
    if (strlen(name) > HOST_NAME_LIMIT)
        return fail(err, EINVAL, "%s: longer than %d bytes", what, HOST_NAME_LIMIT);
    if (!oci_config_namespace(config, OCI_NAMESPACE_UTS))
        return fail(err, EINVAL, "%s: needs a uts namespace in linux.namespaces", what);
    return 0;
}

static int check_names(const struct oci_config *config, struct error *err)
{
    if (check_name(config, config->hostname, "hostname", err) < 0)
        return -1;
    return check_name(config, config->domainname, "domainname", err);
}

static int check_resources(const struct oci_config *config, struct error *err)
{
    if (!config->linux->resources)
        return 0;
    return oci_resources_validate(config->linux->resources, "linux.resources.", err);
}

static int check_seccomp(const struct oci_config *config, struct error *err)
{
    if (!config->linux->seccomp)
        return 0;
    return validate_seccomp(config->linux->seccomp, "linux.seccomp", err);
}

int oci_config_validate(const struct oci_config *config, struct error *err)
{
    static int (*const checks[])(const struct oci_config *config, struct error *err) = {
        check_version,  check_blocks, /* what follows may rely on root, process and linux */
        check_process,  validate_namespaces, check_names,     validate_mounts,
        validate_linux, check_seccomp,       check_resources, validate_annotations,
    };

    for (size_t i = 0; i < array_length(checks); i++)
        if (checks[i](config, err) < 0)
            return -1;
    return 0;
}

/* ---- shared ------------------------------------------------------------------------------------------ */

/* At most six digits: no machine has a million CPUs. */
static bool take_number(const char **text, unsigned *number)
{
    const char *begin = *text;

    for (*number = 0; is_digit(**text) && *text < begin + 6; (*text)++)
        *number = *number * 10 + (unsigned)(**text - '0');
    return *text > begin;
}

static void skip_blanks(const char **text)
{
    *text += strspn(*text, " ");
}

/* "3" or "0-3", with blanks around it */
static bool take_range(const char **text)
{
    unsigned first, last;

    skip_blanks(text);
    if (!take_number(text, &first))
        return false;
    if (**text == '-') {
        (*text)++;
        if (!take_number(text, &last) || first > last)
            return false;
    }
    skip_blanks(text);
    return true;
}

int validate_number_list(const char *list, const char *what, struct error *err)
{
    const char *rest = list;

    if (!is_set(list))
        return 0;
    while (take_range(&rest)) {
        if (*rest == '\0')
            return 0;
        if (*rest++ != ',')
            break;
    }
    return fail(err, EINVAL, "%s: '%.80s' is not a list like 0-3,7", what, list);
}
