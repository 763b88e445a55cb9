/* tokens.c - what a row of a source becomes: a token (F), a token a step or one summary (T, C), patches (H, W, C). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/half.h"
#include "util/text.h"

static const char *const statistics[] = {"mean", "min", "max", "last", "first", "count"};
enum { N_STATISTICS = 6 };

/* ---- shapes and names ---------------------------------------------------------------------------------------------------- */

static mml_status series_shape(mmli_tokenizer *t)
{
    mml_status st = MML_OK;
    const mmli_import_modality *m = t->m;
    const size_t to = m->to == SIZE_MAX ? t->source->dims[0] : m->to;

    MML_CHECK(m->from < to && to <= t->source->dims[0], MML_E_SHAPE, "%s: %s has %zu steps; steps = %zu:%zu do not exist", m->file,
              m->dataset, t->source->dims[0], m->from, to);
    t->width = m->summary ? t->source->n_picks * N_STATISTICS : t->source->n_picks;
    t->n_axes = m->summary ? 0 : 1;
    t->most = m->summary ? 1 : to - m->from;
out:
    return st;
}

/* "1, 2, 3, 4, 6, 8, ..." : what would divide both sides. */
static void list_divisors(char out[MMLI_LIST_BYTES], size_t h, size_t w)
{
    char words[24][24];
    const char *names[24];
    size_t n = 0;

    for (size_t d = 1; d <= (h < w ? h : w) && n < 24; d++)
        if (h % d == 0 && w % d == 0) {
            names[n] = words[n];
            words[n][0] = '\0';
            for (size_t x = d, i = 0; x > 0; x /= 10, i++) {
                memmove(words[n] + 1, words[n], i + 1);
                words[n][0] = (char)('0' + x % 10);
            }
            n++;
        }
    (void)mmli_list(out, names, n);
}

static mml_status image_shape(mmli_tokenizer *t)
{
    mml_status st = MML_OK;
    const size_t h = t->source->dims[0], w = t->source->dims[1], p = t->m->patch;
    char list[MMLI_LIST_BYTES];

    if (h % p != 0 || w % p != 0) {
        list_divisors(list, h, w);
        st = mmli_fail(MML_E_SHAPE, "%s: images of %zu x %zu cannot be cut into patches of %zu x %zu without a rest; patch can "
                       "be: %s", t->m->file, h, w, p, p, list);
        goto out;
    }
    t->n_axes = 2;
    t->most = (h / p) * (w / p);
    t->width = p * p * t->source->n_picks; /* bounded by the size of a row, which is checked */
out:
    return st;
}

static mml_status make_features(mmli_tokenizer *t)
{
    mml_status st = MML_OK;
    char *const *names = t->source->names;
    const size_t p = t->m->patch;
    size_t n = 0;

    MML_TRY(mmli_calloc(&t->features, t->width, sizeof *t->features));
    if (t->source->rank == 3) {
        for (size_t y = 0; y < p; y++)
            for (size_t x = 0; x < p; x++)
                for (size_t k = 0; k < t->source->n_picks; k++)
                    MML_TRY(mmli_strf(&t->features[n++], "y%zu.x%zu.%s", y, x, names[t->source->picks[k]]));
        goto out;
    }
    if (t->signatures.n > 0) {
        for (; n < t->width; n++)
            MML_TRY(mmli_strdup(&t->features[n], names[t->source->picks[t->signatures.columns[n]]]));
        goto out;
    }
    for (size_t k = 0; k < t->source->n_picks; k++) {
        if (!t->m->summary) {
            MML_TRY(mmli_strdup(&t->features[n++], names[t->source->picks[k]]));
            continue;
        }
        for (int s = 0; s < N_STATISTICS; s++)
            MML_TRY(mmli_strf(&t->features[n++], "%s.%s", names[t->source->picks[k]], statistics[s]));
    }
out:
    return st;
}

static mml_status make_categories(mmli_tokenizer *t)
{
    mml_status st = MML_OK;

    if (t->source->category_of == NULL || t->source->rank != 1 || t->signatures.n > 0)
        return MML_OK;
    MML_CHECK(!t->m->rank, MML_E_FORMAT, "%s: modality %s: transform = rank is for numbers only, not for columns that are categorical",
              t->m->file, t->m->name);
    MML_TRY(mmli_calloc(&t->category_of, t->width, sizeof *t->category_of));
    for (size_t k = 0; k < t->width; k++)
        t->category_of[k] = t->source->category_of[t->source->picks[k]];
out:
    return st;
}

/* A token for each signature, all of the same features. */
static mml_status signatures_shape(mmli_tokenizer *t)
{
    mml_status st = MML_OK;
    const mmli_source *s = t->source;
    const char **names = NULL;

    MML_TRY(mmli_calloc(&names, s->n_picks, sizeof *names));
    for (size_t k = 0; k < s->n_picks; k++)
        names[k] = s->names[s->picks[k]];
    MML_TRY(mmli_signatures_read(&t->signatures, &t->notes, t->m->signatures, names, s->n_picks));
    MML_TRY(mmli_calloc(&t->row, s->n_picks, sizeof *t->row));
    t->width = t->signatures.width;
    t->most = t->signatures.n;
    t->n_axes = 1;
out:
    mmli_free(names);
    return st;
}

/* A row is a token; what would need several of them at once is not to be had. */
static mml_status row_shape(mmli_tokenizer *t)
{
    mml_status st = MML_OK;
    const mmli_import_modality *m = t->m;

    MML_CHECK(!m->summary && m->from == 0 && m->to == SIZE_MAX, MML_E_FORMAT,
              "%s: modality %s: tokens = summary and steps = ... are for series of a fixed number of steps", m->file, m->name);
    t->n_axes = t->source->n_axes;
    if (m->signatures != NULL)
        st = signatures_shape(t);
out:
    return st;
}

mml_status mmli_tokenizer_make(mmli_tokenizer *t, const mmli_import_modality *modality, const mmli_source *source)
{
    mml_status st = MML_OK;

    *t = (mmli_tokenizer){.m = modality, .source = source, .width = source->n_picks, .most = 1};
    switch (source->rank) {
    case 1: MML_TRY(row_shape(t)); break;
    case 2: MML_TRY(series_shape(t)); break;
    case 3: MML_TRY(image_shape(t)); break;
    }
    MML_TRY(make_features(t));
    MML_TRY(make_categories(t));
    if (modality->rank)
        MML_TRY(mmli_calloc(&t->ranked, t->width, sizeof *t->ranked));
out:
    if (st != MML_OK)
        mmli_tokenizer_free(t);
    return st;
}

void mmli_tokenizer_free(mmli_tokenizer *t)
{
    mmli_h5_texts_free(t->features, t->width);
    mmli_free(t->category_of);
    mmli_free(t->ranked);
    mmli_signatures_free(&t->signatures);
    mmli_free(t->row);
    mmli_buf_free(&t->notes);
    *t = (mmli_tokenizer){0};
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

/* One value as it goes into a token. `feature`: index into the last dimension, for the message. */
static mml_status convert(float *out, const mmli_tokenizer *t, float x, size_t feature, const char *sample)
{
    mml_status st = MML_OK;
    char number[MMLI_NUMBER_BYTES];

    if (isnan(x)) {
        *out = NAN; /* one NaN of the many: equal data has an equal hash */
        return MML_OK;
    }
    MML_CHECK(isfinite(x), MML_E_DATA, "%s: modality %s: sample %s, %s: the value is infinite", t->m->file,
              t->m->name, sample, t->source->names[feature]);
    if (t->category_of != NULL && t->source->category_of[feature][0] != '\0') {
        *out = x; /* 0 or 1, whatever becomes of amounts */
        return MML_OK;
    }
    x *= t->source->scale;
    x = x < t->m->least ? t->m->least : x > t->m->most ? t->m->most : x;
    MML_CHECK(!t->m->log1p || x >= 0, MML_E_DATA,
              "%s: modality %s: sample %s, %s: %s is negative; transform = log1p is for counts and amounts",
              t->m->file, t->m->name, sample, t->source->names[feature], mmli_format_float(number, x));
    *out = t->m->log1p ? (float)log1p((double)x) : x;
out:
    return st;
}

static int by_value(const void *a, const void *b)
{
    const mmli_ranked *x = a, *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

/* Values to their ranks in [0, 1]: of n measured ones the least is 0 and the greatest 1, equal ones have the mean of their ranks,
 * a single one 0.5. */
static void rank_values(float *x, const mmli_tokenizer *t)
{
    mmli_ranked *r = t->ranked;
    size_t n = 0;

    for (size_t k = 0; k < t->width; k++)
        if (!isnan(x[k]))
            r[n++] = (mmli_ranked){x[k], k};
    qsort(r, n, sizeof *r, by_value);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && !(r[i].value < r[end].value); end++)
            continue;
        for (size_t k = i; k < end; k++)
            x[r[k].place] = n == 1 ? 0.5f : (float)(0.5 * (double)(i + end - 1) / (double)(n - 1));
    }
}

/* The picked values of `from` (last dimension); *any = one of them is measured. */
static mml_status pick(float *to, bool *any, const mmli_tokenizer *t, const float *from, const char *sample)
{
    for (size_t k = 0; k < t->source->n_picks; k++) {
        const mml_status st = convert(&to[k], t, from[t->source->picks[k]], t->source->picks[k], sample);

        if (st != MML_OK)
            return st;
        *any = *any || !isnan(to[k]);
    }
    return MML_OK;
}

/* A token for each of `n` steps; empty ones are none. */
static mml_status runs(float *values, float *positions, size_t *n_out, const mmli_tokenizer *t, const float *row,
                       size_t from, size_t n, const char *sample)
{
    mml_status st = MML_OK;
    const size_t width = t->source->dims[t->source->rank - 1];
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool any = false;

        MML_TRY(pick(values + kept * t->width, &any, t, row + (from + i) * width, sample));
        if (!any)
            continue;
        positions[kept] = n > 1 ? (float)((double)i / (double)(n - 1)) : 0.0f;
        kept++;
    }
    *n_out = kept;
out:
    return st;
}

/* mean, min, max, last, first and count of every channel over its measured steps (method.md 3b, point 6). */
static mml_status summary(float *out, size_t *n_out, const mmli_tokenizer *t, const float *row, size_t from, size_t n,
                          const char *sample)
{
    mml_status st = MML_OK;
    const size_t width = t->source->dims[1];
    size_t measured = 0;

    for (size_t k = 0; k < t->source->n_picks; k++) {
        float *f = out + k * N_STATISTICS, x = NAN;
        double sum = 0;
        size_t count = 0;

        for (int s = 0; s < N_STATISTICS; s++)
            f[s] = NAN;
        for (size_t i = 0; i < n; i++) {
            MML_TRY(convert(&x, t, row[(from + i) * width + t->source->picks[k]], t->source->picks[k], sample));
            if (isnan(x))
                continue;
            f[1] = count == 0 || x < f[1] ? x : f[1];
            f[2] = count == 0 || x > f[2] ? x : f[2];
            f[3] = x;
            f[4] = count == 0 ? x : f[4];
            sum += (double)x;
            count++;
        }
        if (count > 0)
            f[0] = (float)(sum / (double)count);
        f[5] = (float)count;
        measured += count;
    }
    *n_out = measured > 0; /* a stay with no measurement at all has no token */
out:
    return st;
}

/* Patches row by row; in a patch pixels row by row, channels innermost. */
static mml_status patches(float *values, float *positions, size_t *n_out, const mmli_tokenizer *t, const float *row,
                          const char *sample)
{
    mml_status st = MML_OK;
    const size_t h = t->source->dims[0], w = t->source->dims[1], c = t->source->dims[2], p = t->m->patch;
    size_t kept = 0;

    for (size_t top = 0; top < h; top += p)
        for (size_t left = 0; left < w; left += p) {
            float *to = values + kept * t->width;
            bool any = false;

            for (size_t y = top; y < top + p; y++)
                for (size_t x = left; x < left + p; x++, to += t->source->n_picks)
                    MML_TRY(pick(to, &any, t, row + (y * w + x) * c, sample));
            if (!any)
                continue;
            positions[2 * kept] = (float)(((double)top + 0.5 * (double)p) / (double)h);
            positions[2 * kept + 1] = (float)(((double)left + 0.5 * (double)p) / (double)w);
            kept++;
        }
    *n_out = kept;
out:
    return st;
}

/* float16 = yes: n values become what the cohort will keep. */
static mml_status round_to_half(float *values, size_t n, const mmli_tokenizer *t, const char *sample)
{
    enum { BLOCK = 256 };
    const float most = 65520.0f; /* from here on the nearest float16 is infinite */
    uint16_t halves[BLOCK];
    float back[BLOCK];

    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t count = n - at < BLOCK ? n - at : BLOCK;

        for (size_t i = 0; i < count; i++)
            if (fabsf(values[at + i]) >= most)
                return mmli_fail(MML_E_DATA, "%s: modality %s: sample %s, %s: %g is too large for float16 (65504 at most); leave "
                                 "float16 = yes out", t->m->file, t->m->name, sample, t->features[(at + i) % t->width],
                                 (double)values[at + i]);
        mmli_half_from_float(halves, values + at, count);
        mmli_half_to_float(back, halves, count);
        memcpy(values + at, back, count * sizeof *back);
    }
    return MML_OK;
}

/* A token for each signature with a measured gene; its position is the place of the signature. */
static mml_status by_signature(float *values, float *positions, size_t *n_out, const mmli_tokenizer *t, const float *row, const char *sample)
{
    mml_status st = MML_OK;
    const mmli_signatures *g = &t->signatures;
    size_t kept = 0;
    bool any = false;

    MML_TRY(pick(t->row, &any, t, row, sample));
    for (size_t s = 0; s < g->n; s++) {
        float *to = values + kept * g->width;
        bool measured = !t->m->drop_empty;

        for (size_t k = 0; k < g->width; k++) {
            to[k] = g->member[s * g->width + k] ? t->row[g->columns[k]] : NAN;
            measured = measured || !isnan(to[k]);
        }
        if (!measured)
            continue;
        positions[kept++] = g->n > 1 ? (float)((double)s / (double)(g->n - 1)) : 0.0f;
    }
    *n_out = kept;
out:
    return st;
}

bool mmli_tokens_are_half(const mmli_tokenizer *t)
{
    return t->m->half || (t->source->half && t->source->scale == 1.0f && !t->m->log1p && !t->m->summary && !t->m->rank &&
           isinf(t->m->least) && isinf(t->m->most));
}

mml_status mmli_tokenize(float *values, float *positions, size_t *n, const mmli_tokenizer *t, const float *row,
                         const float *place, const char *sample)
{
    mml_status st = MML_OK;
    const size_t from = t->m->from, to = t->m->to == SIZE_MAX ? t->source->dims[0] : t->m->to;
    bool any = false;

    *n = 0;
    switch (t->source->rank) {
    case 1:
        if (t->signatures.n > 0) {
            st = by_signature(values, positions, n, t, row, sample);
            break;
        }
        MML_TRY(pick(values, &any, t, row, sample));
        if (t->m->rank)
            rank_values(values, t);
        *n = any || !(t->m->kind == MML_SERIES || t->m->drop_empty);
        if (t->n_axes > 0)
            memcpy(positions, place, t->n_axes * sizeof *positions);
        break;
    case 2:
        st = t->m->summary ? summary(values, n, t, row, from, to - from, sample)
                           : runs(values, positions, n, t, row, from, to - from, sample);
        break;
    case 3: st = patches(values, positions, n, t, row, sample); break;
    }
    if (st == MML_OK && t->m->half)
        st = round_to_half(values, *n * t->width, t, sample);
out:
    return st;
}
