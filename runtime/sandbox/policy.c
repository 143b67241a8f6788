/* Policy documents of runok's sandbox helper, and what several of them mean together (M-9). Reads files,
 * nothing else. */
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <fcntl.h>
#include <string.h>

static int read_document(const char *document, char **text, size_t *length, struct error *err)
{
    int64_t fd;

    if (document[0] == '@')
        return file_read_at(AT_FDCWD, document + 1, SCHEMA_SIZE_LIMIT, text, length, err);
    if (strncmp(document, "fd:", 3) == 0) {
        if (!number_parse(document + 3, 0, 1 << 20, &fd))
            return fail(err, EINVAL, "%s is not a descriptor", document);
        return file_read_fd((int)fd, SCHEMA_SIZE_LIMIT, document, text, length, err);
    }
    *text = memory_string(document);
    *length = strlen(document);
    return 0;
}

static struct sandbox_policy *read_policy(const char *document, struct error *err)
{
    auto_free char *text = NULL;
    size_t length;

    if (read_document(document, &text, &length, err) < 0)
        return NULL;
    /* unknown members are no error: the documents are those of another program */
    return schema_parse(&sandbox_policy_schema, "policy", text, length, err);
}

static void keep_common(struct strings *roots, const struct strings *others)
{
    struct strings common = { 0 };

    for (size_t i = 0; i < roots->count; i++)
        if (strings_contain(others, roots->items[i]))
            strings_add(&common, roots->items[i]);
    strings_free(roots);
    *roots = common;
}

static void add_all(struct strings *to, const struct strings *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!strings_contain(to, from->items[i]))
            strings_add(to, from->items[i]);
}

/* An empty intersection is a conflict unless one of them wanted nothing to be writable. */
static bool merge(struct sandbox_policy *merged, const struct sandbox_policy *policy)
{
    bool wanted = merged->writable_roots.count > 0 && policy->writable_roots.count > 0;

    keep_common(&merged->writable_roots, &policy->writable_roots);
    add_all(&merged->read_only_subpaths, &policy->read_only_subpaths);
    add_all(&merged->read_deny_paths, &policy->read_deny_paths);
    merged->has_read_deny_paths |= policy->has_read_deny_paths;
    merged->network_allowed &= policy->network_allowed;
    return !wanted || merged->writable_roots.count > 0;
}

struct sandbox_policy *sandbox_policy_merge(const char *const *documents, size_t count, struct error *err)
{
    struct sandbox_policy *merged = NULL;

    if (count == 0)
        fail(err, EINVAL, "no policies to merge");
    for (size_t i = 0; i < count; i++) {
        struct sandbox_policy *policy = read_policy(documents[i], err);
        bool agree = policy && (!merged || merge(merged, policy));

        if (i == 0) {
            merged = policy;
            continue;
        }
        schema_free(&sandbox_policy_schema, policy);
        if (policy && agree)
            continue;
        if (policy)
            fail(err, EINVAL, "conflicting sandbox policies: no common writable roots");
        schema_free(&sandbox_policy_schema, merged);
        return NULL;
    }
    return merged;
}

int sandbox_policy_apply(const char *const *documents, size_t count, struct sandbox_request *request,
                         struct error *err)
{
    struct sandbox_policy *policy = sandbox_policy_merge(documents, count, err);

    if (!policy)
        return -1;
    add_all(&request->writable, &policy->writable_roots);
    add_all(&request->joined_read_only, &policy->read_only_subpaths);
    add_all(&request->joined_denied, &policy->read_deny_paths);
    request->network = policy->network_allowed ? SANDBOX_NETWORK_HOST : SANDBOX_NETWORK_UNIX;
    schema_free(&sandbox_policy_schema, policy);
    return 0;
}
