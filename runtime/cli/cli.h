/*
 * The command line: main.c calls cli_main(), which parses the global options, looks the command up in the
 * table of commands.c, parses its options, checks the number of arguments and runs it. Each command is one
 * small file that defines its struct command.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "cli/options.h"
#include "container/store.h"

#include <stdbool.h>

struct cli_globals {
    const char *root;
    const char *log;
    const char *log_format;
    const char *log_level;
    const char *cgroup_manager;
    const char *profile; /* --profile, or from the name of the program (aril-strict) */
    bool debug;
    bool systemd_cgroup;
    bool help;
    bool version;
};

struct invocation {
    const struct cli_globals *globals;
    const void *options;          /* the command's own struct, filled */
    const char *const *arguments; /* positional arguments behind the command's name; NULL-terminated */
    size_t argument_count;
};

#define COMMAND_ANY_ARGUMENTS SIZE_MAX

struct command {
    const char *name;
    const char *summary;   /* one line, imperative; NULL: hidden from help */
    const char *arguments; /* "ID [SIGNAL]", for help; a leading "ID" is completed and named in errors */
    const struct option_row *options;
    const struct option_row
        *more_options;   /* a table that commands share, with the same target; may be NULL */
    size_t options_size; /* of the struct that the tables fill */
    size_t min_arguments, max_arguments;
    enum option_order order;
    bool seals_self;    /* enters a container: protects our own executable first (launch/seal.h) */
    int failure_status; /* exit status for errors of run(); 0 means 1 */
    /* The exit status, or -1 with an error. */
    int (*run)(const struct invocation *invocation, struct error *err);
};

/* All commands, in the order of the help text; ends with NULL. */
extern const struct command *const cli_commands[];
extern const struct option_row cli_global_options[];

const struct command *cli_find_command(const char *name);

/* The exit status of the program. Prints the error. */
int cli_main(const char *const *argv);

/* ---- what commands share (cli/common.c) --------------------------------------------------------------- */

/* Writes to stdout; a full disk or a closed pipe is an error. */
int cli_print(const char *data, size_t length, struct error *err);
int cli_print_buffer(const struct buffer *buffer, struct error *err);

/* The store below --root. A missing one is ENOENT with the text of a missing container. */
int cli_open_store(const struct invocation *invocation, const char *id, struct store *store,
                   struct error *err);

/* What a command does to one container. The exit status, or -1 with an error. */
typedef int container_action(struct container *container, const struct invocation *invocation,
                             struct error *err);

/*
 * Runs `action` on the container arguments[0]: opens the store, loads it, closes both. A status file that
 * cannot be read is an error unless `even_corrupt`.
 */
int cli_with_container(const struct invocation *invocation, bool even_corrupt, container_action *action,
                       struct error *err);

/* The same for every container whose id matches the extended regular expression (--regex of kill and delete).
 */
int cli_with_matching(const struct invocation *invocation, const char *expression, bool even_corrupt,
                      container_action *action, struct error *err);

/* --cgroup-manager and --systemd-cgroup. */
enum cgroup_driver cli_cgroup_driver(const struct cli_globals *globals);

/* Reads a file that the user names, "-" being stdin; pipes are fine. Owned, NUL-terminated. */
int cli_read_input(const char *path, char **text, size_t *length, struct error *err);

/* ---- cli/help.c -------------------------------------------------------------------------------------- */

void help_program(struct buffer *out);
void help_command(const struct command *command, struct buffer *out);
