/* A machine that runs seccomp programs, so that tests can ask what a filter does without loading it. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine_call {
    uint32_t arch; /* AUDIT_ARCH_x */
    uint32_t number;
    uint64_t args[6];
};

/* The value the program returns. Fails the test when the kernel would refuse the program. */
uint32_t machine_run(const struct sock_fprog *program, const struct machine_call *call);

/* How many instructions the last machine_run() took. */
extern size_t machine_steps;
