/*
 * Pausing a cgroup: see cgroup.h. v1 has a hierarchy for it, v2 a file in every cgroup. Both answer at once
 * and freeze later, so the state is awaited.
 */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/freezer.h"
#include "cgroup/location.h"
#include "cgroup/wait.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct freezer {
    const char *file, *frozen, *thawed;
};

static const struct freezer versions[] = {
    { "freezer.state", "FROZEN", "THAWED" },
    { "cgroup.freeze", "1", "0" },
};

static int open_freezer(const struct cgroup_location *location, const struct freezer **freezer)
{
    for (size_t i = 0; i < 2; i++) {
        int fd = cgroup_location_open_with(location, versions[i].file);

        *freezer = &versions[i];
        if (fd >= 0)
            return fd;
    }
    return -1;
}

/* v1's file says FREEZING on the way; v2's repeats what was asked, and cgroup.events what is. */
static bool is_reached(int fd, const struct freezer *freezer, bool frozen)
{
    auto_free char *state = NULL;
    struct error ignored = { 0 };

    if (freezer == &versions[0]) {
        state = cgroup_file_read(fd, freezer->file);
        return state && strcmp(state, frozen ? freezer->frozen : freezer->thawed) == 0;
    }
    if (file_read_at(fd, "cgroup.events", 4096, &state, NULL, &ignored) < 0)
        return false;
    return strstr(state, frozen ? "frozen 1" : "frozen 0");
}

static int write_state(int fd, const struct freezer *freezer, bool frozen)
{
    return file_write_string_at(fd, freezer->file, frozen ? freezer->frozen : freezer->thawed);
}

/* A task that forks can slip past v1's pass over the cgroup: writing FROZEN again goes over it again. */
int cgroup_freezer_set(const struct cgroup_location *location, bool frozen, unsigned patience_limit,
                       struct error *err)
{
    const struct freezer *freezer;
    auto_close int fd = open_freezer(location, &freezer);
    const char *verb = frozen ? "freeze" : "thaw";
    struct patience patience = { .limit = patience_limit };

    if (fd < 0)
        return fail(err, ENOTSUP, "%s: the container has no cgroup with a freezer", verb);
    do {
        if (write_state(fd, freezer, frozen) < 0)
            return fail_errno(err, "%s: write %s", verb, freezer->file);
        if (is_reached(fd, freezer, frozen))
            return 0;
    } while (patience_wait(&patience));
    if (frozen)
        write_state(fd, freezer, false);
    return fail(err, ETIMEDOUT, "%s: not all processes did so in time", verb);
}

int cgroup_freeze(const struct cgroup_location *location, bool frozen, struct error *err)
{
    return cgroup_freezer_set(location, frozen, PATIENCE_LONG, err);
}

bool cgroup_is_frozen(const struct cgroup_location *location)
{
    const struct freezer *freezer;
    auto_close int fd = open_freezer(location, &freezer);
    auto_free char *state = fd < 0 ? NULL : cgroup_file_read(fd, freezer->file);

    return state && strcmp(state, freezer->thawed) != 0;
}
