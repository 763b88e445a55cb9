/* cases_elements.c - arithmetic, activations, gates, dropout. */
#include <math.h>

#include "tests/ops/case.h"

/* Nothing, one, less than and just over a vector, several, many tiles. */
static const size_t sizes[] = {0, 1, 7, 17, 64, 1003, 70001};
enum { SIZES = COUNT(sizes) };

static void fill(run *r, size_t i)
{
    CALL(r, fill, new_floats(r, "y", sizes[i], MMLT_TOL_EXACT), sizes[i], -2.5f);
}

/* y apart from the operands, y = a, y = b */
static void add(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES], alias = i / SIZES;
    mmli_mem *y = alias ? sum_floats(r, "y", n, MMLT_TOL_EXACT) : new_floats(r, "y", n, MMLT_TOL_EXACT);
    mmli_mem *x = in_random(r, n);

    CALL(r, add, y, alias == 1 ? y : x, alias == 2 ? y : x, n);
}

static void mul(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES], alias = i / SIZES;
    mmli_mem *y = alias ? sum_floats(r, "y", n, MMLT_TOL_EXACT) : new_floats(r, "y", n, MMLT_TOL_EXACT);
    mmli_mem *x = in_random(r, n);

    CALL(r, mul, y, alias == 1 ? y : x, alias == 2 ? y : x, n);
}

static void mul_add(run *r, size_t i)
{
    const size_t n = sizes[i];

    CALL(r, mul_add, sum_floats(r, "y", n, MMLT_TOL_ROUND), in_random(r, n), in_random(r, n), n);
}

static void axpy(run *r, size_t i)
{
    const size_t n = sizes[i];

    CALL(r, axpy, sum_floats(r, "y", n, MMLT_TOL_ROUND), in_random(r, n), n, -0.7f);
}

static void scale(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];

    if (i < SIZES) {
        CALL(r, scale, new_floats(r, "y", n, MMLT_TOL_EXACT), in_random(r, n), n, 1.7f);
    } else {
        mmli_mem *y = sum_floats(r, "y", n, MMLT_TOL_EXACT);

        CALL(r, scale, y, y, n, 1.7f);
    }
}

enum { ACTS = MMLI_ACT_SIGMOID + 1 };

/* Even rounds apart, odd ones in place. */
static void act(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];
    const mmli_act kind = (mmli_act)(i / SIZES % ACTS);

    if (i < SIZES * ACTS) {
        mmli_mem *x = in_uniform(r, n, -4, 4);

        CALL(r, act, new_floats(r, "y", n, MMLT_TOL_MATH), x, n, kind);
    } else {
        mmli_mem *y = sum_floats(r, "y", n, MMLT_TOL_MATH);

        CALL(r, act, y, y, n, kind);
    }
}

/* Where exp under- or overflows in float32, where functions are flat, and a NaN: it must come out
 * again, or a diverged training would go on unseen. Each value sixteen times, so that vector code
 * takes them too. */
static void act_extremes(run *r, size_t i)
{
    static const float at[] = {0,    -0.0f, 1e-30f, -1e-30f, 0.01f, -0.01f, 9,    -9,   20,        -20,       87,  -87,
                               89,   -89,   104,    -104,    1e4f,  -1e4f,  1e30f, -1e30f, INFINITY, -INFINITY, NAN};
    float x[16 * COUNT(at)];

    for (size_t j = 0; j < COUNT(x); j++)
        x[j] = at[j / 16];
    CALL(r, act, new_floats(r, "y", COUNT(x), (mmlt_tol){2e-6, 0}), in_floats(r, x, COUNT(x)), COUNT(x),
         (mmli_act)i);
}

static void act_grad(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];
    const mmli_act kind = (mmli_act)(i / SIZES);
    mmli_mem *y = new_floats(r, "y", n, MMLT_TOL_MATH), *dy;

    CALL(r, act, y, in_uniform(r, n, -4, 4), n, kind);
    CALL(r, act_grad, sum_floats(r, "dx", n, MMLT_TOL_MATH), y, in_random(r, n), n, kind, true);
    CALL(r, act_grad, new_floats(r, "first dx", n, MMLT_TOL_MATH), y, in_random(r, n), n, kind, false);
    dy = sum_floats(r, "dx in the place of dy", n, MMLT_TOL_MATH);
    CALL(r, act_grad, dy, y, dy, n, kind, false);
}

static const size_t gates[][2] = {{0, 5}, {1, 1}, {3, 7}, {5, 64}, {130, 256}, {1001, 33}};
enum { GATES = COUNT(gates) };

static void gate(run *r, size_t i)
{
    const size_t rows = gates[i % GATES][0], f = gates[i % GATES][1];
    const mmli_gate kind = (mmli_gate)(i / GATES);
    mmli_mem *z = in_uniform(r, rows * 2 * f, -4, 4);

    CALL(r, gate, new_floats(r, "y", rows * f, MMLT_TOL_MATH), z, rows, f, kind);
    CALL(r, gate_grad, sum_floats(r, "dz", rows * 2 * f, MMLT_TOL_MATH), z, in_random(r, rows * f), rows, f, kind, true);
    /* 1 - tanh(a)^2 is a difference of terms of size 1, which nothing is added to here */
    CALL(r, gate_grad, of_terms(r, new_floats(r, "first dz", rows * 2 * f, MMLT_TOL_MATH), 1), z, in_random(r, rows * f),
         rows, f, kind, false);
}

/* A dropped value is 0 (or alpha'), a kept one is not: one bit of the mask that differs fails. */
static const float rates[] = {0, 0.1f, 0.25f, 0.5f, 0.9f};
/* Where an array begins in the one that it is a part of: at a counter of the generator, and within one. */
static const size_t firsts[] = {0, 8, 4099, 5, 1002};

static void dropout(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];
    const float p = i / SIZES < COUNT(rates) ? rates[i / SIZES] : 1;
    const size_t first = firsts[i % COUNT(firsts)];
    mmli_mem *y = sum_floats(r, "y in place", n, MMLT_TOL_ROUND);

    CALL(r, dropout, new_floats(r, "y", n, MMLT_TOL_ROUND), in_random(r, n), n, p, r->key, first);
    CALL(r, dropout, y, y, n, p, r->key, first);
    CALL(r, dropout_grad, sum_floats(r, "dx", n, MMLT_TOL_ROUND), in_random(r, n), n, p, r->key, first);
}

static void alpha_dropout(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];
    const float p = rates[i / SIZES];
    const size_t first = firsts[i % COUNT(firsts)];
    mmli_mem *y = sum_floats(r, "y in place", n, MMLT_TOL_ROUND);

    CALL(r, alpha_dropout, new_floats(r, "y", n, MMLT_TOL_ROUND), in_random(r, n), n, p, r->key, first);
    CALL(r, alpha_dropout, y, y, n, p, r->key, first);
    CALL(r, alpha_dropout_grad, sum_floats(r, "dx", n, MMLT_TOL_ROUND), in_random(r, n), n, p, r->key, first);
}

const kernel_case element_cases[] = {
    {"fill", SIZES, fill},
    {"add", 3 * SIZES, add},
    {"mul", 3 * SIZES, mul},
    {"mul_add", SIZES, mul_add},
    {"axpy", SIZES, axpy},
    {"scale", 2 * SIZES, scale},
    {"act", 2 * SIZES * ACTS, act},
    {"act of extreme numbers", ACTS, act_extremes},
    {"act_grad", SIZES * ACTS, act_grad},
    {"gate", 3 * GATES, gate},
    {"dropout", SIZES * (COUNT(rates) + 1), dropout},
    {"alpha_dropout", SIZES * COUNT(rates), alpha_dropout},
    {NULL, 0, NULL},
};
