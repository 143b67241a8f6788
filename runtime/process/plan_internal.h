/* The parts of process_plan_make(), each in the file that applies it. Only for runtime/process. */
#pragma once

#include "process/process.h"

int process_plan_env(struct process_plan *plan, struct error *err);
int process_plan_rlimits(struct process_plan *plan, struct error *err);
int process_plan_scheduler(struct process_plan *plan, struct error *err);
