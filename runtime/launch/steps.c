/* Runs step tables: see steps.h. */
#include "launch/steps.h"

#include "base/log.h"

void steps_undo(const struct step *steps, size_t count, struct launch *launch)
{
    while (count-- > 0) {
        if (!steps[count].undo)
            continue;
        log_debug("undo: %s", steps[count].name);
        steps[count].undo(launch);
    }
}

int steps_run(const struct step *steps, size_t count, struct launch *launch, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        log_debug("step: %s", steps[i].name);
        if (!steps[i].run || steps[i].run(launch, err) == 0)
            continue;
        steps_undo(steps, i, launch);
        return -1;
    }
    return 0;
}
