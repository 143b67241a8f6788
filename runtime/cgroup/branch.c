/*
 * A cgroup below the container's for one exec'd process: see cgroup.h. One hierarchy is enough to find all
 * that came from it, whatever session or parent it has by now: the one that can freeze, where killing is
 * certain.
 */
#include "cgroup/cgroup.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "cgroup/location.h"
#include "oci-specs/edit.h"
#include "oci-specs/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool can_freeze(int fd)
{
    return faccessat(fd, "cgroup.freeze", F_OK, 0) == 0 || faccessat(fd, "freezer.state", F_OK, 0) == 0;
}

static void make_name(char *name, size_t size)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        number = (uint32_t)getpid();
    snprintf(name, size, "exec-%08x", (unsigned)number);
}

/* The index of the hierarchy, its new directory in *path; or -1 with errno. */
static int make_directory(const struct cgroup_location *location, char **path)
{
    char name[16];

    make_name(name, sizeof name);
    errno = ENOENT;
    for (size_t i = 0; location && i < location->created.count; i++) {
        auto_close int fd = cgroup_location_open(location->created.items[i]);

        if (fd < 0 || !can_freeze(fd))
            continue;
        if (mkdirat(fd, name, 0755) < 0)
            return -1;
        *path = memory_format("%s/%s", location->created.items[i], name);
        return (int)i;
    }
    return -1;
}

int cgroup_branch_make(const struct cgroup_location *location, struct cgroup_branch *branch)
{
    auto_free char *path = NULL;
    int index = make_directory(location, &path);

    *branch = (struct cgroup_branch){ 0 };
    if (index < 0)
        return -1;
    branch->own = memory_new(sizeof *branch->own);
    strings_add(&branch->own->created, path);
    branch->joined = schema_copy(&cgroup_location_schema, location);
    free(branch->joined->created.items[index]);
    branch->joined->created.items[index] = take_ptr(path);
    return 0;
}

/* Back to where they would be without us. */
static void empty(const struct cgroup_location *own)
{
    auto_free char *parent = memory_string(own->created.items[0]);
    const struct cgroup_location above = { .created = { .items = &parent, .count = 1 } };
    auto_free pid_t *pids = NULL;
    struct error ignored;
    size_t count = 0;

    *strrchr(parent, '/') = '\0';
    if (cgroup_pids(own, &pids, &count, &ignored) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        cgroup_attach(&above, pids[i], &ignored); /* one that has just ended */
}

void cgroup_branch_end(struct cgroup_branch *branch, bool kill)
{
    struct error err;

    if (branch->own && kill && cgroup_destroy(branch->own, &err) < 0)
        log_warning("%s", err.text);
    /* What forks meanwhile stays in it, and it stays until the container is deleted. */
    if (branch->own && !kill && rmdir(branch->own->created.items[0]) < 0) {
        empty(branch->own);
        rmdir(branch->own->created.items[0]);
    }
    schema_free(&cgroup_location_schema, branch->own);
    schema_free(&cgroup_location_schema, branch->joined);
    *branch = (struct cgroup_branch){ 0 };
}
