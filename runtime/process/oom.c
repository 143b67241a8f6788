/* process.oomScoreAdj (item 66): absent leaves the score alone, 0 sets it to 0. Writes through a verified
 * procfs only. */
#include "process/process.h"

#include "base/file.h"

#include <stdio.h>

int process_apply_oom_score(const struct process_plan *plan, int procfs, struct error *err)
{
    char text[16];

    if (!plan->process->has_oom_score_adj)
        return 0;
    snprintf(text, sizeof text, "%d", (int)plan->process->oom_score_adj);
    if (file_write_string_at(procfs, "self/oom_score_adj", text) == 0)
        return 0;
    fail_errno(err, "%s.oomScoreAdj: write %s to /proc/self/oom_score_adj", plan->what, text);
    if (err->code == EACCES)
        fail_hint(err, "lowering it needs CAP_SYS_RESOURCE on the host");
    return -1;
}
