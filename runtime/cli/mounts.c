/* aril mounts: gives a running container more mounts, or takes some away (contract item 285; crun's command).
 */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "launch/launch.h"
#include "oci-specs/config.h"

#include <string.h>

/* crun's files hold the bare array; {"mounts": [...]} as in config.json is as good. */
static struct oci_mount_list *read_mounts(const char *path, struct error *err)
{
    auto_free char *text = NULL, *document = NULL;
    size_t length;

    if (cli_read_input(path, &text, &length, err) < 0)
        return NULL;
    if (text[strspn(text, " \t\r\n")] != '[')
        return schema_parse(&oci_mount_list_schema, path, text, length, err);
    document = memory_format("{\"mounts\":%s}", text);
    return schema_parse(&oci_mount_list_schema, path, document, strlen(document), err);
}

static int change(struct store *store, const char *id, const struct oci_mount_list *list, bool remove,
                  struct error *err)
{
    struct oci_config *config = NULL;
    struct container container;

    if (store_load(store, id, &container, err) < 0)
        return -1;
    if (container_check(&container, err) == 0)
        config = oci_config_read_at(container.fd, "config.json", err);
    if (!config) {
        container_close(&container);
        return -1;
    }
    return launch_change_mounts(&container, config, list->mounts, list->mounts_count, remove, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    const char *verb = invocation->arguments[0], *id = invocation->arguments[1];
    bool remove = strcmp(verb, "remove") == 0;
    struct oci_mount_list *list;
    struct store store;
    int result = -1;

    if (!remove && strcmp(verb, "add") != 0)
        return fail(err, EINVAL, "unknown subcommand \"%s\": add or remove", verb);
    list = read_mounts(invocation->arguments[2], err);
    if (!list)
        return -1;
    if (cli_open_store(invocation, id, &store, err) == 0) {
        result = change(&store, id, list, remove, err);
        store_close(&store);
    }
    schema_free(&oci_mount_list_schema, list);
    return result;
}

const struct command command_mounts = {
    .name = "mounts",
    .summary = "Add mounts to a container, or remove some (ACTION: add or remove)",
    .arguments = "ACTION ID FILE",
    .min_arguments = 3,
    .max_arguments = 3,
    .seals_self = true,
    .run = run,
};
