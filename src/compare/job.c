/* job.c - one system on one fold, from the cohort to its record.
 *
 * The order in which the parts are read is the protocol: training and validation by what trains, the validation part once
 * more for the score that is compared, and when nothing is left to be chosen the test part, once.
 */
#include "compare/job.h"
#include "compare/study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"

int mmli_job_watch(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    const mmli_running *run = user;

    (void)epoch;
    (void)step;
    (void)steps;
    return run->watch && run->watch(run->user, run->plan->jobs[run->job].label, epoch_now,
                                    run->setup.training.epochs);
}

static mml_status begin(mmli_running *run)
{
    const mml_compare *plan = run->plan;
    mml_status st = MML_OK;
    uint64_t hash;

    MML_TRY(mml_cohort_open(&run->cohort, plan->cohort));
    MML_TRY(mmli_cohort_hash(&hash, run->cohort));
    MML_CHECK(hash == plan->data_hash && mml_cohort_size(run->cohort) == plan->samples, MML_E_DATA,
              "%s has changed since the comparison began", plan->cohort);
    MML_TRY(mmli_setup_make(&run->setup, plan, plan->jobs[run->job].system, plan->jobs[run->job].fold));
    run->setup.training.watch = mmli_job_watch;
    run->setup.training.watch_user = run;
    MML_TRY(mmli_calloc(&run->part, plan->samples, sizeof *run->part));
    {
        mml_split_options split;

        MML_TRY(mmli_division(&split, plan, plan->jobs[run->job].fold));
        st = mml_split(run->part, run->cohort, plan->task, &split);
        mmli_division_clear(&split);
    }
    MML_TRY(st);
    MML_TRY(mmli_study_hide(run));
out:
    return st;
}

static void end(mmli_running *run)
{
    mml_model_free(run->model);
    mml_cohort_close(run->cohort);
    mmli_setup_clear(&run->setup);
    mmli_free(run->part);
}

/* Of the fine-tuning, of a baseline, or of a block: of a committee its first member, trained on all. A merge has none. */
static json_t *history_json(const mml_model *model, mmli_system_kind kind)
{
    const mmli_provenance *from = kind == MMLI_SYSTEM_BLOCK && !model->from.n_history ? &model->members[0].from : &model->from;
    json_t *list = json_array();

    for (size_t i = 0; i < from->n_history; i++) {
        const mml_epoch *e = &from->history[i];
        json_t *one = json_pack("{s:I, s:o, s:o, s:o}", "epoch", (json_int_t)e->epoch, "train_loss",
                                isfinite(e->train_loss) ? json_real(e->train_loss) : json_null(), "valid_loss",
                                isfinite(e->valid_loss) ? json_real(e->valid_loss) : json_null(), "valid_score",
                                isfinite(e->valid_score) ? json_real(e->valid_score) : json_null());

        json_array_append_new(list, one);
    }
    return list;
}

static mml_status measure(mmli_outcome *o, mmli_running *run)
{
    mml_status st = MML_OK;
    mmli_judged valid = {0}, test = {0};
    const int threads = run->plan->threads;

    for (size_t i = 0; i < run->plan->samples; i++)
        if (run->part[i] != MML_PART_NONE)
            o->n[run->part[i] - MML_PART_TRAIN]++;
    if (o->n[1] > 0) {
        MML_TRY(mmli_judge(&valid, run->model, run->cohort, run->part, MML_PART_VALID, run->plan->device, threads));
        MML_TRY(mmli_scored_main(&o->valid_score, &valid.scored));
    }
    MML_TRY(mmli_judge(&test, run->model, run->cohort, run->part, MML_PART_TEST, run->plan->device, threads));
    MML_TRY(mmli_scored_main(&o->score, &test.scored));
    if (!isfinite(o->score))
        snprintf(o->message, sizeof o->message, "no score on the test part: %.1900s", mml_last_error());
    o->predict_seconds = test.seconds;
    o->parameters = mml_model_n_parameters(run->model);
    o->history = history_json(run->model, run->plan->systems[run->plan->jobs[run->job].system].type->kind);
    MML_TRY(mmli_judged_metrics(&o->metrics, &test));
    MML_TRY(mmli_judged_samples(&o->test, &test, run->cohort));
out:
    mmli_judged_clear(&valid);
    mmli_judged_clear(&test);
    return st;
}

mml_status mmli_job_train(mmli_running *run)
{
    const mmli_system *s = &run->plan->systems[run->plan->jobs[run->job].system];

    if (s->type->kind == MMLI_SYSTEM_BASELINE)
        return mmli_job_baseline(run);
    return mmli_system_is_joined(s) ? mmli_job_joined(run) : mmli_job_block(run);
}

static mml_status train(mmli_outcome *o, mmli_running *run)
{
    const mmli_point *p = &run->plan->points[run->plan->jobs[run->job].point];
    const double start = mmli_now();
    const bool trained = p->study == MMLI_STUDY_MISSING && !p->in_training;
    const mml_status st = trained ? mmli_job_load(&run->model, run, run->plan->jobs[run->job].needs[0])
                                  : mmli_job_tune(&o->trials, &o->own_seconds, run);

    o->train_seconds = o->own_seconds + run->blocks_seconds;
    o->tune_seconds = o->trials ? mmli_now() - start : 0;
    return st;
}

/* Of a study only blocks, and only where something is joined from them: the rest can be had again. */
bool mmli_job_keeps_model(const mml_compare *plan, size_t job)
{
    const mmli_plan_job *j = &plan->jobs[job];
    const mmli_point *p = &plan->points[j->point];

    return p->study == MMLI_STUDY_NONE ||
           (plan->systems[j->system].type->kind == MMLI_SYSTEM_BLOCK && (p->study == MMLI_STUDY_OVERLAP || p->in_training));
}

static mml_status save_model(const mmli_running *run)
{
    mml_status st = MML_OK;
    char *path = NULL;

    MML_TRY(mmli_model_path(&path, run->plan, run->job));
    MML_TRY(mml_model_save(run->model, path));
out:
    mmli_free(path);
    return st;
}

/* A failure that says something about the system or the data is a result; one of the machine is not. */
static bool is_result(mml_status st)
{
    return st != MML_OK && st != MML_E_STOPPED && st != MML_E_IO;
}

static mml_status check_needs(const mml_compare *plan, size_t job)
{
    const mmli_plan_job *j = &plan->jobs[job];
    mml_status st = MML_OK;
    char *path = NULL;

    for (size_t i = 0; i < j->n_needs; i++) {
        MML_TRY(mmli_record_path(&path, plan, j->needs[i]));
        MML_CHECK(mmli_file_exists(path), MML_E_ARG, "%s of fold %d is made of %s, which has not been run yet",
                  j->label, j->fold, plan->jobs[j->needs[i]].label);
        mmli_free(path);
        path = NULL;
    }
out:
    mmli_free(path);
    return st;
}

mml_status mml_compare_run(mml_compare_state *state, const mml_compare *plan, size_t job, mml_progress watch, void *user)
{
    mml_status st = MML_OK;
    mmli_running run = {.plan = plan, .job = job, .watch = watch, .user = user};
    mmli_outcome o = {.status = "ok", .valid_score = (double)NAN, .score = (double)NAN};

    MML_GIVEN(plan);
    MML_CHECK(job < plan->n_jobs, MML_E_ARG, "there is no job %zu, the comparison has %zu", job, plan->n_jobs);
    MML_TRY(check_needs(plan, job));
    st = mmli_system_check(plan, &plan->systems[plan->jobs[job].system], plan->jobs[job].point);
    if (st == MML_E_NOMEM)
        goto out;
    if (st != MML_OK) {
        st = MML_OK;
        o.status = "skipped";
        snprintf(o.message, sizeof o.message, "%s", mml_last_error());
    } else if (plan->systems[plan->jobs[job].system].type->kind == MMLI_SYSTEM_INTERFERENCE) {
        MML_TRY(begin(&run));
        st = mmli_job_interference(&o.interference, &run);
    } else {
        MML_TRY(begin(&run));
        st = train(&o, &run);
        if (st == MML_OK)
            st = measure(&o, &run);
    }
    if (is_result(st)) {
        o.status = "failed";
        snprintf(o.message, sizeof o.message, "%s", mml_last_error());
        st = MML_OK;
    }
    MML_TRY(st);
    if (run.model && strcmp(o.status, "ok") == 0 && mmli_job_keeps_model(plan, job))
        MML_TRY(save_model(&run)); /* before the record: who sees that may load this */
    MML_TRY(mmli_record_write(plan, job, &o));
    if (state)
        *state = strcmp(o.status, "ok") == 0 ? MML_COMPARE_DONE : strcmp(o.status, "skipped") == 0 ? MML_COMPARE_SKIPPED : MML_COMPARE_FAILED;
out:
    json_decref(o.metrics);
    json_decref(o.history);
    json_decref(o.test);
    json_decref(o.trials);
    json_decref(o.interference);
    end(&run);
    return st;
}
