/* record.c - records of jobs: written whole or not at all, and distrusted when read. */
#include "compare/record.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/memory.h"

json_t *mmli_real_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *or_null(json_t **value)
{
    json_t *v = *value ? *value : json_null();

    *value = NULL;
    return v;
}

static json_t *parts_json(const size_t n[3])
{
    return json_pack("{s:I, s:I, s:I}", "train", (json_int_t)n[0], "valid", (json_int_t)n[1], "test", (json_int_t)n[2]);
}

mml_status mmli_record_write(const mml_compare *plan, size_t job, mmli_outcome *o)
{
    const mmli_plan_job *j = &plan->jobs[job];
    const mmli_system *s = &plan->systems[j->system];
    const double peak = mmli_memory_peak();
    mml_status st = MML_OK;
    json_t *settings = NULL, *root = NULL;
    char *path = NULL;

    MML_TRY(mmli_job_settings(&settings, plan, job));
    root = json_pack("{s:s, s:i, s:s, s:s, s:s, s:I, s:O, s:i, s:I, s:O, s:o}", "format", "mmlego compare job", "version",
                     MMLI_RECORD_VERSION, "system", s->name, "title", s->title, "group", s->type->group, "order",
                     (json_int_t)s->order, "modalities", json_object_get(settings, "modalities"), "fold", j->fold, "seed",
                     (json_int_t)(plan->seed + (uint64_t)j->fold), "settings", settings, "n", parts_json(o->n));
    MML_CHECK(root != NULL &&
              json_object_update_new(root, json_pack("{s:o, s:o, s:o, s:I, s:f, s:f, s:f, s:o, s:o, s:o, s:s, s:s}",
                     "valid_score", mmli_real_or_null(o->valid_score), "score", mmli_real_or_null(o->score), "metrics",
                     or_null(&o->metrics), "parameters", (json_int_t)o->parameters, "train_seconds", o->train_seconds,
                     "own_seconds", o->own_seconds, "predict_seconds", o->predict_seconds, "peak_bytes",
                     isfinite(peak) ? json_integer((json_int_t)peak) : json_null(), "history", or_null(&o->history),
                     "test", or_null(&o->test), "status", o->status, "message", o->message)) == 0,
              MML_E_NOMEM, "no memory for the record of %s", s->name);
    if (json_object_get(settings, "study"))
        MML_CHECK(json_object_set(root, "study", json_object_get(settings, "study")) == 0, MML_E_NOMEM,
                  "no memory for the record of %s", s->name);
    if (o->trials)
        MML_CHECK(json_object_set(root, "trials", o->trials) == 0 &&
                  json_object_set_new(root, "tune_seconds", json_real(o->tune_seconds)) == 0,
                  MML_E_NOMEM, "no memory for the record of %s", s->name);
    if (o->interference)
        MML_CHECK(json_object_set(root, "interference", o->interference) == 0, MML_E_NOMEM, "no memory for the record of %s",
                  s->name);
    MML_TRY(mmli_record_path(&path, plan, job));
    MML_TRY(mmli_json_save(root, path));
out:
    json_decref(o->metrics);
    json_decref(o->history);
    json_decref(o->test);
    json_decref(o->trials);
    json_decref(o->interference);
    o->metrics = o->history = o->test = o->trials = o->interference = NULL;
    json_decref(root);
    json_decref(settings);
    mmli_free(path);
    return st;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

mml_status mmli_record_load(json_t **out, const char *path)
{
    mml_status st = MML_OK;
    json_t *root = NULL;
    const char *format, *status;

    *out = NULL;
    MML_TRY(mmli_json_load(&root, path));
    format = json_string_value(json_object_get(root, "format"));
    MML_CHECK(format && strcmp(format, "mmlego compare job") == 0, MML_E_FORMAT,
              "%s: is not the record of a comparison; remove it", path);
    MML_CHECK(json_integer_value(json_object_get(root, "version")) == MMLI_RECORD_VERSION, MML_E_FORMAT,
              "%s: is a record of version %lld, this library reads version %d", path,
              (long long)json_integer_value(json_object_get(root, "version")), MMLI_RECORD_VERSION);
    status = json_string_value(json_object_get(root, "status"));
    MML_CHECK(status && json_is_string(json_object_get(root, "system")) && json_is_string(json_object_get(root, "title")) &&
              json_is_string(json_object_get(root, "group")) && json_is_integer(json_object_get(root, "fold")) &&
              json_integer_value(json_object_get(root, "fold")) >= 0 &&
              json_integer_value(json_object_get(root, "fold")) < 1000 && json_is_object(json_object_get(root, "settings")) &&
              json_is_array(json_object_get(root, "modalities")) && json_is_string(json_object_get(root, "message")),
              MML_E_FORMAT, "%s: something is missing in the record; remove it, and the job is run again", path);
    *out = root;
    root = NULL;
out:
    json_decref(root);
    return st;
}

static mml_status check_settings(const mml_compare *plan, size_t job, const json_t *record, const char *path)
{
    mml_status st = MML_OK;
    json_t *settings = NULL;
    char where[512];

    MML_TRY(mmli_job_settings(&settings, plan, job));
    MML_CHECK(!mmli_json_differs(where, sizeof where, json_object_get(record, "settings"), settings), MML_E_ARG,
              "%s is of another comparison: %s. Choose another folder, or remove that file to run the job again", path, where);
out:
    json_decref(settings);
    return st;
}

mml_status mmli_record_read(json_t **out, const mml_compare *plan, size_t job)
{
    mml_status st = MML_OK;
    json_t *root = NULL;
    char *path = NULL;

    *out = NULL;
    MML_TRY(mmli_record_path(&path, plan, job));
    MML_CHECK(mmli_file_exists(path), MML_E_NOT_FOUND, "%s: there is no record yet", path);
    MML_TRY(mmli_record_load(&root, path));
    MML_TRY(check_settings(plan, job, root, path));
    *out = root;
    root = NULL;
out:
    json_decref(root);
    mmli_free(path);
    return st;
}

static double real_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

mml_status mml_compare_look(mml_compare *plan, size_t job)
{
    mml_status st = MML_OK;
    json_t *record = NULL;
    char *model = NULL;
    const char *status;

    MML_GIVEN(plan);
    MML_CHECK(job < plan->n_jobs, MML_E_ARG, "there is no job %zu, the comparison has %zu", job, plan->n_jobs);
    plan->jobs[job].state = MML_COMPARE_OPEN;
    plan->jobs[job].score = plan->jobs[job].seconds = (double)NAN;
    mmli_free(plan->jobs[job].message);
    plan->jobs[job].message = NULL;
    st = mmli_record_read(&record, plan, job);
    if (st == MML_E_NOT_FOUND) {
        st = MML_OK;
        goto out;
    }
    MML_TRY(st);
    status = json_string_value(json_object_get(record, "status"));
    MML_TRY(mmli_model_path(&model, plan, job));
    plan->jobs[job].score = real_of(json_object_get(record, "score"));
    plan->jobs[job].seconds = real_of(json_object_get(record, "own_seconds"));
    MML_TRY(mmli_strdup(&plan->jobs[job].message, json_string_value(json_object_get(record, "message"))));
    if (strcmp(status, "skipped") == 0)
        plan->jobs[job].state = MML_COMPARE_SKIPPED;
    else if (strcmp(status, "ok") != 0)
        plan->jobs[job].state = MML_COMPARE_FAILED;
    else if (mmli_file_exists(model) || !mmli_job_keeps_model(plan, job))
        plan->jobs[job].state = MML_COMPARE_DONE; /* without its model nothing can be made of it: run again */
out:
    json_decref(record);
    mmli_free(model);
    return st;
}

mml_status mml_compare_fail(mml_compare *plan, size_t job, const char *message)
{
    mml_status st = MML_OK;
    mmli_outcome o = {.status = "failed", .valid_score = (double)NAN, .score = (double)NAN};

    MML_GIVEN(plan, message);
    MML_CHECK(job < plan->n_jobs, MML_E_ARG, "there is no job %zu, the comparison has %zu", job, plan->n_jobs);
    strncpy(o.message, message, sizeof o.message - 1);
    MML_TRY(mmli_record_write(plan, job, &o));
    MML_TRY(mml_compare_look(plan, job));
out:
    return st;
}
