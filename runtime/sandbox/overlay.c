/*
 * Overlays: where what is written goes, and what is mounted below. Reads the host's mount table, and makes
 * scratch directories that go when the command has ended.
 */
#include "sandbox/internal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "guard/guard.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MOUNTINFO_LIMIT (16u << 20)
#define MOUNT_POINT_FIELD 4 /* of mountinfo, from 0 */

/* ---- what is mounted below ----------------------------------------------------------------------------- */

/* The mount point of a line of mountinfo, which is cut up, or NULL. */
static char *mount_point(char *line)
{
    char *field = NULL;

    for (int i = 0; i <= MOUNT_POINT_FIELD; i++)
        field = strsep(&line, " ");
    if (field)
        file_unescape_mountinfo(field);
    return field;
}

/* The rule that decides about a place, of those that were asked for. */
static const struct sandbox_rule *nearest_rule(const struct sandbox_rules *rules, size_t given,
                                               const char *path)
{
    const struct sandbox_rule *nearest = NULL;

    for (size_t i = 0; i < given; i++)
        if (guard_is_within(path, rules->items[i].path) &&
            (!nearest || strlen(rules->items[i].path) > strlen(nearest->path)))
            nearest = &rules->items[i];
    return nearest;
}

/* The kernel does not let a user see what lies under a mount, and an overlay would show it. */
static int refuse_submount(const struct sandbox_rules *rules, const char *point, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct sandbox_rule *rule = &rules->items[i];

        if (rule->access == SANDBOX_OVERLAID && strcmp(point, rule->path) != 0 &&
            guard_is_within(point, rule->path))
            return fail(err, EINVAL,
                        "overlay: %s: %s is mounted below it, and only root can overlay such a directory",
                        rule->path, point);
    }
    return 0;
}

static int add_submount(struct sandbox_rules *rules, size_t given, const char *point, struct error *err)
{
    const struct sandbox_rule *nearest = nearest_rule(rules, given, point);
    struct stat status;

    if (!nearest || nearest->access != SANDBOX_OVERLAID || strcmp(nearest->path, point) == 0)
        return 0;
    if (lstat(point, &status) < 0) /* behind another mount, or not for root, as FUSE has it */
        return 0;
    return sandbox_rules_add(rules, memory_string(point), SANDBOX_READ_ONLY, S_ISDIR(status.st_mode), err);
}

static bool has_overlay(const struct sandbox_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].access == SANDBOX_OVERLAID)
            return true;
    return false;
}

int sandbox_overlays_add_submounts(struct sandbox_rules *rules, bool user_namespace, struct error *err)
{
    const size_t given = rules->count;
    auto_free char *table = NULL;
    char *rest, *line;

    if (!has_overlay(rules))
        return 0;
    if (file_read_proc("/proc/self/mountinfo", MOUNTINFO_LIMIT, &table, err) < 0)
        return -1;
    for (rest = table; (line = strsep(&rest, "\n"));) {
        const char *point = mount_point(line);

        if (point && (user_namespace ? refuse_submount(rules, point, err)
                                     : add_submount(rules, given, point, err)) < 0)
            return -1;
    }
    return 0;
}

/* ---- where it goes ------------------------------------------------------------------------------------- */

/* The overlay shows the upper directory's owner and mode as its own. A user can give nothing away. */
static int copy_attributes(const char *from, const char *to)
{
    struct stat status;

    if (stat(from, &status) < 0)
        return -1;
    if (status.st_uid != geteuid() && geteuid() != 0)
        return 0;
    if ((status.st_uid != geteuid() || status.st_gid != getegid()) && geteuid() == 0 &&
        chown(to, status.st_uid, status.st_gid) < 0)
        return -1;
    return chmod(to, status.st_mode & 07777);
}

static int make_directories(const struct sandbox_rule *rule)
{
    auto_free char *upper = memory_format("%s/upper", rule->scratch);
    auto_free char *work = memory_format("%s/work", rule->scratch);

    if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
        return -1;
    return copy_attributes(rule->path, upper);
}

static int make_scratch(struct sandbox_rule *rule, struct error *err)
{
    const char *base = getenv("TMPDIR");

    /* The kernel splits its options at these. */
    if (strpbrk(rule->path, ":,\\"))
        return fail(err, EINVAL, "overlay: %s: a path with one of the characters : , \\ cannot be overlaid",
                    rule->path);
    rule->scratch = memory_format("%s/aril-overlay.XXXXXX", base && base[0] == '/' ? base : "/tmp");
    if (!mkdtemp(rule->scratch)) {
        fail_errno(err, "overlay: %s", rule->scratch);
        free(take_ptr(rule->scratch));
        return -1;
    }
    return make_directories(rule) < 0 ? fail_errno(err, "overlay: %s", rule->scratch) : 0;
}

int sandbox_overlays_make(struct sandbox_rules *rules, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->items[i].access == SANDBOX_OVERLAID && make_scratch(&rules->items[i], err) < 0)
            return -1;
    return 0;
}

void sandbox_overlay_free(struct sandbox_rule *rule)
{
    auto_free char *scratch = take_ptr(rule->scratch);
    auto_free char *work = scratch ? memory_format("%s/work/work", scratch) : NULL;

    if (!scratch)
        return;
    chmod(work, 0700); /* overlayfs makes it with mode 000; the scratch directory above is ours alone */
    if (file_remove_tree_at(AT_FDCWD, scratch) < 0)
        log_warning("remove %s: %s", scratch, errno_text(errno));
}
