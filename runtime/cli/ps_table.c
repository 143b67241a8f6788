/* Running and filtering ps(1): see ps_table.h. */
#include "cli/ps_table.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTING_MAX (64u << 20)
#define SPACES " \t"

static int spawn_ps(const char *const *arguments, int output, pid_t *pid, struct error *err)
{
    auto_free const char **argv = NULL;
    posix_spawn_file_actions_t actions;
    size_t count = 0;
    int code;

    while (arguments[count])
        count++;
    argv = memory_new_array(count + 2, sizeof *argv);
    argv[0] = "ps";
    memcpy(argv + 1, arguments, count * sizeof *argv);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    code = posix_spawnp(pid, "ps", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        errno = code;
        return fail_errno(err, "run ps");
    }
    return 0;
}

static int read_all(int fd, struct buffer *out, struct error *err)
{
    char chunk[16384];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(err, "read the output of ps");
        if (out->length + (size_t)got > LISTING_MAX)
            return fail(err, EFBIG, "the output of ps is larger than %u bytes", LISTING_MAX);
        buffer_add(out, chunk, (size_t)got);
    }
    return 0;
}

static int reap(pid_t pid, struct error *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail_errno(err, "wait for ps");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return fail(err, 0, "ps failed: exit status %d", WEXITSTATUS(status));
    return fail(err, 0, "ps failed: signal %d", WTERMSIG(status));
}

int ps_table_read(const char *const *arguments, struct buffer *listing, struct error *err)
{
    auto_close int reader = -1, writer = -1;
    struct error reap_error = { 0 };
    int pair[2], result;
    pid_t pid;

    if (pipe2(pair, O_CLOEXEC) < 0)
        return fail_errno(err, "pipe");
    reader = pair[0];
    writer = pair[1];
    if (spawn_ps(arguments, writer, &pid, err) < 0)
        return -1;
    close(take_fd(&writer));
    result = read_all(reader, listing, err);
    close(take_fd(&reader)); /* before waiting: a ps that still writes must not block */
    if (reap(pid, &reap_error) < 0 && result == 0) {
        *err = reap_error;
        return -1;
    }
    return result;
}

/* The word of this number in a line that ends at `end`; NULL when there are fewer. */
static const char *find_word(const char *line, const char *end, size_t number, size_t *length)
{
    for (;;) {
        line += strspn(line, SPACES);
        if (line >= end)
            return NULL;
        *length = strcspn(line, SPACES "\n");
        if (number-- == 0)
            return line;
        line += *length;
    }
}

static int find_pid_column(const char *header, const char *end, size_t *column)
{
    const char *word;
    size_t length;

    for (*column = 0; (word = find_word(header, end, *column, &length)); (*column)++)
        if (length == 3 && strncmp(word, "PID", 3) == 0)
            return 0;
    return -1;
}

static bool row_is_wanted(const char *line, const char *end, size_t column, const pid_t *pids, size_t count)
{
    size_t length;
    const char *word = find_word(line, end, column, &length);
    auto_free char *text = NULL;
    int64_t pid;

    if (!word)
        return false;
    text = memory_string_n(word, length);
    if (!number_parse(text, 1, INT32_MAX, &pid))
        return false;
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

int ps_table_filter(const char *listing, const pid_t *pids, size_t count, struct buffer *rows,
                    struct error *err)
{
    const char *line = listing;
    size_t column = 0;

    while (*line) {
        const char *end = strchrnul(line, '\n');

        if (line == listing && find_pid_column(line, end, &column) < 0)
            return fail(err, EINVAL, "the output of ps has no column PID");
        if (line == listing || row_is_wanted(line, end, column, pids, count)) {
            buffer_add(rows, line, (size_t)(end - line));
            buffer_add_char(rows, '\n');
        }
        line = *end ? end + 1 : end;
    }
    return 0;
}
