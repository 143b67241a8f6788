/*
 * Cleanup by attribute: a local variable that owns something is declared with auto_*, and is released when
 * it leaves its scope, on every path. Ownership leaves the variable only through take_ptr() or take_fd().
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *place)
{
    free(*(void **)place);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static inline void cleanup_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define auto_cleanup(function) __attribute__((cleanup(function)))
#define auto_free auto_cleanup(cleanup_free)
#define auto_close auto_cleanup(cleanup_close) /* int fd = -1; negative values are left alone */
#define auto_closedir auto_cleanup(cleanup_closedir)
#define auto_fclose auto_cleanup(cleanup_fclose)

/* Moves a pointer out of its variable, which becomes NULL. */
#define take_ptr(variable)                                                                                   \
    ({                                                                                                       \
        __typeof__(variable) taken_ = (variable);                                                            \
        (variable) = NULL;                                                                                   \
        taken_;                                                                                              \
    })

/* Moves a descriptor out of its variable, which becomes -1. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
