/* count_simple.c - costs of the kernels that pass once over their operands: elements, rows, losses, the optimiser.
 * Conventions are in count.h, the meaning of parameters in kernels.def. */
#include "bench/count_inside.h"

/* ---- elements */

mml_status mmli_counted_fill(mmli_device *dv, mmli_mem *y, size_t n, float value)
{
    MMLI_COUNTED(fill, 0, 0, n, y, n, value);
}

mml_status mmli_counted_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    MMLI_COUNTED(add, 0, n, 3 * n, y, a, b, n);
}

mml_status mmli_counted_mul(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    MMLI_COUNTED(mul, 0, n, 3 * n, y, a, b, n);
}

mml_status mmli_counted_mul_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    MMLI_COUNTED(mul_add, 0, 2 * n, 4 * n, y, a, b, n);
}

mml_status mmli_counted_axpy(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    MMLI_COUNTED(axpy, 0, 2 * n, 3 * n, y, x, n, alpha);
}

mml_status mmli_counted_scale(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    MMLI_COUNTED(scale, 0, n, 2 * n, y, x, n, alpha);
}

mml_status mmli_counted_act(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, mmli_act kind)
{
    MMLI_COUNTED(act, 0, n, 2 * n, y, x, n, kind);
}

mml_status mmli_counted_act_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy, size_t n,
                                 mmli_act kind, bool add)
{
    MMLI_COUNTED(act_grad, 0, (uint64_t)(2 + add) * n, (uint64_t)(3 + add) * n, dx, y, dy, n, kind, add);
}

mml_status mmli_counted_gate(mmli_device *dv, mmli_mem *y, const mmli_mem *z, size_t rows, size_t f, mmli_gate kind)
{
    MMLI_COUNTED(gate, 0, 2 * rows * f, 3 * rows * f, y, z, rows, f, kind);
}

mml_status mmli_counted_gate_grad(mmli_device *dv, mmli_mem *dz, const mmli_mem *z, const mmli_mem *dy, size_t rows,
                                  size_t f, mmli_gate kind, bool add)
{
    MMLI_COUNTED(gate_grad, 0, (uint64_t)(6 + 2 * add) * rows * f, (uint64_t)(5 + 2 * add) * rows * f, dz, z, dy, rows,
                 f, kind, add);
}

mml_status mmli_counted_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                                     size_t first)
{
    MMLI_COUNTED(dropout, 0, n, 2 * n, y, x, n, p, key, first);
}

mml_status mmli_counted_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p, uint64_t key,
                                     size_t first)
{
    MMLI_COUNTED(dropout_grad, 0, 2 * n, 3 * n, dx, dy, n, p, key, first);
}

mml_status mmli_counted_alpha_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                                     size_t first)
{
    MMLI_COUNTED(alpha_dropout, 0, 2 * n, 2 * n, y, x, n, p, key, first);
}

mml_status mmli_counted_alpha_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p,
                                           uint64_t key, size_t first)
{
    MMLI_COUNTED(alpha_dropout_grad, 0, 2 * n, 3 * n, dx, dy, n, p, key, first);
}

/* ---- rows and groups of rows */

mml_status mmli_counted_col_sum_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t rows, size_t cols)
{
    MMLI_COUNTED(col_sum_grad, 0, rows * cols, rows * cols + 2 * cols, y, x, rows, cols);
}

mml_status mmli_counted_axpy_rows(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, size_t rows,
                                  size_t cols)
{
    MMLI_COUNTED(axpy_rows, 0, 2 * rows * cols, 3 * rows * cols + rows, y, x, w, rows, cols);
}

mml_status mmli_counted_repeat(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t n)
{
    MMLI_COUNTED(repeat, 0, 0, (groups + 1) * n, y, x, groups, n);
}

mml_status mmli_counted_spread(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len, size_t cols)
{
    MMLI_COUNTED(spread, 0, 0, groups * (len + 1) * cols, y, x, groups, len, cols);
}

mml_status mmli_counted_spread_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len,
                                    size_t cols)
{
    MMLI_COUNTED(spread_grad, 0, groups * len * cols, groups * (len + 2) * cols, dx, dy, groups, len, cols);
}

mml_status mmli_counted_group_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len,
                                   size_t cols)
{
    MMLI_COUNTED(group_mean, 0, groups * len * cols, groups * (len + 1) * cols, y, x, groups, len, cols);
}

mml_status mmli_counted_group_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len,
                                        size_t cols)
{
    MMLI_COUNTED(group_mean_grad, 0, 2 * groups * len * cols, groups * (2 * len + 1) * cols, dx, dy, groups, len, cols);
}

mml_status mmli_counted_gather(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                               size_t block)
{
    MMLI_COUNTED(gather, 0, 0, 2 * n * block + n, y, x, idx, n, block);
}

mml_status mmli_counted_gather_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                                    size_t block)
{
    MMLI_COUNTED(gather_grad, 0, n * block, 3 * n * block + n, y, x, idx, n, block);
}

mml_status mmli_counted_scatter(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                                size_t block)
{
    MMLI_COUNTED(scatter, 0, 0, 2 * n * block + n, y, x, idx, n, block);
}

mml_status mmli_counted_scatter_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                                     size_t block)
{
    MMLI_COUNTED(scatter_grad, 0, n * block, 3 * n * block + n, y, x, idx, n, block);
}

/* ---- losses: a few dozen numbers a sample */

mml_status mmli_counted_loss_cross_entropy(mmli_device *dv, mmli_mem *loss, mmli_mem *dlogits, const mmli_mem *logits,
                                           const mmli_mem *label, const mmli_mem *w, size_t rows, size_t k)
{
    MMLI_COUNTED(loss_cross_entropy, 0, 5 * rows * k, 2 * rows * k + 2 * rows, loss, dlogits, logits, label, w, rows,
                 k);
}

mml_status mmli_counted_loss_survival_nll(mmli_device *dv, mmli_mem *loss, mmli_mem *dlogits, const mmli_mem *logits,
                                          const mmli_mem *bin, const mmli_mem *event, const mmli_mem *w, size_t rows,
                                          size_t k, float alpha)
{
    MMLI_COUNTED(loss_survival_nll, 0, 12 * rows * k, 2 * rows * k + 3 * rows, loss, dlogits, logits, bin, event, w,
                 rows, k, alpha);
}

mml_status mmli_counted_loss_cox(mmli_device *dv, mmli_mem *loss, mmli_mem *drisk, const mmli_mem *risk,
                                 const mmli_mem *order, const mmli_mem *tie, const mmli_mem *event, const mmli_mem *w,
                                 size_t rows)
{
    MMLI_COUNTED(loss_cox, 0, 8 * rows, 6 * rows, loss, drisk, risk, order, tie, event, w, rows);
}

mml_status mmli_counted_loss_squared(mmli_device *dv, mmli_mem *loss, mmli_mem *dy, const mmli_mem *y,
                                     const mmli_mem *target, const mmli_mem *w, size_t rows)
{
    MMLI_COUNTED(loss_squared, 0, 5 * rows, 4 * rows, loss, dy, y, target, w, rows);
}

/* ---- reductions and the optimiser */

mml_status mmli_counted_sum(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    MMLI_COUNTED(sum, 0, n, n, out, x, n);
}

mml_status mmli_counted_sum_squares(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    MMLI_COUNTED(sum_squares, 0, 2 * n, n, out, x, n);
}

mml_status mmli_counted_tally(mmli_device *dv, mmli_mem *tally, mmli_mem *scale, const mmli_mem *loss, const mmli_mem *sumsq,
                              double weight, float max_norm, uint64_t step)
{
    MMLI_COUNTED(tally, 0, 6, 15, tally, scale, loss, sumsq, weight, max_norm, step);
}

mml_status mmli_counted_l1_grad(mmli_device *dv, mmli_mem *g, const mmli_mem *p, size_t n, float l1)
{
    MMLI_COUNTED(l1_grad, 0, 2 * n, 3 * n, g, p, n, l1);
}

mml_status mmli_counted_adamw(mmli_device *dv, mmli_mem *p, mmli_mem *m, mmli_mem *v, const mmli_mem *g,
                              const mmli_mem *scale, const mmli_mem *decay, size_t n, float lr, float b1, float b2,
                              float eps, float c1, float c2)
{
    MMLI_COUNTED(adamw, 0, 14 * n, 7 * n + n / MMLI_DECAY_EACH, p, m, v, g, scale, decay, n, lr, b1, b2, eps, c1, c2);
}
