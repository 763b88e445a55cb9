/* quantiles.c - see quantiles.h. */
#include "data/quantiles.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"

enum { DIGITS = 256, PASSES = 4 };

/* One wanted order statistic of a column. */
typedef struct wanted {
    uint64_t rank;   /* among the values that share the prefix, from 0 */
    uint32_t prefix; /* the bytes found so far, in the low end */
    uint32_t slot;   /* whose counts it reads: the first of the column with the same prefix */
} wanted;

struct mmli_quantiles {
    size_t cols, n_probs;
    int pass;
    double *probs;    /* (n_probs) */
    uint64_t *n;      /* (cols) values */
    wanted *want;     /* (cols, 2 n_probs): the ranks below and above each quantile */
    uint64_t *counts; /* (cols, 2 n_probs, DIGITS) */
};

/* Keys order as the floats do: negative ones turned round, positive ones above them. */
static uint32_t to_key(float x)
{
    uint32_t u;

    memcpy(&u, &x, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

static float from_key(uint32_t key)
{
    const uint32_t u = key & 0x80000000u ? key & 0x7fffffffu : ~key;
    float x;

    memcpy(&x, &u, sizeof x);
    return x;
}

size_t mmli_quantiles_bytes(size_t n_probs)
{
    return 2 * n_probs * (DIGITS * sizeof(uint64_t) + sizeof(wanted)) + sizeof(uint64_t);
}

mml_status mmli_quantiles_new(mmli_quantiles **out, size_t cols, const double *probs, size_t n_probs)
{
    mml_status st;
    mmli_quantiles *q;

    *out = NULL;
    if ((st = mmli_calloc(&q, 1, sizeof *q)) != MML_OK)
        return st;
    q->cols = cols;
    q->n_probs = n_probs;
    if ((st = mmli_calloc(&q->probs, n_probs, sizeof *q->probs)) != MML_OK ||
        (st = mmli_calloc(&q->n, cols, sizeof *q->n)) != MML_OK ||
        (st = mmli_calloc(&q->want, cols, 2 * n_probs * sizeof *q->want)) != MML_OK ||
        (st = mmli_calloc(&q->counts, cols, 2 * n_probs * DIGITS * sizeof *q->counts)) != MML_OK) {
        mmli_quantiles_free(q);
        return st;
    }
    memcpy(q->probs, probs, n_probs * sizeof *probs);
    *out = q;
    return MML_OK;
}

void mmli_quantiles_free(mmli_quantiles *q)
{
    if (q == NULL)
        return;
    mmli_free(q->probs);
    mmli_free(q->n);
    mmli_free(q->want);
    mmli_free(q->counts);
    mmli_free(q);
}

void mmli_quantiles_add(mmli_quantiles *q, const float *values, size_t rows, size_t stride)
{
    const size_t ranks = 2 * q->n_probs;
    const unsigned shift = 24 - 8 * (unsigned)q->pass;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < q->cols; c++) {
            const float x = values[r * stride + c];
            const wanted *want = q->want + c * ranks;
            uint64_t *counts = q->counts + c * ranks * DIGITS;
            uint32_t key, above;

            if (isnan(x))
                continue;
            key = to_key(x);
            above = q->pass == 0 ? 0 : key >> (shift + 8);
            for (size_t i = 0; i < ranks; i++)
                if (want[i].slot == i && want[i].prefix == above)
                    counts[i * DIGITS + ((key >> shift) & (DIGITS - 1))]++;
        }
}

/* Ranks of the order statistics on both sides of every quantile, once the number of values is known. */
static void set_ranks(mmli_quantiles *q, size_t c)
{
    wanted *want = q->want + c * 2 * q->n_probs;
    const uint64_t *counts = q->counts + c * 2 * q->n_probs * DIGITS;

    for (size_t d = 0; d < DIGITS; d++)
        q->n[c] += counts[d];
    if (q->n[c] == 0)
        return;
    for (size_t p = 0; p < q->n_probs; p++) {
        const double h = (double)(q->n[c] - 1) * q->probs[p];
        const uint64_t low = (uint64_t)h;

        want[2 * p].rank = low;
        want[2 * p + 1].rank = low + 1 < q->n[c] ? low + 1 : q->n[c] - 1;
    }
}

/* The next byte of every order statistic of a column, from the counts of this pass. */
static void descend(mmli_quantiles *q, size_t c)
{
    const size_t ranks = 2 * q->n_probs;
    wanted *want = q->want + c * ranks;

    for (size_t i = 0; i < ranks; i++) {
        const uint64_t *counts = q->counts + (c * ranks + want[i].slot) * DIGITS;
        uint32_t d = 0;

        while (d < DIGITS - 1 && want[i].rank >= counts[d])
            want[i].rank -= counts[d++];
        want[i].prefix = want[i].prefix << 8 | d;
    }
    for (size_t i = 0; i < ranks; i++) {
        want[i].slot = (uint32_t)i;
        for (size_t j = i; j-- > 0;)
            if (want[j].prefix == want[i].prefix)
                want[i].slot = (uint32_t)j;
    }
}

bool mmli_quantiles_next(mmli_quantiles *q)
{
    const size_t ranks = 2 * q->n_probs;

    for (size_t c = 0; c < q->cols; c++) {
        if (q->pass == 0)
            set_ranks(q, c);
        if (q->n[c] > 0)
            descend(q, c);
    }
    if (++q->pass == PASSES)
        return false;
    memset(q->counts, 0, q->cols * ranks * DIGITS * sizeof *q->counts);
    return true;
}

void mmli_quantiles_get(const mmli_quantiles *q, double *out)
{
    for (size_t c = 0; c < q->cols; c++)
        for (size_t p = 0; p < q->n_probs; p++) {
            const wanted *want = q->want + (c * q->n_probs + p) * 2;
            const double h = q->n[c] == 0 ? 0 : (double)(q->n[c] - 1) * q->probs[p];
            const double low = (double)from_key(want[0].prefix), high = (double)from_key(want[1].prefix);

            out[c * q->n_probs + p] = q->n[c] == 0 ? NAN : low + (h - floor(h)) * (high - low);
        }
}
