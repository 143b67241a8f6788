/*
 * From what the user asked for to a sorted list of paths with their access. Runs in the runtime, with the
 * caller's own rights, on the host's paths. What it makes (placeholders for protected names that are missing,
 * scratch directories for overlays) is taken back when the command has ended; a placeholder is an empty
 * directory and goes with rmdir(), which never removes what the user has put there.
 */
#include "sandbox/sandbox.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "guard/guard.h"
#include "oci-specs/edit.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static const char *const protected_names[] = { ".git", ".codex", ".agents" };

/* ---- the list ---------------------------------------------------------------------------------------------
 */

static int check_place(const char *path, enum sandbox_access access, struct error *err)
{
    if (guard_is_within(path, "/proc") ||
        (access != SANDBOX_READ_ONLY && (strcmp(path, "/dev") == 0 || guard_is_within(path, "/sys"))))
        return fail(err, EINVAL, "%s: the sandbox has its own /proc and /dev, and a read-only /sys", path);
    if (strcmp(path, "/") == 0 && (access == SANDBOX_OVERLAID || access == SANDBOX_DENIED))
        return fail(err, EINVAL, "/: not the whole root; name directories below it");
    return 0;
}

/* Takes the path over. */
static int add(struct sandbox_rules *rules, char *path, enum sandbox_access access, bool directory,
               struct error *err)
{
    auto_free char *owned = path;
    struct sandbox_rule *rule;

    if (check_place(path, access, err) < 0)
        return -1;
    for (size_t i = 0; i < rules->count; i++) {
        rule = &rules->items[i];
        if (strcmp(rule->path, path) != 0)
            continue;
        if (access > rule->access)
            rule->access = access;
        return 0;
    }
    rule = array_grow(rules->items, rules->count);
    *rule = (struct sandbox_rule){ .path = take_ptr(owned), .access = access, .directory = directory };
    return 0;
}

/* Something that exists; links are resolved. */
static int add_existing(struct sandbox_rules *rules, const char *path, enum sandbox_access access,
                        struct error *err)
{
    char *real = realpath(path, NULL);
    struct stat status;

    if (!real)
        return fail_errno(err, "%s", path);
    if (stat(real, &status) < 0) {
        fail_errno(err, "%s", real);
        free(real);
        return -1;
    }
    return add(rules, real, access, S_ISDIR(status.st_mode), err);
}

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

/* A pin is needed, and may be, only within what can be written as the host has it. */
static bool is_repeated(const struct sandbox_rule *parent, const struct sandbox_rule *rule)
{
    if (rule->access == SANDBOX_PINNED)
        return parent->access > SANDBOX_PINNED;
    return parent->access == rule->access && rule->access != SANDBOX_OVERLAID;
}

/* M-9: a rule that says what the one above it says already. A denied place has nothing below it to deny. */
static void drop_repeated(struct sandbox_rules *rules)
{
    size_t kept = 0;

    for (size_t i = 0; i < rules->count; i++) {
        struct sandbox_rule *rule = &rules->items[i];
        const struct sandbox_rule *parent = parent_of(rules, i);

        if (parent && is_repeated(parent, rule)) {
            free(rule->path);
            rule->path = NULL;
        }
    }
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].path)
            rules->items[kept++] = rules->items[i];
    rules->count = kept;
}

/* ---- writable --------------------------------------------------------------------------------------------
 */

static int add_roots(struct sandbox_rules *rules, const struct strings *paths, const char *cwd,
                     enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *path = guard_join(cwd, paths->items[i]);

        if (add_existing(rules, path, access, err) < 0)
            return fail_in(err, access == SANDBOX_OVERLAID ? "overlay" : "writable root");
    }
    return 0;
}

static const char *root_of(const struct sandbox_rules *rules, size_t root_count, const char *path)
{
    for (size_t i = 0; i < root_count; i++)
        if (guard_is_within(path, rules->items[i].path))
            return rules->items[i].path;
    return NULL;
}

/* ---- guarded: nothing else may come to the path ----------------------------------------------------------
 */

struct guarding { /* what is the same for all paths of one run */
    struct sandbox_rules *rules;
    const char **roots; /* of the writable rules, which lead the list; borrowed from it */
    size_t count;
};

/* 0 also where it cannot be made: then the command cannot make it either, with the same rights. */
static int add_placeholder(const struct guarding *guarding, const struct guard_item *item,
                           enum sandbox_access access, struct error *err)
{
    struct sandbox_rules *rules = guarding->rules;
    struct sandbox_placeholder *placeholder;
    int lock = -1, made = placeholder_make(guarding->roots[item->root], item->path, NULL, &lock);

    if (made > 0)
        return fail(err, EEXIST, "protect %s: was made meanwhile", item->path);
    if (made < 0) {
        log_debug("%s is missing and cannot be made: %s", item->path, errno_text(errno));
        return 0;
    }
    placeholder = array_grow(rules->placeholders, rules->placeholder_count);
    *placeholder = (struct sandbox_placeholder){ .root = memory_string(guarding->roots[item->root]),
                                                 .path = memory_string(item->path),
                                                 .lock = lock };
    return add(rules, memory_string(item->path), access, true, err);
}

/* What lies between a root and the place must not be moved away. */
static int add_pins(const struct guarding *guarding, const struct guard_item *item, struct error *err)
{
    auto_free char *part = memory_string(item->path);
    const char *root = guarding->roots[item->root];

    for (;;) {
        *strrchr(part, '/') = '\0';
        if (!*part || strcmp(part, root) == 0)
            return 0;
        if (add(guarding->rules, memory_string(part), SANDBOX_PINNED, true, err) < 0)
            return -1;
    }
}

static int add_item(const struct guarding *guarding, const struct guard_item *item,
                    enum sandbox_access access, struct error *err)
{
    static const enum sandbox_access special[] = {
        [GUARD_LINK] = SANDBOX_LINK, [GUARD_PIN] = SANDBOX_PINNED
    };

    if (add_pins(guarding, item, err) < 0)
        return -1;
    if (item->kind == GUARD_MISSING && guarding->rules->items[item->root].access == SANDBOX_OVERLAID)
        return 0; /* nothing of it stays */
    if (item->kind == GUARD_MISSING)
        return add_placeholder(guarding, item, access, err);
    if (item->kind == GUARD_LINK || item->kind == GUARD_PIN)
        access = special[item->kind];
    return add(guarding->rules, memory_string(item->path), access, item->directory, err);
}

/* Places that the caller may not look at, the command cannot reach either (M-5). */
static int guard(const struct guarding *guarding, const char *path, enum sandbox_access access,
                 struct error *err)
{
    auto_cleanup(guard_list_free) struct guard_list list = { 0 };

    if (guard_follow(guarding->roots, guarding->count, path, access == SANDBOX_READ_ONLY, &list, err) < 0 &&
        err->code != EACCES)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (add_item(guarding, &list.items[i], access, err) < 0)
            return -1;
    return 0;
}

static int protect_names(const struct guarding *guarding, struct error *err)
{
    for (size_t root = 0; root < guarding->count; root++)
        for (size_t i = 0; i < array_length(protected_names); i++) {
            auto_free char *path = guard_join(guarding->roots[root], protected_names[i]);

            if (guarding->rules->items[root].directory && guard(guarding, path, SANDBOX_READ_ONLY, err) < 0)
                return -1;
        }
    return 0;
}

/* ---- read-only and denied --------------------------------------------------------------------------------
 */

static int add_restriction(const struct guarding *guarding, const char *path, enum sandbox_access access,
                           struct error *err)
{
    const char *root = root_of(guarding->rules, guarding->count, path);

    if (root && strcmp(root, path) != 0)
        return guard(guarding, path, access, err);
    if (faccessat(AT_FDCWD, path, F_OK, 0) < 0) {
        log_debug("%s does not exist: nothing to restrict", path);
        return 0;
    }
    return add_existing(guarding->rules, path, access, err);
}

static int add_matches(const struct guarding *guarding, const char *pattern, enum sandbox_access access,
                       struct error *err)
{
    auto_cleanup(strings_free) struct strings found = { 0 };
    auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool more;

    if (guard_match(root, pattern, GUARD_PATTERN_LIMIT, &found, &more, err) < 0)
        return -1;
    guard_warn(pattern, GUARD_PATTERN_LIMIT, more);
    for (size_t i = 0; i < found.count; i++)
        if (add_restriction(guarding, found.items[i], access, err) < 0)
            return -1;
    return 0;
}

static int add_restrictions(const struct guarding *guarding, const struct strings *paths,
                            const char *directory, enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        bool pattern = guard_is_pattern(paths->items[i]);
        auto_free char *path =
            guard_tidy((pattern ? guard_join_pattern : guard_join)(directory, paths->items[i]));
        int result =
            pattern ? add_matches(guarding, path, access, err) : add_restriction(guarding, path, access, err);

        if (result < 0)
            return fail_in(err, access == SANDBOX_DENIED ? "denied path" : "read-only path");
    }
    return 0;
}

/* M-3: relative ones are meant below each writable root. */
static int add_joined(const struct guarding *guarding, const struct strings *paths,
                      enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct strings one = { .items = &paths->items[i], .count = 1 };
        size_t times = paths->items[i][0] == '/' ? 1 : guarding->count;

        for (size_t root = 0; root < times; root++)
            if (add_restrictions(guarding, &one, guarding->count ? guarding->roots[root] : "/", access, err) <
                0)
                return -1;
    }
    return 0;
}

static int restrict_all(const struct sandbox_request *request, struct sandbox_rules *rules, size_t count,
                        struct error *err)
{
    auto_free const char **roots = memory_new_array(count + 1, sizeof *roots);
    const struct guarding guarding = { .rules = rules, .roots = roots, .count = count };

    for (size_t i = 0; i < count; i++)
        roots[i] = rules->items[i].path;
    if ((request->protect && protect_names(&guarding, err) < 0) ||
        add_restrictions(&guarding, &request->read_only, request->cwd, SANDBOX_READ_ONLY, err) < 0 ||
        add_restrictions(&guarding, &request->denied, request->cwd, SANDBOX_DENIED, err) < 0 ||
        add_joined(&guarding, &request->joined_read_only, SANDBOX_READ_ONLY, err) < 0)
        return -1;
    return add_joined(&guarding, &request->joined_denied, SANDBOX_DENIED, err);
}

/* ---- overlays, /tmp --------------------------------------------------------------------------------------
 */

static int make_scratch(struct sandbox_rule *rule, struct error *err)
{
    const char *base = getenv("TMPDIR");
    auto_free char *upper = NULL, *work = NULL;

    /* The kernel splits its options at these. */
    if (strpbrk(rule->path, ":,\\"))
        return fail(err, EINVAL, "overlay: %s: a path with one of the characters : , \\ cannot be overlaid",
                    rule->path);
    rule->scratch = memory_format("%s/aril-overlay.XXXXXX", base && base[0] == '/' ? base : "/tmp");
    if (!mkdtemp(rule->scratch)) {
        fail_errno(err, "overlay: %s", rule->scratch);
        free(rule->scratch);
        rule->scratch = NULL;
        return -1;
    }
    upper = memory_format("%s/upper", rule->scratch);
    work = memory_format("%s/work", rule->scratch);
    if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
        return fail_errno(err, "overlay: %s", rule->scratch);
    return 0;
}

static int make_scratches(struct sandbox_rules *rules, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].access == SANDBOX_OVERLAID && make_scratch(&rules->items[i], err) < 0)
            return -1;
    return 0;
}

/* Is the directory itself writable, as it is or as a part of something? */
static bool is_writable(const struct sandbox_rules *rules, size_t root_count, const char *directory)
{
    return root_of(rules, root_count, directory) != NULL;
}

/* M-7: is anything writable at, above or below the directory? */
static bool overlaps(const struct sandbox_rules *rules, size_t root_count, const char *directory)
{
    for (size_t i = 0; i < root_count; i++)
        if (guard_is_within(rules->items[i].path, directory))
            return true;
    return is_writable(rules, root_count, directory);
}

/* The working directory stays what it is, only read-only, where a private /tmp or /run would hide it. */
static int keep_cwd(struct sandbox_rules *rules, const char *cwd, struct error *err)
{
    bool hidden = (rules->private_tmp && guard_is_within(cwd, "/tmp") && strcmp(cwd, "/tmp") != 0) ||
                  (rules->private_run && guard_is_within(cwd, "/run") && strcmp(cwd, "/run") != 0);

    if (!hidden || root_of(rules, rules->count, cwd))
        return 0;
    return add(rules, memory_string(cwd), SANDBOX_READ_ONLY, true, err);
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
    rules->private_run = !is_writable(rules, roots, "/run");
    if (keep_cwd(rules, request->cwd, err) < 0)
        return -1;
    if (restrict_all(request, rules, roots, err) < 0)
        return -1;
    if (rules->count > 0)
        qsort(rules->items, rules->count, sizeof *rules->items, compare);
    drop_repeated(rules);
    return make_scratches(rules, err);
}

void sandbox_rules_free(struct sandbox_rules *rules)
{
    while (rules->placeholder_count > 0) {
        struct sandbox_placeholder *placeholder = &rules->placeholders[--rules->placeholder_count];

        placeholder_release(placeholder->root, placeholder->path, NULL, placeholder->lock);
        free(placeholder->root);
        free(placeholder->path);
    }
    free(rules->placeholders);
    for (size_t i = 0; i < rules->count; i++) {
        struct sandbox_rule *rule = &rules->items[i];

        if (rule->scratch) {
            auto_free char *work = memory_format("%s/work/work", rule->scratch);

            chmod(work,
                  0700); /* overlayfs makes it with mode 000; the scratch directory above is ours alone */
            if (file_remove_tree_at(AT_FDCWD, rule->scratch) < 0)
                log_warning("remove %s: %s", rule->scratch, errno_text(errno));
        }
        free(rule->scratch);
        free(rule->path);
    }
    free(rules->items);
    *rules = (struct sandbox_rules){ 0 };
}
