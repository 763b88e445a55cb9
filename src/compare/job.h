/* job.h - what a job needs while it runs. */
#ifndef MMLI_COMPARE_JOB_H
#define MMLI_COMPARE_JOB_H

#include "compare/record.h"
#include "compare/setup.h"

typedef struct mmli_running {
    const mml_compare *plan;
    size_t job;
    mml_cohort *cohort;
    mml_part *part; /* (samples) */
    mmli_setup setup;
    mml_progress watch;
    void *user;
    /* result */
    mml_model *model;
    double blocks_seconds; /* that training the blocks took which it is joined from */
} mmli_running;

/* Trains the system of the job with run->setup: run->model. */
mml_status mmli_job_train(mmli_running *run);
/* The same, or the best of plan->tune trials of other settings: run->setup is then that, *trials all of them (new reference;
 * NULL without a search), *seconds the time that training it took (job.c; tune.c). */
mml_status mmli_job_tune(json_t **trials, double *seconds, mmli_running *run);
/* By kind of system. */
mml_status mmli_job_baseline(mmli_running *run); /* job_baseline.c */
mml_status mmli_job_block(mmli_running *run);  /* job_block.c */
mml_status mmli_job_joined(mmli_running *run); /* job_joined.c: from the saved blocks of the fold */

/* Not a system: rows of numbers about the two blocks that the job needs. New reference (job_interference.c). */
mml_status mmli_job_interference(json_t **rows, mmli_running *run);
/* The model of another job, which has a record; what training it took is added to run->blocks_seconds. MML_E_DATA: it has
 * none. */
mml_status mmli_job_load(mml_model **out, mmli_running *run, size_t job);

/* Epochs of a training, to the watch of the job: for mml_train_options.watch, with the run as its user. */
int mmli_job_watch(void *run, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps);

#endif
