/*
 * Guarded paths (M-3 to M-5): which files a pattern names, which places decide what a path is, and what keeps
 * the place of a missing one. On files in a directory of its own.
 */
#include "guard/guard.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static char top[] = "/tmp/aril-unit.XXXXXX";

static void make_top(void)
{
    cr_assert_not_null(mkdtemp(top));
    cr_assert_eq(chdir(top), 0);
}

static void remove_top(void)
{
    cr_assert_eq(chdir("/"), 0);
    cr_expect_eq(file_remove_tree_at(AT_FDCWD, top), 0);
}

static void make(const char *path) /* a directory with a slash at the end, else a file with its name in it */
{
    auto_free char *copy = memory_string(path);
    char *slash = strrchr(copy, '/');

    if (slash) {
        *slash = '\0';
        cr_assert(file_mkdir_all(copy, 0755) == 0 || errno == EEXIST, "%s", path);
    }
    if (!slash || slash[1])
        cr_assert_eq(file_replace_at(AT_FDCWD, path, path, strlen(path), 0644, &(struct error){ 0 }), 0, "%s",
                     path);
}

/* ---- paths --------------------------------------------------------------------------------------------- */

Test(guard, M3_tidy_paths)
{
    static const struct {
        const char *path, *tidy;
    } rows[] = {
        { "/", "/" },           { "/a", "/a" },         { "//a//b/", "/a/b" },
        { "/a/./b", "/a/b" },   { "/a/../b", "/b" },    { "/../..", "/" },
        { "/a/b/..", "/a" },    { "/a/...", "/a/..." }, { "/a/.b/..c", "/a/.b/..c" },
        { "/a/../../b", "/b" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *path = guard_tidy(memory_string(rows[i].path));

        cr_expect_str_eq(path, rows[i].tidy, "%s", rows[i].path);
    }
}

Test(guard, M5_gitdir_files)
{
    static const struct {
        const char *text, *target;
    } rows[] = {
        { "gitdir: a", "a" }, { "gitdir: a b\r\nx", "a b" }, { "gitdir: /x\n", "/x" }, { "gitdir:a", NULL },
        { "", NULL },         { "gitdir: \n", NULL },        { "GITDIR: a", NULL },    { " gitdir: a", NULL },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text = memory_string(rows[i].text);
        const char *target = guard_gitdir(text);

        cr_expect_eq(target == NULL, rows[i].target == NULL, "%s", rows[i].text);
        if (target && rows[i].target)
            cr_expect_str_eq(target, rows[i].target);
    }
}

/* ---- patterns ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void expect_matches(const char *pattern, size_t limit, bool more_expected, const char *expected)
{
    auto_cleanup(strings_free) struct strings found = { 0 };
    auto_close int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_buffer struct buffer text = { 0 };
    struct error err = { 0 };
    bool more;

    cr_assert_eq(guard_match(root, pattern, limit, &found, &more, &err), 0, "%s", err.text);
    if (found.count > 0)
        qsort(found.items, found.count, sizeof *found.items, by_name);
    for (size_t i = 0; i < found.count; i++)
        buffer_add_format(&text, "%s ", found.items[i]);
    buffer_add_char(&text, '\0');
    cr_expect_str_eq(text.data, expected, "%s", pattern);
    cr_expect_eq(more, more_expected, "%s", pattern);
}

Test(guard, M3_patterns, .init = make_top, .fini = remove_top)
{
    static const struct {
        const char *pattern, *expected;
    } rows[] = {
        { "/*", "/.hidden /a.c /b.h /d /e[1] /up /{} " },
        { "/.*", "/.hidden " },
        { "/*.c", "/a.c " },
        { "/*.{c,h}", "/a.c /b.h " },
        { "/{a,b,nothing}.?", "/a.c /b.h " },
        { "/{d/{x,y},a.c}", "/a.c /d/x /d/y " },
        { "/{,d/}x*", "/d/x " },
        { "/d/[x-y]", "/d/x /d/y " },
        { "/d/[!x]", "/d/* /d/y " },
        { "/d/\\*", "/d/* " },
        { "/d//x", "/d/x " },
        { "/nothing/*", "" },
        { "/a.c/*", "" },
        { "/{}", "/{} " },
        { "/{a.c", "" },
        { "/e[1]", "/e[1] " }, /* the file, not what the pattern means */
        { "/**/x", "/d/deep/x /d/x " },
        { "/**/deep/**/x", "/d/deep/x " },
        { "/d/**", "/d/* /d/deep /d/x /d/y " },
        { "/{d,up}/**/y", "/d/y /up/d/y " },
        { "/up/d/x", "/up/d/x " }, /* "/" is the root */
        { "/up/*.c", "/up/a.c " },
        { "/", "" },
    };

    make("a.c");
    make("b.h");
    make("{}");
    make(".hidden");
    make("d/x");
    make("d/deep/x");
    make("e[1]");
    make("d/y");
    make("d/*");
    cr_assert_eq(symlink("/", "up"), 0);
    for (size_t i = 0; i < array_length(rows); i++)
        expect_matches(rows[i].pattern, 100, false, rows[i].expected);
    {
        auto_free char *joined = guard_join_pattern("/d/*", "{a,b}*");

        cr_expect_str_eq(joined, "/d/\\*/{a,b}*");
    }
}

Test(guard, M3_the_cap_of_a_pattern, .init = make_top, .fini = remove_top)
{
    make("1");
    make("2");
    make("3");
    expect_matches("/[1-3]", 3, false, "/1 /2 /3 ");
    expect_matches("/{1,2,3}", 2, true, "/1 /2 ");
}

Test(guard, M3_a_pattern_ends_whatever_it_is, .init = make_top, .fini = remove_top, .timeout = 60)
{
    auto_close int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_cleanup(strings_free) struct strings found = { 0 };
    auto_buffer struct buffer loops = { 0 }, braces = { 0 };
    struct error err = { 0 };
    bool more;

    cr_assert_eq(symlink(".", "a"), 0);
    cr_assert_eq(symlink(".", "b"), 0);
    for (int i = 0; i < 60; i++) {
        buffer_add_string(&loops, "/*");
        buffer_add_string(&braces, "{x,y}");
    }
    buffer_add_string(&loops, "/none");
    buffer_add_char(&loops, '\0');
    buffer_add_char(&braces, '\0');
    cr_expect_eq(guard_match(root, loops.data, 100, &found, &more, &err), -1);
    cr_expect(strstr(err.text, ": there are too many files to look at"), "%s", err.text);
    cr_expect_eq(guard_match(root, braces.data, 100, &found, &more, &err), -1);
}

/* ---- what a path is ------------------------------------------------------------------------------------ */

static void expect_places(const char *path, bool vcs, const char *expected)
{
    static const char *const kinds[] = { "place", "link", "missing", "pin" };
    auto_cleanup(guard_list_free) struct guard_list list = { 0 };
    auto_free char *root = memory_format("%s/root", top), *whole = memory_format("%s/%s", root, path);
    auto_buffer struct buffer text = { 0 };
    struct error err = { 0 };

    cr_assert_eq(guard_follow((const char *const[]){ root }, 1, whole, vcs, &list, &err), 0, "%s", err.text);
    for (size_t i = 0; i < list.count; i++)
        buffer_add_format(&text, "%s %s ", list.items[i].path + strlen(root) + 1, kinds[list.items[i].kind]);
    buffer_add_char(&text, '\0');
    cr_expect_str_eq(text.data, expected, "%s", path);
}

Test(guard, M5_places, .init = make_top, .fini = remove_top)
{
    static const struct {
        const char *path;
        bool vcs;
        const char *expected;
    } rows[] = {
        { "d", false, "d place " },
        { "d/file", false, "d/file place " },
        { "d/none/x", false, "d/none missing " },
        { "d/file/x", false, "d/file pin " },
        { "link", false, "link link d place " },
        { "link/none", false, "link link d/none missing " },
        { "dangling", false, "dangling link later missing " },
        { "out", false, "out link " },
        { "circle", false, "circle link " },
        { "back/d", false, "back link d place " },
        { "w/.git", true, "w/.git place store place common place " },
        { "w/.git", false, "w/.git place " },
        { "kept", false, "kept missing " },
        { "d/../w", false, "w place " },
    };

    make("root/d/file");
    make("root/common/");
    make("root/store/");
    make("root/w/");
    cr_assert_eq(mkdir("root/kept", 0755), 0);
    cr_assert_eq(chmod("root/kept", PLACEHOLDER_MODE), 0);
    cr_assert_eq(
        file_replace_at(AT_FDCWD, "root/w/.git", "gitdir: ../store\n", 17, 0644, &(struct error){ 0 }), 0);
    cr_assert_eq(
        file_replace_at(AT_FDCWD, "root/store/commondir", "../common", 9, 0644, &(struct error){ 0 }), 0);
    cr_assert_eq(symlink("d", "root/link"), 0);
    cr_assert_eq(symlink("later/on", "root/dangling"), 0);
    cr_assert_eq(symlink("/etc", "root/out"), 0);
    cr_assert_eq(symlink("circle", "root/circle"), 0);
    cr_assert_eq(symlink("../outside", "root/back"), 0);
    cr_assert_eq(symlink("root", "outside"), 0);
    for (size_t i = 0; i < array_length(rows); i++)
        expect_places(rows[i].path, rows[i].vcs, rows[i].expected);
}

/* ---- placeholders -------------------------------------------------------------------------------------- */

static char *place(const char *name)
{
    return memory_format("%s/%s", top, name);
}

Test(guard, M5_placeholders_are_shared, .init = make_top, .fini = remove_top)
{
    auto_free char *path = place(".git");
    struct stat status;
    int one = -1, other = -1;

    cr_assert_eq(placeholder_make(top, path, NULL, &one), 0);
    cr_assert_eq(stat(".git", &status), 0);
    cr_expect_eq(status.st_mode & 07777, PLACEHOLDER_MODE);
    cr_assert_eq(placeholder_make(top, path, ".aril-1", NULL), 0);
    cr_assert_eq(placeholder_make(top, path, NULL, &other), 0);
    placeholder_release(top, path, NULL, one);
    cr_expect_eq(access(".git", F_OK), 0);
    placeholder_release(top, path, ".aril-1", -1);
    cr_expect_eq(access(".git/.aril-1", F_OK), -1);
    cr_expect_eq(access(".git", F_OK), 0, "one of them is still there");
    placeholder_release(top, path, NULL, other);
    cr_expect_eq(access(".git", F_OK), -1);
    placeholder_release(top, path, NULL, -1); /* twice is no harm */
}

Test(guard, M5_what_the_user_made_stays, .init = make_top, .fini = remove_top)
{
    auto_free char *path = place("a"), *file = place("f"), *link = place("l"), *deep = place("none/x");
    struct stat status;

    cr_assert_eq(placeholder_make(top, path, ".aril-1", NULL), 0);
    make("a/mine");
    placeholder_release(top, path, ".aril-1", -1);
    cr_assert_eq(stat("a", &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0755);
    cr_expect_eq(access("a/mine", F_OK), 0);
    cr_expect_eq(placeholder_make(top, path, ".aril-1", NULL), 1, "an ordinary directory is none");
    placeholder_release(top, path, ".aril-1", -1);
    cr_expect_eq(access("a", F_OK), 0);
    make("f");
    cr_expect_eq(placeholder_make(top, file, ".aril-1", NULL), 1);
    cr_assert_eq(symlink("a", "l"), 0);
    cr_expect_eq(placeholder_make(top, link, ".aril-1", NULL), 1);
    placeholder_release(top, link, ".aril-1", -1);
    cr_expect_eq(access("a", F_OK), 0);
    cr_expect_eq(placeholder_make(top, deep, ".aril-1", NULL), -1);
    cr_expect_eq(errno, ENOENT);
}
