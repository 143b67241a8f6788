/* Points in time as text. */
#pragma once

#include <stdint.h>
#include <time.h>

#define TIMESTAMP_SIZE 64

/*
 * RFC 3339 in UTC with nanoseconds: "2026-04-25T12:00:00.123456789Z". Unlike gmtime_r() and strftime() it
 * does not make the C library read /etc/localtime, which costs a launch several syscalls for nothing.
 */
void timestamp_format(const struct timespec *time, char text[static TIMESTAMP_SIZE]);
void timestamp_now(char text[static TIMESTAMP_SIZE]);
