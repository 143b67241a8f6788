/*
 * From what the user asked for to a sorted list of paths with their access. Runs in the runtime, with the
 * caller's own rights, on the host's paths. What it makes (placeholders for protected names that are missing,
 * scratch directories for overlays) is taken back when the command has ended.
 */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/edit.h"

#include <fcntl.h>
#include <string.h>

/* ---- writable ------------------------------------------------------------------------------------------ */

static int add_roots(struct sandbox_rules *rules, const struct strings *paths, const char *cwd,
                     enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *path = guard_join(cwd, paths->items[i]);

        if (sandbox_rules_add_existing(rules, path, access, err) < 0)
            return fail_in(err, access == SANDBOX_OVERLAID ? "overlay" : "writable root");
    }
    return 0;
}

/* ---- read-only and denied ------------------------------------------------------------------------------ */

/*
 * The way to a writable root may lead over links that nobody in the sandbox can change. They are resolved, so
 * that the path is found to be within the root; links in the root itself stay, for the guard to look at.
 * Owned.
 */
static char *enter_root(const struct sandbox_rules *rules, size_t roots, const char *path)
{
    auto_free char *part = memory_string(path);

    for (size_t end = 0; path[end]; end += 1 + strcspn(path + end + 1, "/")) {
        auto_free char *real = NULL;

        part[end] = '\0';
        real = realpath(end ? part : "/", NULL);
        part[end] = path[end];
        if (!real)
            break;
        if (sandbox_rules_holder(rules, roots, real))
            return guard_join(real, path + end + 1);
    }
    return memory_string(path);
}

/* Of the path as it was written: what is missing outside of all writable roots stays so. */
static int restrict_path(struct sandbox_rules *rules, size_t roots, const char *path,
                         enum sandbox_access access, bool *missing, struct error *err)
{
    auto_free char *tidy = guard_resolve(path);
    auto_free char *entered = enter_root(rules, roots, tidy);

    *missing = !sandbox_rules_holder(rules, roots, entered) &&
               faccessat(AT_FDCWD, entered, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    return *missing ? 0 : sandbox_guard(rules, roots, entered, access, err);
}

static int restrict_matches(struct sandbox_rules *rules, size_t roots, const char *directory,
                            const char *pattern, enum sandbox_access access, bool *missing, struct error *err)
{
    auto_cleanup(strings_free) struct strings found = { 0 };
    auto_close int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_free char *joined = guard_join_pattern(directory, pattern), *whole = guard_resolve(joined);
    bool cut, ignored;

    if (guard_match(top, whole, GUARD_PATTERN_LIMIT, &found, &cut, err) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++)
        if (restrict_path(rules, roots, found.items[i], access, &ignored, err) < 0)
            return -1;
    guard_warn(pattern, cut, found.count > 0 && roots > 0);
    *missing = found.count == 0;
    return 0;
}

/* *missing: there was nothing to restrict. */
static int restrict_one(struct sandbox_rules *rules, size_t roots, const char *directory, const char *path,
                        enum sandbox_access access, bool *missing, struct error *err)
{
    auto_free char *joined = NULL;
    int result;

    if (guard_is_pattern(path)) {
        result = restrict_matches(rules, roots, directory, path, access, missing, err);
    } else {
        joined = guard_join(directory, path);
        result = restrict_path(rules, roots, joined, access, missing, err);
    }
    return result < 0 ? fail_in(err, access == SANDBOX_DENIED ? "denied path" : "read-only path") : 0;
}

/* Somebody named these for this command: a path that is not there may be a slip of the pen. */
static int add_restrictions(struct sandbox_rules *rules, size_t roots, const struct strings *paths,
                            const char *cwd, enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        bool missing;

        if (restrict_one(rules, roots, cwd, paths->items[i], access, &missing, err) < 0)
            return -1;
        if (missing)
            log_warning("%s %s: there is no such file, so nothing is protected",
                        access == SANDBOX_DENIED ? "--deny" : "--ro", paths->items[i]);
    }
    return 0;
}

/* M-3: relative ones are meant below each writable root. A policy may well name what this machine does not
 * have. */
static int add_joined(struct sandbox_rules *rules, size_t roots, const struct strings *paths,
                      enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        size_t times = paths->items[i][0] == '/' ? 1 : roots;

        for (size_t root = 0; root < times; root++) {
            auto_free char *directory = memory_string(roots ? rules->items[root].path : "/");
            bool missing;

            if (restrict_one(rules, roots, directory, paths->items[i], access, &missing, err) < 0)
                return -1;
            if (missing)
                log_debug("%s does not exist: nothing to restrict", paths->items[i]);
        }
    }
    return 0;
}

/* ---- /tmp, /run ---------------------------------------------------------------------------------------- */

/* M-7: is anything writable at, above or below the directory? */
static bool overlaps(const struct sandbox_rules *rules, size_t roots, const char *directory)
{
    for (size_t i = 0; i < roots; i++)
        if (guard_is_within(rules->items[i].path, directory))
            return true;
    return sandbox_rules_holder(rules, roots, directory) != NULL;
}

/* The working directory stays what it is, only read-only, where a private /tmp or /run would hide it. */
static int keep_cwd(struct sandbox_rules *rules, const char *cwd, struct error *err)
{
    bool hidden = (rules->private_tmp && guard_is_within(cwd, "/tmp") && strcmp(cwd, "/tmp") != 0) ||
                  (rules->private_run && guard_is_within(cwd, "/run") && strcmp(cwd, "/run") != 0);

    if (!hidden || sandbox_rules_holder(rules, rules->count, cwd))
        return 0;
    return sandbox_rules_add(rules, memory_string(cwd), SANDBOX_READ_ONLY, true, err);
}

int sandbox_rules_make(const struct sandbox_request *request, struct sandbox_rules *rules, struct error *err)
{
    size_t roots;

    *rules = (struct sandbox_rules){ 0 };
    if (add_roots(rules, &request->writable, request->cwd, SANDBOX_WRITABLE, err) < 0 ||
        add_roots(rules, &request->overlays, request->cwd, SANDBOX_OVERLAID, err) < 0)
        return -1;
    roots = rules->count;
    rules->private_tmp = request->private_tmp || !overlaps(rules, roots, "/tmp");
    /* Not like /tmp: a writable /run/user/1000 is no reason to show the sockets of everybody. */
    rules->private_run = !sandbox_rules_holder(rules, roots, "/run");
    if (keep_cwd(rules, request->cwd, err) < 0)
        return -1;
    if ((request->protect && sandbox_guard_names(rules, roots, err) < 0) ||
        add_restrictions(rules, roots, &request->read_only, request->cwd, SANDBOX_READ_ONLY, err) < 0 ||
        add_restrictions(rules, roots, &request->denied, request->cwd, SANDBOX_DENIED, err) < 0 ||
        add_joined(rules, roots, &request->joined_read_only, SANDBOX_READ_ONLY, err) < 0 ||
        add_joined(rules, roots, &request->joined_denied, SANDBOX_DENIED, err) < 0 ||
        sandbox_overlays_add_submounts(rules, request->user_namespace, err) < 0)
        return -1;
    sandbox_rules_settle(rules);
    return sandbox_overlays_make(rules, err);
}

void sandbox_rules_free(struct sandbox_rules *rules)
{
    sandbox_placeholders_free(rules);
    for (size_t i = 0; i < rules->count; i++) {
        sandbox_overlay_free(&rules->items[i]);
        free(rules->items[i].path);
    }
    free(rules->items);
    *rules = (struct sandbox_rules){ 0 };
}
