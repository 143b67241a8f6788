/* The log file and stderr. See log.h. */
#include "base/log.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct {
    int fd; /* of the log file, or -1 */
    enum log_format format;
    enum log_level level;
    void (*sink)(void *context, enum log_level level, const char *line);
    void *sink_context;
} log_state = { .fd = -1 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

int log_open(const char *path, enum log_format format, struct error *err)
{
    if (strncmp(path, "file:", 5) == 0)
        path += 5;
    log_state.format = format;
    log_state.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    if (log_state.fd < 0)
        return fail_errno(err, "log file %s", path);
    return 0;
}

void log_set_level(enum log_level level)
{
    log_state.level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= log_state.level;
}

void log_set_sink(void (*sink)(void *context, enum log_level level, const char *line), void *context)
{
    log_state.sink = sink;
    log_state.sink_context = context;
}

/* containerd decodes "time" as RFC 3339 and stops reading at anything else (contract S1). */
static void add_time(struct buffer *out)
{
    struct timeval now;
    struct tm utc;
    char text[40];

    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_add_format(out, "%s.%06ldZ", text, (long)now.tv_usec);
}

static void add_quoted(struct buffer *out, const char *text)
{
    buffer_add_char(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            buffer_add_format(out, "\\%c", *c);
        else if (*c < 0x20)
            buffer_add_format(out, "\\u%04x", *c);
        else
            buffer_add_char(out, (char)*c);
    }
    buffer_add_char(out, '"');
}

static void write_to_file(enum log_level level, const char *text)
{
    auto_buffer struct buffer line = { 0 };

    if (log_state.format == LOG_FORMAT_JSON) {
        buffer_add_format(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
        add_quoted(&line, text);
        buffer_add_string(&line, ",\"time\":\"");
        add_time(&line);
        buffer_add_string(&line, "\"}\n");
    } else {
        buffer_add_string(&line, "time=\"");
        add_time(&line);
        buffer_add_format(&line, "\" level=%s msg=", level_names[level]);
        add_quoted(&line, text);
        buffer_add_char(&line, '\n');
    }
    (void)!write(log_state.fd, line.data, line.length);
}

static void write_to_stderr(const char *text)
{
    auto_buffer struct buffer line = { 0 };

    buffer_add_format(&line, "aril: %s\n", text);
    (void)!write(STDERR_FILENO, line.data, line.length);
}

void log_line(enum log_level level, const char *format, ...)
{
    auto_free char *text = NULL;
    va_list arguments;

    if (!log_enabled(level))
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (!text)
        return;
    if (log_state.sink)
        log_state.sink(log_state.sink_context, level, text);
    else if (log_state.fd >= 0)
        write_to_file(level, text);
    else
        write_to_stderr(text);
}

void log_final_error(const struct error *err)
{
    if (log_state.fd >= 0)
        write_to_file(LOG_LEVEL_ERROR, err->text);
    write_to_stderr(err->text);
}
