/* What several commands do in the same way: stdout, the store, one container, input files. */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <ctype.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>

int cli_print(const char *data, size_t length, struct error *err)
{
    return file_write_all(STDOUT_FILENO, data, length) < 0 ? fail_errno(err, "write to stdout") : 0;
}

int cli_print_buffer(const struct buffer *buffer, struct error *err)
{
    return cli_print(buffer->data, buffer->length, err);
}

int cli_open_store(const struct invocation *invocation, const char *id, struct store *store,
                   struct error *err)
{
    if (container_id_check(id, err) < 0)
        return -1;
    if (store_open(invocation->globals->root, false, store, err) == 0)
        return 0;
    if (err->code ==
        ENOENT) /* no state directory, no container: callers look for this wording (contract E1) */
        return fail(err, ENOENT, "container `%s` does not exist", id);
    return -1;
}

static int act_on(struct store *store, const char *id, const struct invocation *invocation, bool even_corrupt,
                  container_action *action, struct error *err)
{
    struct container container;
    int result;

    if (store_load(store, id, &container, err) < 0)
        return -1;
    result = even_corrupt ? 0 : container_check(&container, err);
    if (result == 0)
        result = action(&container, invocation, err);
    container_close(&container);
    return result;
}

int cli_with_container(const struct invocation *invocation, bool even_corrupt, container_action *action,
                       struct error *err)
{
    const char *id = invocation->arguments[0];
    struct store store;
    int result;

    if (cli_open_store(invocation, id, &store, err) < 0)
        return -1;
    result = act_on(&store, id, invocation, even_corrupt, action, err);
    store_close(&store);
    return result;
}

/* All are tried; the first error is the result, the others are logged. */
static int act_on_matching(struct store *store, const regex_t *pattern, const struct invocation *invocation,
                           bool even_corrupt, container_action *action, struct error *err)
{
    struct strings ids;
    int result = 0;

    if (store_list(store, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        struct error one = { 0 };

        if (regexec(pattern, ids.items[i], 0, NULL, 0) != 0)
            continue;
        if (act_on(store, ids.items[i], invocation, even_corrupt, action, &one) == 0)
            continue;
        fail_in(&one, "%s", ids.items[i]);
        if (result < 0)
            log_line(LOG_LEVEL_ERROR, "%s", one.text);
        else
            *err = one;
        result = -1;
    }
    strings_free(&ids);
    return result;
}

int cli_with_matching(const struct invocation *invocation, const char *expression, bool even_corrupt,
                      container_action *action, struct error *err)
{
    struct store store;
    regex_t pattern;
    char why[128];
    int result = regcomp(&pattern, expression, REG_EXTENDED | REG_NOSUB);

    if (result != 0) {
        regerror(result, &pattern, why, sizeof why);
        why[0] = (char)tolower((unsigned char)why[0]); /* as all our messages */
        return fail(err, EINVAL, "regular expression \"%s\": %s", expression, why);
    }
    result = store_open(invocation->globals->root, false, &store, err);
    if (result == 0) {
        result = act_on_matching(&store, &pattern, invocation, even_corrupt, action, err);
        store_close(&store);
    } else if (err->code == ENOENT && !invocation->globals->root) {
        result = 0;
    }
    regfree(&pattern);
    return result;
}

enum cgroup_driver cli_cgroup_driver(const struct cli_globals *globals)
{
    if (globals->cgroup_manager)
        return cgroup_driver_value(globals->cgroup_manager);
    return globals->systemd_cgroup ? CGROUP_DRIVER_SYSTEMD : CGROUP_DRIVER_CGROUPFS;
}

int cli_read_input(const char *path, char **text, size_t *length, struct error *err)
{
    auto_close int opened = -1;
    int fd = STDIN_FILENO;

    if (strcmp(path, "-") != 0)
        fd = opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail_errno(err, "open %s", path);
    return file_read_fd(fd, SCHEMA_SIZE_LIMIT, path, text, length, err);
}
