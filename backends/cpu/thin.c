/* thin.c - products in which one operand has a handful of rows: one patient, a head, attention scores. The
 * large operand is read once, as fast as memory gives it; BLAS would pack it first. */
#include "backends/cpu/cpu.h"

enum {
    TILE = 32768, /* elements of the large operand in a tile */
    DOTS = 64,    /* its rows at a time */
};

typedef struct job {
    const mmli_thin *t;
    const mmli_vec *v;
    size_t tile; /* rows of the large operand */
} job;

static void put(const mmli_thin *t, size_t i, size_t j, float dot)
{
    float *c = t->c + i * t->step_few + j * t->step_many;

    if (t->bias)
        *c = t->alpha * dot + t->bias[t->bias_of_few ? i : j];
    else
        *c = t->alpha * dot + (t->beta == 0 ? 0 : t->beta * *c);
}

/* Rows i .. i+3 of the small operand; those past the end repeat the last. Gives how many are real. */
static size_t four_rows(const float *row[4], const mmli_thin *t, size_t i)
{
    const size_t n = mmli_min_size(4, t->n_few - i);

    for (size_t k = 0; k < 4; k++)
        row[k] = t->few + (i + mmli_min_size(k, n - 1)) * t->ld_few;
    return n;
}

static void one_row(const job *w, size_t from, size_t to)
{
    const mmli_thin *t = w->t;

    for (size_t j = from; j < to; j += DOTS) {
        const size_t n = mmli_min_size(DOTS, to - j);
        float dot[DOTS];

        w->v->dots(dot, t->few, t->many + j * t->ld_many, t->ld_many, n, t->k);
        for (size_t k = 0; k < n; k++)
            put(t, 0, j + k, dot[k]);
    }
}

static void several_rows(const job *w, size_t from, size_t to)
{
    const mmli_thin *t = w->t;

    for (size_t j = from; j < to; j++)
        for (size_t i = 0; i < t->n_few; i += 4) {
            const float *row[4];
            float dot[4];
            const size_t n = four_rows(row, t, i);

            w->v->dot4(dot, t->many + j * t->ld_many, (const float *const *)row, t->k);
            for (size_t k = 0; k < n; k++)
                put(t, i + k, j, dot[k]);
        }
}

static void run_tile(const void *ctx, size_t tile, int worker)
{
    const job *w = ctx;
    const size_t from = tile * w->tile, to = mmli_min_size(from + w->tile, w->t->n_many);

    (void)worker;
    (w->t->n_few == 1 ? one_row : several_rows)(w, from, to);
}

void mmli_cpu_thin(mmli_device *dv, const mmli_thin *t)
{
    const job w = {t, mmli_cpu_of(dv)->vec, 8 * (1 + TILE / 8 / (t->k + 1))};
    const double ns = (double)t->n_many * (2.0 + (double)t->k * (0.1 + 0.01 * (double)t->n_few));

    mmli_cpu_for(dv, mmli_ceil_div(t->n_many, w.tile), ns, run_tile, &w);
}
