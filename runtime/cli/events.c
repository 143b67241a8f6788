/*
 * aril events: statistics of a container, once or again and again, and its OOM kills as they happen (contract
 * G6, O6). One JSON object a line; the stream ends with the container.
 */
#include "cli/commands.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/process_info.h"
#include "cgroup/stats.h"
#include "launch/lifecycle.h"
#include "oci-specs/config.h"
#include "resctrl/resctrl.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_INTERVAL "5s"
#define LONGEST_INTERVAL INT_MAX /* ms: what poll(2) can wait */
#define AFTER_OOM 50             /* ms until the kill that was announced is counted */

struct events_options {
    bool stats;
    const char *interval;
};

static const struct option_row options[] = {
    { "stats", 0, OPTION_FLAG, offsetof(struct events_options, stats), NULL, "print the statistics once" },
    { "interval", 0, OPTION_STRING, offsetof(struct events_options, interval), "TIME",
      "time between statistics, like 500ms, 5s, 1m (default: " DEFAULT_INTERVAL ")" },
    { 0 },
};

/* A duration as Go writes it, "1m30s", in milliseconds. */
static int64_t parse_duration(const char *text, struct error *err)
{
    static const struct {
        const char *unit;
        double milliseconds;
    } units[] = { { "ms", 1 },     { "s", 1000 },        { "m", 60000 },    { "h", 3600000 },
                  { "us", 0.001 }, { "\u00b5s", 0.001 }, { "ns", 0.000001 } };
    const char *position = text;
    double total = 0;

    while ((*position >= '0' && *position <= '9') || *position == '.') {
        char *end;
        double number = strtod(position, &end);
        size_t length = strcspn(end, "0123456789."), i = 0;

        while (i < array_length(units) &&
               (strlen(units[i].unit) != length || strncmp(units[i].unit, end, length) != 0))
            i++;
        if (end == position || i == array_length(units))
            break;
        total += number * units[i].milliseconds;
        position = end + length;
    }
    if (*position || position == text)
        return fail(err, EINVAL, "--interval: '%s' is not a time like 5s", text);
    if (!(total > 0))
        return fail(err, EINVAL, "duration interval must be greater than 0");
    return total < 1 ? 1 : total > LONGEST_INTERVAL ? LONGEST_INTERVAL : (int64_t)total;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* "{}" where the kernel has no resctrl, or the container no class. */
static int read_intel_rdt(const struct container *container, struct buffer *out, struct error *err)
{
    struct resctrl resctrl;
    struct resctrl_plan plan = { 0 };
    struct oci_config *config;
    int result = -1;

    if (resctrl_open(&resctrl, &(struct error){ 0 }) < 0) {
        buffer_add_string(out, "{}");
        return 0;
    }
    config = oci_config_read_at(container->fd, "config.json", err);
    if (config && resctrl_plan_make(config, container->id, &plan, err) == 0) {
        resctrl_stats(&plan, &resctrl, out);
        result = 0;
    }
    resctrl_close(&resctrl);
    resctrl_plan_free(&plan);
    oci_config_free(config);
    return result;
}

static int print_stats(const struct container *container, struct error *err)
{
    auto_buffer struct buffer json = { 0 }, intel_rdt = { 0 };

    if (read_intel_rdt(container, &intel_rdt, err) < 0 ||
        cgroup_stats(container->status->cgroup, container->id, intel_rdt.data, &json, err) < 0)
        return -1;
    return cli_print_buffer(&json, err);
}

/* One event for every process that was killed since. */
static int print_oom_kills(const struct container *container, uint64_t *seen, struct error *err)
{
    auto_buffer struct buffer json = { 0 };
    uint64_t kills = cgroup_oom_kills(container->status->cgroup);

    if (kills <= *seen)
        return 0;
    for (; *seen < kills; ++*seen)
        buffer_add_format(&json, "{\"type\":\"oom\",\"id\":\"%s\"}\n", container->id);
    return cli_print_buffer(&json, err);
}

static void drain(int fd)
{
    char events[4096];

    while (read(fd, events, sizeof events) > 0)
        ;
}

/* Returns the milliseconds until the next look, -1 at the end of the container. */
static int wait_for_event(int pidfd, int oom, int64_t until)
{
    struct pollfd waiting[] = { { .fd = pidfd, .events = POLLIN }, { .fd = oom, .events = POLLIN } };
    int64_t left = until - now();
    int ready = poll(waiting, 2, left < 0 ? 0 : (int)left);

    if (ready > 0 && waiting[1].revents) {
        drain(oom);
        poll(waiting, 1, AFTER_OOM);
    }
    return waiting[0].revents ? -1 : 0;
}

static int stream(const struct container *container, int pidfd, int64_t interval, struct error *err)
{
    auto_close int oom = cgroup_oom_watch(container->status->cgroup);
    uint64_t seen = cgroup_oom_kills(container->status->cgroup);
    int64_t next = now() + interval;

    for (;;) {
        int ended = wait_for_event(pidfd, oom, next);

        if (print_oom_kills(container, &seen, err) < 0)
            return -1;
        if (ended < 0)
            return 0;
        if (now() < next)
            continue;
        if (print_stats(container, err) < 0)
            return -1;
        next += interval;
    }
}

static int print_events(struct container *container, const struct invocation *invocation, struct error *err)
{
    const struct events_options *chosen = invocation->options;
    const struct container_status *status = container->status;
    int64_t interval = parse_duration(chosen->interval ? chosen->interval : DEFAULT_INTERVAL, err);
    auto_close int pidfd = -1;

    if (interval < 0)
        return -1;
    if (status->pid > 0)
        pidfd = process_open(status->pid, status->pid_start_time);
    if (pidfd < 0)
        return fail(err, ESRCH, "container not running: %s",
                    container_state_name(container_state(container)));
    if (!container_has_cgroup(container))
        return fail(err, ENOTSUP, "the container has no cgroup: disabled, or its user may not make one");
    return chosen->stats ? print_stats(container, err) : stream(container, pidfd, interval, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    return cli_with_container(invocation, false, print_events, err);
}

const struct command command_events = {
    .name = "events",
    .summary = "Print statistics and out-of-memory events of a container",
    .arguments = "ID",
    .options = options,
    .options_size = sizeof(struct events_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
