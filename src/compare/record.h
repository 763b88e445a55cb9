/* record.h - the record of one job: DIR/jobs/SYSTEM.FOLD.json (doc/compare.md). */
#ifndef MMLI_COMPARE_RECORD_H
#define MMLI_COMPARE_RECORD_H

#include "compare/plan.h"
#include "model/model.h"
#include "model/scored.h"

enum { MMLI_RECORD_VERSION = 1 };

/* What a job came to; zero it, then fill what there is. JSON is taken over by mmli_record_write(). */
typedef struct mmli_outcome {
    const char *status;  /* "ok", "skipped", "failed" */
    char message[2048];  /* why, or "" */
    size_t n[3];         /* labelled samples of the parts: train, valid, test */
    double valid_score, score; /* NaN = not defined */
    json_t *metrics, *history, *test, *trials; /* trials: NULL without a search */
    json_t *interference; /* NULL but for that measurement */
    size_t parameters;
    double train_seconds, own_seconds, predict_seconds; /* with the blocks it is joined from; without */
    double tune_seconds; /* of all trials */
} mmli_outcome;

/* JSON has no NaN: null in its place. */
json_t *mmli_real_or_null(double x);

/* Also clears the JSON of the outcome. */
mml_status mmli_record_write(const mml_compare *plan, size_t job, mmli_outcome *outcome);
/* The record of a job, checked to be one; MML_E_NOT_FOUND when there is none yet. New reference. */
mml_status mmli_record_read(json_t **out, const mml_compare *plan, size_t job);
/* Is the model of the job kept (job.c)? */
bool mmli_job_keeps_model(const mml_compare *plan, size_t job);
/* The same of any file. */
mml_status mmli_record_load(json_t **out, const char *path);

/* score.c: predictions of a part of the cohort, read once. */
typedef struct mmli_judged {
    size_t *samples; /* (n) labelled samples of the part, ascending */
    mmli_scored scored;
    size_t outputs;
    float *output;  /* (n, outputs) */
    double seconds; /* that predicting took */
} mmli_judged;
mml_status mmli_judge(mmli_judged *out, const mml_model *model, mml_cohort *cohort, const mml_part *part, mml_part which,
                      const char *device, int threads);
void mmli_judged_clear(mmli_judged *judged);
/* All metrics that are defined; truth and predictions, sample by sample. New references. */
mml_status mmli_judged_metrics(json_t **out, const mmli_judged *judged);
mml_status mmli_judged_samples(json_t **out, const mmli_judged *judged, const mml_cohort *cohort);

#endif
