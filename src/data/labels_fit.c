/* labels_fit.c - classes, edges, standardisation and prior, learnt from the training part; see labels.h. */
#include "data/labels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/labels_inside.h"
#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* The prior must have finite logits even where all who were left had the event in a bin, or none had. */
static const double least_hazard = 1e-6;

enum { DEFAULT_BINS = 4 };

typedef struct fit {
    const mml_cohort *cohort;
    mml_task_info info;
    size_t *train; /* (n) labelled training samples, in the order of the cohort */
    size_t n;
    double *value; /* (n) their labels */
    uint8_t *event;
} fit;

static const char *where(const fit *f)
{
    return mml_cohort_path(f->cohort);
}

/* ---- who is learnt from -------------------------------------------------------------------------------------------- */

mml_status mmli_label_check(bool *missing, const mml_task_info *info, const mml_cohort *cohort, size_t sample)
{
    const double v = info->value[sample];
    const char *path = mml_cohort_path(cohort), *id = mml_cohort_ids(cohort)[sample];
    mml_status st = MML_OK;

    *missing = isnan(v);
    if (*missing)
        goto out;
    MML_CHECK(isfinite(v), MML_E_DATA, "%s: task %s: sample `%s`: the label is infinite", path, info->name, id);
    if (mmli_task_has_classes(info->kind))
        MML_CHECK(v >= 0 && v < (double)info->n_classes && v == floor(v), MML_E_DATA,
                  "%s: task %s: sample `%s`: class number %g is none of the %zu classes", path, info->name, id, v,
                  info->n_classes);
    if (info->kind == MML_SURVIVAL) {
        MML_CHECK(v >= 0, MML_E_DATA, "%s: task %s: sample `%s`: the time %g is negative", path, info->name, id, v);
        MML_CHECK(info->event[sample] <= 1, MML_E_DATA, "%s: task %s: sample `%s`: the event is %d, not 0 or 1", path,
                  info->name, id, info->event[sample]);
    }
out:
    return st;
}

static int by_index(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

static mml_status choose(fit *f, const size_t *train, size_t n)
{
    const size_t size = mml_cohort_size(f->cohort);
    mml_status st = MML_OK;
    size_t m = 0;
    bool missing;

    MML_TRY(mmli_calloc(&f->train, n, sizeof *f->train));
    MML_TRY(mmli_calloc(&f->value, n, sizeof *f->value));
    MML_TRY(mmli_calloc(&f->event, n, sizeof *f->event));
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(train[i] < size, MML_E_ARG, "%s: there is no sample number %zu, only %zu samples", where(f), train[i], size);
        f->train[i] = train[i];
    }
    qsort(f->train, n, sizeof *f->train, by_index);
    for (size_t i = 0; i < n; i++) {
        const size_t s = f->train[i]; /* m <= i: the chosen ones move to the front */

        MML_CHECK(m == 0 || s != f->train[m - 1], MML_E_DATA, "%s: sample `%s` is in the training part twice",
                  where(f), mml_cohort_ids(f->cohort)[s]);
        MML_TRY(mmli_label_check(&missing, &f->info, f->cohort, s));
        if (missing)
            continue;
        f->train[m] = s;
        f->value[m] = f->info.value[s];
        f->event[m++] = f->info.kind == MML_SURVIVAL ? f->info.event[s] : 0;
    }
    MML_CHECK(m > 0, MML_E_DATA, "%s: none of the %zu training samples has a label of task %s", where(f), n, f->info.name);
    f->n = m;
out:
    return st;
}

/* ---- classes ------------------------------------------------------------------------------------------------------- */

typedef struct learnt_class {
    const char *name;
    double number;
    bool is_number;
    uint64_t count;
} learnt_class;

static int by_number(const void *a, const void *b)
{
    const learnt_class *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_byte(const void *a, const void *b)
{
    return strcmp(((const learnt_class *)a)->name, ((const learnt_class *)b)->name);
}

/* The classes that occur in training, in an order that depends on their own names only: the cohort's order may have been
 * decided by a name that occurs in the test part alone. */
static mml_status learn_classes(learnt_class *classes, size_t *k, const fit *f)
{
    bool numbers = true;

    for (size_t i = 0; i < f->n; i++)
        classes[(size_t)f->value[i]].count++;
    *k = 0;
    for (size_t c = 0; c < f->info.n_classes; c++) {
        const char *name = f->info.classes[c];
        learnt_class found = {.name = name, .count = classes[c].count};

        if (found.count == 0)
            continue;
        found.is_number = mmli_parse_double(&found.number, name, strlen(name));
        numbers = numbers && found.is_number;
        classes[(*k)++] = found;
    }
    qsort(classes, *k, sizeof *classes, numbers ? by_number : by_byte);
    if (*k < 2)
        return mmli_fail(MML_E_DATA, "%s: task %s: all %zu training samples are of class `%s`; at least two classes are needed",
                         where(f), f->info.name, f->n, classes[0].name);
    return MML_OK;
}

static mml_status fit_classes(mmli_task **out, const fit *f)
{
    mml_status st = MML_OK;
    learnt_class *classes = NULL;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];
    mmli_task *t;
    size_t k;

    MML_TRY(mmli_calloc(&classes, f->info.n_classes, sizeof *classes));
    MML_TRY(learn_classes(classes, &k, f));
    MML_TRY(mmli_calloc(&names, k, sizeof *names));
    for (size_t c = 0; c < k; c++)
        names[c] = classes[c].name;
    MML_CHECK(f->info.kind != MML_BINARY || k == 2, MML_E_DATA,
              "%s: task %s is binary but the training samples are of %zu classes: %s", where(f), f->info.name, k,
              mmli_list(list, names, k));
    MML_TRY(mmli_task_new(out, f->info.kind, f->info.name, f->info.unit, k, names));
    t = *out;
    for (size_t c = 0; c < k; c++) {
        const double rate = (double)classes[c].count / (double)f->n;

        t->counts[c] = classes[c].count;
        t->prior_output[c] = (float)rate;
        t->prior_logits[c] = (float)log(rate);
    }
out:
    mmli_free(names);
    mmli_free(classes);
    return st;
}

/* ---- survival ---------------------------------------------------------------------------------------------------- */

/* Edges for `bins`, or a message that says how many there can be. */
static mml_status learn_edges(double *edges, size_t bins, const fit *f)
{
    mml_status st = mml_metric_survival_edges(edges, bins, f->value, f->event, f->n);
    size_t fewer = bins;
    char *message = NULL;

    if (st == MML_OK)
        return MML_OK;
    st = mmli_fail_prefix(st, "%s: task %s", where(f), f->info.name);
    if (st != MML_E_DATA)
        return st;
    /* Kept, because the failures of the trials below replace it. */
    if ((st = mmli_strdup(&message, mml_last_error())) != MML_OK)
        return st;
    while (--fewer >= 2 && mml_metric_survival_edges(edges, fewer, f->value, f->event, f->n) == MML_E_DATA)
        continue;
    st = fewer >= 2 ? mmli_fail(MML_E_DATA, "%s (%zu would do)", message, fewer) : mmli_fail(MML_E_DATA, "%s", message);
    mmli_free(message);
    return st;
}

static mml_status fit_hazards(mmli_task **out, const fit *f, size_t bins)
{
    mml_status st = MML_OK;
    double *hazard = NULL;
    int32_t *bin = NULL;
    mmli_task *t;

    MML_CHECK(bins >= 2 && bins <= MMLI_TASK_MAX_BINS, MML_E_ARG, "bins: %zu is not between 2 and %d", bins,
              MMLI_TASK_MAX_BINS);
    MML_TRY(mmli_task_new(out, MML_SURVIVAL, f->info.name, f->info.unit, bins, NULL));
    t = *out;
    MML_TRY(learn_edges(t->edges, bins, f));
    MML_TRY(mmli_calloc(&hazard, bins, sizeof *hazard));
    MML_TRY(mmli_calloc(&bin, f->n, sizeof *bin));
    MML_TRY(mml_metric_km_hazards(hazard, t->edges, bins, f->value, f->event, f->n));
    MML_TRY(mml_metric_survival_labels(bin, t->edges, bins, f->value, f->n));
    for (size_t i = 0; i < f->n; i++)
        if (f->event[i])
            t->counts[bin[i]]++;
    for (size_t j = 0; j < bins; j++) {
        const double h = fmin(fmax(hazard[j], least_hazard), 1 - least_hazard);

        t->n_events += (size_t)t->counts[j];
        t->prior_output[j] = (float)h;
        t->prior_logits[j] = (float)log(h / (1 - h));
    }
out:
    mmli_free(bin);
    mmli_free(hazard);
    return st;
}

/* One output, relative to the mean patient; its one bin holds all times and is not looked at. */
static mml_status fit_cox(mmli_task **out, const fit *f)
{
    mml_status st = MML_OK;
    mmli_task *t;

    MML_TRY(mmli_task_new(out, MML_SURVIVAL, f->info.name, f->info.unit, 1, NULL));
    t = *out;
    t->edges[0] = t->edges[1] = f->value[0];
    for (size_t i = 0; i < f->n; i++) {
        t->edges[0] = fmin(t->edges[0], f->value[i]);
        t->edges[1] = fmax(t->edges[1], f->value[i]);
        t->n_events += f->event[i];
    }
    t->edges[0] = nextafter(t->edges[0], -HUGE_VAL);
    t->edges[1] = nextafter(t->edges[1], HUGE_VAL);
    t->counts[0] = t->n_events;
    t->prior_output[0] = 1.0f;
    MML_CHECK(t->n_events >= 2, MML_E_DATA,
              "%s: task %s: %zu of %zu training samples have an event, at least 2 are needed; is the column perhaps "
              "`censorship` where `event` was said, or the other way round?", where(f), f->info.name, t->n_events, f->n);
out:
    return st;
}

/* ---- regression ------------------------------------------------------------------------------------------------------ */

static mml_status fit_regression(mmli_task **out, const fit *f)
{
    double sum = 0, rest = 0, squares = 0;
    bool constant = true;
    mmli_task *t;
    mml_status st;

    if ((st = mmli_task_new(out, MML_REGRESSION, f->info.name, f->info.unit, 1, NULL)) != MML_OK)
        return st;
    t = *out;
    for (size_t i = 0; i < f->n; i++) {
        sum += f->value[i] / (double)f->n; /* divided first: targets near the largest double do not overflow */
        constant = constant && f->value[i] == f->value[0];
    }
    for (size_t i = 0; i < f->n; i++) {
        const double d = f->value[i] - sum;

        rest += d / (double)f->n;
        squares += d * d / (double)f->n;
    }
    t->mean = constant ? f->value[0] : sum + rest;
    t->sd = constant ? 1 : sqrt(fmax(squares - rest * rest, 0));
    if (!isfinite(t->sd) || !(t->sd > 0) || !(fabs(t->mean) <= (double)FLT_MAX))
        return mmli_fail(MML_E_DATA, "%s: task %s: the targets are too large, or too close to each other, to be standardised",
                         where(f), f->info.name);
    t->counts[0] = f->n;
    t->prior_output[0] = (float)t->mean;
    return MML_OK;
}

mml_status mmli_task_fit(mmli_task **out, const mml_cohort *cohort, const char *task, const size_t *train, size_t n_train,
                         const mmli_task_options *options)
{
    const size_t bins = options != NULL && options->bins > 0 ? options->bins : DEFAULT_BINS;
    mml_status st = MML_OK;
    fit f = {.cohort = cohort};
    mmli_task *t = NULL;

    *out = NULL;
    MML_TRY(mml_cohort_task(&f.info, cohort, task));
    MML_TRY(choose(&f, train, n_train));
    switch (f.info.kind) {
    case MML_BINARY:
    case MML_MULTICLASS:
        MML_TRY(fit_classes(&t, &f));
        break;
    case MML_SURVIVAL:
        MML_TRY(options != NULL && options->cox ? fit_cox(&t, &f) : fit_hazards(&t, &f, bins));
        break;
    case MML_REGRESSION:
        MML_TRY(fit_regression(&t, &f));
        break;
    default:
        MML_CHECK(false, MML_E_INTERNAL, "%s: task %s is of an unknown kind", where(&f), task);
    }
    t->n_train = f.n;
    *out = t;
    t = NULL;
out:
    mmli_task_free(t);
    mmli_free(f.train);
    mmli_free(f.value);
    mmli_free(f.event);
    return st;
}
