/* The list of rules: see internal.h. It looks at the host's files and changes nothing. */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "guard/guard.h"

#include <string.h>
#include <sys/stat.h>

static int check_place(const char *path, enum sandbox_access access, struct error *err)
{
    if (guard_is_within(path, "/proc") || strcmp(path, "/dev") == 0 ||
        (access != SANDBOX_READ_ONLY && guard_is_within(path, "/sys")))
        return fail(err, EINVAL, "%s: the sandbox has its own /proc and /dev, and a read-only /sys", path);
    if (strcmp(path, "/") == 0 && (access == SANDBOX_OVERLAID || access == SANDBOX_DENIED))
        return fail(err, EINVAL, "/: not the whole root; name directories below it");
    return 0;
}

int sandbox_rules_add(struct sandbox_rules *rules, char *path, enum sandbox_access access, bool directory,
                      struct error *err)
{
    auto_free char *owned = path;
    struct sandbox_rule *rule = NULL;

    if (check_place(path, access, err) < 0)
        return -1;
    for (size_t i = 0; i < rules->count && !rule; i++)
        if (strcmp(rules->items[i].path, path) == 0)
            rule = &rules->items[i];
    if (!rule) {
        rule = array_grow(rules->items, rules->count);
        *rule = (struct sandbox_rule){ .path = take_ptr(owned), .access = access, .directory = directory };
    }
    if (access > rule->access)
        rule->access = access;
    rule->pinned |= access == SANDBOX_PINNED;
    return 0;
}

int sandbox_rules_add_existing(struct sandbox_rules *rules, const char *path, enum sandbox_access access,
                               struct error *err)
{
    auto_free char *real = realpath(path, NULL);
    struct stat status;

    if (!real || stat(real, &status) < 0)
        return fail_errno(err, "%s", path);
    if (access == SANDBOX_OVERLAID && !S_ISDIR(status.st_mode))
        return fail(err, ENOTDIR, "%s: is not a directory", path);
    return sandbox_rules_add(rules, take_ptr(real), access, S_ISDIR(status.st_mode), err);
}

const struct sandbox_rule *sandbox_rules_holder(const struct sandbox_rules *rules, size_t count,
                                                const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (guard_is_within(path, rules->items[i].path))
            return &rules->items[i];
    return NULL;
}

/* ---- settling ------------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct sandbox_rule *)a)->path, ((const struct sandbox_rule *)b)->path);
}

/* The rule that decides about the place of rules->items[index]; parents come before. */
static const struct sandbox_rule *parent_of(const struct sandbox_rules *rules, size_t index)
{
    for (size_t i = index; i-- > 0;)
        if (rules->items[i].path && guard_is_within(rules->items[index].path, rules->items[i].path))
            return &rules->items[i];
    return NULL;
}

/*
 * M-9: a rule that says what the one above it says already. A denied place has nothing below it to deny, and
 * where nothing can be written nothing can be moved, either.
 */
static bool is_void(const struct sandbox_rule *rule, const struct sandbox_rule *parent)
{
    if (rule->access == SANDBOX_PINNED)
        return parent->access > SANDBOX_WRITABLE;
    return parent->access == rule->access && rule->access != SANDBOX_OVERLAID && !rule->pinned;
}

void sandbox_rules_settle(struct sandbox_rules *rules)
{
    size_t kept = 0;

    if (rules->count > 0)
        qsort(rules->items, rules->count, sizeof *rules->items, compare);
    for (size_t i = 0; i < rules->count; i++) {
        struct sandbox_rule *rule = &rules->items[i];
        const struct sandbox_rule *parent = parent_of(rules, i);

        if (parent && is_void(rule, parent)) {
            free(rule->path);
            rule->path = NULL;
        }
    }
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].path)
            rules->items[kept++] = rules->items[i];
    rules->count = kept;
}
