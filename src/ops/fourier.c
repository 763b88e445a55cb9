/* fourier.c - the transform of complex latents, and upstream's normalisation of their columns.
 *
 * For y = s F x (F the DFT matrix, exponent sign g), with real and imaginary parts as separate variables, the gradient is
 * dx = s F^H dy: the transform with the other sign (F is symmetric).
 */
#include "ops/internal.h"

static bool shapes(mmli_tape *tape, const char *op, mmli_complex x, size_t c)
{
    if (!x.re || !mmli_tape_ok(tape))
        return false;
    if (c == 0 || x.re->rows % c || (x.im && (x.im->rows != x.re->rows || x.im->cols != x.re->cols))) {
        mmli_shape_error(tape, op, x.re, x.im ? x.im : x.re);
        return false;
    }
    return true;
}

/* Memory for the gradient of an input that wants one; NULL otherwise. */
static mmli_mem *scratch(mmli_tape *tape, const mmli_var *x)
{
    return x && x->need ? mmli_tape_mem(tape, mmli_size(x) * sizeof(float)) : NULL;
}

/* n: 0 c; kind: axes * 4 + (sign + 1); f: 0 scale */
static mml_status fft_back(mmli_tape *tape, mmli_node *n)
{
    mmli_var *xr = n->in[0], *xi = n->in[1], *yr = n->out[0], *yi = n->out[1];
    const size_t c = n->n[0], d = xr->cols, size = mmli_size(xr);
    const int axes = n->kind / 4, sign = n->kind % 4 - 1;
    const mmli_mem *dyr = yr->grad, *dyi = yi ? yi->grad : NULL;
    mmli_mem *dxr = mmli_tape_grad(tape, xr), *dxi = xi ? mmli_tape_grad(tape, xi) : NULL;
    mmli_mem *tr = mmli_tape_mem(tape, size * sizeof(float)), *ti = dxi ? scratch(tape, xi) : NULL;

    if (!tr || !mmli_tape_ok(tape) || !(dxr || dxi))
        return mmli_tape_status(tape);
    if (!dyr) { /* only the imaginary part was used */
        mmli_mem *zero = mmli_tape_mem(tape, size * sizeof(float));
        if (!zero)
            return mmli_tape_status(tape);
        MMLI_BACK(tape, fill, zero, size, 0.0f);
        dyr = zero;
    }
    MMLI_BACK(tape, fft, tr, ti, dyr, dyi, xr->rows / c, c, d, axes, -sign, n->f[0]);
    if (dxr)
        MMLI_BACK(tape, axpy, dxr, tr, size, 1.0f);
    if (dxi)
        MMLI_BACK(tape, axpy, dxi, ti, size, 1.0f);
    return mmli_tape_status(tape);
}

mmli_complex mmli_op_fft(mmli_tape *tape, mmli_complex x, size_t c, int axes, int sign, float scale, bool real_only)
{
    const mmli_complex none = {NULL, NULL};
    mmli_complex y = none;
    mmli_node *n;
    bool need;

    if (!shapes(tape, "fft", x, c))
        return none;
    need = x.re->need || (x.im && x.im->need);
    y.re = mmli_tape_var(tape, x.re->rows, x.re->cols, need);
    y.im = real_only ? NULL : mmli_tape_var(tape, x.re->rows, x.re->cols, need);
    if (!y.re || (!real_only && !y.im) ||
        !MMLI_RUN(tape, fft, y.re->data, y.im ? y.im->data : NULL, x.re->data, x.im ? x.im->data : NULL, x.re->rows / c, c,
                  x.re->cols, axes, sign, scale))
        return none;
    if (need && (n = mmli_tape_node(tape, fft_back))) {
        n->in[0] = x.re;
        n->in[1] = x.im;
        n->out[0] = y.re;
        n->out[1] = y.im;
        n->n[0] = c;
        n->kind = axes * 4 + sign + 1;
        n->f[0] = scale;
    }
    return mmli_tape_ok(tape) ? y : none;
}

/* n: 0 c; mem: 0 norm */
static mml_status normalise_back(mmli_tape *tape, mmli_node *n)
{
    mmli_var *xr = n->in[0], *xi = n->in[1], *yr = n->out[0], *yi = n->out[1];
    mmli_mem *dxr = mmli_tape_grad(tape, xr), *dxi = xi ? mmli_tape_grad(tape, xi) : NULL;
    mmli_mem *dyr = mmli_tape_grad(tape, yr), *dyi = yi ? mmli_tape_grad(tape, yi) : NULL; /* zeros if not reached */

    if ((dxr || dxi) && mmli_tape_ok(tape))
        MMLI_BACK(tape, col_normalise_grad, dxr, dxi, yr->data, yi ? yi->data : NULL, n->mem[0], dyr, dyi,
                  xr->rows / n->n[0], n->n[0], xr->cols);
    return mmli_tape_status(tape);
}

mmli_complex mmli_op_col_normalise(mmli_tape *tape, mmli_complex x, size_t c)
{
    const mmli_complex none = {NULL, NULL};
    mmli_complex y = none;
    mmli_mem *norm;
    mmli_node *n;
    bool need;

    if (!shapes(tape, "column norm", x, c))
        return none;
    need = x.re->need || (x.im && x.im->need);
    y.re = mmli_tape_var(tape, x.re->rows, x.re->cols, need);
    y.im = x.im ? mmli_tape_var(tape, x.re->rows, x.re->cols, need) : NULL;
    norm = mmli_tape_mem(tape, x.re->rows / c * x.re->cols * sizeof(float));
    if (!y.re || (x.im && !y.im) || !norm ||
        !MMLI_RUN(tape, col_normalise, y.re->data, y.im ? y.im->data : NULL, norm, x.re->data, x.im ? x.im->data : NULL,
                  x.re->rows / c, c, x.re->cols))
        return none;
    if (need && (n = mmli_tape_node(tape, normalise_back))) {
        n->in[0] = x.re;
        n->in[1] = x.im;
        n->out[0] = y.re;
        n->out[1] = y.im;
        n->n[0] = c;
        n->mem[0] = norm;
    }
    return mmli_tape_ok(tape) ? y : none;
}
