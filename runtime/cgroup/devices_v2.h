/*
 * Device rules for cgroup v2: a BPF program that the kernel runs at every mknod and open of a device.
 * devices_v2_program() is pure; unit tests run its result through an interpreter.
 */
#pragma once

#include "cgroup/device_rules.h"

#include <linux/bpf.h>

struct device_program {
    struct bpf_insn *instructions;
    size_t count;
};

struct device_program devices_v2_program(const struct device_rules *rules);

/* Loads the program and makes it the only one of the cgroup. ENOTSUP/EPERM: the kernel has none, or we may
 * not. */
int devices_v2_apply(int cgroup_fd, const struct device_rules *rules, struct error *err);
