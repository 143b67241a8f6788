/*
 * Errors are values. A function that can fail takes `struct error *err` as its last argument and returns -1
 * (or NULL) with it filled, or a result >= 0. The place that fails says what failed (fail, fail_errno); every
 * caller that knows more of the way there puts it in front (fail_in); only main() prints. The result is one
 * line that reads from the outside in:
 *
 *     create web1: mounts[3] (/proc): fsopen proc: operation not permitted
 *
 * The struct has a fixed size and no pointers, so it crosses a socket whole: what fails in the container's
 * init process is reported by the runtime as if it had failed there. `err` is never NULL.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>

#define ERROR_TEXT_SIZE 2048

struct error {
    int code; /* an errno value for callers that must tell kinds apart, or 0 */
    char text[ERROR_TEXT_SIZE];
};

/* Starts an error. `code` is stored, not printed. Always returns -1, so that `return fail(...)` reads well. */
int fail(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Starts an error from errno: stores it and appends ": " and its text in lower case. Returns -1. */
int fail_errno(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " in front of an error that is already there. Returns -1. */
int fail_in(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends advice in brackets: " (raise kernel.keys.maxkeys)". Returns -1. */
int fail_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text of an errno value in lower case ("no such file or directory"); callers match on that. */
const char *errno_text(int code);
