/*
 * aril checkpoint and restore. Not implemented: the commands exist because podman asks `checkpoint --help`
 * and `restore --lsm-mount-context` what a runtime can do (contract P4). They say so when they are used.
 */
#include "cli/commands.h"

#define IGNORED_FLAG(name, letter)                                                                           \
    {                                                                                                        \
        name, letter, OPTION_FLAG, OPTION_IGNORED, NULL, NULL                                                \
    }
#define IGNORED_VALUE(name, letter)                                                                          \
    {                                                                                                        \
        name, letter, OPTION_STRING, OPTION_IGNORED, "VALUE", NULL                                           \
    }

/* The union of what crun and runc accept (item 284). */
static const struct option_row options[] = {
    IGNORED_VALUE("image-path", 0),     IGNORED_VALUE("work-path", 0),
    IGNORED_VALUE("parent-path", 0),    IGNORED_VALUE("manage-cgroups-mode", 0),
    IGNORED_VALUE("empty-ns", 0),       IGNORED_VALUE("status-fd", 0),
    IGNORED_VALUE("page-server", 0),    IGNORED_VALUE("network-lock", 0),
    IGNORED_VALUE("lsm-profile", 0),    IGNORED_VALUE("lsm-mount-context", 0),
    IGNORED_VALUE("bundle", 'b'),       IGNORED_VALUE("console-socket", 0),
    IGNORED_VALUE("pid-file", 0),       IGNORED_FLAG("leave-running", 0),
    IGNORED_FLAG("tcp-established", 0), IGNORED_FLAG("tcp-skip-in-flight", 0),
    IGNORED_FLAG("tcp-close", 0),       IGNORED_FLAG("link-remap", 0),
    IGNORED_FLAG("ext-unix-sk", 0),     IGNORED_FLAG("shell-job", 0),
    IGNORED_FLAG("file-locks", 0),      IGNORED_FLAG("lazy-pages", 0),
    IGNORED_FLAG("pre-dump", 0),        IGNORED_FLAG("auto-dedup", 0),
    IGNORED_FLAG("detach", 'd'),        IGNORED_FLAG("no-pivot", 0),
    IGNORED_FLAG("no-subreaper", 0),    { 0 },
};

static int refuse_checkpoint(const struct invocation *invocation, struct error *err)
{
    (void)invocation;
    return fail(err, ENOTSUP, "checkpoint is not supported yet");
}

static int refuse_restore(const struct invocation *invocation, struct error *err)
{
    (void)invocation;
    return fail(err, ENOTSUP, "restore is not supported yet");
}

const struct command command_checkpoint = {
    .name = "checkpoint",
    .summary = "Checkpoint a container (not supported yet)",
    .arguments = "ID",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = refuse_checkpoint,
};

const struct command command_restore = {
    .name = "restore",
    .summary = "Restore a container from a checkpoint (not supported yet)",
    .arguments = "ID",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = refuse_restore,
};
