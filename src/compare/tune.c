/* tune.c - a search over the settings of one system on one fold, judged on the validation part.
 *
 * The first trial has the defaults, so a search never chooses what is worse on that part. What is tried depends on the seed,
 * the system, the fold and the trials before; the training seed is that of the fold in all trials, so blocks still start alike.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/job.h"
#include "compare/space.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/rng.h"

typedef struct search {
    mmli_running *run;
    mmli_space space;
    mmli_setup defaults;
    double *x, *score; /* (trials, n), (trials) */
    size_t done;
    mml_model *best;
    mmli_setup chosen;
    double best_score, best_seconds;
    json_t *log;
} search;

/* The validation score of the model just trained; NaN where it is not defined. */
static mml_status judge(double *score, const mmli_running *run)
{
    mml_status st = MML_OK;
    mmli_judged valid = {0};

    MML_TRY(mmli_judge(&valid, run->model, run->cohort, run->part, MML_PART_VALID, run->plan->device,
                       run->plan->threads));
    st = mmli_scored_main(score, &valid.scored);
out:
    mmli_judged_clear(&valid);
    return st;
}

static mml_status choose_next(search *s)
{
    const mmli_plan_job *job = &s->run->plan->jobs[s->run->job];
    const uint64_t own = mmli_rng_key(mmli_rng_key(s->run->plan->seed, s->run->plan->systems[job->system].name,
                                                   (uint64_t)job->fold), "tpe", s->done);
    double *x = s->x + s->done * s->space.n;
    mml_status st = MML_OK;

    if (s->done == 0)
        mmli_space_read(x, &s->space, &s->defaults);
    else
        MML_TRY(mmli_tpe_next(x, s->space.dimensions, s->space.n, s->x, s->score, s->done, own));
    s->run->setup = s->defaults;
    s->run->setup.training.weight_folds = 0; /* trials are told apart by the validation score */
    s->run->setup.training.committee = MML_COMMITTEE_NO;
    if (s->done > 0) /* a default may lie between the choices */
        mmli_space_write(&s->run->setup, &s->space, x);
out:
    return st;
}

/* One trial. A training that diverges is one that scored nothing. */
static mml_status try_one(search *s)
{
    mmli_running *run = s->run;
    const double start = mmli_now();
    mml_status st = MML_OK;
    double score = (double)NAN, seconds;
    char message[512] = "";

    MML_TRY(choose_next(s));
    run->blocks_seconds = 0;
    st = mmli_job_train(run);
    seconds = mmli_now() - start;
    if (st == MML_OK)
        st = judge(&score, run);
    if (st != MML_OK) {
        if (st == MML_E_STOPPED || st == MML_E_IO || s->done == 0) /* where the defaults fail it is not for the settings */
            goto out;
        snprintf(message, sizeof message, "%s", mml_last_error());
        st = MML_OK;
    }
    MML_CHECK(json_array_append_new(s->log, json_pack("{s:o, s:o, s:f, s:s}", "settings",
                                                      mmli_space_json(&s->space, &run->setup), "valid_score",
                                                      isfinite(score) ? json_real(score) : json_null(), "seconds", seconds,
                                                      "message", message)) == 0,
              MML_E_NOMEM, "no memory for the trials");
    s->score[s->done] = score;
    if (run->model && (s->done == 0 || score > s->best_score || (isfinite(score) && !isfinite(s->best_score)))) {
        mml_model_free(s->best);
        s->best = run->model;
        run->model = NULL;
        s->best_score = score;
        s->best_seconds = seconds;
        s->chosen = run->setup;
    }
    s->done++;
out:
    mml_model_free(run->model);
    run->model = NULL;
    return st;
}

/* The best trial, as the model of the job; a block that is to be weighed by a cross-validation is trained once more, with it. */
static mml_status take_best(search *s)
{
    mmli_running *run = s->run;
    const mmli_system *system = &run->plan->systems[run->plan->jobs[run->job].system];
    mml_status st = MML_OK;

    run->setup = s->chosen;
    run->setup.training.weight_folds = s->defaults.training.weight_folds;
    run->setup.training.committee = s->defaults.training.committee;
    if (s->best && system->type->kind == MMLI_SYSTEM_BLOCK && run->setup.training.weight_folds != 0) {
        run->blocks_seconds = 0;
        MML_TRY(mmli_job_train(run));
    } else {
        run->model = s->best;
        s->best = NULL;
    }
out:
    return st;
}

mml_status mmli_job_tune(json_t **trials, double *seconds, mmli_running *run)
{
    const mml_compare *plan = run->plan;
    mml_status st = MML_OK;
    search s = {.run = run, .defaults = run->setup, .log = json_array(), .best_score = (double)NAN};
    const double start = mmli_now();

    *trials = NULL;
    mmli_space_make(&s.space, &plan->systems[plan->jobs[run->job].system], &run->setup);
    if (plan->tune == 0 || s.space.n == 0) {
        st = mmli_job_train(run);
        *seconds = mmli_now() - start;
        goto out;
    }
    MML_TRY(mmli_calloc(&s.x, plan->tune * s.space.n, sizeof *s.x));
    MML_TRY(mmli_calloc(&s.score, plan->tune, sizeof *s.score));
    while (s.done < plan->tune)
        MML_TRY(try_one(&s));
    MML_TRY(take_best(&s));
    *seconds = s.best_seconds;
    *trials = s.log;
    s.log = NULL;
out:
    mml_model_free(s.best);
    json_decref(s.log);
    mmli_free(s.x);
    mmli_free(s.score);
    return st;
}
