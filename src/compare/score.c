/* score.c - a part of the cohort predicted once: its metrics, and every prediction beside the truth. */
#include <math.h>
#include <string.h>

#include "compare/record.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"

typedef struct taking {
    mmli_judged *j;
    size_t done;
} taking;

static int take(void *user, const mml_prediction *chunk, const size_t *samples)
{
    taking *t = user;
    mmli_judged *j = t->j;

    (void)samples; /* in the order of j->samples */
    for (size_t b = 0; b < chunk->n; b++, t->done++) {
        mmli_scored_set(j->scored.score, &j->scored, t->done, chunk->output + b * chunk->k, chunk->score[b]);
        memcpy(j->output + t->done * chunk->k, chunk->output + b * chunk->k, chunk->k * sizeof *j->output);
    }
    return 0;
}

mml_status mmli_judge(mmli_judged *out, const mml_model *model, mml_cohort *cohort, const mml_part *part, mml_part which,
                      const char *device, int threads)
{
    mml_status st = MML_OK;
    const size_t N = mml_cohort_size(cohort);
    mmli_judged j = {.outputs = model->task->outputs};
    mmli_labels *labels = NULL;
    mml_predictor *predictor = NULL;
    taking t = {&j, 0};
    size_t n = 0, cells;
    double start;

    MML_TRY(mmli_task_map(&labels, model->task, cohort, MML_CLASS_EQUAL));
    MML_TRY(mmli_calloc(&j.samples, N, sizeof *j.samples));
    for (size_t i = 0; i < N; i++)
        if (part[i] == which && labels->index[i] >= 0)
            j.samples[n++] = i;
    MML_CHECK(n > 0, MML_E_DATA, "no sample of the %s part has a label that the model knows",
              which == MML_PART_TEST ? "test" : "validation");
    MML_CHECK(mmli_mul_size(&cells, n, j.outputs), MML_E_NOMEM, "too many samples and outputs");
    MML_TRY(mmli_calloc(&j.output, cells, sizeof *j.output));
    MML_TRY(mmli_scored_new(&j.scored, model->task, labels, j.samples, n));
    start = mmli_now();
    MML_TRY(mml_predictor_new(&predictor, model, device, threads));
    MML_TRY(mml_predict_cohort(predictor, cohort, j.samples, n, 0, take, &t));
    j.seconds = mmli_now() - start;
    *out = j;
    j = (mmli_judged){0};
out:
    mml_predictor_free(predictor);
    mmli_labels_free(labels);
    mmli_judged_clear(&j);
    return st;
}

void mmli_judged_clear(mmli_judged *j)
{
    mmli_scored_clear(&j->scored);
    mmli_free(j->samples);
    mmli_free(j->output);
    *j = (mmli_judged){0};
}

mml_status mmli_judged_metrics(json_t **out, const mmli_judged *j)
{
    mml_status st = MML_OK;
    const mml_metric_input in = mmli_scored_input(&j->scored, j->scored.score);
    size_t n;
    const mml_metric *list = mmli_task_metrics(&n, j->scored.kind);
    json_t *root = json_object();
    double value;

    for (size_t i = 0; i < n; i++) {
        st = mml_metric_compute(&value, list[i], &in);
        if (st == MML_E_DATA) { /* not defined on these samples */
            st = MML_OK;
            continue;
        }
        MML_TRY(st);
        MML_CHECK(json_object_set_new(root, mml_metric_name(list[i]), json_real(value)) == 0, MML_E_NOMEM,
                  "no memory for metrics");
    }
    *out = root;
    root = NULL;
out:
    json_decref(root);
    return st;
}

/* ---- sample by sample -------------------------------------------------------------------------------------------- */

static json_t *texts(const char *const *all, const size_t *samples, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(all[samples[i]]));
    return list;
}

static json_t *reals(const double *x, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, isfinite(x[i]) ? json_real(x[i]) : json_null());
    return list;
}

static json_t *labels_json(const mmli_judged *j)
{
    json_t *list = json_array();

    for (size_t i = 0; i < j->scored.n; i++)
        json_array_append_new(list, json_integer(j->scored.label[i]));
    return list;
}

static json_t *events_json(const mmli_judged *j)
{
    json_t *list = json_array();

    for (size_t i = 0; i < j->scored.n; i++)
        json_array_append_new(list, json_integer(j->scored.event[i]));
    return list;
}

static json_t *probabilities(const mmli_judged *j)
{
    json_t *list = json_array(), *row;

    for (size_t i = 0; i < j->scored.n; i++) {
        row = json_array();
        for (size_t k = 0; k < j->outputs; k++)
            json_array_append_new(row, json_real((double)j->output[i * j->outputs + k]));
        json_array_append_new(list, row);
    }
    return list;
}

mml_status mmli_judged_samples(json_t **out, const mmli_judged *j, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    const char *const *groups = mml_cohort_groups(cohort);
    const size_t n = j->scored.n;
    json_t *root = json_object();
    int bad = json_object_set_new(root, "id", texts(mml_cohort_ids(cohort), j->samples, n));

    if (groups)
        bad |= json_object_set_new(root, "group", texts(groups, j->samples, n));
    switch (j->scored.kind) {
    case MML_MULTICLASS:
        bad |= json_object_set_new(root, "label", labels_json(j));
        bad |= json_object_set_new(root, "probability", probabilities(j));
        break;
    case MML_SURVIVAL:
        bad |= json_object_set_new(root, "score", reals(j->scored.score, n));
        bad |= json_object_set_new(root, "time", reals(j->scored.value, n));
        bad |= json_object_set_new(root, "event", events_json(j));
        break;
    case MML_REGRESSION:
        bad |= json_object_set_new(root, "score", reals(j->scored.score, n));
        bad |= json_object_set_new(root, "truth", reals(j->scored.value, n));
        break;
    case MML_BINARY:
    default:
        bad |= json_object_set_new(root, "label", labels_json(j));
        bad |= json_object_set_new(root, "score", reals(j->scored.score, n));
    }
    MML_CHECK(bad == 0, MML_E_NOMEM, "no memory for the predictions");
    *out = root;
    root = NULL;
out:
    json_decref(root);
    return st;
}
