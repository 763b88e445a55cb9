/* prep_apply.c - raw tokens into the tokens that an encoder reads; see prep.h.
 *
 * On the path of every training batch: one pass over the rows, no memory of its own. A value carried
 * forward is the one above it in `out`: scaling works on each column alone, so carrying the scaled value and
 * scaling the carried one give the same bits. */
#include "data/prep.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "util/error.h"

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

/* The values of one row; `above` is the row before it in the output when values are carried forward, else NULL.
 * Gives 1 when an input was infinite. Written so that compilers turn it into vector instructions: selections, no
 * branches, and nothing that depends on the column before. */
static int scale_row(float *restrict y, const float *restrict x, const float *restrict above, const mmli_prep *prep)
{
    const float *restrict center = prep->center, *restrict scale = prep->scale_inv, *restrict fill = prep->fill;
    const bool clips = prep->o.clip > 0 && prep->o.scaling != MML_SCALE_NONE;
    const float most = clips ? (float)prep->o.clip : FLT_MAX; /* FLT_MAX: a value far out does not become infinite */
    const size_t width = prep->width_in;
    int infinite = 0;

    for (size_t f = 0; f < width; f++) {
        const float raw = x[f], instead = fill[f], s = scale[f];
        const float known = raw == raw ? raw : instead; /* NaN differs from itself */
        float v = (known - center[f]) * s;

        infinite |= fabsf(known) > FLT_MAX;
        v = v > most ? most : v;
        v = v < -most ? -most : v;
        y[f] = s == 0.0f ? 0.0f : v;
    }
    if (above != NULL)
        for (size_t f = 0; f < width; f++) {
            const float carried = above[f], own = y[f];

            y[f] = x[f] == x[f] ? own : carried;
        }
    return infinite;
}

static float *indicate(float *y, const float *x, const mmli_prep *prep)
{
    const float measured = prep->o.indicators == MML_INDICATE_MASK ? 1.0f : 0.0f;

    for (size_t f = 0; f < prep->width_in; f++)
        if (prep->indicator[f])
            *y++ = isnan(x[f]) ? 1.0f - measured : measured;
    return y;
}

static float *place(float *y, double p, unsigned bands)
{
    for (unsigned k = 1; k <= bands; k++) {
        *y++ = (float)sin(M_PI * k * p);
        *y++ = (float)cos(M_PI * k * p);
    }
    *y++ = (float)p;
    return y;
}

static mml_status check_shape(const mmli_prep *prep, const mml_tokens *tokens)
{
    const size_t axes = tokens->positions != NULL ? tokens->n_axes : 0;

    if (tokens->width != prep->width_in)
        return mmli_fail(MML_E_SHAPE, "modality %s: tokens have %zu values, in training they had %zu", tokens->name,
                         tokens->width, prep->width_in);
    if (prep->o.position_bands > 0 && axes != prep->n_axes)
        return mmli_fail(MML_E_SHAPE, "modality %s: positions have %zu axes, in training they had %zu", tokens->name, axes,
                         prep->n_axes);
    return MML_OK;
}

/* A sample, or a part of one: rows from .. end - 1 of the tokens, of which the first is token `before` of `total`. */
typedef struct part {
    size_t b; /* sample of the batch */
    size_t from, end, before, total;
} part;

/* What was wrong in row t. */
static mml_status bad_value(const mmli_prep *prep, const mml_tokens *tokens, size_t t, const part *p)
{
    const size_t j = p->before + t - p->from;
    size_t f = 0;

    while (f + 1 < prep->width_in && !isinf(tokens->values[t * prep->width_in + f]))
        f++;
    if (prep->features != NULL)
        return mmli_fail(MML_E_DATA, "modality %s: sample %zu of the batch, token %zu: feature `%s` is infinite",
                         tokens->name, p->b + 1, j + 1, prep->features[f]);
    return mmli_fail(MML_E_DATA, "modality %s: sample %zu of the batch, token %zu: value %zu is infinite", tokens->name,
                     p->b + 1, j + 1, f + 1);
}

/* Positions of row t into y. */
static mml_status put_positions(float *y, const mmli_prep *prep, const mml_tokens *tokens, size_t t, const part *p)
{
    const size_t j = p->before + t - p->from, n = p->total;

    if (prep->n_axes == 0)
        place(y, (double)j / (double)(n > 1 ? n - 1 : 1), prep->o.position_bands);
    for (size_t a = 0; a < prep->n_axes; a++) {
        const float at = tokens->positions[t * prep->n_axes + a];

        if (!isfinite(at))
            return mmli_fail(MML_E_DATA, "modality %s: sample %zu of the batch, token %zu: position %zu is not a finite number",
                             tokens->name, p->b + 1, j + 1, a + 1);
        y = place(y, (double)at, prep->o.position_bands);
    }
    return MML_OK;
}

/* above: the row before in the output, NULL at the beginning of a sample. */
static mml_status apply(float *out, const mmli_prep *prep, const mml_tokens *tokens, const part *p, const float *above)
{
    const bool carries = prep->o.imputation == MML_IMPUTE_LOCF, places = prep->o.position_bands > 0;
    mml_status st;

    for (size_t t = p->from; t < p->end; t++, above = out, out += prep->width_out) {
        const float *x = tokens->values + t * prep->width_in;
        float *y = out;

        if (scale_row(y, x, carries ? above : NULL, prep))
            return bad_value(prep, tokens, t, p);
        y += prep->width_in;
        if (prep->o.indicators != MML_INDICATE_NONE)
            y = indicate(y, x, prep);
        if (places && (st = put_positions(y, prep, tokens, t, p)) != MML_OK)
            return st;
    }
    return MML_OK;
}

mml_status mmli_prep_apply(float *out, const mmli_prep *prep, const mml_tokens *tokens, size_t n_samples)
{
    mml_status st = check_shape(prep, tokens);

    for (size_t b = 0; b < n_samples && st == MML_OK; b++) {
        const size_t first = (size_t)tokens->offsets[b], end = (size_t)tokens->offsets[b + 1];
        const part p = {.b = b, .from = first, .end = end, .total = end - first};

        st = apply(out + first * prep->width_out, prep, tokens, &p, NULL);
    }
    return st;
}

mml_status mmli_prep_apply_part(float *out, const mmli_prep *prep, const mml_tokens *tokens, size_t first, size_t total,
                                const float *above)
{
    const part p = {.end = (size_t)tokens->offsets[1], .before = first, .total = total};
    const mml_status st = check_shape(prep, tokens);

    return st == MML_OK ? apply(out, prep, tokens, &p, above) : st;
}
