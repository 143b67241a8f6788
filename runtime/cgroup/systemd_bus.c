/*
 * The conversation with systemd: see systemd_bus.h. Runs in the runtime. libsystemd is loaded here because
 * linking it would cost every command that has nothing to do with it. It knows units and properties, nothing
 * of cgroups.
 */
#include "cgroup/systemd_bus.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/systemd_message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define CALL_TIMEOUT 25000000 /* µs */
#define JOB_TIMEOUT 90        /* s: systemd's own limit for a unit to stop */
#define FIRST_PID_NAMESPACE 0xEFFFFFFC

struct systemd_bus {
    struct systemd_library library;
    sd_bus *bus;
    char *job;    /* the one that we wait for */
    char *result; /* and how it ended */
};

/* What libsystemd and systemd answered. */
struct reply {
    const struct systemd_library *library;
    sd_bus_message *message;
    sd_bus_error error;
};

static void reply_free(struct reply *reply)
{
    reply->library->sd_bus_error_free(&reply->error);
    reply->library->sd_bus_message_unref(reply->message);
}

#define auto_reply auto_cleanup(reply_free)

/* ---- the connection ---------------------------------------------------------------------------------- */

/* Every error that systemd describes has a name and a text; the text ends with a full stop. */
static int fail_reply(struct error *err, const struct reply *reply, int code, const char *what)
{
    const char *text = reply->error.message;
    size_t length = text ? strlen(text) : 0;

    if (length == 0)
        return systemd_fail(err, code, what);
    return fail(err, -code, "%s: %.*s", what, (int)(length - (text[length - 1] == '.')), text);
}

void systemd_bus_close(struct systemd_bus *bus)
{
    if (!bus)
        return;
    if (bus->bus)
        bus->library.sd_bus_flush_close_unref(bus->bus);
    free(bus->job);
    free(bus->result);
    free(bus);
}

struct systemd_bus *systemd_bus_open(bool user, struct error *err)
{
    struct systemd_bus *bus = memory_new(sizeof *bus);
    int result = systemd_library_load(&bus->library, err);

    if (result == 0) {
        result = user ? bus->library.sd_bus_open_user(&bus->bus) : bus->library.sd_bus_open_system(&bus->bus);
        if (result < 0) {
            systemd_fail(err, result, user ? "connect to the user's D-Bus" : "connect to the system's D-Bus");
            fail_hint(err,
                      user ? "is there a user session, with XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS set? "
                             "--cgroup-manager=cgroupfs does without"
                           : "--cgroup-manager=cgroupfs does without systemd");
        }
    }
    if (result >= 0)
        return bus;
    systemd_bus_close(bus);
    return NULL;
}

/* ---- calls ------------------------------------------------------------------------------------------- */

static int new_call(struct systemd_bus *bus, const char *method, sd_bus_message **message, struct error *err)
{
    int result =
        bus->library.sd_bus_message_new_method_call(bus->bus, message, SERVICE, OBJECT_PATH, MANAGER, method);

    return result < 0 ? systemd_fail(err, result, method) : 0;
}

/* Calls a method of the manager that takes strings. The result is libsystemd's. */
static int call_with_strings(struct systemd_bus *bus, const char *method, const char *first,
                             const char *second, struct reply *reply)
{
    const struct systemd_library *library = &bus->library;
    sd_bus_message *message = NULL;
    int result =
        library->sd_bus_message_new_method_call(bus->bus, &message, SERVICE, OBJECT_PATH, MANAGER, method);

    if (result >= 0)
        result = library->sd_bus_message_append_basic(message, 's', first);
    if (result >= 0 && second)
        result = library->sd_bus_message_append_basic(message, 's', second);
    if (result >= 0)
        result = library->sd_bus_call(bus->bus, message, CALL_TIMEOUT, &reply->error, &reply->message);
    library->sd_bus_message_unref(message);
    return result;
}

static bool is_error(const struct reply *reply, const char *name)
{
    return reply->error.name && strcmp(reply->error.name, name) == 0;
}

/* ---- jobs -------------------------------------------------------------------------------------------- */

/* JobRemoved (id, job, unit, result). */
static int on_job_removed(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct systemd_bus *bus = context;
    const char *job = NULL, *unit = NULL, *result = NULL;
    uint32_t id;

    (void)error;
    if (bus->library.sd_bus_message_read_basic(message, 'u', &id) > 0 &&
        bus->library.sd_bus_message_read_basic(message, 'o', &job) > 0 &&
        bus->library.sd_bus_message_read_basic(message, 's', &unit) > 0 &&
        bus->library.sd_bus_message_read_basic(message, 's', &result) > 0 && bus->job && !bus->result &&
        strcmp(bus->job, job) == 0)
        bus->result = memory_string(result);
    return 0;
}

/* Before the job is made: its end must not be missed. */
static int watch_jobs(struct systemd_bus *bus, struct error *err)
{
    int result = bus->library.sd_bus_match_signal(bus->bus, NULL, SERVICE, OBJECT_PATH, MANAGER, "JobRemoved",
                                                  on_job_removed, bus);

    return result < 0 ? systemd_fail(err, result, "watch systemd's jobs") : 0;
}

static int64_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int wait_for_job(struct systemd_bus *bus, const struct reply *reply, const char *what,
                        struct error *err)
{
    const char *job = NULL;
    int64_t end = seconds_now() + JOB_TIMEOUT;
    int result = bus->library.sd_bus_message_read_basic(reply->message, 'o', &job);

    if (result < 0)
        return systemd_fail(err, result, what);
    free(bus->job);
    free(bus->result);
    bus->job = memory_string(job);
    bus->result = NULL;
    while (!bus->result) {
        result = bus->library.sd_bus_process(bus->bus, NULL);
        if (result == 0)
            result = bus->library.sd_bus_wait(bus->bus, 1000000);
        if (result < 0 && result != -EINTR)
            return systemd_fail(err, result, what);
        if (seconds_now() > end)
            return fail(err, ETIMEDOUT, "%s: systemd is not done after %d seconds", what, JOB_TIMEOUT);
    }
    if (strcmp(bus->result, "done") != 0)
        return fail(err, EIO, "%s: the job ended as '%s'", what, bus->result);
    return 0;
}

/* ---- starting ---------------------------------------------------------------------------------------- */

struct start {
    const char *unit;
    const struct unit_properties *properties;
    pid_t pid;
    int pidfd;          /* or -1: by number */
    bool without_extra; /* leave out what is optional */
};

static int fill_start(struct systemd_bus *bus, const struct start *start, sd_bus_message *message,
                      struct error *err)
{
    const struct systemd_library *library = &bus->library;
    int result = library->sd_bus_message_append_basic(message, 's', start->unit);

    if (result >= 0)
        result = library->sd_bus_message_append_basic(message, 's', "fail");
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'a', "(sv)");
    for (size_t i = 0; result >= 0 && i < start->properties->count; i++) {
        const struct unit_property *row = &start->properties->items[i];

        if (!(row->optional && start->without_extra) &&
            systemd_message_add(library, message, row, row->value, err) < 0)
            return -1;
    }
    if (result >= 0)
        result = systemd_message_add_process(library, message, start->pid, start->pidfd);
    if (result >= 0)
        result = library->sd_bus_message_close_container(message);
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'a', "(sa(sv))"); /* no auxiliary units */
    if (result >= 0)
        result = library->sd_bus_message_close_container(message);
    return result < 0 ? systemd_fail(err, result, "StartTransientUnit") : 0;
}

/* Returns 0, or -1 with err; *reply says more when systemd answered. */
static int try_start(struct systemd_bus *bus, const struct start *start, struct reply *reply,
                     struct error *err)
{
    sd_bus_message *message = NULL;
    int result = new_call(bus, "StartTransientUnit", &message, err);

    if (result == 0)
        result = fill_start(bus, start, message, err);
    if (result == 0) {
        result = bus->library.sd_bus_call(bus->bus, message, CALL_TIMEOUT, &reply->error, &reply->message);
        if (result < 0)
            fail_reply(err, reply, result, start->unit);
    }
    bus->library.sd_bus_message_unref(message);
    return result < 0 ? -1 : 0;
}

static bool is_first_pid_namespace(void)
{
    struct stat status;

    return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PID_NAMESPACE;
}

static bool names(const struct reply *reply, const char *property)
{
    return reply->error.message && strstr(reply->error.message, property);
}

static bool is_about_properties(const struct reply *reply)
{
    return is_error(reply, SD_BUS_ERROR_PROPERTY_READ_ONLY) || is_error(reply, SD_BUS_ERROR_INVALID_ARGS) ||
           is_error(reply, SD_BUS_ERROR_UNKNOWN_PROPERTY);
}

/* What to do differently after an answer; false: nothing, it is final. */
static bool amend(struct systemd_bus *bus, const struct reply *answer, struct start *start, bool *cleared)
{
    if (is_error(answer, "org.freedesktop.systemd1.UnitExists") && !*cleared) {
        auto_reply struct reply ignored = { .library = &bus->library };

        *cleared = true;
        call_with_strings(bus, "ResetFailedUnit", start->unit, NULL, &ignored);
        return true;
    }
    if (!is_about_properties(answer))
        return false;
    if (names(answer, "PIDFDs") && start->pidfd >= 0 && is_first_pid_namespace()) {
        start->pidfd = -1;
        return true;
    }
    if (!start->without_extra && !names(answer, "PIDFDs")) {
        start->without_extra = true;
        return true;
    }
    return false;
}

/* systemd does not always say which property it dislikes; ours are right. */
static int name_annotations(const struct unit_properties *properties, struct error *err)
{
    for (size_t i = 0; i < properties->count; i++)
        if (strncmp(properties->items[i].property, "annotations.", strlen("annotations.")) == 0)
            fail_hint(err, "with %s %s", properties->items[i].property, properties->items[i].value);
    return -1;
}

int systemd_bus_start(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                      pid_t pid, int pidfd, struct error *err)
{
    struct start start = { .unit = unit, .properties = properties, .pid = pid, .pidfd = pidfd };
    bool cleared = false;

    if (watch_jobs(bus, err) < 0)
        return -1;
    for (;;) {
        auto_reply struct reply reply = { .library = &bus->library };

        if (try_start(bus, &start, &reply, err) == 0) {
            if (wait_for_job(bus, &reply, unit, err) == 0)
                return 0;
            systemd_bus_stop(bus, unit, &(struct error){ 0 }); /* it is ours by now */
            return -1;
        }
        if (!amend(bus, &reply, &start, &cleared))
            return name_annotations(properties, err);
    }
}

/* ---- stopping, changing ------------------------------------------------------------------------------ */

static bool is_gone(const struct reply *reply)
{
    return is_error(reply, "org.freedesktop.systemd1.NoSuchUnit");
}

int systemd_bus_stop(struct systemd_bus *bus, const char *unit, struct error *err)
{
    auto_reply struct reply stopped = { .library = &bus->library }, reset = { .library = &bus->library };
    int result;

    if (!bus->job && watch_jobs(bus, err) < 0)
        return -1;
    result = call_with_strings(bus, "StopUnit", unit, "replace", &stopped);
    if (result < 0 && !is_gone(&stopped))
        return fail_reply(err, &stopped, result, unit);
    if (result >= 0 && wait_for_job(bus, &stopped, unit, err) < 0)
        return -1;
    (void)call_with_strings(bus, "ResetFailedUnit", unit, NULL,
                            &reset); /* which fails where nothing had failed */
    return 0;
}

static int fill_set(struct systemd_bus *bus, const char *unit, const struct unit_property *row,
                    sd_bus_message *message, struct error *err)
{
    const struct systemd_library *library = &bus->library;
    int result = library->sd_bus_message_append_basic(message, 's', unit), runtime = 1;
    /* "@a(ss) [('/dev/null', 'rw')]" without what is in it */
    auto_free char *empty =
        row->list ? memory_format("%.*s]", (int)strcspn(row->value, "[") + 1, row->value) : NULL;

    if (result >= 0)
        result = library->sd_bus_message_append_basic(message, 'b', &runtime);
    if (result >= 0)
        result = library->sd_bus_message_open_container(message, 'a', "(sv)");
    if (result >= 0 && empty && systemd_message_add(library, message, row, empty, err) < 0)
        return -1;
    if (result >= 0 && systemd_message_add(library, message, row, row->value, err) < 0)
        return -1;
    if (result >= 0)
        result = library->sd_bus_message_close_container(message);
    return result < 0 ? systemd_fail(err, result, "SetUnitProperties") : 0;
}

static int set_one(struct systemd_bus *bus, const char *unit, const struct unit_property *row,
                   struct error *err)
{
    auto_reply struct reply reply = { .library = &bus->library };
    sd_bus_message *message = NULL;
    int result = new_call(bus, "SetUnitProperties", &message, err);

    if (result == 0)
        result = fill_set(bus, unit, row, message, err);
    if (result == 0) {
        result = bus->library.sd_bus_call(bus->bus, message, CALL_TIMEOUT, &reply.error, &reply.message);
        if (result < 0 && row->optional && is_about_properties(&reply))
            result = 0;
        else if (result < 0)
            fail_reply(err, &reply, result, row->property[0] ? row->property : row->name);
    }
    bus->library.sd_bus_message_unref(message);
    return result < 0 ? -1 : 0;
}

/* One at a time: one that systemd does not know would take the others down with it. */
int systemd_bus_set(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                    struct error *err)
{
    for (size_t i = 0; i < properties->count; i++)
        if (set_one(bus, unit, &properties->items[i], err) < 0)
            return fail_in(err, "%s", unit);
    return 0;
}
