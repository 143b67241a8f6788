/* process.oomScoreAdj (item 66): absent leaves the score alone, 0 sets it to 0. Writes through a verified
 * procfs only. */
#include "process/process.h"

#include "base/file.h"

#include <stdio.h>

static int write_score(const struct process_plan *plan, int procfs, const char *path, struct error *err)
{
    char text[16];

    if (!plan->process->has_oom_score_adj)
        return 0;
    snprintf(text, sizeof text, "%d", (int)plan->process->oom_score_adj);
    if (file_write_string_at(procfs, path, text) == 0)
        return 0;
    fail_errno(err, "%s.oomScoreAdj: write %s to /proc/%s", plan->what, text, path);
    if (err->code == EACCES)
        fail_hint(err, "lowering it needs CAP_SYS_RESOURCE on the host");
    return -1;
}

int process_apply_oom_score(const struct process_plan *plan, int procfs, struct error *err)
{
    return write_score(plan, procfs, "self/oom_score_adj", err);
}

int process_apply_oom_score_of(const struct process_plan *plan, int procfs, pid_t pid, struct error *err)
{
    char path[48];

    snprintf(path, sizeof path, "%d/oom_score_adj", (int)pid);
    return write_score(plan, procfs, path, err);
}
