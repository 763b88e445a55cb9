/* job_block.c - a LegoBlock of one modality. */
#include "compare/job.h"

mml_status mmli_job_block(mmli_running *run)
{
    const mml_compare *plan = run->plan;
    const mmli_system *s = &plan->systems[plan->jobs[run->job].system];

    return mml_train_block(&run->model, run->cohort, plan->modalities[s->modality].name, plan->task, &run->setup.block,
                           &run->setup.prep, NULL, &run->setup.training);
}
