/* merge.c - joining the final states of blocks, sample by sample (method.md 3, 3b).
 *
 * The blocks that count for a sample are those that have it and a weight above 0 (all that have it, if none has a
 * weight). Weights are normalised over them. With one such block the sample's result is that block's state, to the bit.
 */
#include "lego/merge.h"

#include <string.h>

#include "ops/internal.h"

/* Host tables of one merge, (m, B) unless said otherwise. */
typedef struct plan {
    size_t m, B, size;      /* size = c d of one state */
    double *a;              /* normalised weights; 0 = does not count */
    float *w;               /* what is uploaded for one block */
    int32_t *solo;          /* samples taken from one block as they are */
    const mmli_merge_rule *rule;
} plan;

static double loudness(const mmli_merge_rule *rule, size_t m)
{
    return rule->scale == MML_LATENT_POOLED && rule->rms && rule->rms[m] > 0 ? rule->rms[m] : 1.0;
}

static bool make_plan(plan *p, mmli_tape *tape, size_t m, size_t B, size_t size, const uint8_t *present,
                      const mmli_merge_rule *rule)
{
    *p = (plan){.m = m, .B = B, .size = size, .rule = rule};
    p->a = mmli_tape_host(tape, (m * B + 1) * sizeof *p->a);
    p->w = mmli_tape_host(tape, (B + 1) * sizeof *p->w);
    p->solo = mmli_tape_host(tape, (B + 1) * sizeof *p->solo);
    if (!p->a || !p->w || !p->solo)
        return false;
    for (size_t b = 0; b < B; b++) {
        double total = 0;
        size_t have = 0;
        for (size_t i = 0; i < m; i++) {
            have += present[i * B + b] != 0;
            total += present[i * B + b] ? rule->weights[i] : 0;
        }
        for (size_t i = 0; i < m; i++) {
            const double w = total > 0 ? rule->weights[i] / total : 1.0 / (double)(have ? have : 1);
            p->a[i * B + b] = present[i * B + b] ? w : 0;
        }
    }
    return true;
}

static size_t counting(const plan *p, size_t b)
{
    size_t n = 0;

    for (size_t i = 0; i < p->m; i++)
        n += p->a[i * p->B + b] > 0;
    return n;
}

/* Loudness of the result of sample b: the weighted mean of the blocks' (method.md 3b point 3). */
static double result_loudness(const plan *p, size_t b)
{
    double g = 0;

    for (size_t i = 0; i < p->m; i++)
        g += p->a[i * p->B + b] * loudness(p->rule, i);
    return g;
}

/* Factor of block i's term for sample b, by aggregation. */
static double term(const plan *p, size_t i, size_t b)
{
    const double a = p->a[i * p->B + b], rms = loudness(p->rule, i);
    double g;

    if (!(a > 0))
        return 0;
    g = result_loudness(p, b);
    switch (p->rule->aggregation) {
    case MML_MERGE_HARMONIC: /* 1 / sum a rms / (g |Z|); upstream's is 2 a (1 - a) times that, for two blocks */
        if (p->rule->upstream_half && counting(p, b) == 2)
            g *= 2 * a * (1 - a);
        return a * rms / g;
    case MML_MERGE_SUM:
        return a * (double)counting(p, b) * g / rms;
    case MML_MERGE_PRODUCT:
    case MML_MERGE_MEAN:
    default:
        return a * g / rms;
    }
}

/* Weights of block i's angle: upstream averages angles equally whatever the weights. */
static double phase_term(const plan *p, size_t i, size_t b)
{
    const double a = p->a[i * p->B + b];

    if (!(a > 0))
        return 0;
    return p->rule->upstream_half ? 1.0 / (double)counting(p, b) : a;
}

static mmli_mem *upload_terms(mmli_tape *tape, plan *p, size_t i, double (*of)(const plan *, size_t, size_t))
{
    for (size_t b = 0; b < p->B; b++)
        p->w[b] = (float)of(p, i, b);
    return mmli_tape_upload(tape, p->w, p->B * sizeof *p->w);
}

static mmli_mem *zeros(mmli_tape *tape, size_t n)
{
    mmli_mem *mem = mmli_tape_mem(tape, n * sizeof(float));

    return mem && MMLI_RUN(tape, fill, mem, n, 0.0f) ? mem : NULL;
}

/* sum over blocks of factor Z: mean and sum */
static void merge_linear(mmli_tape *tape, plan *p, const mmli_complex *z, mmli_complex y)
{
    for (size_t i = 0; i < p->m; i++) {
        mmli_mem *w = upload_terms(tape, p, i, term);
        if (!w || !MMLI_RUN(tape, axpy_rows, y.re->data, z[i].re->data, w, p->B, p->size) ||
            !MMLI_RUN(tape, axpy_rows, y.im->data, z[i].im->data, w, p->B, p->size))
            return;
    }
}

/* Harmonic mean of the magnitudes, (B c, d). */
static mmli_mem *harmonic_magnitude(mmli_tape *tape, plan *p, const mmli_complex *z)
{
    const size_t n = p->B * p->size;
    mmli_mem *inv = zeros(tape, n), *t = mmli_tape_mem(tape, n * sizeof(float));

    for (size_t i = 0; i < p->m && mmli_tape_ok(tape); i++) {
        mmli_mem *w = upload_terms(tape, p, i, term);
        if (!w || !MMLI_RUN(tape, magnitude, t, z[i].re->data, z[i].im->data, n) || !MMLI_RUN(tape, recip, t, t, n))
            break;
        (void)MMLI_RUN(tape, axpy_rows, inv, t, w, p->B, p->size);
    }
    return mmli_tape_ok(tape) && MMLI_RUN(tape, recip, inv, inv, n) ? inv : NULL;
}

/* y = magnitude exp(i sum a angle(Z)) */
static void turn_arithmetic(mmli_tape *tape, plan *p, const mmli_complex *z, mmli_complex y, const mmli_mem *magnitude)
{
    const size_t n = p->B * p->size;
    mmli_mem *angle = zeros(tape, n), *t = mmli_tape_mem(tape, n * sizeof(float));

    for (size_t i = 0; i < p->m && mmli_tape_ok(tape); i++) {
        mmli_mem *w = upload_terms(tape, p, i, phase_term);
        if (w && MMLI_RUN(tape, phase, t, z[i].re->data, z[i].im->data, n))
            (void)MMLI_RUN(tape, axpy_rows, angle, t, w, p->B, p->size);
    }
    if (mmli_tape_ok(tape))
        (void)MMLI_RUN(tape, from_polar, y.re->data, y.im->data, magnitude, angle, n);
}

/* y = magnitude u / |u|, u = sum a Z / |Z|. Without angles: directions that cancel give exactly 0, whose angle is 0. */
static void turn_circular(mmli_tape *tape, plan *p, const mmli_complex *z, mmli_complex y, const mmli_mem *magnitude)
{
    const size_t n = p->B * p->size;
    mmli_mem *ur = zeros(tape, n), *ui = zeros(tape, n);
    mmli_mem *tr = mmli_tape_mem(tape, n * sizeof(float)), *ti = mmli_tape_mem(tape, n * sizeof(float));

    for (size_t i = 0; i < p->m && mmli_tape_ok(tape); i++) {
        mmli_mem *w = upload_terms(tape, p, i, phase_term);
        if (w && MMLI_RUN(tape, unit, tr, ti, z[i].re->data, z[i].im->data, n) &&
            MMLI_RUN(tape, axpy_rows, ur, tr, w, p->B, p->size))
            (void)MMLI_RUN(tape, axpy_rows, ui, ti, w, p->B, p->size);
    }
    if (mmli_tape_ok(tape) && MMLI_RUN(tape, unit, ur, ui, ur, ui, n) &&
        MMLI_RUN(tape, mul, y.re->data, magnitude, ur, n))
        (void)MMLI_RUN(tape, mul, y.im->data, magnitude, ui, n);
}

/* Equation 4: harmonic mean of magnitudes, arithmetic or circular mean of angles. */
static void merge_harmonic(mmli_tape *tape, plan *p, const mmli_complex *z, mmli_complex y)
{
    const mmli_mem *magnitude = harmonic_magnitude(tape, p, z);

    if (!magnitude)
        return;
    if (p->rule->phase == MML_PHASE_CIRCULAR && !p->rule->upstream_half)
        turn_circular(tape, p, z, y, magnitude);
    else
        turn_arithmetic(tape, p, z, y, magnitude);
}

/* Product of the blocks that count: magnitudes multiply, angles add. Kept in rectangular form; a block that does not
 * count for a sample is a factor 1. With loudness: each factor over its rms, the result times the mean rms. */
static void merge_product(mmli_tape *tape, plan *p, const mmli_complex *z, mmli_complex y)
{
    const size_t n = p->B * p->size;
    mmli_mem *fr = mmli_tape_mem(tape, n * sizeof(float)), *fi = mmli_tape_mem(tape, n * sizeof(float));
    mmli_mem *tr = mmli_tape_mem(tape, n * sizeof(float)), *ti = mmli_tape_mem(tape, n * sizeof(float));
    mmli_mem *ones = mmli_tape_mem(tape, n * sizeof(float)), *w = NULL;

    if (!ones || !MMLI_RUN(tape, fill, ones, n, 1.0f))
        return;
    for (size_t b = 0; b < p->B; b++)
        p->w[b] = (float)result_loudness(p, b);
    w = mmli_tape_upload(tape, p->w, p->B * sizeof *p->w);
    if (!w || !MMLI_RUN(tape, axpy_rows, y.re->data, ones, w, p->B, p->size))
        return;
    for (size_t i = 0; i < p->m && mmli_tape_ok(tape); i++) {
        mmli_mem *in, *out;
        for (size_t b = 0; b < p->B; b++)
            p->w[b] = p->a[i * p->B + b] > 0 ? (float)(1.0 / loudness(p->rule, i)) : 0.0f;
        in = mmli_tape_upload(tape, p->w, p->B * sizeof *p->w);
        for (size_t b = 0; b < p->B; b++)
            p->w[b] = p->a[i * p->B + b] > 0 ? 0.0f : 1.0f;
        out = mmli_tape_upload(tape, p->w, p->B * sizeof *p->w);
        /* f = Z / rms where the block counts, 1 where not; then y *= f */
        if (!in || !out || !MMLI_RUN(tape, fill, fr, n, 0.0f) || !MMLI_RUN(tape, fill, fi, n, 0.0f) ||
            !MMLI_RUN(tape, axpy_rows, fr, z[i].re->data, in, p->B, p->size) ||
            !MMLI_RUN(tape, axpy_rows, fi, z[i].im->data, in, p->B, p->size) ||
            !MMLI_RUN(tape, axpy_rows, fr, ones, out, p->B, p->size) || !MMLI_RUN(tape, mul, tr, y.im->data, fi, n) ||
            !MMLI_RUN(tape, mul, ti, y.im->data, fr, n) || !MMLI_RUN(tape, scale, tr, tr, n, -1.0f) ||
            !MMLI_RUN(tape, mul_add, tr, y.re->data, fr, n) || !MMLI_RUN(tape, mul_add, ti, y.re->data, fi, n) ||
            !MMLI_RUN(tape, copy, y.re->data, tr, n * sizeof(float)) ||
            !MMLI_RUN(tape, copy, y.im->data, ti, n * sizeof(float)))
            return;
    }
}

/* Overwrites the samples for which only block i counts with that block's state (z NULL: with zeros, for none). */
static void put_solo(mmli_tape *tape, plan *p, size_t i, const mmli_complex *z, mmli_complex y)
{
    size_t n = 0;
    mmli_mem *idx, *tr, *ti;

    for (size_t b = 0; b < p->B; b++) {
        const size_t k = counting(p, b);
        if (z ? k == 1 && p->a[i * p->B + b] > 0 : k == 0)
            p->solo[n++] = (int32_t)b;
    }
    if (n == 0)
        return;
    idx = mmli_tape_upload(tape, p->solo, n * sizeof *p->solo);
    tr = zeros(tape, n * p->size);
    ti = zeros(tape, n * p->size);
    if (!idx || !tr || !ti)
        return;
    if (z && (!MMLI_RUN(tape, gather, tr, z->re->data, idx, n, p->size) ||
              !MMLI_RUN(tape, gather, ti, z->im->data, idx, n, p->size)))
        return;
    (void)(MMLI_RUN(tape, scatter, y.re->data, tr, idx, n, p->size) &&
           MMLI_RUN(tape, scatter, y.im->data, ti, idx, n, p->size));
}

mmli_complex mmli_merge_latents(mmli_tape *tape, const mmli_complex *z, size_t m, size_t B, size_t c,
                                const uint8_t *present, const mmli_merge_rule *rule)
{
    const mmli_complex none = {NULL, NULL};
    mmli_complex y = none;
    plan p;
    size_t d;

    if (!mmli_tape_ok(tape) || m == 0 || !z[0].re)
        return none;
    d = z[0].re->cols;
    y.re = mmli_tape_var(tape, B * c, d, false);
    y.im = mmli_tape_var(tape, B * c, d, false);
    if (!y.re || !y.im || !make_plan(&p, tape, m, B, c * d, present, rule) ||
        !MMLI_RUN(tape, fill, y.re->data, B * c * d, 0.0f) || !MMLI_RUN(tape, fill, y.im->data, B * c * d, 0.0f))
        return none;
    switch (rule->aggregation) {
    case MML_MERGE_HARMONIC:
        merge_harmonic(tape, &p, z, y);
        break;
    case MML_MERGE_PRODUCT:
        merge_product(tape, &p, z, y);
        break;
    case MML_MERGE_MEAN:
    case MML_MERGE_SUM:
    default:
        merge_linear(tape, &p, z, y);
    }
    for (size_t i = 0; i < m && mmli_tape_ok(tape); i++)
        put_solo(tape, &p, i, &z[i], y);
    put_solo(tape, &p, 0, NULL, y);
    return mmli_tape_ok(tape) ? y : none;
}
