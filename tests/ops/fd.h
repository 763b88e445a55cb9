/* fd.h - gradient kernels against finite differences.
 *
 * The objective is L = sum dy . y for a forward kernel, the loss itself for a loss. Its derivative by
 * each input element is taken by the five-point rule
 *
 *     L' = (8 (L(x+h) - L(x-h)) - (L(x+2h) - L(x-2h))) / 12 h,     h = 2^-5
 *
 * Inputs are multiples of 2^-10 below 4 in size, so x +- h is exact in float32. Two errors remain:
 * - the outputs y are rounded to float32: 2^-25 |y| each, times 1.5 / h = 48: 1.4e-6 |dy y| for every
 *   output that depends on x, about 1.5e-5 for ten of size 1 that all err the same way;
 * - the rule: h^4 / 30 = 3e-8 times the fifth derivative, some tens for tanh, softmax or LayerNorm.
 * MMLT_TOL_DIFFERENCE = 5e-5 of the largest derivative is three times their sum; a wrong term of a
 * formula shows as 1e-2 and more. Losses come in float64: only the second error is left (FD_LOSS).
 */
#ifndef MMLT_OPS_FD_H
#define MMLT_OPS_FD_H

#include "tests/support/mmlt.h"

/* 3e-8 times a fifth derivative below 10, and the rounding of the gradient to float32. */
#define FD_LOSS ((mmlt_tol){1e-6, 5e-7})

enum { FD_INPUTS = 7, FD_OUTPUTS = 2 };

typedef struct fd fd;

typedef struct fd_case {
    const char *name;
    size_t in[FD_INPUTS], out[FD_OUTPUTS]; /* elements; 0 = there is none. out[0] = 0: a loss */
    float margin;                          /* inputs are at least that far from 0: kinks */
    void (*forward)(fd *f);                /* x -> y, or x -> *loss (zero before) */
    void (*gradient)(fd *f);               /* adds into dx what dy brings; of a loss: overwrites dx[0] */
    int kind;                              /* handed on: activation, mode */
} fd_case;

struct fd {
    const fd_case *c;
    mmli_device *dv;
    mmli_mem *x[FD_INPUTS], *dx[FD_INPUTS], *y[FD_OUTPUTS], *dy[FD_OUTPUTS], *loss;
    mmli_mem *off;    /* segments of 2, 0, 3, 1 rows */
    mmli_mem *stats;  /* 64 floats that forward leaves for gradient */
    const char *called; /* the kernel of GRADIENT */
};

enum { FD_SEGS = 4, FD_TOKENS = 6 };
extern const int64_t fd_off[FD_SEGS + 1]; /* what off holds */

#define FORWARD(f, kernel, ...) mmlt_assert_ok((f)->dv->k.kernel((f)->dv, __VA_ARGS__))
#define GRADIENT(f, kernel, ...)                                                                   \
    do {                                                                                           \
        (f)->called = #kernel;                                                                     \
        mmlt_assert_ok((f)->dv->k.kernel((f)->dv, __VA_ARGS__));                                   \
    } while (0)

/* Compares all derivatives of a case on a device; gives the name of the gradient kernel. */
const char *fd_check(const fd_case *c, mmli_device *dv);

#endif
