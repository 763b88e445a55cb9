/* vec.h - inner loops of the CPU backend: one table, compiled for several instruction sets.
 *
 * vec_base.c, vec_avx2.c and vec_avx512.c compile the same bodies (vec_*.h) with different vector
 * widths; the widest that this processor has is chosen when a device is opened. In every loop a value's result
 * depends on the value alone, not on its place: the last, partial vector runs through the same
 * instructions as full ones. So ranges may be cut anywhere.
 */
#ifndef MMLI_CPU_VEC_H
#define MMLI_CPU_VEC_H

#include <stddef.h>
#include <stdint.h>

/* Operands of an elementwise loop; which are used is written beside each slot. */
typedef struct mmli_el {
    float *y, *y2, *y3;
    const float *a, *b, *c;
    size_t f;     /* width of a row */
    float s[8];   /* scalars */
    int kind;     /* mmli_act or mmli_gate */
    int add;      /* of act_grad and gate_grad: 0: what y holds is not read */
    uint64_t key;   /* random stream */
    uint64_t first; /* ... what element 0 is in it; % 4 = 0 */
} mmli_el;

enum { MMLI_PAD = 16 }; /* floats of the widest vector */

typedef void (*mmli_el_fn)(const mmli_el *e, size_t from, size_t to);

/* One row block of layer normalisation. */
typedef struct mmli_ln {
    float *y, *stats, *dx;
    const float *x, *gamma, *beta, *dy, *cstats;
    double *dgamma, *dbeta; /* sums of this block */
    size_t cols;
    float eps;
} mmli_ln;

/* A product on the calling thread, of operands that lie in the first or second level of cache (tiles of attention,
 * one sample); nothing is packed, nothing outside the rows is touched. m, n, k may be anything, also 0.
 *
 *     C = alpha A B [+ bias, the same for every row] [+ C, if add]
 * Each value is one sum over k, in order, of fused products: it depends on its row of A and its column of B alone, so
 * that tiles may be cut anywhere. C overlaps none of the others. */
typedef struct mmli_mm {
    size_t m, n, k;
    const float *a; /* A[i, l] = a[i a_row + l a_k]: a_row = lda, a_k = 1, or for a transposed one 1 and lda */
    size_t a_row, a_k;
    const float *b; /* (k, n) */
    size_t ldb;
    float *c; /* (m, n) */
    size_t ldc;
    const float *bias; /* (n), or NULL */
    float alpha;
    int add; /* 0: what C holds is not read */
    int ahead; /* A (a_k = 1) may lie in memory: a block asks for the rows of the next one */
} mmli_mm;

/* Rows that will be read soon: n[i] rows of `bytes` from row[i] (NULL: none), `step` bytes apart. */
typedef struct mmli_attn_next {
    const float *row[4];
    size_t n[4], step, bytes;
} mmli_attn_next;

typedef struct mmli_vec {
    const char *name; /* "avx512", "avx2", "sse2", "portable" */
    const char *math; /* who computes exp, tanh, ...: "libmvec", "sleef", "libm" */

    /* from, to in elements */
    mmli_el_fn fill;               /* y = s0 */
    mmli_el_fn add, mul, mul_add;  /* y = a + b; y = a b; y += a b */
    mmli_el_fn axpy, scale;        /* y += s0 a; y = s0 a */
    mmli_el_fn act, act_grad;      /* y = act(a); y (+)= b act'(from output a) */
    mmli_el_fn dropout;            /* y = keep ? s1 a + s2 : s3; p = s0; from % 4 = 0 */
    mmli_el_fn dropout_grad;       /* y += keep ? s1 a : 0 */
    mmli_el_fn magnitude, phase;   /* y of a + i b */
    mmli_el_fn unit;               /* y + i y2 = (a + i b) / |a + i b| */
    mmli_el_fn from_polar;         /* y = a cos b, y2 = a sin b */
    mmli_el_fn recip;              /* y = 1 / a */
    mmli_el_fn l1_grad;            /* y += s0 sign(a) */
    mmli_el_fn adamw;              /* p y, m y2, v y3, g a, decay b, factor s0; s1.. see optim.c */
    /* from, to in rows of width f (z: 2 f) */
    mmli_el_fn gate, gate_grad;    /* y of z = a; y (dz) (+)= from z = a, dy = b */

    double (*sum)(const float *x, size_t n);
    double (*sum_squares)(const float *x, size_t n);
    float (*dot)(const float *x, const float *y, size_t n);
    void (*dot4)(float out[4], const float *x, const float *const row[4], size_t n);
    /* out[r] = x . row r of `count` rows, ld apart; the same terms in the same order as dot4 */
    void (*dots)(float *out, const float *x, const float *rows, size_t ld, size_t count, size_t n);
    float (*max)(const float *x, size_t n); /* NaN where x has one */
    /* y = exp(x - shift), sum of y; y may be x */
    double (*exp_sum)(float *y, const float *x, size_t n, float shift);
    /* acc[j] += sum over rows of w[r] x[r,j] (w NULL = 1); acc has room for
     * cols rounded up to MMLI_PAD */
    void (*col_acc)(double *acc, const float *w, const float *x, size_t rows, size_t ld, size_t cols);
    /* acc[j] += sum over rows of x[r,j] y[r,j] */
    void (*col_acc_dot)(double *acc, const float *x, const float *y, size_t rows, size_t ld, size_t cols);
    /* y[j] (+)= acc[j] * factor */
    void (*put_acc)(float *y, const double *acc, size_t n, double factor, int add);

    void (*mm)(const mmli_mm *p); /* from two vectors of columns and k = 32 on near the speed of the multipliers */

    /* C (m, n) = A B^T [+ bias] [+ C], not both, with B (n, k), a_k = 1, alpha = 1: fast from k = 128 on. As with mm, a value
     * depends on its rows of A and B alone. NULL: these vectors are too narrow for it */
    void (*mm_dots)(const mmli_mm *p);

    void (*ln_rows)(const mmli_ln *l, size_t from, size_t to);
    void (*ln_grad_rows)(const mmli_ln *l, size_t from, size_t to);

    /* Hidden values of a feed-forward, transposed: z (n, pad) of [a g], a hidden unit a row, pad a multiple of MMLI_PAD.
     * a = (a + ba) SELU(g + bg), biases by row */
    void (*ff_gate)(float *a, const float *g, const float *ba, const float *bg, size_t n, size_t pad);
    /* The way back: d comes as the gradient of that and becomes its value; a, g become their gradients, whose sums by row
     * are added to sa, sg */
    void (*ff_gate_grad)(float *a, float *g, float *d, const float *ba, const float *bg, double *sa, double *sg, size_t n,
                         size_t pad);

    /* Scores of a tile of attention, a row a token, a column a query: (n, pad), pad a multiple of
     * MMLI_PAD. Raises the running maxima m (pad), turns s into exp(s - m), adds to the running sums l
     * (pad); fade (pad) is what older sums were multiplied with, and o has to be. `first`: m, l hold nothing yet. */
    void (*attn_softmax)(float *s, size_t n, size_t pad, float *m, float *l, float *fade, int first,
                         const mmli_attn_next *next);
    /* s -> p = exp(s - lse), dp -> p (dp - dot) scale */
    void (*attn_grad)(float *s, float *dp, size_t n, size_t pad, float scale, const float *lse, const float *dot,
                      const mmli_attn_next *next);
    /* y (rows, pad) = x times by (pad) column by column [+ y]; y may be x. pad is a multiple of MMLI_PAD. */
    void (*attn_scale)(float *y, const float *x, size_t rows, size_t pad, const float *by, int add);
    /* y (cols, pad) = scale x^T [+ y] of x (rows, cols), ldy >= pad >= rows; columns past `rows` count as 0. */
    void (*transpose)(float *y, size_t ldy, size_t pad, const float *x, size_t ldx, size_t rows, size_t cols, float scale,
                      int add);
} mmli_vec;

/* The best table for this processor; the environment variable MMLEGO_SIMD (avx512, avx2, base) can ask for less. */
const mmli_vec *mmli_vec_choose(void);

extern const mmli_vec mmli_vec_base;
#if defined(__x86_64__)
extern const mmli_vec mmli_vec_avx2, mmli_vec_avx512;
#endif

#endif
