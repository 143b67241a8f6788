/* aril spec: writes an example config.json (contract O8). */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "oci-specs/config.h"
#include "oci-specs/schema.h"

#include <fcntl.h>
#include <string.h>

struct spec_options {
    const char *bundle;
    const char *config;
    bool rootless;
};

static const struct option_row options[] = {
    { "bundle", 'b', OPTION_STRING, offsetof(struct spec_options, bundle), "DIR",
      "the directory to write it to (default: .)" },
    { "config", 'f', OPTION_STRING, offsetof(struct spec_options, config), "FILE",
      "the name of the file (default: config.json)" },
    { "rootless", 0, OPTION_FLAG, offsetof(struct spec_options, rootless), NULL,
      "for users who are not root: with a user namespace" },
    { 0 },
};

static int write_new(int dirfd, const char *name, const struct buffer *text, struct error *err)
{
    auto_close int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0 && errno == EEXIST)
        return fail(err, EEXIST, "File %s exists. Remove it first", name); /* contract E13 */
    if (fd < 0)
        return fail_errno(err, "create %s", name);
    if (file_write_all(fd, text->data, text->length) == 0)
        return 0;
    fail_errno(err, "write %s", name);
    unlinkat(dirfd, name, 0);
    return -1;
}

static int run(const struct invocation *invocation, struct error *err)
{
    const struct spec_options *chosen = invocation->options;
    const char *bundle = chosen->bundle ? chosen->bundle : ".";
    auto_close int dirfd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto_buffer struct buffer text = { 0 };
    struct oci_config *config;

    if (dirfd < 0)
        return fail_errno(err, "bundle %s", bundle);
    /* Here only the flag of the command counts: the global --rootless takes a value and is ignored. */
    config = oci_config_default(chosen->rootless);
    schema_write(&oci_config_schema, config, SCHEMA_TABS, &text);
    oci_config_free(config);
    return write_new(dirfd, chosen->config ? chosen->config : "config.json", &text, err);
}

const struct command command_spec = {
    .name = "spec",
    .summary = "Write an example config.json",
    .options = options,
    .options_size = sizeof(struct spec_options),
    .run = run,
};
