/* Talking to systemd over D-Bus. libsystemd is loaded by the first call. In the runtime, one thread. */
#pragma once

#include "base/error.h"
#include "cgroup/systemd_properties.h"

#include <sys/types.h>

struct systemd_bus;

/* `user`: the manager of the calling user, found through DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR. NULL on
 * error. */
struct systemd_bus *systemd_bus_open(bool user, struct error *err);
void systemd_bus_close(struct systemd_bus *bus);

/*
 * StartTransientUnit with this process in it, and waits until the job is done. A unit of that name that
 * failed earlier is cleared away; one that runs is EEXIST.
 */
int systemd_bus_start(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                      pid_t pid, int pidfd, struct error *err);

/* Stops the unit, waits for that, and makes systemd forget a failure. Missing is success. */
int systemd_bus_stop(struct systemd_bus *bus, const char *unit, struct error *err);

/* SetUnitProperties, until the unit ends. Properties that are optional and unknown are left out. */
int systemd_bus_set(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                    struct error *err);
