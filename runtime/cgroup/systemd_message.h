/*
 * libsystemd, loaded when it is needed, and what a unit's properties are in its messages. For systemd_bus.c.
 */
#pragma once

#include "base/error.h"
#include "cgroup/systemd_properties.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

#define SYSTEMD_FUNCTIONS(X)                                                                                 \
    X(sd_bus_open_system)                                                                                    \
    X(sd_bus_open_user)                                                                                      \
    X(sd_bus_flush_close_unref)                                                                              \
    X(sd_bus_match_signal)                                                                                   \
    X(sd_bus_call)                                                                                           \
    X(sd_bus_process)                                                                                        \
    X(sd_bus_wait)                                                                                           \
    X(sd_bus_error_free)                                                                                     \
    X(sd_bus_message_unref)                                                                                  \
    X(sd_bus_message_new_method_call)                                                                        \
    X(sd_bus_message_append_basic)                                                                           \
    X(sd_bus_message_open_container)                                                                         \
    X(sd_bus_message_close_container)                                                                        \
    X(sd_bus_message_read_basic)

struct systemd_library {
#define MEMBER(name) __typeof__(name) *name;
    SYSTEMD_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Never closed: the process is short. */
int systemd_library_load(struct systemd_library *library, struct error *err);

/* Appends a property with this text as its value, in the syntax of systemd_value.h. -1 with err. */
int systemd_message_add(const struct systemd_library *library, sd_bus_message *message,
                        const struct unit_property *row, const char *text, struct error *err);

/*
 * Appends the process of the unit. By pidfd it is the right one whatever pid namespace we are in; systemd
 * learned that later than by number, which only means the same in the first pid namespace. The result is
 * libsystemd's.
 */
int systemd_message_add_process(const struct systemd_library *library, sd_bus_message *message, pid_t pid,
                                int pidfd);

/* libsystemd returns negative errno values. */
int systemd_fail(struct error *err, int code, const char *what);
