/*
 * The companion program: see base/companion.h. A table of requests, each carried out by the code that loads a
 * shared library for it. An error goes to standard output as "CODE TEXT", with exit status 1.
 */
#include "base/companion.h"

#include "base/memory.h"
#include "cgroup/systemd_bus.h"
#include "cgroup/systemd_words.h"
#include "rootfs/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct systemd_bus *open_bus(char **words, struct error *err)
{
    return systemd_bus_open(strcmp(words[0], SYSTEMD_WORD_USER) == 0, err);
}

/* MANAGER UNIT PID PIDFD PROPERTY… */
static int start(char **words, struct error *err)
{
    struct unit_properties properties = { 0 }; /* never freed: the process is short */
    struct systemd_bus *bus = open_bus(words, err);
    int result = bus ? systemd_words_read((const char *const *)words + 4, &properties, err) : -1;

    if (result == 0)
        result = systemd_bus_start(bus, words[1], &properties, atoi(words[2]), atoi(words[3]), err);
    systemd_bus_close(bus);
    return result;
}

/* MANAGER UNIT */
static int stop(char **words, struct error *err)
{
    struct systemd_bus *bus = open_bus(words, err);
    int result = bus ? systemd_bus_stop(bus, words[1], err) : -1;

    systemd_bus_close(bus);
    return result;
}

/* MANAGER UNIT PROPERTY… */
static int set(char **words, struct error *err)
{
    struct unit_properties properties = { 0 }; /* never freed: the process is short */
    struct systemd_bus *bus = open_bus(words, err);
    int result = bus ? systemd_words_read((const char *const *)words + 2, &properties, err) : -1;

    if (result == 0)
        result = systemd_bus_set(bus, words[1], &properties, err);
    systemd_bus_close(bus);
    return result;
}

/* KEY NUL, then "=VALUE" NUL or NUL */
static int print_pair(void *context, const char *key, const char *value, struct error *err)
{
    (void)context;
    (void)err;
    printf("%s%c%s%s%c", key, '\0', value ? "=" : "", value ? value : "", '\0');
    return 0;
}

/* ELEMENT */
static int split(char **words, struct error *err)
{
    return option_split(words[0], print_pair, NULL, err);
}

static const struct request {
    const char *name;
    int words;
    int (*run)(char **words, struct error *err);
} requests[] = {
    { "systemd-start", 4, start },
    { "systemd-stop", 2, stop },
    { "systemd-set", 2, set },
    { "split-options", 1, split },
};

static int run(int argc, char **argv, struct error *err)
{
    for (size_t i = 0; argc > 0 && i < array_length(requests); i++)
        if (strcmp(argv[0], requests[i].name) == 0 && argc > requests[i].words)
            return requests[i].run(argv + 1, err);
    return fail(err, EINVAL, "aril's companion: runs for aril only");
}

int main(int argc, char **argv)
{
    struct error err;

    if (run(argc, argv, &err) == 0)
        return fflush(stdout) == 0 ? 0 : 2;
    printf("%d %s", err.code, err.text);
    return 1;
}
