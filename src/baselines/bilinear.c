/* bilinear.c - of two vectors v1, v2, for side i = 1, 2:
 *
 *     h_i = ReLU(W v_i + b),  z_i = W' [v1 v2] + b',  o_i = drop(ReLU(W'' (sigmoid(z_i) * h_i) + b''))      8 times narrower
 *     v = drop(ReLU(V' drop(ReLU(V drop([o_1 1] (x) [o_2 1]) + c)) + c'))            (x) all products: Kronecker product
 */
#include "baselines/bilinear.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/rng.h"

mmli_bilinear mmli_declare_bilinear(mmli_declaring *to, const char *format, ...)
{
    const size_t width = to->b->o.width, reduced = width / to->b->o.reduction;
    mmli_bilinear f = {.width = width, .reduced = reduced};
    char name[MMLI_PART_NAME];
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    for (int i = 0; i < 2; i++) {
        const size_t widths[2] = {width, width};

        f.side[i].h = mmli_declare_linear(to, reduced, width, 0, MMLI_BIAS, "%s.h%d", name, i);
        mmli_declare_joint(to, f.side[i].z, reduced, widths, 2, MMLI_BIAS, "%s.z%d", name, i);
        f.side[i].o = mmli_declare_linear(to, reduced, reduced, 0, MMLI_BIAS, "%s.o%d", name, i);
    }
    f.hidden = mmli_declare_linear(to, MMLI_BILINEAR_HIDDEN, (reduced + 1) * (reduced + 1), 0, MMLI_BIAS, "%s.hidden", name);
    f.out = mmli_declare_linear(to, width, MMLI_BILINEAR_HIDDEN, 0, MMLI_BIAS, "%s.out", name);
    return f;
}

static mmli_var *relu_drop(const mmli_baseline_pass *p, mmli_var *x, float drop, uint64_t key)
{
    return mmli_op_dropout(p->tape, mmli_op_act(p->tape, x, MMLI_ACT_RELU), drop, key);
}

/* x (B, n) -> (B, n + 1), the last column 1: a linear layer with the identity */
static mmli_var *append_one(const mmli_baseline_pass *p, mmli_var *x)
{
    const size_t n = x ? x->cols : 0;
    float *eye = mmli_tape_host(p->tape, (n + 1) * n * sizeof *eye), *last = mmli_tape_host(p->tape, (n + 1) * sizeof *last);

    if (!x || !eye || !last)
        return NULL;
    memset(eye, 0, (n + 1) * n * sizeof *eye);
    memset(last, 0, (n + 1) * sizeof *last);
    for (size_t i = 0; i < n; i++)
        eye[i * n + i] = 1;
    last[n] = 1;
    return mmli_op_linear(p->tape, x, mmli_tape_input(p->tape, eye, n + 1, n, false),
                          mmli_tape_input(p->tape, last, 1, n + 1, false));
}

/* x, y (B, n) -> (B, n n): x_i y_j at i n + j */
static mmli_var *products(const mmli_baseline_pass *p, mmli_var *x, mmli_var *y)
{
    const size_t B = p->samples, n = x ? x->cols : 0;

    if (!x || !y)
        return NULL;
    x = mmli_op_spread(p->tape, mmli_op_view(p->tape, x, B * n, 1), n);
    x = mmli_op_view(p->tape, x, B * n, n);
    y = mmli_op_spread(p->tape, y, n);
    return mmli_op_view(p->tape, mmli_op_mul(p->tape, x, y), B, n * n);
}

mmli_var *mmli_apply_bilinear(const mmli_baseline_pass *p, const mmli_bilinear *f, mmli_var *x, mmli_var *y, float drop,
                              uint64_t key)
{
    mmli_var *const v[2] = {x, y};
    mmli_var *o[2];

    for (size_t i = 0; i < 2; i++) {
        mmli_var *h = mmli_op_act(p->tape, mmli_apply_linear(p, f->side[i].h, v[i]), MMLI_ACT_RELU);
        mmli_var *z = mmli_op_act(p->tape, mmli_apply_joint(p, f->side[i].z, v, 2), MMLI_ACT_SIGMOID);

        z = mmli_apply_linear(p, f->side[i].o, mmli_op_mul(p->tape, z, h));
        o[i] = append_one(p, relu_drop(p, z, drop, mmli_rng_key(key, "side", i)));
    }
    x = mmli_op_dropout(p->tape, products(p, o[0], o[1]), drop, mmli_rng_key(key, "products", 0));
    x = relu_drop(p, mmli_apply_linear(p, f->hidden, x), drop, mmli_rng_key(key, "hidden", 0));
    return relu_drop(p, mmli_apply_linear(p, f->out, x), drop, mmli_rng_key(key, "out", 0));
}
