/*
 * Every process of a launch runs a table of named steps. The table is the documentation of the order: where
 * the order is a law of the kernel or of the specification, the row says so. When a step fails, the undo
 * functions of the steps before it run backwards, so a failed launch leaves nothing.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>

struct launch;

struct step {
    const char *name;                                     /* for the debug log */
    int (*run)(struct launch *launch, struct error *err); /* NULL: undo only */
    void (*undo)(struct launch *launch);                  /* NULL: nothing to undo */
};

/* Runs all of them; on failure undoes what was done (also what the failed step may have half done) and
 * returns -1. */
int steps_run(const struct step *steps, size_t count, struct launch *launch, struct error *err);

/* The undo column alone, backwards. */
void steps_undo(const struct step *steps, size_t count, struct launch *launch);
