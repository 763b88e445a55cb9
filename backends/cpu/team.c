/* team.c - tiles run by an OpenMP team (configure --with-threads=openmp).
 *
 * Tiles are handed out as threads come for them: their sizes never depend on the team, so neither do the bits. Waiting is
 * libgomp's: a program that shares its cores should set OMP_WAIT_POLICY=passive, as the tool does for itself. */
#include "backends/cpu/cpu.h"

#include <omp.h>
#include <unistd.h>

#include "util/alloc.h"

struct mmli_cpu_pool {
    pid_t process; /* that opened the device: GNU's OpenMP does not work again after a fork */
};

void mmli_cpu_pool_run(mmli_cpu_pool *p, int threads, size_t tiles, mmli_cpu_tile fn, const void *ctx)
{
    if (p->process != getpid() || omp_in_parallel()) {
        mmli_cpu_alone(tiles, fn, ctx);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) default(none) shared(tiles, fn, ctx)
    for (size_t t = 0; t < tiles; t++)
        fn(ctx, t, omp_get_thread_num());
}

mml_status mmli_cpu_pool_new(mmli_cpu_pool **out, int threads)
{
    mml_status st = mmli_calloc(out, 1, sizeof **out);

    (void)threads;
    if (st == MML_OK)
        (*out)->process = getpid();
    return st;
}

void mmli_cpu_pool_free(mmli_cpu_pool *p)
{
    mmli_free(p);
}
