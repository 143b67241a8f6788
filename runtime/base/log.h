/*
 * The log: warnings and debug lines, and the final error, in the formats that engines read (contract O5).
 * This is the only global state of the runtime. Library code never logs an error that it also returns.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * Where lines go. By default: errors only, as text, to stderr. With a path: to that file (opened for append, created 0644;
 * "file:PATH" is the same), the final error to stderr as well. `format` applies to the file only; stderr
 * always gets plain text, because conmon reports its first bytes to the user (contract M5).
 */
int log_open(const char *path, enum log_format format, struct error *err);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* Sends lines elsewhere: the init process passes them to the runtime over its socket. NULL restores the default. */
void log_set_sink(void (*sink)(void *context, enum log_level level, const char *line), void *context);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                       \
    do {                                                                                                     \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                                    \
            log_line(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                          \
    } while (0)

/* The one line with which a command fails: to the log file if there is one, and to stderr. Only main() calls it. */
void log_final_error(const struct error *err);
