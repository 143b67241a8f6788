/* linux.cgroupsPath made safe. Pure. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/*
 * The path with one "/" in front and between its parts. *relative says whether it had none in front. NULL for
 * what would leave the hierarchy ("..") or name its root. Owned.
 */
char *cgroup_path_clean(const char *path, bool *relative, struct error *err);
