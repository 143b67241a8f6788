/* runtime/base: errors, numbers, buffers, files. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(error, reads_from_the_outside_in)
{
    struct error err = { 0 };

    errno = EPERM;
    cr_assert_eq(fail_errno(&err, "fsopen %s", "proc"), -1);
    fail_in(&err, "mounts[%d] (%s)", 3, "/proc");
    fail_in(&err, "create %s", "web1");
    cr_assert_str_eq(err.text, "create web1: mounts[3] (/proc): fsopen proc: operation not permitted");
    cr_assert_eq(err.code, EPERM);
}

Test(error, stays_on_one_line)
{
    struct error err = { 0 };

    fail(&err, 0, "bad\nname\x1b[31m");
    cr_assert_str_eq(err.text, "bad name [31m");
}

Test(error, too_long_is_cut)
{
    struct error err = { 0 };
    auto_free char *big = memory_new(10000);

    memset(big, 'x', 9999);
    fail(&err, 0, "%s", big);
    fail_in(&err, "%s", big);
    cr_assert_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
}

Test(number, is_strict)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {
        { "0", true, 0 },      { "42", true, 42 },   { "-1", true, -1 }, { "", false, 0 },   { "+1", false, 0 },
        { " 1", false, 0 },    { "1 ", false, 0 },   { "9x", false, 0 }, { "-", false, 0 },  { "0x10", false, 0 },
        { "1001", false, 0 },  { "-11", false, 0 },  { "99999999999999999999", false, 0 },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        int64_t value = 0;

        cr_expect_eq(number_parse(rows[i].text, -10, 1000, &value), rows[i].ok, "%s", rows[i].text);
        cr_expect_eq(value, rows[i].value, "%s", rows[i].text);
    }
}

Test(buffer, grows)
{
    auto_buffer struct buffer buffer = { 0 };
    auto_free char *text = NULL;

    for (int i = 0; i < 1000; i++)
        buffer_add_format(&buffer, "%d,", i % 10);
    cr_assert_eq(buffer.length, 2000);
    text = buffer_take(&buffer);
    cr_assert_eq(strncmp(text, "0,1,2,", 6), 0);
    cr_assert_null(buffer.data);
}

static int make_tree(char *path)
{
    cr_assert_not_null(mkdtemp(path));
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

Test(file, mkdir_in_root_stays_inside)
{
    char path[] = "/tmp/aril-unit.XXXXXX";
    auto_close int root = make_tree(path), made = -1, again = -1;
    struct stat a, b;

    cr_assert_eq(symlinkat("../../../..", root, "up"), 0);
    cr_assert_eq(symlinkat("/inside", root, "abs"), 0);
    cr_assert_eq(mkdirat(root, "inside", 0755), 0);
    made = file_mkdir_in_root(root, "/up/abs/x/../../up/y/../abs/y/z", 0755);
    cr_assert_geq(made, 0);
    again = openat(root, "inside/y/z", O_PATH | O_CLOEXEC);
    cr_assert_eq(fstat(made, &a), 0);
    cr_assert_eq(fstat(again, &b), 0);
    cr_assert_eq(a.st_ino, b.st_ino);
    cr_assert_eq(file_remove_tree_at(AT_FDCWD, path), 0);
    cr_assert_eq(access(path, F_OK), -1);
}

Test(file, remove_tree_does_not_follow_links)
{
    char path[] = "/tmp/aril-unit.XXXXXX";
    auto_close int root = make_tree(path);

    cr_assert_eq(mkdirat(root, "keep", 0755), 0);
    cr_assert_eq(mkdirat(root, "go", 0755), 0);
    cr_assert_eq(symlinkat("../keep", root, "go/link"), 0);
    cr_assert_eq(file_remove_tree_at(root, "go"), 0);
    cr_assert_eq(faccessat(root, "keep", F_OK, 0), 0);
    file_remove_tree_at(AT_FDCWD, path);
}

Test(file, read_refuses_fifo_and_large_files)
{
    char path[] = "/tmp/aril-unit.XXXXXX";
    auto_close int root = make_tree(path);
    auto_free char *data = NULL;
    struct error err = { 0 };
    size_t length;

    cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
    cr_assert_eq(file_read_at(root, "fifo", 100, &data, &length, &err), -1);
    cr_assert_str_eq(err.text, "fifo: not a regular file");
    cr_assert_eq(file_replace_at(root, "big", "0123456789", 10, 0600, &err), 0);
    cr_assert_eq(file_read_at(root, "big", 9, &data, &length, &err), -1);
    cr_assert_str_eq(err.text, "big: larger than 9 bytes");
    cr_assert_eq(file_read_at(root, "big", 10, &data, &length, &err), 0);
    cr_assert_eq(length, 10);
    cr_assert_str_eq(data, "0123456789");
    file_remove_tree_at(AT_FDCWD, path);
}

Test(file, create_takes_no_file_that_is_there)
{
    char path[] = "/tmp/aril-unit.XXXXXX";
    auto_close int root = make_tree(path);
    auto_free char *data = NULL;
    struct error err = { 0 };

    cr_assert_eq(file_create_at(root, "new", "one", 3, 0600, &err), 0, "%s", err.text);
    cr_assert_eq(file_create_at(root, "new", "two", 3, 0600, &err), -1);
    cr_assert_eq(err.code, EEXIST);
    cr_assert_eq(file_replace_at(root, "new", "three", 5, 0600, &err), 0, "%s", err.text);
    cr_assert_eq(file_read_at(root, "new", 100, &data, NULL, &err), 0, "%s", err.text);
    cr_assert_str_eq(data, "three");
    cr_assert_eq(faccessat(root, "new.tmp", F_OK, 0), -1);
    file_remove_tree_at(AT_FDCWD, path);
}

/* The examples of FIPS 180-4 and its lengths around a block. */
static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Neighbours go in one call, and nothing that lies between or beside them. */
Test(file, close_all_closes_no_other)
{
    const int all[] = { 200, 201, 202, 204, 206, 207 };
    const int given[] = { 200, 201, -1, 204, 207, -1 };
    const bool left[] = { false, false, true, false, true, false };

    for (size_t i = 0; i < array_length(all); i++)
        cr_assert_eq(dup2(STDIN_FILENO, all[i]), all[i]);
    file_close_all(given, array_length(given));
    for (size_t i = 0; i < array_length(all); i++)
        cr_expect_eq(is_open(all[i]), left[i], "%d", all[i]);
    file_close_all(given, 0);
    cr_expect(is_open(202));
}

Test(sha256, examples)
{
    static const struct {
        const char *text, *digest;
    } examples[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
    };
    char text[SHA256_TEXT_SIZE];

    for (size_t i = 0; i < array_length(examples); i++) {
        sha256_text(examples[i].text, strlen(examples[i].text), text);
        cr_expect_str_eq(text, examples[i].digest);
    }
}
