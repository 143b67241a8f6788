/*
 * The conversation with systemd where aril is static: the companion has it (base/companion.h), one connection
 * for each request. Runs in the runtime, instead of systemd_bus.c.
 */
#include "cgroup/systemd_bus.h"

#include "base/cleanup.h"
#include "base/companion.h"
#include "base/memory.h"
#include "cgroup/systemd_words.h"

#include <stdio.h>
#include <stdlib.h>

struct systemd_bus {
    const char *manager;
};

struct systemd_bus *systemd_bus_open(bool user, struct error *err)
{
    struct systemd_bus *bus = memory_new(sizeof *bus);

    (void)err;
    bus->manager = user ? SYSTEMD_WORD_USER : SYSTEMD_WORD_SYSTEM;
    return bus;
}

void systemd_bus_close(struct systemd_bus *bus)
{
    free(bus);
}

struct words {
    const char **items;
    size_t count;
};

static void add(struct words *words, const char *word)
{
    *array_grow(words->items, words->count) = word;
}

/* Takes the words. */
static int ask(struct words *words, int fd, struct error *err)
{
    auto_free char *answer = NULL;
    size_t length;
    int result;

    add(words, NULL);
    result = companion_run(words->items, fd, &answer, &length, err);
    free(words->items);
    return result;
}

int systemd_bus_start(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                      pid_t pid, int pidfd, struct error *err)
{
    char pid_word[16], pidfd_word[16];
    struct words words = { 0 };

    snprintf(pid_word, sizeof pid_word, "%d", (int)pid);
    snprintf(pidfd_word, sizeof pidfd_word, "%d", pidfd >= 0 ? COMPANION_FD : -1);
    add(&words, "systemd-start");
    add(&words, bus->manager);
    add(&words, unit);
    add(&words, pid_word);
    add(&words, pidfd_word);
    systemd_words_add(properties, &words.items, &words.count);
    return ask(&words, pidfd, err);
}

int systemd_bus_stop(struct systemd_bus *bus, const char *unit, struct error *err)
{
    struct words words = { 0 };

    add(&words, "systemd-stop");
    add(&words, bus->manager);
    add(&words, unit);
    return ask(&words, -1, err);
}

int systemd_bus_set(struct systemd_bus *bus, const char *unit, const struct unit_properties *properties,
                    struct error *err)
{
    struct words words = { 0 };

    add(&words, "systemd-set");
    add(&words, bus->manager);
    add(&words, unit);
    systemd_words_add(properties, &words.items, &words.count);
    return ask(&words, -1, err);
}
