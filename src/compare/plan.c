/* plan.c - systems and folds to jobs, and what is finished already. */
#include <string.h>
#include <time.h>

#include "backends/backend.h"
#include "compare/plan.h"
#include "compare/record.h"
#include "compare/study.h"
#include "io/cohort.h"
#include "model/options.h"
#include "train/trainer.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

void mml_compare_options_init(mml_compare_options *options)
{
    *options = (mml_compare_options){.struct_size = sizeof *options, .folds = 5, .fold = -1, .weight_folds = MML_FOLDS_AUTO,
                                     .committee = MML_COMMITTEE_AUTO};
    mml_split_options_init(&options->split);
}

void mml_compare_free(mml_compare *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->n_modalities; i++)
        mmli_free(plan->modalities[i].name);
    for (size_t i = 0; i < plan->n_systems; i++) {
        mmli_free(plan->systems[i].name);
        mmli_free(plan->systems[i].title);
    }
    for (size_t i = 0; i < plan->n_jobs; i++) {
        mmli_free(plan->jobs[i].label);
        mmli_free(plan->jobs[i].needs);
        mmli_free(plan->jobs[i].message);
    }
    mmli_free(plan->modalities);
    mmli_free(plan->systems);
    mmli_free(plan->jobs);
    mmli_free(plan->points);
    mmli_free(plan->cohort);
    mmli_free(plan->task);
    mmli_free(plan->directory);
    mmli_free(plan->command);
    mmli_free(plan->device);
    mmli_free(plan->train);
    mmli_free(plan->valid);
    mmli_free(plan->test);
    mmli_free(plan);
}

/* ---- from options and cohort ----------------------------------------------------------------------------------- */

static mml_status check(const mml_compare_options *o)
{
    mml_status st = MML_OK;

    MML_CHECK(o->cohort && o->task && o->directory, MML_E_ARG, "a comparison needs a cohort, a task and a folder");
    MML_CHECK(o->folds >= 1 && o->folds <= 1000, MML_E_ARG, "folds must be 1 to 1000, not %d", o->folds);
    MML_CHECK(o->fold >= -1 && o->fold < o->folds, MML_E_ARG, "there is no fold %d: folds are 0 to %d", o->fold,
              o->folds - 1);
    MML_TRY(mmli_train_check_folds(o->weight_folds, o->committee));
    MML_CHECK(o->tune <= 100000, MML_E_ARG, "tune must be at most 100000 trials, not %zu", o->tune);
    MML_CHECK(o->threads >= 0, MML_E_ARG, "threads must be 0 (all) or more, not %d", o->threads);
    MML_CHECK(o->split.train || (!o->split.valid && !o->split.test), MML_E_ARG,
              "the %s part is given but not the training part", o->split.test ? "test" : "validation");
    MML_CHECK(!o->split.train || o->split.test || !strchr(o->split.train, '='), MML_E_ARG,
              "the training part is chosen by column (%s), so a test part is needed too", o->split.train);
out:
    return st;
}

static mml_status take_options(mml_compare *plan, const mml_compare_options *o)
{
    mml_status st = MML_OK;

    plan->folds = o->folds;
    plan->fold = o->fold;
    plan->seed = o->seed;
    plan->threads = o->threads;
    plan->tune = o->tune;
    plan->weight_folds = o->weight_folds;
    plan->committee = o->committee;
    plan->split_seed = o->split.seed;
    plan->valid_fraction = o->split.valid_fraction;
    MML_TRY(mmli_study_from_name(&plan->study, o->study));
    MML_TRY(mmli_strdup(&plan->cohort, o->cohort));
    MML_TRY(mmli_strdup(&plan->task, o->task));
    MML_TRY(mmli_strdup(&plan->directory, o->directory));
    MML_TRY(mmli_strdup(&plan->command, o->command ? o->command : ""));
    MML_CHECK(!mmli_devices_are_several(o->device), MML_E_ARG, "device `%s` names several: a comparison trains each system on one",
              o->device);
    MML_TRY(mmli_strdup(&plan->device, o->device));
    MML_TRY(mmli_strdup(&plan->train, o->split.train));
    MML_TRY(mmli_strdup(&plan->valid, o->split.valid));
    MML_TRY(mmli_strdup(&plan->test, o->split.test));
out:
    return st;
}

static mml_status add_modality(mml_compare *plan, const mml_modality_info *info)
{
    mmli_plan_modality *m = &plan->modalities[plan->n_modalities];
    mml_status st = MML_OK;

    for (size_t i = 0; i < plan->n_modalities; i++)
        MML_CHECK(strcmp(plan->modalities[i].name, info->name) != 0, MML_E_ARG, "modality %s is named twice", info->name);
    MML_TRY(mmli_strdup(&m->name, info->name));
    m->kind = info->kind;
    m->width = info->width;
    m->present = info->n_present;
    plan->n_modalities++;
out:
    return st;
}

static mml_status take_cohort(mml_compare *plan, mml_cohort *cohort, const mml_compare_options *o)
{
    mml_status st = MML_OK;
    const size_t n = o->n_modalities ? o->n_modalities : mml_cohort_n_modalities(cohort);
    mml_modality_info info;
    mml_task_info task;

    MML_TRY(mml_cohort_task(&task, cohort, plan->task));
    plan->kind = task.kind;
    plan->samples = mml_cohort_size(cohort);
    MML_TRY(mmli_cohort_hash(&plan->data_hash, cohort));
    MML_CHECK(n > 0, MML_E_DATA, "%s: there is no modality", plan->cohort);
    MML_TRY(mmli_calloc(&plan->modalities, n, sizeof *plan->modalities));
    for (size_t i = 0; i < n; i++) {
        if (o->n_modalities)
            MML_TRY(mml_cohort_modality(&info, cohort, o->modalities[i]));
        else
            MML_TRY(mml_cohort_modality_at(&info, cohort, i));
        MML_TRY(add_modality(plan, &info));
    }
out:
    return st;
}

/* Every fold can be divided: better said now than after an hour. */
static mml_status check_divisions(const mml_compare *plan, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_part *part = NULL;
    mml_split_options split;

    mml_split_options_init(&split);
    MML_TRY(mmli_calloc(&part, plan->samples, sizeof *part));
    for (int fold = 0; fold < plan->folds; fold++) {
        if (plan->fold >= 0 && fold != plan->fold)
            continue;
        MML_TRY(mmli_division(&split, plan, fold));
        st = mml_split(part, cohort, plan->task, &split);
        if (st != MML_OK) {
            st = mmli_fail_prefix(st, "fold %d", fold);
            goto out;
        }
        mmli_division_clear(&split);
    }
out:
    mmli_division_clear(&split);
    mmli_free(part);
    return st;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

static mml_status label(char **out, const mml_compare *plan, const mmli_system *s, size_t point)
{
    const mmli_point *p = &plan->points[point];
    char x[MMLI_NUMBER_BYTES];

    if (p->study == MMLI_STUDY_NONE)
        return mmli_strdup(out, s->name);
    if (p->study == MMLI_STUDY_MISSING)
        return mmli_strf(out, "%s, %s missing in %s, %s", s->name, plan->modalities[p->modality].name,
                         p->in_training ? "training" : "test", mmli_format_double(x, p->x));
    if (p->study == MMLI_STUDY_INTERFERENCE)
        return mmli_strf(out, "interference of %s and %s", plan->modalities[p->modality].name, plan->modalities[p->other].name);
    return mmli_strf(out, "%s, %s %s", s->name, mmli_study_name(p->study), mmli_format_double(x, p->x));
}

/* The job of a system of the same fold at a point, among those made so far; SIZE_MAX: there is none. */
static size_t job_at(const mml_compare *plan, size_t system, int fold, size_t point)
{
    for (size_t i = 0; i < plan->n_jobs; i++)
        if (plan->jobs[i].system == system && plan->jobs[i].fold == fold && plan->jobs[i].point == point)
            return i;
    return SIZE_MAX;
}

static mml_status add_needs(mml_compare *plan, mmli_plan_job *job)
{
    const mmli_system *s = &plan->systems[job->system];
    const mmli_point *p = &plan->points[job->point];
    mml_status st = MML_OK;
    size_t first, n;

    MML_TRY(mmli_calloc(&job->needs, plan->n_systems, sizeof *job->needs));
    if (p->study == MMLI_STUDY_MISSING && !p->in_training) { /* the model of the plain comparison, on other patients */
        job->needs[job->n_needs++] = job_at(plan, job->system, job->fold, 0);
        goto out;
    }
    if (!mmli_system_is_joined(s) && p->study != MMLI_STUDY_INTERFERENCE)
        goto out;
    mmli_system_modalities(&first, &n, plan, s, job->point);
    for (size_t b = 0; b < plan->n_systems; b++)
        if (plan->systems[b].type->kind == MMLI_SYSTEM_BLOCK && plan->systems[b].modality < n &&
            (p->study != MMLI_STUDY_INTERFERENCE || plan->systems[b].modality == p->modality ||
             plan->systems[b].modality == p->other))
            job->needs[job->n_needs++] = job_at(plan, b, job->fold,
                                                mmli_study_block_point(plan, job->point, plan->systems[b].modality));
out:
    return st;
}

static mml_status add_job(mml_compare *plan, size_t system, int fold, size_t point)
{
    mmli_plan_job *job = &plan->jobs[plan->n_jobs];
    mml_status st = MML_OK;

    job->system = system;
    job->fold = fold;
    job->point = point;
    MML_TRY(add_needs(plan, job));
    plan->n_jobs++;
    MML_TRY(label(&job->label, plan, &plan->systems[system], point));
out:
    return st;
}

/* Fold by fold; in a fold point by point, the plain comparison first; there in the order of the systems, blocks before what
 * is joined from them. */
static mml_status make_jobs(mml_compare *plan)
{
    mml_status st = MML_OK;
    const size_t n_folds = plan->fold >= 0 ? 1 : (size_t)plan->folds;

    MML_TRY(mmli_calloc(&plan->jobs, n_folds * plan->n_points * plan->n_systems, sizeof *plan->jobs));
    for (size_t f = 0; f < n_folds; f++)
        for (size_t p = 0; p < plan->n_points; p++)
            for (size_t s = 0; s < plan->n_systems; s++)
                if (mmli_study_wants(plan, &plan->systems[s], &plan->points[p]))
                    MML_TRY(add_job(plan, s, plan->fold >= 0 ? plan->fold : (int)f, p));
    MML_CHECK(plan->n_jobs > 0, MML_E_ARG, "the study has no use for the systems asked for");
out:
    return st;
}

mml_status mml_compare_new(mml_compare **out, const mml_compare_options *options)
{
    mml_status st = MML_OK;
    mml_compare_options o;
    mml_compare *plan = NULL;
    mml_cohort *cohort = NULL;

    MML_GIVEN(out);
    *out = NULL;
    mml_compare_options_init(&o);
    MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_compare_options"));
    MML_TRY(check(&o));
    MML_TRY(mmli_calloc(&plan, 1, sizeof *plan));
    MML_TRY(take_options(plan, &o));
    MML_TRY(mml_cohort_open(&cohort, plan->cohort));
    MML_TRY(take_cohort(plan, cohort, &o));
    MML_TRY(mmli_study_points(plan));
    MML_TRY(mmli_plan_systems(plan, o.systems, o.systems ? o.n_systems : 0));
    MML_TRY(make_jobs(plan));
    MML_TRY(check_divisions(plan, cohort));
    MML_TRY(mmli_folders_make(plan->directory));
    for (size_t i = 0; i < plan->n_jobs; i++) {
        MML_TRY(mml_compare_look(plan, i));
        if (plan->jobs[i].state == MML_COMPARE_FAILED)
            plan->jobs[i].state = MML_COMPARE_OPEN;
    }
    MML_TRY(mmli_plan_write(plan));
    *out = plan;
    plan = NULL;
out:
    mml_cohort_close(cohort);
    mml_compare_free(plan);
    return st;
}

size_t mml_compare_n_jobs(const mml_compare *plan)
{
    return plan->n_jobs;
}

mml_status mml_compare_job_at(mml_compare_job *out, const mml_compare *plan, size_t job)
{
    mml_status st = MML_OK;
    const mmli_plan_job *j;

    MML_GIVEN(out, plan);
    MML_CHECK(job < plan->n_jobs, MML_E_ARG, "there is no job %zu, the comparison has %zu", job, plan->n_jobs);
    j = &plan->jobs[job];
    *out = (mml_compare_job){.system = plan->systems[j->system].name,
                             .title = plan->systems[j->system].title,
                             .label = j->label,
                             .fold = j->fold,
                             .state = j->state,
                             .needs = j->needs,
                             .n_needs = j->n_needs,
                             .score = j->score,
                             .seconds = j->seconds,
                             .message = j->message ? j->message : ""};
out:
    return st;
}

/* ---- DIR/plan.json --------------------------------------------------------------------------------------------- */

static const char *metric_title(mml_task_kind kind)
{
    switch (kind) {
    case MML_SURVIVAL: return "c-index";
    case MML_MULTICLASS: return "macro AUC";
    case MML_REGRESSION: return "R\xC2\xB2";
    case MML_BINARY:
    default: return "AUC";
    }
}

/* The value of "processor: NAME" among the lines that describe the machine. */
static json_t *processor(void)
{
    static const char key[] = "processor: ";
    char text[2048], *at, *end;

    mmli_cpu_describe(text, sizeof text);
    at = strstr(text, key);
    if (!at)
        return json_string("");
    at += sizeof key - 1;
    end = strchr(at, '\n');
    return json_stringn_nocheck(at, end ? (size_t)(end - at) : strlen(at));
}

static json_t *modalities_json(const mml_compare *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->n_modalities; i++) {
        const mmli_plan_modality *m = &plan->modalities[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "name", m->name, "kind",
                                              mmli_modality_kind_name(m->kind), "present", (json_int_t)m->present, "width",
                                              (json_int_t)m->width));
    }
    return list;
}

/* "cohorts/blca.h5" -> "blca" */
static json_t *stem(const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *dot = strrchr(name, '.');

    return json_stringn_nocheck(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static json_t *today(void)
{
    const time_t now = time(NULL);
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&now, &parts))
        strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return json_string(text);
}

mml_status mmli_plan_write(const mml_compare *plan)
{
    mml_status st = MML_OK;
    const mml_metric metric = mmli_main_metric(plan->kind);
    char *path = NULL;
    json_t *root;

    root = json_pack("{s:s, s:i, s:o, s:o, s:s, s:{s:s, s:I, s:o}, s:{s:s, s:s, s:s, s:s}, s:i, s:I, s:{s:o, s:s, s:i, s:s}}", "format",
                     "mmlego compare plan", "version", 1, "date", today(), "title", stem(plan->cohort), "command", plan->command, "cohort",
                     "path", plan->cohort, "samples", (json_int_t)plan->samples, "modalities", modalities_json(plan), "task",
                     "name", plan->task, "kind", mmli_task_kind_name(plan->kind), "metric", mml_metric_name(metric),
                     "metric_title", metric_title(plan->kind), "folds", plan->folds, "seed", (json_int_t)plan->seed,
                     "machine", "cpu", processor(), "device", plan->device ? plan->device : "cpu",
                     "threads", plan->threads, "version", mml_version());
    MML_TRY(mmli_folder_path(&path, plan->directory, "plan.json"));
    MML_TRY(mmli_json_save(root, path));
out:
    json_decref(root);
    mmli_free(path);
    return st;
}
