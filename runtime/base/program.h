/* Programs of the system that we start for ourselves (newuidmap): found where nobody else can put one,
 * and started with next to no environment (E-5). */
#pragma once

#include "base/error.h"

/* The absolute path by PATH. Skipped: relative entries, those in the working directory, and directories that
 * others than root and we can write to. Owned; NULL with ENOENT. */
char *program_find(const char *name, struct error *err);

/* PATH, TMPDIR, TMP and TEMP as the caller has them. Owned, but not its strings. */
char **program_environment(void);
