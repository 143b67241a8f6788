/* Reading a container's record: shared by store.c and container.c only. */
#pragma once

#include "container/store.h"

/* "container `ID` does not exist" with code ENOENT (contract E1). Returns -1. */
int record_fail_missing(const char *id, struct error *err);

/*
 * Checks the directory behind container->fd and reads its status. -1 when it was deleted in the meantime or
 * is not ours; a status that cannot be read only sets container->corrupt.
 */
int record_read(struct container *container, struct error *err);

/* Writes the first record of a container, into its empty directory. */
int record_create(struct container *container, struct error *err);
