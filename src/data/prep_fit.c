/* prep_fit.c - statistics of the training part, learnt in passes over the cohort; see prep.h.
 *
 * Pass 1: counts, sums, extremes, and the first byte of the quantiles. Pass 2: squares about the mean, with what
 * is left of the mean's own rounding (corrected two-pass algorithm). Passes 3 and 4: the rest of the
 * quantiles. Samples are read in the order of the cohort, chunk by chunk; sums go on from one chunk to the
 * next, so neither the order of `train` nor the size of a chunk changes a bit. */
#include "data/prep.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "data/prep_inside.h"
#include "data/quantiles.h"
#include "util/alloc.h"
#include "util/error.h"

enum {
    CHUNK_VALUES = 1 << 22,          /* 16 MiB of tokens are read at a time, or one sample when it is larger */
    QUANTILE_BYTES = 256 * (1 << 20) /* of counts; tables too wide for it are done in several blocks of columns */
};

typedef struct column {
    uint64_t n; /* measured values */
    double sum, mean, rest, squares;
    float min, max;
    double median, low, high; /* quartiles; NaN when not asked for */
} column;

typedef struct fit {
    mml_cohort *cohort;
    mml_modality_info info;
    const mml_prep_options *o;
    size_t *train; /* (n) ascending, those with tokens only */
    size_t n;
    uint64_t tokens; /* of all of them */
    mml_batch *batch;
    column *columns; /* (width) */
} fit;

static int by_index(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t tokens_of(const fit *f, size_t sample)
{
    return (uint64_t)(f->info.offsets[sample + 1] - f->info.offsets[sample]);
}

/* The training samples that have the modality, in the order of the cohort. */
static mml_status choose(fit *f, const size_t *train, size_t n)
{
    const size_t size = mml_cohort_size(f->cohort);
    size_t *sorted = NULL;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&sorted, n, sizeof *sorted));
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(train[i] < size, MML_E_ARG, "%s: there is no sample number %zu, only %zu samples",
                  mml_cohort_path(f->cohort), train[i], size);
        sorted[i] = train[i];
    }
    qsort(sorted, n, sizeof *sorted, by_index);
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(i == 0 || sorted[i] != sorted[i - 1], MML_E_DATA, "%s: sample `%s` is in the training part twice",
                  mml_cohort_path(f->cohort), mml_cohort_ids(f->cohort)[sorted[i]]);
        if (tokens_of(f, sorted[i]) > 0) {
            f->tokens += tokens_of(f, sorted[i]);
            sorted[f->n++] = sorted[i];
        }
    }
    MML_CHECK(f->n > 0, MML_E_DATA, "%s: none of the %zu training samples has modality %s",
              mml_cohort_path(f->cohort), n, f->info.name);
    f->train = sorted;
    sorted = NULL;
out:
    mmli_free(sorted);
    return st;
}

/* ---- passes ------------------------------------------------------------------------------------------- */

static void pass_one(column *columns, const float *x, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++, x += width)
        for (size_t c = 0; c < width; c++) {
            const float v = x[c];

            if (isnan(v))
                continue;
            columns[c].n++;
            columns[c].sum += (double)v;
            columns[c].min = v < columns[c].min ? v : columns[c].min;
            columns[c].max = v > columns[c].max ? v : columns[c].max;
        }
}

static void pass_two(column *columns, const float *x, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++, x += width)
        for (size_t c = 0; c < width; c++) {
            const double d = (double)x[c] - columns[c].mean;

            if (isnan(d))
                continue;
            columns[c].rest += d;
            columns[c].squares += d * d;
        }
}

/* Names the first infinite value of a chunk of n samples from train[first], if there is one. */
static mml_status check_finite(const fit *f, const mml_tokens *t, size_t first, size_t n)
{
    const size_t values = (size_t)t->offsets[n] * t->width;
    size_t b = 0, i = 0;

    while (i < values && !isinf(t->values[i]))
        i++;
    if (i == values)
        return MML_OK;
    while ((size_t)t->offsets[b + 1] * t->width <= i)
        b++;
    return mmli_fail(MML_E_DATA, "%s: modality %s: sample `%s`, token %zu: feature `%s` is infinite; correct it or leave it empty",
                     mml_cohort_path(f->cohort), f->info.name, mml_cohort_ids(f->cohort)[f->train[first + b]],
                     i / t->width - (size_t)t->offsets[b] + 1, f->info.features[i % t->width]);
}

/* Number of samples from train[first] on that are read together. */
static size_t chunk(const fit *f, size_t first)
{
    const uint64_t most = CHUNK_VALUES / f->info.width;
    uint64_t sum = tokens_of(f, f->train[first]);
    size_t n = 1;

    while (first + n < f->n && sum + tokens_of(f, f->train[first + n]) <= most)
        sum += tokens_of(f, f->train[first + n++]);
    return n;
}

/* One pass over all tokens: moments pass 1 or 2 (0 = none), and the quantiles of some columns if q is given. */
static mml_status run_pass(fit *f, int moments, mmli_quantiles *q, size_t first_col)
{
    mml_status st;

    for (size_t first = 0, n; first < f->n; first += n) {
        mml_tokens t;

        n = chunk(f, first);
        if ((st = mml_cohort_read(f->cohort, f->batch, f->train + first, n, &f->info.name, 1)) != MML_OK ||
            (st = mml_batch_get(&t, f->batch, f->info.name)) != MML_OK)
            return st;
        if (moments == 1) {
            if ((st = check_finite(f, &t, first, n)) != MML_OK)
                return st;
            pass_one(f->columns, t.values, (size_t)t.offsets[n], t.width);
        }
        if (moments == 2)
            pass_two(f->columns, t.values, (size_t)t.offsets[n], t.width);
        if (q != NULL)
            mmli_quantiles_add(q, t.values + first_col, (size_t)t.offsets[n], t.width);
    }
    for (size_t c = 0; moments == 1 && c < f->info.width; c++)
        if (f->columns[c].n > 0)
            f->columns[c].mean = f->columns[c].sum / (double)f->columns[c].n;
    return MML_OK;
}

/* Quantiles of columns first .. first+cols-1; the moments go along with the first block. */
static mml_status run_block(fit *f, size_t first, size_t cols)
{
    static const double probs[3] = {0.5, 0.25, 0.75};
    const size_t n_probs = f->o->scaling == MML_SCALE_ROBUST ? 3 : 1;
    mml_status st = MML_OK;
    mmli_quantiles *q = NULL;
    double *found = NULL;
    int pass = 0;

    MML_TRY(mmli_calloc(&found, cols, n_probs * sizeof *found));
    MML_TRY(mmli_quantiles_new(&q, cols, probs, n_probs));
    do {
        pass++;
        MML_TRY(run_pass(f, first == 0 && pass <= 2 ? pass : 0, q, first));
    } while (mmli_quantiles_next(q));
    mmli_quantiles_get(q, found);
    for (size_t c = 0; c < cols; c++) {
        column *col = f->columns + first + c;

        col->median = found[c * n_probs];
        col->low = n_probs == 3 ? found[c * n_probs + 1] : NAN;
        col->high = n_probs == 3 ? found[c * n_probs + 2] : NAN;
    }
out:
    mmli_quantiles_free(q);
    mmli_free(found);
    return st;
}

static mml_status measure(fit *f)
{
    const bool quantiles = f->o->scaling == MML_SCALE_ROBUST || f->o->imputation == MML_IMPUTE_MEDIAN ||
                           f->o->imputation == MML_IMPUTE_LOCF;
    const size_t block = QUANTILE_BYTES / mmli_quantiles_bytes(3);
    mml_status st = MML_OK;

    for (size_t c = 0; c < f->info.width; c++)
        f->columns[c] = (column){.min = INFINITY, .max = -INFINITY, .median = NAN, .low = NAN, .high = NAN};
    if (!quantiles) {
        MML_TRY(run_pass(f, 1, NULL, 0));
        MML_TRY(run_pass(f, 2, NULL, 0));
    }
    for (size_t first = 0; quantiles && first < f->info.width; first += block)
        MML_TRY(run_block(f, first, f->info.width - first < block ? f->info.width - first : block));
out:
    return st;
}

/* ---- what is kept of them --------------------------------------------------------------------------------- */

/* 1 / spread, or 0 when that is no float32: a spread below 1e-38 is no information. */
static float inverse(double spread)
{
    return spread > 0 && 1 / spread <= (double)FLT_MAX ? (float)(1 / spread) : 0.0f;
}

static void settle(mmli_prep *p, size_t c, const column *col, uint64_t tokens)
{
    double center = 0, scale = 0, fill = 0;

    p->indicator[c] = p->o.indicators == MML_INDICATE_MASK || (p->o.indicators == MML_INDICATE_MISSING && col->n < tokens);
    if (col->n > 0) {
        const double n = (double)col->n;
        const double mean = col->mean + col->rest / n;
        const double variance = (col->squares - col->rest * col->rest / n) / n;
        const double sd = variance > 0 ? sqrt(variance) : 0;

        switch (p->o.scaling) {
        case MML_SCALE_STANDARD:
            center = mean;
            scale = sd;
            break;
        case MML_SCALE_ROBUST:
            center = col->median;
            scale = col->high > col->low ? (col->high - col->low) / 1.349 : sd;
            break;
        case MML_SCALE_NONE:
            scale = 1;
            break;
        }
        if (p->o.scaling != MML_SCALE_NONE && col->min == col->max) { /* exact, whatever rounding sd has */
            center = (double)col->min;
            scale = 0;
        }
        switch (p->o.imputation) {
        case MML_IMPUTE_MEDIAN:
        case MML_IMPUTE_LOCF:
            fill = col->median;
            break;
        case MML_IMPUTE_MEAN:
            fill = mean;
            break;
        case MML_IMPUTE_ZERO:
            fill = center;
            break;
        }
    }
    p->center[c] = (float)center;
    p->scale_inv[c] = inverse(scale);
    p->fill[c] = (float)fill;
}

mml_status mmli_prep_fit(mmli_prep **out, mml_cohort *cohort, const char *modality, const size_t *train, size_t n,
                         const mml_prep_options *options)
{
    static const mml_prep_options defaults = {.struct_size = sizeof defaults, .clip = 5};
    mml_status st = MML_OK;
    fit f = {.cohort = cohort, .o = options != NULL ? options : &defaults};
    mmli_prep *p = NULL;

    *out = NULL;
    MML_TRY(mml_cohort_modality(&f.info, cohort, modality));
    MML_CHECK(f.info.width > 0, MML_E_DATA, "%s: modality %s has no features", mml_cohort_path(cohort), modality);
    MML_TRY(mmli_prep_new(&p, f.info.width, f.info.n_axes, f.o));
    MML_TRY(mmli_prep_set_features(p, f.info.features));
    if (f.info.category_of != NULL)
        MML_TRY(mmli_prep_set_categories(p, f.info.category_of));
    MML_TRY(choose(&f, train, n));
    MML_TRY(mml_batch_new(&f.batch, 0));
    MML_TRY(mmli_calloc(&f.columns, f.info.width, sizeof *f.columns));
    MML_TRY(measure(&f));
    for (size_t c = 0; c < f.info.width; c++)
        settle(p, c, f.columns + c, f.tokens);
    MML_TRY(mmli_prep_set_width(p));
    *out = p;
    p = NULL;
out:
    mmli_prep_free(p);
    mml_batch_free(f.batch);
    mmli_free(f.columns);
    mmli_free(f.train);
    return st;
}
