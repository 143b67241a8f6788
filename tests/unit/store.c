/* runtime/container: ids, the state store under races and damage, the OCI state document (items 20, 40-43,
 * O1, E1, E3, E10). */
#include "container/store.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char root[64];

static void make_root(void)
{
    strcpy(root, "/tmp/aril-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void remove_root(void)
{
    file_remove_tree_at(AT_FDCWD, root);
}

TestSuite(store, .init = make_root, .fini = remove_root);

static const struct container_status some_status = { .id = (char *)"",
                                                     .bundle = (char *)"/b",
                                                     .rootfs = (char *)"/b/r" };

static struct store opened(void)
{
    struct store store;
    struct error err = { 0 };

    cr_assert_eq(store_open(root, true, &store, &err), 0, "%s", err.text);
    return store;
}

static void create(struct store *store, const char *id)
{
    struct container container;
    struct error err = { 0 };

    cr_assert_eq(store_create(store, id, &some_status, &container, &err), 0, "%s", err.text);
    container_close(&container);
}

static void put_file(const char *name, const char *text)
{
    auto_free char *path = memory_format("%s/%s", root, name);
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    cr_assert_eq(file_write_all(fd, text, strlen(text)), 0);
}

static bool exists(const char *name)
{
    auto_free char *path = memory_format("%s/%s", root, name);

    return access(path, F_OK) == 0;
}

Test(container_id, rules)
{
    char long_id[258];
    static const struct {
        const char *id;
        bool ok;
    } table[] = {
        { "web1", true }, { "a", true },      { "A_b-c.d+e", true }, { "-x", true },    { "_", true },
        { "+", true },    { "a..b", true },   { "", false },         { ".", false },    { "..", false },
        { ".a", false },  { "a/b", false },   { "/", false },        { "../x", false }, { "a b", false },
        { "a\n", false }, { "a\x7f", false }, { "\xc3\xa4", false }, { "a:b", false },  { "a@b", false },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        struct error err = { 0 };

        cr_expect_eq(container_id_check(table[i].id, &err), table[i].ok ? 0 : -1, "%s", table[i].id);
        if (!table[i].ok)
            cr_expect_eq(strncmp(err.text, "invalid container ID format: ", 29), 0, "%s", err.text);
    }
    memset(long_id, 'a', sizeof long_id);
    long_id[256] = '\0';
    cr_expect_eq(container_id_check(long_id, &(struct error){ 0 }), -1);
    long_id[255] = '\0';
    cr_expect_eq(container_id_check(long_id, &(struct error){ 0 }), 0);
}

Test(timestamp, calendar)
{
    static const struct {
        time_t seconds;
        const char *text;
    } table[] = {
        { 0, "1970-01-01T00:00:00.000000005Z" },          { 951782400, "2000-02-29T00:00:00.000000005Z" },
        { 1077926399, "2004-02-27T23:59:59.000000005Z" }, { 1709164800, "2024-02-29T00:00:00.000000005Z" },
        { 4107542400, "2100-03-01T00:00:00.000000005Z" }, { 1767225599, "2025-12-31T23:59:59.000000005Z" },
        { -1, "1969-12-31T23:59:59.000000005Z" },
    };

    for (size_t i = 0; i < array_length(table); i++) {
        char text[TIMESTAMP_SIZE];

        timestamp_format(&(struct timespec){ .tv_sec = table[i].seconds, .tv_nsec = 5 }, text);
        cr_expect_str_eq(text, table[i].text, "%s", text);
    }
}

Test(store, create_and_load)
{
    struct store store = opened();
    struct container container;
    struct stat status;
    struct error err = { 0 };

    umask(0);
    create(&store, "web1");
    cr_assert_eq(fstatat(store.fd, "web1", &status, 0), 0);
    cr_assert_eq(status.st_mode & 07777, 0700);
    cr_assert_eq(fstatat(store.fd, "web1/status.json", &status, 0), 0);
    cr_assert_eq(status.st_mode & 07777, 0600);
    cr_assert_eq(store_load(&store, "web1", &container, &err), 0, "%s", err.text);
    cr_assert_not(container.corrupt);
    cr_assert_str_eq(container.status->id, "web1");
    cr_assert_str_eq(container.status->bundle, "/b");
    cr_assert_eq(strlen(container.status->created), strlen("2026-04-25T12:00:00.123456789Z"));
    cr_assert_eq(container.status->owner_uid, geteuid());
    container_close(&container);
    store_close(&store);
}

Test(store, note_of_init)
{
    struct store store = opened();
    struct container container;
    uint64_t start_time;
    struct error err = { 0 };
    pid_t pid;

    create(&store, "web1");
    cr_assert_eq(store_load(&store, "web1", &container, &err), 0, "%s", err.text);
    cr_assert_not(container_noted_init(&container, &pid, &start_time));
    cr_assert_eq(container_note_init(&container, 1, 2, &err), 0, "%s", err.text);
    cr_assert_eq(container_note_init(&container, 4194304, UINT64_MAX, &err), 0, "%s", err.text);
    cr_assert(container_noted_init(&container, &pid, &start_time));
    cr_assert_eq(pid, 4194304);
    cr_assert_eq(start_time, UINT64_MAX);
    cr_assert_eq(container_remove(&container, &err), 0, "%s", err.text);
    cr_assert_eq(store_load(&store, "web1", &container, &err), -1);
    cr_assert_eq(err.code, ENOENT);
    store_close(&store);
}

Test(store, mode_whatever_the_umask)
{
    struct store store = opened();
    struct stat status;

    umask(0777);
    if (geteuid() == 0) { /* others could not even open what they have made */
        create(&store, "web1");
        cr_assert_eq(fstatat(store.fd, "web1", &status, 0), 0);
        cr_assert_eq(status.st_mode & 07777, 0700);
    }
    store_close(&store);
}

Test(store, an_id_is_unique)
{
    struct store store = opened();
    struct container container;
    struct error err = { 0 };

    create(&store, "web1");
    cr_assert_eq(store_create(&store, "web1", &some_status, &container, &err), -1);
    cr_assert_eq(err.code, EEXIST);
    cr_assert_str_eq(err.text, "container with given ID already exists: container `web1` already exists");
    store_close(&store);
}

Test(store, of_twenty_racing_creates_one_wins)
{
    int winners = 0, status;

    for (int i = 0; i < 20; i++)
        if (fork() == 0) {
            struct store store = opened();
            struct container container;
            struct error err = { 0 };
            int result = store_create(&store, "web1", &some_status, &container, &err);

            if (result == 0) {
                usleep(1000);
                container_close(&container);
            }
            _exit(result == 0 ? 0 : err.code == EEXIST ? 1 : 2);
        }
    while (wait(&status) > 0) {
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        winners += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    cr_assert_eq(winners, 1);
}

/* Racing creates and deletes: every create that succeeded still has its record, whatever the deletes did
 * before. */
Test(store, creates_race_with_deletes)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            struct store store = opened();

            for (int round = 0; round < 200; round++) {
                struct container container;
                struct error err = { 0 };

                if (i % 2 == 0) {
                    if (store_create(&store, "web1", &some_status, &container, &err) < 0) {
                        if (err.code != EEXIST)
                            _exit(1);
                        continue;
                    }
                    if (faccessat(store.fd, "web1/status.json", F_OK, 0) < 0)
                        _exit(2);
                } else {
                    if (store_load(&store, "web1", &container, &err) < 0) {
                        if (err.code != ENOENT)
                            _exit(3);
                        continue;
                    }
                    if (container_lock(&container, 5000, &err) == 0) {
                        if (container_remove(&container, &err) < 0)
                            _exit(4);
                    } else if (err.code != ENOENT) {
                        _exit(5);
                    }
                }
                container_close(&container);
            }
            _exit(0);
        }
    for (int status; wait(&status) > 0;)
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", WEXITSTATUS(status));
}

Test(store, missing)
{
    struct store store = opened();
    struct container container;
    struct error err = { 0 };

    cr_assert_eq(store_load(&store, "nope", &container, &err), -1);
    cr_assert_eq(err.code, ENOENT);
    cr_assert_str_eq(err.text, "container `nope` does not exist");
    cr_assert_eq(store_load(&store, "..", &container, &err), -1);
    cr_assert_str_eq(err.text, "invalid container ID format: ..");
    store_close(&store);
    cr_assert_eq(store_open("/nonexistent/aril", false, &store, &err), -1);
    cr_assert_eq(err.code, ENOENT);
}

Test(store, links_are_not_followed)
{
    struct store store = opened();
    struct container container;
    struct error err = { 0 };

    create(&store, "web1");
    cr_assert_eq(symlinkat("web1", store.fd, "link"), 0);
    cr_assert_eq(store_load(&store, "link", &container, &err), -1);
    cr_assert_eq(err.code, ENOTDIR, "%s", err.text);
    cr_assert_eq(store_create(&store, "link", &some_status, &container, &err), -1);
    cr_assert_eq(err.code, EEXIST);
    store_close(&store);
}

Test(store, a_directory_of_others_is_refused)
{
    struct store store = opened();
    struct container container;
    struct error err = { 0 };

    create(&store, "web1");
    cr_assert_eq(fchmodat(store.fd, "web1", 0770, 0), 0);
    cr_assert_eq(store_load(&store, "web1", &container, &err), -1);
    cr_assert_str_eq(err.text, "container `web1`: its state directory is writable for others");
    if (geteuid() == 0) {
        cr_assert_eq(fchownat(store.fd, "web1", 1234, 0, 0), 0);
        cr_assert_eq(store_load(&store, "web1", &container, &err), -1);
        cr_assert_str_eq(err.text, "container `web1`: its state directory belongs to uid 1234");
    }
    store_close(&store);
}

Test(store, a_broken_record_can_be_removed)
{
    static const char *const broken[] = { "",
                                          "{",
                                          "null",
                                          "[]",
                                          "{\"id\":1}",
                                          "{\"id\":\"web1\"}",
                                          "\xff",
                                          "{\"id\":\"web1\",\"bundle\":\"/b\",\"pid\":-1}",
                                          "{\"id\":\"web1\",\"bundle\":\"/b\"" };

    for (size_t i = 0; i < array_length(broken); i++) {
        struct store store = opened();
        struct container container;
        struct error err = { 0 };

        create(&store, "web1");
        put_file("web1/status.json", broken[i]);
        put_file("web1/status.json.1.tmp", "left by a killed command");
        cr_assert_eq(store_load(&store, "web1", &container, &err), 0, "%s", err.text);
        cr_expect(container.corrupt, "%s", broken[i]);
        cr_expect_str_eq(container.status->id, "web1");
        cr_expect_eq(container_check(&container, &err), -1);
        cr_expect_not_null(strstr(err.text, "delete --force"), "%s", err.text);
        cr_assert_eq(container_lock(&container, 0, &err), 0, "%s", err.text);
        cr_assert_eq(container_remove(&container, &err), 0, "%s", err.text);
        cr_expect_not(exists("web1"));
        container_close(&container);
        store_close(&store);
    }
}

Test(store, no_status_at_all)
{
    struct store store = opened();
    struct container container;
    struct error err = { 0 };

    cr_assert_eq(mkdirat(store.fd, "web1", 0700), 0);
    cr_assert_eq(store_load(&store, "web1", &container, &err), 0, "%s", err.text);
    cr_assert(container.corrupt);
    container_close(&container);
    store_close(&store);
}

Test(store, the_lock)
{
    struct store store = opened();
    struct container first, second;
    struct error err = { 0 };

    cr_assert_eq(store_create(&store, "web1", &some_status, &first, &err), 0);
    cr_assert_eq(store_load(&store, "web1", &second, &err), 0);
    cr_expect(container_is_locked(&second));
    cr_expect_not(container_is_locked(&first)); /* by others, that is */
    cr_assert_eq(container_lock(&second, 20, &err), -1);
    cr_assert_eq(err.code, EWOULDBLOCK);
    cr_assert_str_eq(err.text, "container `web1` is locked by another command");
    first.status->pid = 4711;
    first.status->has_pid = true;
    cr_assert_eq(container_save(&first, &err), 0);
    container_unlock(&first);
    cr_expect_not(container_is_locked(&second));
    cr_assert_eq(container_lock(&second, 0, &err), 0);
    cr_assert_eq(second.status->pid, 4711); /* what was written before we had the lock */
    container_close(&second);
    container_close(&first);
    store_close(&store);
}

/* A child that shares the descriptor must not keep the lock alive. */
Test(store, closing_unlocks_in_spite_of_children)
{
    struct store store = opened();
    struct container first, second;
    struct error err = { 0 };
    pid_t child;

    cr_assert_eq(store_create(&store, "web1", &some_status, &first, &err), 0);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    container_close(&first);
    cr_assert_eq(store_load(&store, "web1", &second, &err), 0);
    cr_expect_eq(container_lock(&second, 0, &err), 0, "%s", err.text);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    container_close(&second);
    store_close(&store);
}

Test(store, lock_of_a_deleted_container)
{
    struct store store = opened();
    struct container first, second;
    struct error err = { 0 };

    cr_assert_eq(store_create(&store, "web1", &some_status, &first, &err), 0);
    cr_assert_eq(store_load(&store, "web1", &second, &err), 0);
    cr_assert_eq(container_remove(&first, &err), 0, "%s", err.text);
    container_close(&first);
    create(&store, "web1"); /* another container with the same id */
    cr_assert_eq(container_lock(&second, 0, &err), -1);
    cr_assert_eq(err.code, ENOENT);
    cr_assert_eq(container_remove(&second, &err), 0);
    cr_assert(exists("web1/status.json")); /* it was not ours */
    container_close(&second);
    store_close(&store);
}

Test(store, list_is_sorted_and_skips_what_is_no_container)
{
    struct store store = opened();
    struct strings ids;
    struct error err = { 0 };

    create(&store, "b");
    create(&store, "a");
    create(&store, "C");
    put_file("file", "");
    cr_assert_eq(mkdirat(store.fd, ".hidden", 0700), 0);
    cr_assert_eq(mkdirat(store.fd, "not an id", 0700), 0);
    cr_assert_eq(symlinkat("a", store.fd, "link"), 0);
    cr_assert_eq(store_list(&store, &ids, &err), 0, "%s", err.text);
    cr_assert_eq(ids.count, 3);
    cr_assert_str_eq(ids.items[0], "C");
    cr_assert_str_eq(ids.items[1], "a");
    cr_assert_str_eq(ids.items[2], "b");
    strings_free(&ids);
    store_close(&store);
}

/* Byte for byte what runc prints (contract O1). */
Test(store, state_document)
{
    auto_buffer struct buffer json = { 0 };
    struct store store = opened();
    struct container container;
    struct oci_state *state;
    struct error err = { 0 };

    create(&store, "web1");
    cr_assert_eq(store_load(&store, "web1", &container, &err), 0);
    free(container.status->created);
    container.status->created = memory_string("2026-04-25T12:00:00.123456789Z");
    container.status->pid = 42;
    state = container_oci_state(&container, CONTAINER_RUNNING);
    schema_write(&oci_state_schema, state, SCHEMA_SPACES_2, &json);
    schema_free(&oci_state_schema, state);
    cr_expect_str_eq(json.data, "{\n"
                                "  \"ociVersion\": \"1.3.0\",\n"
                                "  \"id\": \"web1\",\n"
                                "  \"pid\": 42,\n"
                                "  \"status\": \"running\",\n"
                                "  \"bundle\": \"/b\",\n"
                                "  \"rootfs\": \"/b/r\",\n"
                                "  \"created\": \"2026-04-25T12:00:00.123456789Z\",\n"
                                "  \"owner\": \"\"\n"
                                "}");
    state = container_oci_state(&container, CONTAINER_STOPPED);
    cr_expect_eq(state->pid, 0);
    schema_free(&oci_state_schema, state);
    container_close(&container);
    store_close(&store);
}
