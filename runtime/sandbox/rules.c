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
#include "oci-specs/edit.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define GLOB_LIMIT 10000
#define GITDIR_LIMIT 65536

static const char *const protected_names[] = { ".git", ".codex", ".agents" };

bool sandbox_path_is_within(const char *path, const char *parent)
{
    size_t length = strlen(parent);

    if (length == 1) /* "/" */
        return path[0] == '/';
    return strncmp(path, parent, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static char *join(const char *directory, const char *path)
{
    if (path[0] == '/')
        return memory_string(path);
    return memory_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}

/* ---- the list ---------------------------------------------------------------------------------------------
 */

static int check_place(const char *path, enum sandbox_access access, struct error *err)
{
    if (sandbox_path_is_within(path, "/proc") ||
        (access != SANDBOX_READ_ONLY && (strcmp(path, "/dev") == 0 || sandbox_path_is_within(path, "/sys"))))
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
        if (rules->items[i].path && sandbox_path_is_within(rules->items[index].path, rules->items[i].path))
            return &rules->items[i];
    return NULL;
}

/* M-9: a rule that says what the one above it says already. A denied place has nothing below it to deny. */
static void drop_repeated(struct sandbox_rules *rules)
{
    size_t kept = 0;

    for (size_t i = 0; i < rules->count; i++) {
        struct sandbox_rule *rule = &rules->items[i];
        const struct sandbox_rule *parent = parent_of(rules, i);

        if (parent && parent->access == rule->access && rule->access != SANDBOX_OVERLAID) {
            free(rule->path);
            rule->path = NULL;
        }
    }
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].path)
            rules->items[kept++] = rules->items[i];
    rules->count = kept;
}

/* ---- writable
 * ---------------------------------------------------------------------------------------------- */

static int add_roots(struct sandbox_rules *rules, const struct strings *paths, const char *cwd,
                     enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *path = join(cwd, paths->items[i]);

        if (add_existing(rules, path, access, err) < 0)
            return fail_in(err, access == SANDBOX_OVERLAID ? "overlay" : "writable root");
    }
    return 0;
}

static const char *root_of(const struct sandbox_rules *rules, size_t root_count, const char *path)
{
    for (size_t i = 0; i < root_count; i++)
        if (sandbox_path_is_within(path, rules->items[i].path))
            return rules->items[i].path;
    return NULL;
}

/* ---- protected: nothing else may come to the path
 * ------------------------------------------------------------ */

/* 0 also where it cannot be made: then the command cannot make it either, with the same rights. */
static int add_placeholder(struct sandbox_rules *rules, const char *path, enum sandbox_access access,
                           struct error *err)
{
    if (mkdir(path, 0755) < 0) {
        if (errno == EEXIST || errno == ENOTDIR)
            return fail_errno(err, "protect %s", path);
        log_debug("%s is missing and cannot be made: %s", path, errno_text(errno));
        return 0;
    }
    *array_grow(rules->placeholders, rules->placeholder_count) = memory_string(path);
    return add(rules, memory_string(path), access, true, err);
}

/*
 * Walks from a writable root to `path`. The first component that is missing, or is a link, is what could be
 * made or swapped later, so that is covered (M-5); else the path itself.
 */
static int guard(struct sandbox_rules *rules, const char *root, const char *path, enum sandbox_access access,
                 struct error *err)
{
    auto_free char *part = memory_string(path);
    char *end = part + (strcmp(root, "/") == 0 ? 0 : strlen(root));

    while (*end == '/') {
        struct stat status;
        char *next = end + 1 + strcspn(end + 1, "/");
        char saved = *next;

        *next = '\0';
        if (lstat(part, &status) < 0)
            return errno == ENOENT ? add_placeholder(rules, part, access, err) : 0;
        if (S_ISLNK(status.st_mode)) {
            if (add(rules, memory_string(part), SANDBOX_LINK, false, err) < 0)
                return -1;
            *next = saved;
            return faccessat(AT_FDCWD, path, F_OK, 0) == 0 ? add_existing(rules, path, access, err) : 0;
        }
        *next = saved;
        end = next;
    }
    return add_existing(rules, path, access, err);
}

/* ".git" as a file names the repository: "gitdir: PATH". */
static int protect_gitdir(struct sandbox_rules *rules, const char *root, const char *path, size_t root_count,
                          struct error *err)
{
    auto_free char *text = NULL, *target = NULL, *real = NULL;
    const char *inside;
    struct error ignored;
    size_t length;

    if (file_read_at(AT_FDCWD, path, GITDIR_LIMIT, &text, &length, &ignored) < 0 ||
        strncmp(text, "gitdir: ", 8) != 0)
        return 0;
    text[8 + strcspn(text + 8, "\r\n")] = '\0';
    target = join(root, text + 8);
    real = realpath(target, NULL);
    inside = real ? root_of(rules, root_count, real) : NULL;
    return inside ? guard(rules, inside, real, SANDBOX_READ_ONLY, err) : 0;
}

static int protect_names(struct sandbox_rules *rules, size_t root_count, struct error *err)
{
    for (size_t root = 0; root < root_count; root++)
        for (size_t i = 0; i < array_length(protected_names); i++) {
            /* Not a pointer into the list, which grows */
            auto_free char *directory = memory_string(rules->items[root].path);
            auto_free char *path = join(directory, protected_names[i]);
            struct stat status;

            if (!rules->items[root].directory)
                continue;
            if (guard(rules, directory, path, SANDBOX_READ_ONLY, err) < 0)
                return -1;
            if (i == 0 && lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                protect_gitdir(rules, directory, path, root_count, err) < 0)
                return -1;
        }
    return 0;
}

/* ---- read-only and denied
 * ------------------------------------------------------------------------------------ */

static int add_matches(struct sandbox_rules *rules, size_t root_count, const char *pattern,
                       enum sandbox_access access, struct error *err)
{
    glob_t found = { 0 };
    int result = 0, code = glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found);

    if (code == GLOB_NOSPACE)
        return fail(err, ENOMEM, "%s: too many files match", pattern);
    if (found.gl_pathc > GLOB_LIMIT)
        log_warning("%s: more than %d files match, only the first ones are protected", pattern, GLOB_LIMIT);
    log_warning("%s: files that are created later will not be protected", pattern);
    for (size_t i = 0; i < found.gl_pathc && i < GLOB_LIMIT && result == 0; i++) {
        const char *root = root_of(rules, root_count, found.gl_pathv[i]);

        result = root ? guard(rules, root, found.gl_pathv[i], access, err)
                      : add_existing(rules, found.gl_pathv[i], access, err);
    }
    globfree(&found);
    return result;
}

static int add_restriction(struct sandbox_rules *rules, size_t root_count, const char *path,
                           enum sandbox_access access, struct error *err)
{
    const char *root;

    if (strpbrk(path, "*?[{"))
        return add_matches(rules, root_count, path, access, err);
    root = root_of(rules, root_count, path);
    if (root) {
        auto_free char *copy = memory_string(root);

        return guard(rules, copy, path, access, err);
    }
    if (faccessat(AT_FDCWD, path, F_OK, 0) < 0) {
        log_debug("%s does not exist: nothing to restrict", path);
        return 0;
    }
    return add_existing(rules, path, access, err);
}

/* Without "." and ".." and double slashes; links stay, guard() looks at them. */
static char *tidy(char *path)
{
    char *to = path, *from = path;

    while (*from) {
        size_t length = strcspn(from + 1, "/") + 1;

        if (length == 3 && strncmp(from, "/..", 3) == 0) {
            while (to > path && *--to != '/')
                ;
        } else if (length > 2 || (length == 2 && from[1] != '.')) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
    return path;
}

static int add_restrictions(struct sandbox_rules *rules, size_t root_count, const struct strings *paths,
                            const char *directory, enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        auto_free char *path = tidy(join(directory, paths->items[i]));

        if (add_restriction(rules, root_count, path, access, err) < 0)
            return fail_in(err, access == SANDBOX_DENIED ? "denied path" : "read-only path");
    }
    return 0;
}

/* M-3: relative ones are meant below each writable root. */
static int add_joined(struct sandbox_rules *rules, size_t root_count, const struct strings *paths,
                      enum sandbox_access access, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct strings one = { .items = &paths->items[i], .count = 1 };
        size_t times = paths->items[i][0] == '/' ? 1 : root_count;

        for (size_t root = 0; root < times; root++) {
            auto_free char *directory = memory_string(times && root_count ? rules->items[root].path : "/");

            if (add_restrictions(rules, root_count, &one, directory, access, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* ---- overlays, /tmp
 * -------------------------------------------------------------------------------------------- */

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
        if (sandbox_path_is_within(rules->items[i].path, directory))
            return true;
    return is_writable(rules, root_count, directory);
}

/* The working directory stays what it is, only read-only, where a private /tmp or /run would hide it. */
static int keep_cwd(struct sandbox_rules *rules, const char *cwd, struct error *err)
{
    bool hidden = (rules->private_tmp && sandbox_path_is_within(cwd, "/tmp") && strcmp(cwd, "/tmp") != 0) ||
                  (rules->private_run && sandbox_path_is_within(cwd, "/run") && strcmp(cwd, "/run") != 0);

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
    if ((request->protect && protect_names(rules, roots, err) < 0) ||
        add_restrictions(rules, roots, &request->read_only, request->cwd, SANDBOX_READ_ONLY, err) < 0 ||
        add_restrictions(rules, roots, &request->denied, request->cwd, SANDBOX_DENIED, err) < 0 ||
        add_joined(rules, roots, &request->joined_read_only, SANDBOX_READ_ONLY, err) < 0 ||
        add_joined(rules, roots, &request->joined_denied, SANDBOX_DENIED, err) < 0)
        return -1;
    if (rules->count > 0)
        qsort(rules->items, rules->count, sizeof *rules->items, compare);
    drop_repeated(rules);
    return make_scratches(rules, err);
}

void sandbox_rules_free(struct sandbox_rules *rules)
{
    while (rules->placeholder_count > 0) {
        char *path = rules->placeholders[--rules->placeholder_count];

        rmdir(path); /* not empty: it is the user's now */
        free(path);
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
