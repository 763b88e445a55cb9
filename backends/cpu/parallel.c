/* parallel.c - the one parallel loop of the backend: how many threads a call is worth, and what BLAS may use.
 *
 * OpenBLAS in its OpenMP flavour would start threads of its own unless nthreads-var of the calling
 * thread is 1. That variable belongs to the thread: the caller's is given back after the loop, so nothing that the
 * user's program sees is changed. Who runs the tiles is team.c (OpenMP) or pool.c (configure --with-threads). */
#include "backends/cpu/cpu.h"

#include <omp.h>

/* Below this much work a thread is not woken. */
static const double ns_per_thread = 8000;

void mmli_cpu_alone(size_t tiles, mmli_cpu_tile fn, const void *ctx)
{
    for (size_t t = 0; t < tiles; t++)
        fn(ctx, t, 0);
}

static int threads_for(const mmli_device *dv, size_t tiles, double ns)
{
    const double wanted = ns / ns_per_thread;
    size_t most = mmli_min_size((size_t)dv->threads, tiles);

    if (wanted < (double)most)
        most = wanted < 2.0 ? 1 : (size_t)wanted;
    return (int)most;
}

void mmli_cpu_for(const mmli_device *dv, size_t tiles, double ns, mmli_cpu_tile fn, const void *ctx)
{
    const int threads = threads_for(dv, tiles, ns), before = omp_get_max_threads();

    if (before != 1)
        omp_set_num_threads(1);
    if (threads > 1)
        mmli_cpu_pool_run(mmli_cpu_of(dv)->pool, threads, tiles, fn, ctx);
    else
        mmli_cpu_alone(tiles, fn, ctx);
    if (before != 1)
        omp_set_num_threads(before);
}
