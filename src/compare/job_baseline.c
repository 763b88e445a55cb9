/* job_baseline.c - another architecture, on one modality or on all. */
#include "compare/job.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_job_baseline(mmli_running *run)
{
    const mml_compare *plan = run->plan;
    mml_status st = MML_OK;
    const char **names = NULL;
    size_t first, n;

    mmli_system_modalities(&first, &n, plan, &plan->systems[plan->jobs[run->job].system], plan->jobs[run->job].point);
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        names[i] = plan->modalities[first + i].name;
    MML_TRY(mml_train_baseline(&run->model, run->cohort, names, n, plan->task, &run->setup.baseline, NULL,
                               &run->setup.training));
out:
    mmli_free(names);
    return st;
}
