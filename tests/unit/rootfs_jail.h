/*
 * A place where mounts can be made for real: a child in new namespaces with a tmpfs of its own as bundle.
 * Everything ends with the child. Tests skip when they are not run by root.
 */
#pragma once

#include "base/error.h"
#include "rootfs/plan.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

struct jail {
    char directory[64]; /* the bundle; DIRECTORY/rootfs has proc, dev, sys, etc and tmp */
    struct oci_config *config;
    struct rootfs_plan *plan;
    struct error err;
    int host_proc; /* for /proc/self after the root has changed */
    int report;    /* where a failed check goes */
};

/* Runs `body` in a child that is pid 1 of new namespaces (CLONE_NEW* flags; the mount namespace always). */
void jail_run(unsigned long flags, void (*body)(struct jail *jail));

/* In the child. */
void jail_fail(struct jail *jail, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));
void jail_config(struct jail *jail, const char *json); /* config.json with ' for ", %s nothing */
void jail_plan(struct jail *jail);
bool jail_plan_ok(struct jail *jail); /* false: err is filled */
void jail_apply(struct jail *jail);   /* prepare, mounts, devices, pivot, finish: each must succeed */
int jail_try(struct jail *jail);      /* the same until something fails: -1 and err */
void jail_write(struct jail *jail, const char *path, const char *content); /* a host file */
char *jail_read(struct jail *jail, const char *path);                      /* owned; "" when there is none */

/* The line of /proc/self/mountinfo of the last mount on `path`, owned, or "". */
char *jail_mountinfo(struct jail *jail, const char *path);

#define DEV "{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','mode=755']}"
#define PROC "{'destination':'/proc','type':'proc','source':'proc'}"

/* A configuration with new mount, pid and network namespaces: its mounts, and the rest of the linux object.
 */
void jail_linux(struct jail *jail, const char *mounts, const char *more);

/* On the host, below the bundle. */
char *jail_host_path(const struct jail *jail, const char *path);
void jail_symlink(struct jail *jail, const char *target, const char *path);
void jail_mkdir(struct jail *jail, const char *path);
size_t jail_count_mounts(struct jail *jail);

/* The body as the host: everything shared, with mounts "volume", "rootfs" and "rootfs/sub"; and a container
 * that is its child. */
void jail_share_everything(struct jail *jail);
void jail_container(struct jail *jail, unsigned long flags, void (*body)(struct jail *jail));

mode_t mode_of(const char *path); /* 0: there is nothing */
void check_link(struct jail *jail, const char *path, const char *target);
void check_file(struct jail *jail, const char *path, const char *content);
void check_mount(struct jail *jail, const char *path, const char *options,
                 const char *type); /* parts of mountinfo */
void check_no_mount(struct jail *jail, const char *path);
void check_device(struct jail *jail, const char *path, mode_t mode, unsigned major_number,
                  unsigned minor_number);
void check_error(struct jail *jail, const char *part); /* applying it fails with this in the text */

#define JAIL_TEST(suite, name, flags)                                                                        \
    static void name##_body(struct jail *jail);                                                              \
    Test(suite, name)                                                                                        \
    {                                                                                                        \
        jail_run(flags, name##_body);                                                                        \
    }                                                                                                        \
    static void name##_body(struct jail *jail)

#define check(jail, condition)                                                                               \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            jail_fail(jail, __FILE__, __LINE__, "%s (%s; errno %d)", #condition, (jail)->err.text, errno);   \
    } while (0)
#define check_contains(jail, text, part)                                                                     \
    do {                                                                                                     \
        if (!strstr(text, part))                                                                             \
            jail_fail(jail, __FILE__, __LINE__, "'%s' has no '%s'", text, part);                             \
    } while (0)
#define check_equal(jail, text, expected)                                                                    \
    do {                                                                                                     \
        if (strcmp(text, expected) != 0)                                                                     \
            jail_fail(jail, __FILE__, __LINE__, "'%s' is not '%s'", text, expected);                         \
    } while (0)
