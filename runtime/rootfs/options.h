/*
 * The mount options of config.json, sorted out: which flags, which file-system data. Pure, except that an
 * element with a comma or a quote in it is split by libmount, which is loaded only then.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_special {
    OPTION_BIND = 1 << 0,
    OPTION_RECURSIVE = 1 << 1, /* rbind */
    OPTION_REMOUNT = 1 << 2,
    OPTION_IDMAP = 1 << 3,
    OPTION_IDMAP_RECURSIVE = 1 << 4, /* ridmap */
    OPTION_COPY_UP = 1 << 5,         /* tmpcopyup */
    OPTION_COPY_SYMLINK = 1 << 6,    /* a source that is a link becomes the same link */
    OPTION_SOURCE_NOFOLLOW = 1 << 7, /* a source that is a link is mounted itself */
    OPTION_DEST_NOFOLLOW = 1 << 8,   /* a destination that is a link is mounted over */
    OPTION_SOURCE_NO_LINKS = 1 << 10, /* a source that is reached through a link is an error */
    OPTION_RELABEL = 1 << 9,         /* z, Z: SELinux relabelling, which is the engine's job */
};

struct option_attributes { /* for mount_setattr(2): MOUNT_ATTR_* bits */
    uint64_t set;
    uint64_t clear;
};

struct option_data { /* for the file system: KEY or KEY=VALUE */
    char *key;
    char *value; /* NULL: a flag */
};

struct mount_options {
    unsigned special; /* enum option_special */
    struct option_attributes attributes;
    struct option_attributes recursive;
    unsigned long super_set; /* MS_* */
    unsigned long super_clear;
    unsigned long *propagation; /* MS_SHARED, … with or without MS_REC, in the order given */
    size_t propagation_count;
    struct option_data *data;
    size_t data_count;
    char *idmap; /* what follows "idmap=" or "ridmap=", or NULL */
};

/* Adds every option of the array. Errors name the option; the caller adds where it stood. */
int mount_options_parse(const struct strings *strings, struct mount_options *options, struct error *err);
void mount_options_free(struct mount_options *options);

/* The value of a data option; NULL when absent, "" when it is a flag. */
const char *mount_options_data_get(const struct mount_options *options, const char *key);
void mount_options_data_add(struct mount_options *options, const char *key, const char *value);

/* The MOUNT_ATTR_* bits of a mount that starts without any: plain options, then the recursive ones. */
uint64_t mount_options_attributes(const struct mount_options *options);

/*
 * Calls `each` for every piece of an element such as `context="a,b",size=1m`, as libmount splits it. The
 * value is NULL for a flag; quotes around it are removed. Stops at the first -1.
 */
int option_split(const char *element,
                 int (*each)(void *context, const char *key, const char *value, struct error *err),
                 void *context, struct error *err);
