/* job_joined.c - what is made of the blocks of a fold: ensembles, the merge, fuses. The blocks come from their files, so
 * that it does not matter who has trained them. */
#include <math.h>
#include <string.h>

#include "compare/job.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_job_load(mml_model **out, mmli_running *run, size_t job)
{
    const mml_compare *plan = run->plan;
    const char *name = plan->systems[plan->jobs[job].system].name, *status;
    mml_status st = MML_OK;
    json_t *record = NULL;
    char *path = NULL;

    MML_TRY(mmli_record_read(&record, plan, job));
    status = json_string_value(json_object_get(record, "status"));
    MML_CHECK(strcmp(status, "ok") == 0, MML_E_DATA, "%s, which it is made of, %s: %s", name,
              strcmp(status, "skipped") == 0 ? "was skipped" : "failed", json_string_value(json_object_get(record, "message")));
    run->blocks_seconds += json_number_value(json_object_get(record, "train_seconds"));
    MML_TRY(mmli_model_path(&path, plan, job));
    MML_TRY(mml_model_load(out, path, NULL, 0));
out:
    json_decref(record);
    mmli_free(path);
    return st;
}

/* Weights by validation need a score of each block. Where a modality is so rare that its block has none (both classes, or a
 * comparable pair, among the validation samples that have it), the blocks count the same. */
static mml_status merge(mmli_running *run, const mml_model *const *blocks, size_t n)
{
    mml_merge_options o = run->setup.merge;

    for (size_t i = 0; i < n; i++)
        if (isnan(mmli_provenance_score(&blocks[i]->members[0].from)))
            o.weighting = MML_WEIGHT_EQUAL;
    return mml_merge(&run->model, blocks, n, &o);
}

static mml_status join(mmli_running *run, const mml_model *const *blocks, size_t n)
{
    switch (run->plan->systems[run->plan->jobs[run->job].system].type->kind) {
    case MMLI_SYSTEM_STACK:
    case MMLI_SYSTEM_WEAVE:
        return mml_train_fuse(&run->model, run->cohort, blocks, n, &run->setup.fuse, &run->setup.training);
    case MMLI_SYSTEM_BLOCK:
    case MMLI_SYSTEM_ENSEMBLE:
    case MMLI_SYSTEM_WEIGHTED:
    case MMLI_SYSTEM_MERGE:
    case MMLI_SYSTEM_BASELINE:
    case MMLI_SYSTEM_INTERFERENCE:
    default:
        return merge(run, blocks, n);
    }
}

mml_status mmli_job_joined(mmli_running *run)
{
    const mmli_plan_job *job = &run->plan->jobs[run->job];
    mml_status st = MML_OK;
    mml_model **blocks = NULL;

    MML_TRY(mmli_calloc(&blocks, job->n_needs, sizeof *blocks));
    for (size_t i = 0; i < job->n_needs; i++)
        MML_TRY(mmli_job_load(&blocks[i], run, job->needs[i]));
    MML_TRY(join(run, (const mml_model *const *)blocks, job->n_needs));
out:
    for (size_t i = 0; blocks && i < job->n_needs; i++)
        mml_model_free(blocks[i]);
    mmli_free(blocks);
    return st;
}
