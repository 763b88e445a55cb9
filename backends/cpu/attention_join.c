/* attention_join.c - attention to one more piece of the tokens joined to that of the pieces before. */
#include <math.h>

#include "backends/cpu/cpu.h"

enum { TILE = 16384 }; /* elements of o */

typedef struct join {
    const mmli_vec *v;
    float *o, *lse, *state;
    const float *o_part, *lse_part;
    const int64_t *off;
    size_t c, H, e, n, each; /* n rows and heads, `each` of them in a tile */
} join;

static void join_one(const join *j, size_t i)
{
    float *state = j->state + 2 * i, *o = j->o + i * j->e;
    const double before = (double)state[0], now = (double)j->lse_part[i];
    const double most = isnan(now) ? now : fmax(before, now); /* NaN stays */
    const bool first = isinf(before); /* nothing yet: o and the sum are not to be read */
    const double old = first ? 0 : (double)state[1] * exp(before - most), more = exp(now - most), sum = old + more;
    mmli_el x = {.y = o, .a = first ? j->o_part + i * j->e : o, .s = {(float)((first ? more : old) / sum)}};

    j->v->scale(&x, 0, j->e);
    if (!first) {
        x.a = j->o_part + i * j->e;
        x.s[0] = (float)(more / sum);
        j->v->axpy(&x, 0, j->e);
    }
    state[0] = (float)most;
    state[1] = (float)sum;
    if (j->lse)
        j->lse[i] = (float)(most + log(sum));
}

static void join_tile(const void *ctx, size_t t, int worker)
{
    const join *j = ctx;

    (void)worker;
    for (size_t i = t * j->each; i < mmli_min_size((t + 1) * j->each, j->n); i++) {
        const size_t s = i / (j->c * j->H);

        if (j->off[s + 1] > j->off[s])
            join_one(j, i);
    }
}

mml_status mmli_cpu_attention_join(mmli_device *dv, mmli_mem *o, mmli_mem *lse, mmli_mem *state, const mmli_mem *o_part,
                                   const mmli_mem *lse_part, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e)
{
    const join j = {.v = mmli_cpu_of(dv)->vec, .o = mmli_f(o), .lse = mmli_f(lse), .state = mmli_f(state),
                    .o_part = mmli_cf(o_part), .lse_part = mmli_cf(lse_part), .off = mmli_coff(off), .c = c, .H = H, .e = e,
                    .n = segs * c * H, .each = 1 + TILE / (e + 1)};

    mmli_cpu_for(dv, mmli_ceil_div(j.n, j.each), (double)j.n * (60 + 0.3 * (double)e), join_tile, &j);
    return MML_OK;
}
