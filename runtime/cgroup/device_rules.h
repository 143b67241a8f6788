/*
 * Which devices a container may use: linux.resources.devices and our defaults as one list in which the last
 * match wins, for every access bit by itself. Pure; devices_v1.h and devices_v2.h bring it to the kernel.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_ANY -1

enum device_access { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 }; /* the kernel's BPF_DEVCG_ACC_* */
#define DEVICE_ACCESS_ALL (DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE)

struct device_rule {
    bool allow;
    char type;            /* 'c' or 'b' */
    int64_t major, minor; /* or DEVICE_ANY */
    unsigned access;      /* of enum device_access */
    long index;           /* in linux.resources.devices, or DEVICE_RULE_DEFAULT */
};
#define DEVICE_RULE_DEFAULT -1

struct device_rules {
    bool allow; /* what no rule matches */
    struct device_rule *items;
    size_t count;
};

/* `resources` may be NULL: then there are the defaults alone. */
int device_rules_make(const struct oci_resources *resources, struct device_rules *rules, struct error *err);
void device_rules_free(struct device_rules *rules);

/* Nothing is denied: no rule has to reach the kernel for a new cgroup. */
bool device_rules_allow_all(const struct device_rules *rules);

/* "c 1:3 rw", as v1 writes it. */
struct device_rule_text {
    char text[64];
};
struct device_rule_text device_rule_text(const struct device_rule *rule);
