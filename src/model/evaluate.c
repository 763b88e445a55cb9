/* evaluate.c - metrics of a model on chosen samples of a cohort, and the guard against training samples among them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/options.h"
#include "model/scored.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

void mml_evaluate_options_init(mml_evaluate_options *options)
{
    *options = (mml_evaluate_options){.struct_size = sizeof *options, .bootstrap = 1000, .level = 0.95};
}

/* What is being evaluated. */
typedef struct evaluating {
    const mml_model *model;
    mml_cohort *cohort;
    const mml_evaluate_options *o;
    mml_evaluation *out;
    mmli_labels *labels;
    size_t *samples; /* (n) chosen and labelled, ascending */
    size_t n;
    mmli_scored scored;
    size_t done; /* predictions so far */
} evaluating;

/* ---- which samples ------------------------------------------------------------------------------------ */

static bool has_test_part(const mml_model *model)
{
    if (model->from.version) /* a fuse, or a baseline */
        return model->from.n_ids[2] > 0;
    for (size_t i = 0; i < model->n; i++)
        if (model->members[i].from.n_ids[2] > 0)
            return true;
    return false;
}

static mml_status choose_part(uint8_t *chosen, const evaluating *e, mml_part part, const char *name)
{
    const size_t N = mml_cohort_size(e->cohort);
    const char *const *ids = mml_cohort_ids(e->cohort);
    mml_status st = MML_OK;
    size_t n = 0;

    for (size_t i = 0; i < N; i++) {
        chosen[i] = mml_model_part_of(e->model, SIZE_MAX, ids[i]) == part;
        n += chosen[i];
    }
    MML_CHECK(n > 0, MML_E_DATA,
              "none of the %zu samples of %s is in the %s part that the model recorded: was it trained on another cohort? "
              "Choose samples by a column instead (\"column=value\"), or \"all\"", N, mml_cohort_path(e->cohort), name);
out:
    return st;
}

static mml_status choose(uint8_t *chosen, const evaluating *e)
{
    static const char *const words[] = {"train", "valid", "test", "all"};
    static const mml_part parts[] = {MML_PART_TRAIN, MML_PART_VALID, MML_PART_TEST};
    const char *on = e->o->on, *near;
    mml_status st = MML_OK;

    if (!on) {
        MML_CHECK(has_test_part(e->model), MML_E_ARG,
                  "the model has no test part of its own: say which samples to evaluate on (\"column=value\" or \"all\")");
        on = "test";
    }
    if (strcmp(on, "all") == 0) {
        memset(chosen, 1, mml_cohort_size(e->cohort));
        goto out;
    }
    for (size_t i = 0; i < 3; i++)
        if (strcmp(on, words[i]) == 0) {
            st = choose_part(chosen, e, parts[i], words[i]);
            goto out;
        }
    near = mmli_nearest(on, words, 4);
    MML_CHECK(strchr(on, '='), MML_E_ARG, "cannot evaluate on `%s`: give train, valid, test, all, or column=value%s%s%s", on,
              near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    MML_TRY(mml_select(chosen, e->cohort, on));
out:
    return st;
}

/* The chosen samples that have a label which the model can be scored on. */
static mml_status gather(evaluating *e)
{
    const size_t N = mml_cohort_size(e->cohort);
    mml_status st = MML_OK;
    uint8_t *chosen = NULL;

    MML_TRY(mmli_calloc(&chosen, N, 1));
    MML_TRY(mmli_calloc(&e->samples, N, sizeof *e->samples));
    MML_TRY(choose(chosen, e));
    for (size_t i = 0; i < N; i++) {
        if (!chosen[i])
            continue;
        if (e->labels->index[i] < 0)
            e->out->n_unlabelled++;
        else
            e->samples[e->n++] = i;
    }
    MML_CHECK(e->n > 0, MML_E_DATA, "%s: none of the %zu chosen samples has a label of task %s%s%s", mml_cohort_path(e->cohort),
              e->out->n_unlabelled, e->model->task->name, e->labels->n_unknown ? " that the model knows; it does not know " : "",
              e->labels->n_unknown ? e->labels->unknown : "");
    e->out->n = e->n;
out:
    mmli_free(chosen);
    return st;
}

/* ---- leak guard ---------------------------------------------------------------------------------------- */

/* The training that has seen a sample: index of the block, model->n = the fine-tuning, SIZE_MAX = none. */
static size_t trained_on(const mml_model *model, uint64_t id)
{
    for (size_t i = 0; i < model->n; i++)
        if (mmli_provenance_part(&model->members[i].from, id) == MML_PART_TRAIN)
            return i;
    return mmli_provenance_part(&model->from, id) == MML_PART_TRAIN ? model->n : SIZE_MAX;
}

static mml_status guard(evaluating *e)
{
    const mml_model *model = e->model;
    const char *const *ids = mml_cohort_ids(e->cohort);
    mml_status st = MML_OK;
    size_t first = SIZE_MAX, by = SIZE_MAX;

    for (size_t i = 0; i < e->n; i++) {
        const size_t who = trained_on(model, mmli_sample_hash(ids[e->samples[i]]));

        if (who == SIZE_MAX)
            continue;
        if (e->out->n_leaked++ == 0) {
            first = e->samples[i];
            by = who;
        }
    }
    if (!e->o->strict || e->out->n_leaked == 0)
        goto out;
    if (by < model->n)
        st = mmli_fail(MML_E_LEAK, "%zu of %zu samples to evaluate on were trained on, for example `%s` by block %s; a score on "
                       "them says nothing about new patients", e->out->n_leaked, e->n, ids[first], model->members[by].name);
    else
        st = mmli_fail(MML_E_LEAK, "%zu of %zu samples to evaluate on were trained on, for example `%s` when the model was "
                       "fine-tuned; a score on them says nothing about new patients", e->out->n_leaked, e->n, ids[first]);
out:
    return st;
}

/* ---- predictions ------------------------------------------------------------------------------------------ */

static int take(void *user, const mml_prediction *chunk, const size_t *samples)
{
    evaluating *e = user;

    (void)samples; /* in the order of e->samples */
    for (size_t b = 0; b < chunk->n; b++) {
        mmli_scored_set(e->scored.score, &e->scored, e->done++, chunk->output + b * chunk->k, chunk->score[b]);
        e->out->n_prior += chunk->prior[b];
    }
    return 0;
}

static mml_status predict(evaluating *e)
{
    mml_status st = MML_OK;
    mml_predictor *predictor = NULL;
    const mml_unknown_category *unknown;
    size_t most = sizeof e->out->unknown / sizeof e->out->unknown[0];

    MML_TRY(mmli_scored_new(&e->scored, e->model->task, e->labels, e->samples, e->n));
    MML_TRY(mml_predictor_new(&predictor, e->model, e->o->device, e->o->threads));
    MML_TRY(mml_predict_cohort(predictor, e->cohort, e->samples, e->n, 0, take, e));
    unknown = mml_predictor_unknown(predictor, &e->out->n_unknown);
    for (size_t i = 0; i < e->out->n_unknown && i < most; i++)
        e->out->unknown[i] = unknown[i];
    for (size_t i = 0; i < e->n; i++) {
        if (e->model->task->kind == MML_BINARY)
            e->out->n_events += e->scored.label[i] == 1;
        if (e->model->task->kind == MML_SURVIVAL)
            e->out->n_events += e->scored.event[i];
    }
out:
    mml_predictor_free(predictor);
    return st;
}

/* ---- metrics -------------------------------------------------------------------------------------------------- */

typedef struct named {
    const char *text;
    size_t i;
} named;

static int by_text(const void *a, const void *b)
{
    const named *x = a, *y = b;
    const int order = strcmp(x->text, y->text);

    return order ? order : (x->i > y->i) - (x->i < y->i);
}

/* *out (n) = a number for each sample's group, equal for equal texts; NULL when every sample is its own group. */
static mml_status groups_of(size_t **out, const evaluating *e)
{
    const char *const *text = mml_cohort_groups(e->cohort);
    mml_status st = MML_OK;
    named *list = NULL;
    size_t *group = NULL;

    *out = NULL;
    if (!text)
        return MML_OK;
    MML_TRY(mmli_calloc(&list, e->n, sizeof *list));
    MML_TRY(mmli_calloc(&group, e->n, sizeof *group));
    for (size_t i = 0; i < e->n; i++)
        list[i] = (named){text[e->samples[i]], i};
    qsort(list, e->n, sizeof *list, by_text);
    for (size_t i = 0, number = 0; i < e->n; i++) {
        number += i > 0 && strcmp(list[i - 1].text, list[i].text) != 0;
        group[list[i].i] = number;
    }
    *out = group;
    group = NULL;
out:
    mmli_free(list);
    mmli_free(group);
    return st;
}

static void add_value(mml_evaluation *out, const char *name, double value, double low, double high)
{
    mml_metric_value *v = &out->metrics[out->n_metrics++];

    snprintf(v->name, sizeof v->name, "%s", name);
    v->value = value;
    v->low = low;
    v->high = high;
}

/* One metric. The first must be defined on these samples; another that is not is left out. An interval that cannot be had
 * (too few samples of a class) leaves the value alone. */
static mml_status add_metric(evaluating *e, mml_metric metric, const char *name, const mml_metric_input *in, const size_t *group)
{
    mml_bootstrap_options b;
    mml_interval interval;
    double value, low = NAN, high = NAN;
    mml_status st = mml_metric_compute(&value, metric, in);

    if (st == MML_E_DATA && e->out->n_metrics > 0)
        return MML_OK;
    if (st != MML_OK)
        return mmli_fail_prefix(st, "%s on %zu samples", name, in->n);
    if (e->o->bootstrap > 0) {
        mml_bootstrap_options_init(&b);
        b.resamples = e->o->bootstrap;
        b.level = e->o->level;
        b.seed = e->o->seed;
        b.group = group;
        st = mml_metric_bootstrap(&interval, metric, in, &b);
        if (st != MML_OK && st != MML_E_DATA)
            return st;
        if (st == MML_OK) {
            low = interval.low;
            high = interval.high;
        }
    }
    add_value(e->out, name, value, low, high);
    return MML_OK;
}

static mml_status add_metrics(evaluating *e, const mml_metric *list, size_t n, const mml_metric_input *in, const size_t *group)
{
    for (size_t i = 0; i < n; i++) {
        const mml_status st = add_metric(e, list[i], mml_metric_name(list[i]), in, group);

        if (st != MML_OK)
            return st;
    }
    return MML_OK;
}

/* Log loss of several classes is that of "the true class comes" at the probability given to it. */
static mml_status add_class_log_loss(evaluating *e, const size_t *group)
{
    const mmli_scored *s = &e->scored;
    mml_status st = MML_OK;
    mml_metric_input in;
    int32_t *label = NULL;
    double *p = NULL;

    MML_TRY(mmli_calloc(&label, s->n, sizeof *label));
    MML_TRY(mmli_calloc(&p, s->n, sizeof *p));
    for (size_t i = 0; i < s->n; i++) {
        label[i] = 1;
        p[i] = s->score[i * s->k + (size_t)s->label[i]];
    }
    mml_metric_input_init(&in);
    in.n = s->n;
    in.label = label;
    in.score = p;
    MML_TRY(add_metric(e, MML_METRIC_LOG_LOSS, "log_loss", &in, group));
out:
    mmli_free(label);
    mmli_free(p);
    return st;
}

static mml_status measure(evaluating *e)
{
    const mml_metric_input in = mmli_scored_input(&e->scored, e->scored.score);
    const mml_task_kind kind = e->model->task->kind;
    mml_cindex_pairs pairs;
    mml_status st = MML_OK;
    size_t *group = NULL, n;
    const mml_metric *list = mmli_task_metrics(&n, kind);
    double c;

    MML_TRY(groups_of(&group, e));
    MML_TRY(add_metrics(e, list, n, &in, group));
    if (kind == MML_MULTICLASS)
        MML_TRY(add_class_log_loss(e, group));
    if (kind == MML_SURVIVAL) {
        MML_TRY(mml_metric_cindex(&c, &pairs, in.score, in.time, in.event, in.n));
        add_value(e->out, "comparable_pairs", (double)pairs.comparable, NAN, NAN);
    }
out:
    mmli_free(group);
    return st;
}

mml_status mml_evaluate(mml_evaluation *out, const mml_model *model, mml_cohort *cohort, const mml_evaluate_options *options)
{
    mml_status st = MML_OK;
    mml_evaluate_options o;
    evaluating e = {.model = model, .cohort = cohort, .o = &o, .out = out};

    MML_GIVEN(out, model, cohort);
    memset(out, 0, sizeof *out);
    mml_evaluate_options_init(&o);
    MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_evaluate_options"));
    MML_CHECK(o.bootstrap == 0 || (o.bootstrap >= 2 && o.level > 0.0 && o.level < 1.0), MML_E_ARG,
              "evaluate: intervals need at least 2 resamples and a level between 0 and 1");
    MML_TRY(mmli_task_map(&e.labels, model->task, cohort, MML_CLASS_EQUAL));
    MML_TRY(gather(&e));
    MML_TRY(guard(&e));
    MML_TRY(predict(&e));
    MML_TRY(measure(&e));
out:
    mmli_scored_clear(&e.scored);
    mmli_labels_free(e.labels);
    mmli_free(e.samples);
    return st;
}
