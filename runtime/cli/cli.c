/* From argv to a command and back to an exit status. The only place that prints errors. Knows no command by
 * name. */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "launch/seal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct session {
    const char *const *argv;
    struct cli_globals globals;
    struct option_values words;      /* the command's name and all behind it */
    struct option_values positional; /* what is left of them beside options */
    const struct command *command;
    void *options;
    int failure_status;
};

const struct option_row cli_global_options[] = {
    { "root", 0, OPTION_STRING, offsetof(struct cli_globals, root), "DIR",
      "where the state of containers is kept (default: /run/aril, or $XDG_RUNTIME_DIR/aril)" },
    { "log", 0, OPTION_STRING, offsetof(struct cli_globals, log), "FILE",
      "append warnings and errors to this file, too" },
    { "log-format", 0, OPTION_CHOICE, offsetof(struct cli_globals, log_format), "text|json",
      "how lines of the log file look (default: text)" },
    { "log-level", 0, OPTION_CHOICE, offsetof(struct cli_globals, log_level), "error|warning|info|debug",
      "how much is logged (default: error)" },
    { "debug", 0, OPTION_FLAG, offsetof(struct cli_globals, debug), NULL, "the same as --log-level debug" },
    { "systemd-cgroup", 0, OPTION_FLAG, offsetof(struct cli_globals, systemd_cgroup), NULL,
      "the same as --cgroup-manager systemd" },
    { "cgroup-manager", 0, OPTION_CHOICE, offsetof(struct cli_globals, cgroup_manager),
      "cgroupfs|systemd|disabled", "who makes the containers' cgroups (default: cgroupfs)" },
    { "profile", 0, OPTION_CHOICE, offsetof(struct cli_globals, profile), "strict|balanced",
      "confine containers by this profile (default: none; strict when called as aril-strict)" },
    { "rootless", 0, OPTION_STRING, OPTION_IGNORED, "true|false|auto", NULL },
    { "help", 'h', OPTION_FLAG, offsetof(struct cli_globals, help), NULL, "show help and exit" },
    { "version", 'v', OPTION_FLAG, offsetof(struct cli_globals, version), NULL, "show the version and exit" },
    { "version", 'V', OPTION_FLAG, offsetof(struct cli_globals, version), NULL, NULL },
    { 0 },
};

/*
 * A caller may have closed our standard streams: the next file we open would then become one, and a message
 * would be written into it.
 */
static void secure_standard_streams(void)
{
    struct pollfd streams[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

    if (poll(streams, array_length(streams), 0) <= 0)
        return;
    for (size_t i = 0; i < array_length(streams); i++)
        if (streams[i].revents & POLLNVAL)
            (void)!open("/dev/null", O_RDWR); /* the lowest free number: this one */
}

static int setup_log(const struct cli_globals *globals, struct error *err)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    bool json = globals->log_format && strcmp(globals->log_format, "json") == 0;

    for (size_t i = 0; globals->log_level && i < array_length(levels); i++)
        if (strcmp(globals->log_level, levels[i]) == 0)
            log_set_level((enum log_level)i);
    if (globals->debug)
        log_set_level(LOG_LEVEL_DEBUG);
    if (!globals->log)
        return 0;
    if (strncmp(globals->log, "journald:", 9) == 0 || strncmp(globals->log, "syslog:", 7) == 0)
        return fail(err, ENOTSUP, "--log %s: only files are supported", globals->log);
    return log_open(globals->log, json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, err);
}

static int check_arguments(const struct command *command, size_t count, struct error *err)
{
    /* The wording is runc's: callers know it (contract E10). */
    if (command->min_arguments == command->max_arguments && count != command->min_arguments)
        return fail(err, EINVAL, "\"%s\" requires exactly %zu argument(s)", command->name,
                    command->min_arguments);
    if (count < command->min_arguments)
        return fail(err, EINVAL, "\"%s\" requires a minimum of %zu argument(s)", command->name,
                    command->min_arguments);
    if (count > command->max_arguments)
        return fail(err, EINVAL, "\"%s\" requires a maximum of %zu argument(s)", command->name,
                    command->max_arguments);
    return 0;
}

static int parse_command(struct session *session, struct error *err)
{
    static const struct option_row none[] = { { 0 } };
    const struct command *command = session->command;
    struct option_table tables[] = {
        { command->options ? command->options : none, session->options },
        { command->more_options ? command->more_options : none, session->options },
        { cli_global_options, &session->globals },
    };

    return options_parse(session->words.items + 1, tables, array_length(tables), command->order,
                         &session->positional, err);
}

static int parse(const char *const *argv, struct session *session, struct error *err)
{
    struct option_table globals = { cli_global_options, &session->globals };

    if (options_parse(argv, &globals, 1, OPTIONS_FIRST, &session->words, err) < 0)
        return -1;
    if (session->words.count == 0)
        return 0;
    session->command = cli_find_command(session->words.items[0]);
    if (!session->command)
        return fail(err, EINVAL, "unknown command \"%s\" (see aril --help)", session->words.items[0]);
    session->options = memory_new(session->command->options_size);
    return parse_command(session, err);
}

static int print_version(struct error *err)
{
    /* docker takes the last line with the word "version", so no other line may have it (contract D2, O9). */
    static const char text[] =
        "aril version " PACKAGE_VERSION "\ncommit: " ARIL_COMMIT "\nspec: " OCI_VERSION "\n";

    return cli_print(text, sizeof text - 1, err);
}

static int print_help(const struct command *command, struct error *err)
{
    auto_buffer struct buffer text = { 0 };

    if (command)
        help_command(command, &text);
    else
        help_program(&text);
    return cli_print_buffer(&text, err);
}

/* "create web1: ..." */
static int name_command(const struct session *session, struct error *err)
{
    const struct command *command = session->command;

    if (command->arguments && strncmp(command->arguments, "ID", 2) == 0)
        return fail_in(err, "%s %s", command->name, session->positional.items[0]);
    return fail_in(err, "%s", command->name);
}

static int run_command(struct session *session, struct error *err)
{
    static const char *const no_arguments[] = { NULL };
    const struct command *command = session->command;
    struct invocation invocation = {
        .globals = &session->globals,
        .options = session->options,
        .arguments = session->positional.count ? session->positional.items : no_arguments,
        .argument_count = session->positional.count,
    };
    int status;

    if (check_arguments(command, invocation.argument_count, err) < 0)
        return -1;
    status = command->run(&invocation, err);
    if (status >= 0)
        return status;
    if (command->failure_status)
        session->failure_status = command->failure_status;
    return name_command(session, err);
}

static int run_session(struct session *session, const char *const *argv, struct error *err)
{
    struct error log_error = { 0 };
    int parsed = parse(argv, session, err);

    /* Also when parsing failed: the caller who gave --log before looks there for the reason. */
    if (setup_log(&session->globals, &log_error) < 0 && parsed == 0) {
        *err = log_error;
        return -1;
    }
    if (parsed < 0)
        return -1;
    if (session->globals.help)
        return print_help(session->command, err);
    if (session->globals.version)
        return print_version(err);
    if (!session->command)
        return fail(err, EINVAL, "no command given (see aril --help)");
    if (session->command->seals_self && seal_self((char **)(uintptr_t)session->argv, err) < 0)
        return -1;
    return run_command(session, err);
}

static void close_session(struct session *session)
{
    if (session->options) {
        options_free_values(session->command->options, session->options);
        options_free_values(session->command->more_options, session->options);
    }
    option_values_free(&session->words);
    option_values_free(&session->positional);
    free(session->options);
}

/* A RuntimeClass or `podman --runtime` can name a program, but give it no options. */
static const char *profile_of_program(const char *program)
{
    const char *slash = program ? strrchr(program, '/') : NULL;
    const char *name = slash ? slash + 1 : program;

    if (!name || strncmp(name, "aril-", 5) != 0)
        return NULL;
    return strcmp(name + 5, "strict") == 0 || strcmp(name + 5, "balanced") == 0 ? name + 5 : NULL;
}

int cli_main(const char *const *argv)
{
    struct session session = { .argv = argv, .failure_status = 1 };
    struct error err = { 0 };
    int status;

    session.globals.profile = profile_of_program(argv[0]);
    secure_standard_streams();
    status = run_session(&session, argv[0] ? argv + 1 : argv, &err);
    if (status < 0) {
        log_final_error(&err);
        status = session.failure_status;
    }
    close_session(&session);
    return status;
}
