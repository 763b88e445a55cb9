/* cpu.h - inside of the CPU backend: device state, the parallel loop, scratch memory, BLAS.
 *
 * Rule of the folder: a kernel cuts its work into tiles whose sizes follow from the shapes alone,
 * never from the number of threads; a tile is computed by one thread, and results of several tiles
 * are summed in the order of the tiles. So the bits do not depend on the number of threads.
 */
#ifndef MMLI_CPU_CPU_H
#define MMLI_CPU_CPU_H

#include "backends/backend.h"
#include "backends/cpu/vec.h"
#include "util/error.h"

typedef struct mmli_cpu_fft_cache mmli_cpu_fft_cache; /* fft.c */
typedef struct mmli_cpu_pool mmli_cpu_pool;           /* team.c or pool.c */

typedef struct mmli_cpu {
    const mmli_vec *vec;     /* inner loops for this processor */
    mmli_cpu_pool *pool;     /* threads */
    mmli_cpu_fft_cache *fft; /* plans made so far, NULL before the first */
    void *area[2];           /* grow-only scratch: shared by the call, per worker */
    size_t area_size[2];     /* bytes */
    size_t each;             /* bytes between workers in area[1] */
} mmli_cpu;

static inline mmli_cpu *mmli_cpu_of(const mmli_device *dv)
{
    return (mmli_cpu *)dv->impl;
}

/* Device memory of this backend is host memory. */
static inline float *mmli_f(mmli_mem *p)
{
    return (float *)(void *)p;
}
static inline const float *mmli_cf(const mmli_mem *p)
{
    return (const float *)(const void *)p;
}
static inline const int64_t *mmli_coff(const mmli_mem *p)
{
    return (const int64_t *)(const void *)p;
}
static inline size_t mmli_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}
static inline size_t mmli_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}
static inline size_t mmli_ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* ---- parallel.c ---------------------------------------------------------------------------- */
/* One tile; `worker` < dv->threads says whose scratch to use. */
typedef void (*mmli_cpu_tile)(const void *ctx, size_t tile, int worker);

/* Runs tiles 0 .. tiles-1, in any order, on threads of the device. `ns` estimates the time of all tiles
 * on one thread and decides how many are worth waking; with one the tiles run here, in order. BLAS
 * calls inside tiles are single-threaded. */
void mmli_cpu_for(const mmli_device *dv, size_t tiles, double ns, mmli_cpu_tile fn, const void *ctx);

/* The same on this thread alone. */
void mmli_cpu_alone(size_t tiles, mmli_cpu_tile fn, const void *ctx);

/* ---- team.c or pool.c: the threads of a device (configure --with-threads) ---------------------- */
mml_status mmli_cpu_pool_new(mmli_cpu_pool **out, int threads);
void mmli_cpu_pool_free(mmli_cpu_pool *p);
/* Runs the tiles on 2 .. `threads` threads. */
void mmli_cpu_pool_run(mmli_cpu_pool *p, int threads, size_t tiles, mmli_cpu_tile fn, const void *ctx);

/* ---- scratch.c ----------------------------------------------------------------------------- */
/* Scratch shared by one kernel call, 64-byte aligned; valid until the next request. */
mml_status mmli_cpu_shared(mmli_device *dv, void *out, size_t count, size_t size);
/* `bytes` for every worker: mmli_cpu_own() in a tile. Valid until the next request. */
mml_status mmli_cpu_own_reserve(mmli_device *dv, size_t bytes);
static inline void *mmli_cpu_own(const mmli_device *dv, int worker)
{
    const mmli_cpu *cpu = mmli_cpu_of(dv);
    return (char *)cpu->area[1] + (size_t)worker * cpu->each;
}
/* 64-byte aligned memory with large pages where they help; freed by mmli_cpu_aligned_free. */
mml_status mmli_cpu_aligned(void *out, size_t bytes);
void mmli_cpu_aligned_free(void *p);

/* ---- blas.c -------------------------------------------------------------------------------- */
void mmli_cpu_blas_prepare(void);
/* C (m, n) = alpha op(A) op(B) + beta C on the calling thread, for use in tiles; m, n, k >= 1 and
 * all sizes fit in an int (mmli_cpu_blas_fits). */
void mmli_cpu_sgemm(bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a,
                    size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc);
mml_status mmli_cpu_blas_fits(size_t m, size_t n, size_t k, size_t ld);

/* ---- thin.c ---------------------------------------------------------------------------------- */
/* c[i step_few + j step_many] = alpha few[i,:] . many[j,:] + beta c[..] (or + bias of i or of j) */
typedef struct mmli_thin {
    const float *few, *many, *bias;
    float *c;
    size_t n_few, n_many, k, ld_few, ld_many, step_few, step_many;
    float alpha, beta;
    bool bias_of_few;
} mmli_thin;

void mmli_cpu_thin(mmli_device *dv, const mmli_thin *t);

/* ---- panel.c --------------------------------------------------------------------------------- */
/* C (m, n) = alpha op(A) op(B) + beta C, or + the bias (n) in every row: then beta is 0. */
typedef struct mmli_panel {
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
    const float *a, *b, *bias;
    float *c;
} mmli_panel;

/* Whether this is faster than tiles of BLAS. */
bool mmli_cpu_panel_better(const mmli_device *dv, bool ta, size_t m, size_t n, size_t k);
/* m, n, k >= 1. Uses both kinds of scratch. */
mml_status mmli_cpu_panel_multiply(mmli_device *dv, const mmli_panel *p);

/* ---- dots.c ---------------------------------------------------------------------------------- */
/* Whether this is faster than panels: then the product is of that kind. */
bool mmli_cpu_dots_better(const mmli_device *dv, const mmli_panel *p);
void mmli_cpu_dots_multiply(mmli_device *dv, const mmli_panel *p);

/* ---- segments.c: ragged rows in chunks --------------------------------------------------------- */
/* Cuts of the segments into chunks of a fixed length: chunk i is rows first[i] .. first[i]+rows[i]-1
 * of segment seg[i]; segment s has chunks start[s] .. start[s+1]-1 (none when empty). */
typedef struct mmli_chunks {
    size_t n, *seg, *first, *rows, *start;
} mmli_chunks;

/* Chunks needed for a chunk length; bytes needed for the arrays. */
size_t mmli_chunks_count(const int64_t *off, size_t segs, size_t len);
size_t mmli_chunks_bytes(size_t n, size_t segs);
void mmli_chunks_fill(mmli_chunks *out, void *memory, const int64_t *off, size_t segs, size_t n, size_t len);

/* ---- kernels, one file a family ------------------------------------------------------------------ */
#define MML_KERNEL(kernel, args) mml_status mmli_cpu_##kernel args;
#include "backends/kernels.def"
#undef MML_KERNEL
void mmli_cpu_fft_free(mmli_cpu_fft_cache *cache);

#endif
