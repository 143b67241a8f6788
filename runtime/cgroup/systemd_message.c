/* libsystemd and its messages: see systemd_message.h. Runs where systemd_bus.c does. */
#include "cgroup/systemd_message.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/systemd_value.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libsystemd.so.0"

int systemd_library_load(struct systemd_library *library, struct error *err)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (!handle)
        return fail(err, ENOTSUP, "cannot load " LIBRARY ", which the systemd cgroup driver needs");
#define FIND(name)                                                                                           \
    library->name = (__typeof__(name) *)dlsym(handle, #name);                                                \
    if (!library->name)                                                                                      \
        return fail(err, ENOTSUP, LIBRARY " has no " #name);
    SYSTEMD_FUNCTIONS(FIND)
#undef FIND
    return 0;
}

int systemd_fail(struct error *err, int code, const char *what)
{
    errno = -code;
    return fail_errno(err, "%s", what);
}

/* From the width that numbers have here to that of their type. */
static int append_number(const struct systemd_library *library, sd_bus_message *message, char type,
                         const struct unit_value *value)
{
    union {
        uint8_t y;
        uint16_t q;
        uint32_t u;
        uint64_t t;
    } number;

    if (type == 'y')
        number.y = (uint8_t)value->number;
    else if (type == 'n' || type == 'q')
        number.q = (uint16_t)value->number;
    else if (type == 'i' || type == 'u')
        number.u = (uint32_t)value->number;
    else
        number.t = value->number; /* for a double: its bits */
    return library->sd_bus_message_append_basic(message, type, &number);
}

static int append_value(const struct systemd_library *library, sd_bus_message *message,
                        const struct unit_value *value)
{
    char type = value->signature[0];
    auto_free char *content = NULL;
    int result, flag = value->number != 0;

    if (strchr("sog", type))
        return library->sd_bus_message_append_basic(message, type, value->text);
    if (type == 'b')
        return library->sd_bus_message_append_basic(message, type, &flag);
    if (!strchr("a(v", type))
        return append_number(library, message, type, value);
    if (type == 'v')
        content = memory_string(value->items[0].signature);
    else
        content = memory_string_n(value->signature + 1, strlen(value->signature) - (type == '(' ? 2 : 1));
    result = library->sd_bus_message_open_container(message, type == '(' ? 'r' : type, content);
    for (size_t i = 0; result >= 0 && i < value->count; i++)
        result = append_value(library, message, &value->items[i]);
    return result < 0 ? result : library->sd_bus_message_close_container(message);
}

static int append_property(const struct systemd_library *library, sd_bus_message *message, const char *name,
                           const struct unit_value *value)
{
    int result = library->sd_bus_message_open_container(message, 'r', "sv");

    if (result >= 0)
        result = library->sd_bus_message_append_basic(message, 's', name);
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'v', value->signature);
    if (result >= 0)
        result = append_value(library, message, value);
    if (result >= 0)
        result = library->sd_bus_message_close_container(message);
    return result < 0 ? result : library->sd_bus_message_close_container(message);
}

int systemd_message_add(const struct systemd_library *library, sd_bus_message *message,
                        const struct unit_property *row, const char *text, struct error *err)
{
    auto_cleanup(unit_value_free) struct unit_value value = { 0 };
    int result;

    if (unit_value_parse(text, &value, err) < 0 ||
        (row->seconds && unit_value_to_microseconds(&value, err) < 0))
        return fail_in(err, "%s", row->name);
    result = append_property(library, message, row->name, &value);
    return result < 0 ? systemd_fail(err, result, row->property[0] ? row->property : row->name) : 0;
}

int systemd_message_add_process(const struct systemd_library *library, sd_bus_message *message, pid_t pid,
                                int pidfd)
{
    uint32_t number = (uint32_t)pid;
    char type = pidfd >= 0 ? 'h' : 'u';
    const char array[] = { 'a', type, '\0' }, element[] = { type, '\0' };
    int result = library->sd_bus_message_open_container(message, 'r', "sv");

    if (result >= 0)
        result = library->sd_bus_message_append_basic(message, 's', pidfd >= 0 ? "PIDFDs" : "PIDs");
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'v', array);
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'a', element);
    if (result >= 0)
        result = pidfd >= 0 ? library->sd_bus_message_append_basic(message, type, &pidfd)
                            : library->sd_bus_message_append_basic(message, type, &number);
    for (int i = 0; result >= 0 && i < 3; i++)
        result = library->sd_bus_message_close_container(message);
    return result;
}
