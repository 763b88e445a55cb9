/* attention.c - multi-head attention over ragged tokens, with the whole score matrix of one segment
 * and head in float64 (an oracle may be wasteful).
 *
 *   forward   s = scale q k^T, p = softmax_t(s), o = p v, lse = log sum_t exp(s)
 *   backward  dp = do v^T, ds = p (dp - sum_t p dp), dq = scale ds k, dk = scale ds^T q, dv = p^T do
 *
 * The backward pass computes p again from q and k; it needs neither o nor lse, so it also checks the
 * shorter way that other backends take through them. Only where the tokens are a part of those of o and lse must it use
 * both: p = exp(s - lse), and sum_t p dp over all tokens is do . o. */
#include <math.h>

#include "backends/reference/ref.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct sizes {
    size_t segs, c, H, e;
    mmli_query mode;
    const int64_t *off;
} sizes;

static size_t queries(const sizes *z, size_t s)
{
    return z->mode == MMLI_QUERY_RAGGED ? ref_len(z->off, s) : z->c;
}

/* Element (j, h, 0) of the queries of segment s. */
static size_t at_q(const sizes *z, size_t s, size_t j, size_t h)
{
    const size_t row = z->mode == MMLI_QUERY_SHARED  ? j
                       : z->mode == MMLI_QUERY_FIXED ? s * z->c + j
                                                     : ref_first(z->off, s) + j;

    return (row * z->H + h) * z->e;
}

/* Row of the output, and of lse, for query j of segment s. */
static size_t out_row(const sizes *z, size_t s, size_t j)
{
    return z->mode == MMLI_QUERY_RAGGED ? ref_first(z->off, s) + j : s * z->c + j;
}

static size_t at_o(const sizes *z, size_t s, size_t j, size_t h)
{
    return (out_row(z, s, j) * z->H + h) * z->e;
}

/* Element (t, h, 0) of keys and values, t counted from the first token of segment s. */
static size_t at_k(const sizes *z, size_t s, size_t t, size_t h)
{
    return ((ref_first(z->off, s) + t) * z->H + h) * z->e;
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* p (queries, len) of segment s and head h; lse (queries) may be NULL. */
static void probabilities(double *p, double *lse, const sizes *z, const float *q, const float *k, size_t s, size_t h,
                          float scale)
{
    const size_t len = ref_len(z->off, s);

    for (size_t j = 0; j < queries(z, s); j++) {
        double *row = p + j * len, most = -HUGE_VAL, sum = 0;

        for (size_t t = 0; t < len; t++) {
            row[t] = (double)scale * dot(q + at_q(z, s, j, h), k + at_k(z, s, t, h), z->e);
            most = fmax(most, row[t]);
        }
        for (size_t t = 0; t < len; t++)
            sum += row[t] = exp(row[t] - most);
        for (size_t t = 0; t < len; t++)
            row[t] /= sum;
        if (lse)
            lse[j] = most + log(sum);
    }
}

/* Elements of the largest score matrix of a segment. */
static mml_status largest(size_t *out, size_t *most_queries, const sizes *z)
{
    *out = *most_queries = 0;
    for (size_t s = 0; s < z->segs; s++) {
        const size_t rows = queries(z, s);
        size_t n;

        if (!mmli_mul_size(&n, rows, ref_len(z->off, s)))
            return mmli_fail(MML_E_NOMEM, "attention over %zu tokens: the size overflows", ref_len(z->off, s));
        *out = n > *out ? n : *out;
        *most_queries = rows > *most_queries ? rows : *most_queries;
    }
    return MML_OK;
}

mml_status REF(attention)(mmli_device *dv, mmli_mem *o_, mmli_mem *lse_, const mmli_mem *q_, const mmli_mem *k_,
                          const mmli_mem *v_, const mmli_mem *off_, size_t segs, size_t c, size_t H, size_t e,
                          float scale, mmli_query mode)
{
    const sizes z = {segs, c, H, e, mode, ref_i64(off_)};
    float *o = ref_f(o_), *lse = ref_f(lse_);
    const float *q = ref_f(q_), *k = ref_f(k_), *v = ref_f(v_);
    double *p = NULL, *row_lse = NULL;
    size_t n, rows;
    mml_status st = MML_OK;

    (void)dv;
    MML_TRY(largest(&n, &rows, &z));
    MML_TRY(mmli_calloc(&p, n, sizeof *p));
    MML_TRY(mmli_calloc(&row_lse, rows, sizeof *row_lse));
    for (size_t s = 0; s < segs; s++)
        for (size_t h = 0; h < H; h++) {
            const size_t len = ref_len(z.off, s);

            if (len > 0)
                probabilities(p, row_lse, &z, q, k, s, h, scale);
            for (size_t j = 0; j < queries(&z, s); j++) {
                for (size_t i = 0; i < e; i++) {
                    double sum = 0;

                    for (size_t t = 0; t < len; t++)
                        sum += p[j * len + t] * (double)v[at_k(&z, s, t, h) + i];
                    o[at_o(&z, s, j, h) + i] = (float)sum;
                }
                if (lse)
                    lse[out_row(&z, s, j) * H + h] = len > 0 ? (float)row_lse[j] : 0.0f;
            }
        }
out:
    mmli_free(p);
    mmli_free(row_lse);
    return st;
}

/* The same where the sum goes over more tokens than these. */
static void given_probabilities(double *p, const float *lse, const sizes *z, const float *q, const float *k, size_t s,
                                size_t h, float scale)
{
    const size_t len = ref_len(z->off, s);

    for (size_t j = 0; j < queries(z, s); j++)
        for (size_t t = 0; t < len; t++)
            p[j * len + t] = exp((double)scale * dot(q + at_q(z, s, j, h), k + at_k(z, s, t, h), z->e) -
                                 (double)lse[out_row(z, s, j) * z->H + h]);
}

/* ds (queries, len) from p and do; o: not NULL where p sums to 1 over more tokens than these */
static void score_gradient(double *ds, const double *p, const sizes *z, const float *v, const float *g, const float *o,
                           size_t s, size_t h)
{
    const size_t len = ref_len(z->off, s);

    for (size_t j = 0; j < queries(z, s); j++) {
        double mean = 0;

        for (size_t t = 0; t < len; t++) {
            ds[j * len + t] = dot(g + at_o(z, s, j, h), v + at_k(z, s, t, h), z->e);
            mean += p[j * len + t] * ds[j * len + t];
        }
        if (o)
            mean = dot(g + at_o(z, s, j, h), o + at_o(z, s, j, h), z->e);
        for (size_t t = 0; t < len; t++)
            ds[j * len + t] = p[j * len + t] * (ds[j * len + t] - mean);
    }
}

static void add(float *y, double x)
{
    *y = (float)((double)*y + x);
}

/* dk += scale ds^T q, dv += p^T do for one segment and head */
static void token_gradients(float *dk, float *dval, const double *p, const double *ds, const sizes *z, const float *q,
                            const float *g, size_t s, size_t h, float scale)
{
    const size_t len = ref_len(z->off, s);

    for (size_t t = 0; t < len; t++)
        for (size_t i = 0; i < z->e; i++) {
            double sum_k = 0, sum_v = 0;

            for (size_t j = 0; j < queries(z, s); j++) {
                sum_k += ds[j * len + t] * (double)q[at_q(z, s, j, h) + i];
                sum_v += p[j * len + t] * (double)g[at_o(z, s, j, h) + i];
            }
            if (dk)
                add(dk + at_k(z, s, t, h) + i, (double)scale * sum_k);
            if (dval)
                add(dval + at_k(z, s, t, h) + i, sum_v);
        }
}

mml_status REF(attention_grad)(mmli_device *dv, mmli_mem *dq_, mmli_mem *dk_, mmli_mem *dv_, const mmli_mem *o_,
                               const mmli_mem *lse_, const mmli_mem *q_, const mmli_mem *k_, const mmli_mem *v_,
                               const mmli_mem *do_, const mmli_mem *off_, size_t segs, size_t c, size_t H, size_t e,
                               float scale, mmli_query mode, bool part)
{
    const sizes z = {segs, c, H, e, mode, ref_i64(off_)};
    const bool shared = mode == MMLI_QUERY_SHARED;
    float *dq = ref_f(dq_), *dk = ref_f(dk_), *dval = ref_f(dv_);
    const float *q = ref_f(q_), *k = ref_f(k_), *v = ref_f(v_), *g = ref_f(do_);
    double *p = NULL, *ds = NULL, *total = NULL; /* total: dq summed over segments */
    size_t n, rows;
    mml_status st = MML_OK;

    (void)dv;
    MML_TRY(largest(&n, &rows, &z));
    MML_TRY(mmli_calloc(&p, n, sizeof *p));
    MML_TRY(mmli_calloc(&ds, n, sizeof *ds));
    MML_TRY(mmli_calloc(&total, shared ? c * H * e : 0, sizeof *total));
    for (size_t s = 0; s < segs; s++)
        for (size_t h = 0; h < H; h++) {
            const size_t len = ref_len(z.off, s);

            if (len == 0)
                continue;
            if (part)
                given_probabilities(p, ref_f(lse_), &z, q, k, s, h, scale);
            else
                probabilities(p, NULL, &z, q, k, s, h, scale);
            score_gradient(ds, p, &z, v, g, part ? ref_f(o_) : NULL, s, h);
            token_gradients(dk, dval, p, ds, &z, q, g, s, h, scale);
            for (size_t j = 0; dq && j < queries(&z, s); j++)
                for (size_t i = 0; i < e; i++) {
                    const size_t at = at_q(&z, s, j, h) + i;
                    double sum = 0;

                    for (size_t t = 0; t < len; t++)
                        sum += ds[j * len + t] * (double)k[at_k(&z, s, t, h) + i];
                    if (shared)
                        total[at] += (double)scale * sum;
                    else
                        add(dq + at, (double)scale * sum);
                }
        }
    for (size_t i = 0; dq && shared && i < c * H * e; i++)
        add(dq + i, total[i]);
out:
    mmli_free(p);
    mmli_free(ds);
    mmli_free(total);
    return st;
}

/* Row r and head h of one piece joined to those before. */
static void join_one(float *o, float *lse, float *state, const float *o_part, const float *lse_part, size_t e)
{
    const double before = (double)state[0], now = (double)*lse_part, most = isnan(now) ? now : fmax(before, now); /* NaN stays */
    const bool first = isinf(before); /* nothing yet: o and the sum are not to be read */
    const double old = first ? 0 : (double)state[1] * exp(before - most), more = exp(now - most);

    for (size_t i = 0; i < e; i++)
        o[i] = (float)(((first ? 0 : old * (double)o[i]) + more * (double)o_part[i]) / (old + more));
    state[0] = (float)most;
    state[1] = (float)(old + more);
    if (lse)
        *lse = (float)(most + log(old + more));
}

mml_status REF(attention_join)(mmli_device *dv, mmli_mem *o_, mmli_mem *lse_, mmli_mem *state, const mmli_mem *o_part,
                               const mmli_mem *lse_part, const mmli_mem *off_, size_t segs, size_t c, size_t H, size_t e)
{
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t i = 0; i < segs * c * H; i++)
        if (ref_len(off, i / (c * H)) > 0)
            join_one(ref_f(o_) + i * e, lse_ ? ref_f(lse_) + i : NULL, ref_f(state) + 2 * i, ref_f(o_part) + i * e,
                     ref_f(lse_part) + i, e);
    return MML_OK;
}
