/*
 * Nothing else may come to a path in a writable directory (M-5): what decides where it leads (guard/guard.h)
 * is covered by mounts, and everything above it, up to the root, is pinned by one, because a directory that
 * is a mount point can be neither renamed nor removed. What is missing gets a placeholder, which a killed
 * runtime leaves behind; the next one takes it over, and removes it.
 */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "guard/guard.h"

#include <string.h>

static const char *const protected_names[] = { ".git", ".codex", ".agents" };

/* The outermost directory with the path in it to which writing is real. */
static const char *writable_root(const struct sandbox_rules *rules, size_t roots, const char *path)
{
    const char *outermost = NULL;

    for (size_t i = 0; i < roots; i++) {
        const struct sandbox_rule *root = &rules->items[i];

        if (root->access == SANDBOX_WRITABLE && guard_is_within(path, root->path) &&
            (!outermost || strlen(root->path) < strlen(outermost)))
            outermost = root->path;
    }
    return outermost;
}

/* ---- one place ----------------------------------------------------------------------------------------- */

/* 0 also where it cannot be made: then the command cannot make it either, with the same rights. */
static int add_placeholder(struct sandbox_rules *rules, const char *root, const char *path,
                           enum sandbox_access access, struct error *err)
{
    struct sandbox_placeholder *placeholder;
    int lock = -1, made = placeholder_make(root, path, NULL, &lock);

    if (made > 0)
        return fail(err, EEXIST, "protect %s: was made meanwhile", path);
    if (made < 0) {
        log_debug("%s is missing and cannot be made: %s", path, errno_text(errno));
        return 0;
    }
    placeholder = array_grow(rules->placeholders, rules->placeholder_count);
    *placeholder = (struct sandbox_placeholder){ memory_string(root), memory_string(path), lock };
    return sandbox_rules_add(rules, memory_string(path), access, true, err);
}

void sandbox_placeholders_free(struct sandbox_rules *rules)
{
    while (rules->placeholder_count > 0) {
        struct sandbox_placeholder *placeholder = &rules->placeholders[--rules->placeholder_count];

        placeholder_release(placeholder->root, placeholder->path, NULL, placeholder->lock);
        free(placeholder->root);
        free(placeholder->path);
    }
    free(rules->placeholders);
    rules->placeholders = NULL;
}

/* The sandbox's own, or read-only as a whole. */
static bool is_fixed(const char *path)
{
    return guard_is_within(path, "/dev") || guard_is_within(path, "/proc") || guard_is_within(path, "/sys");
}

static int pin_ancestors(struct sandbox_rules *rules, const char *root, const char *path, struct error *err)
{
    auto_free char *part = memory_string(path);

    for (;;) {
        *strrchr(part, '/') = '\0';
        if (!*part || strcmp(part, root) == 0)
            return 0;
        if (!is_fixed(part) && sandbox_rules_add(rules, memory_string(part), SANDBOX_PINNED, true, err) < 0)
            return -1;
    }
}

static int add_item(struct sandbox_rules *rules, const char *root, const struct guard_item *item,
                    enum sandbox_access access, struct error *err)
{
    if (pin_ancestors(rules, root, item->path, err) < 0)
        return -1;
    switch (item->kind) {
    case GUARD_MISSING:
        return add_placeholder(rules, root, item->path, access, err);
    case GUARD_LINK:
        access = SANDBOX_LINK;
        break;
    case GUARD_PIN:
        access = SANDBOX_PINNED;
        break;
    case GUARD_PLACE:
        break;
    }
    return sandbox_rules_add(rules, memory_string(item->path), access, item->directory, err);
}

/* ---- guarding ------------------------------------------------------------------------------------------ */

/* What the caller may not look at, the command cannot reach either. */
static int guard(struct sandbox_rules *rules, size_t roots, const char *path, enum sandbox_access access,
                 bool vcs, struct error *err)
{
    auto_cleanup(guard_list_free) struct guard_list list = { 0 };
    auto_free const char **tops = memory_new_array(roots + 1, sizeof *tops);
    size_t count = 0;

    for (size_t i = 0; i < roots; i++)
        if (rules->items[i].access == SANDBOX_WRITABLE)
            tops[count++] = rules->items[i].path;
    if (guard_follow(tops, count, path, vcs, &list, err) < 0 && err->code != EACCES)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (add_item(rules, writable_root(rules, roots, list.items[i].path), &list.items[i], access, err) < 0)
            return -1;
    return 0;
}

/* From outside of all writable roots, or a root itself: only a link can lead to something that can be moved.
 */
static int guard_outside(struct sandbox_rules *rules, size_t roots, const char *path,
                         enum sandbox_access access, struct error *err)
{
    auto_free char *real = realpath(path, NULL);

    if (real && strcmp(real, path) != 0 && writable_root(rules, roots, real))
        return sandbox_guard(rules, roots, real, access, err);
    return real ? sandbox_rules_add_existing(rules, real, access, err) : 0;
}

int sandbox_guard(struct sandbox_rules *rules, size_t roots, const char *path, enum sandbox_access access,
                  struct error *err)
{
    const char *root = writable_root(rules, roots, path);

    for (size_t i = 0; i < roots && root; i++)
        if (strcmp(rules->items[i].path, path) == 0)
            root = NULL;
    return root ? guard(rules, roots, path, access, false, err)
                : guard_outside(rules, roots, path, access, err);
}

/* In an overlay nothing lasts, so there is nothing to protect. */
int sandbox_guard_names(struct sandbox_rules *rules, size_t roots, struct error *err)
{
    for (size_t i = 0; i < roots; i++) {
        if (!rules->items[i].directory || rules->items[i].access != SANDBOX_WRITABLE)
            continue;
        for (size_t name = 0; name < array_length(protected_names); name++) {
            auto_free char *path = guard_join(rules->items[i].path, protected_names[name]);

            if (guard(rules, roots, path, SANDBOX_READ_ONLY, true, err) < 0)
                return -1;
        }
    }
    return 0;
}
