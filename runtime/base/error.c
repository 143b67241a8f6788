/* Error values: see error.h. Works in every process; knows nothing of where errors are printed. */
#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *errno_text(int code)
{
    static char text[128];
    const char *name = strerrordesc_np(code);

    /* Engines look for "permission denied" and "no such file or directory" in lower case (contract E5). */
    snprintf(text, sizeof text, "%s", name ? name : "unknown error");
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* Errors are one line: what a hostile config or image can put into them must not break that. */
static void flatten(char *text)
{
    for (char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
}

static void append(struct error *err, const char *separator, const char *text)
{
    size_t used = strlen(err->text);

    snprintf(err->text + used, sizeof err->text - used, "%s%s", separator, text);
}

int fail(struct error *err, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    err->code = code;
    flatten(err->text);
    return -1;
}

/* A name without end is cut, so that the reason stays; with room for what callers put in front. */
#define ROOM_FOR_CONTEXT 256

int fail_errno(struct error *err, const char *format, ...)
{
    int code = errno;
    const char *reason = errno_text(code);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text - strlen(reason) - ROOM_FOR_CONTEXT, format, arguments);
    va_end(arguments);
    err->code = code;
    flatten(err->text);
    append(err, ": ", reason);
    return -1;
}

int fail_in(struct error *err, const char *format, ...)
{
    char inner[ERROR_TEXT_SIZE];
    va_list arguments;

    memcpy(inner, err->text, sizeof inner);
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    flatten(err->text);
    append(err, ": ", inner);
    return -1;
}

int fail_hint(struct error *err, const char *format, ...)
{
    char hint[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(hint, sizeof hint, format, arguments);
    va_end(arguments);
    flatten(hint);
    append(err, " (", hint);
    append(err, ")", "");
    return -1;
}
