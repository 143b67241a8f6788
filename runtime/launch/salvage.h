/* What can still be done for a container whose record is lost. */
#pragma once

#include "container/store.h"

/* Kills what is in the container's presumed cgroup and removes it. None there is success. */
int salvage_cgroup(const struct container *container, struct error *err);
