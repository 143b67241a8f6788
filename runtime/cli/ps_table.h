/* The output of the host's ps(1), reduced to some processes. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <sys/types.h>

/* Runs `ps ARGUMENTS...` and collects what it prints. */
int ps_table_read(const char *const *arguments, struct buffer *listing, struct error *err);

/* The header and the rows whose column "PID" is one of `pids`. Pure. */
int ps_table_filter(const char *listing, const pid_t *pids, size_t count, struct buffer *rows,
                    struct error *err);
