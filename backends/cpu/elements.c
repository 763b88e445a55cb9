/* elements.c - elementwise kernels: cut into tiles that fit the second-level cache, given to the inner
 * loops of vec.h. */
#include "backends/cpu/cpu.h"

enum { TILE = 16384 }; /* elements, a multiple of 4 (random words come in fours) */

typedef struct job {
    mmli_el e;
    mmli_el_fn fn;
    size_t n, tile; /* in elements or rows */
} job;

static void run_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;
    const size_t from = t * j->tile;

    (void)worker;
    j->fn(&j->e, from, mmli_min_size(from + j->tile, j->n));
}

/* ns: time of one element (or row) on one thread, roughly */
static mml_status run(mmli_device *dv, const job *j, double ns)
{
    mmli_cpu_for(dv, mmli_ceil_div(j->n, j->tile), ns * (double)j->n, run_tile, j);
    return MML_OK;
}

#define VEC(slot) (mmli_cpu_of(dv)->vec->slot)

mml_status mmli_cpu_fill(mmli_device *dv, mmli_mem *y, size_t n, float value)
{
    const job j = {{.y = mmli_f(y), .s = {value}}, VEC(fill), n, TILE};
    return run(dv, &j, 0.1);
}

mml_status mmli_cpu_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(a), .b = mmli_cf(b)}, VEC(add), n, TILE};
    return run(dv, &j, 0.2);
}

mml_status mmli_cpu_mul(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(a), .b = mmli_cf(b)}, VEC(mul), n, TILE};
    return run(dv, &j, 0.2);
}

mml_status mmli_cpu_mul_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(a), .b = mmli_cf(b)}, VEC(mul_add), n, TILE};
    return run(dv, &j, 0.25);
}

mml_status mmli_cpu_axpy(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(x), .s = {alpha}}, VEC(axpy), n, TILE};
    return run(dv, &j, 0.2);
}

mml_status mmli_cpu_scale(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(x), .s = {alpha}}, VEC(scale), n, TILE};
    return run(dv, &j, 0.15);
}

mml_status mmli_cpu_act(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, mmli_act kind)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(x), .kind = (int)kind}, VEC(act), n, TILE};
    return run(dv, &j, kind <= MMLI_ACT_LEAKY ? 0.15 : 0.4);
}

mml_status mmli_cpu_act_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy, size_t n,
                             mmli_act kind, bool add)
{
    const job j = {{.y = mmli_f(dx), .a = mmli_cf(y), .b = mmli_cf(dy), .kind = (int)kind, .add = add},
                   VEC(act_grad), n, TILE};
    return run(dv, &j, 0.25);
}

mml_status mmli_cpu_gate(mmli_device *dv, mmli_mem *y, const mmli_mem *z, size_t rows, size_t f, mmli_gate kind)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(z), .f = f, .kind = (int)kind},
                   VEC(gate), rows, 1 + TILE / 2 / (f + 1)};
    return run(dv, &j, 0.6 * (double)f);
}

mml_status mmli_cpu_gate_grad(mmli_device *dv, mmli_mem *dz, const mmli_mem *z, const mmli_mem *dy, size_t rows,
                              size_t f, mmli_gate kind, bool add)
{
    const job j = {{.y = mmli_f(dz), .a = mmli_cf(z), .b = mmli_cf(dy), .f = f, .kind = (int)kind, .add = add},
                   VEC(gate_grad), rows, 1 + TILE / 4 / (f + 1)};
    return run(dv, &j, 0.8 * (double)f);
}

mml_status mmli_cpu_magnitude(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(re), .b = mmli_cf(im)}, VEC(magnitude), n, TILE};
    return run(dv, &j, 0.7);
}

mml_status mmli_cpu_phase(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(re), .b = mmli_cf(im)}, VEC(phase), n, TILE};
    return run(dv, &j, 1.0);
}

mml_status mmli_cpu_unit(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi, size_t n)
{
    const job j = {{.y = mmli_f(yr), .y2 = mmli_f(yi), .a = mmli_cf(xr), .b = mmli_cf(xi)}, VEC(unit), n, TILE};
    return run(dv, &j, 0.9);
}

mml_status mmli_cpu_from_polar(mmli_device *dv, mmli_mem *re, mmli_mem *im, const mmli_mem *mag, const mmli_mem *ph,
                               size_t n)
{
    const job j = {{.y = mmli_f(re), .y2 = mmli_f(im), .a = mmli_cf(mag), .b = mmli_cf(ph)}, VEC(from_polar), n, TILE};
    return run(dv, &j, 0.8);
}

mml_status mmli_cpu_recip(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(x)}, VEC(recip), n, TILE};
    return run(dv, &j, 0.2);
}

mml_status mmli_cpu_l1_grad(mmli_device *dv, mmli_mem *g, const mmli_mem *p, size_t n, float l1)
{
    const job j = {{.y = mmli_f(g), .a = mmli_cf(p), .s = {l1}}, VEC(l1_grad), n, TILE};
    return run(dv, &j, 0.2);
}
