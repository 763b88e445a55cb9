/* pool.c - threads of a device's own instead of OpenMP's (configure --with-threads=pool, the default).
 *
 * An OpenMP region ends with a barrier for the whole team: with one busy neighbour on a machine of
 * two cores each region waits a time slice for a thread that has nothing left to do (a layer norm
 * of 30 microseconds took 8 milliseconds). Here a thread takes tiles when it happens to run; the caller takes
 * tiles too, and waits only for tiles that someone has begun. A process that has forked, and lost the
 * threads, still computes. */
#include "backends/cpu/cpu.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/thread.h"

/* Kernels follow each other closely: a thread looks out for the next this long before it sleeps. */
static const int64_t spin_ns = 40000;

struct mmli_cpu_pool {
    pthread_t *thread; /* threads - 1 */
    size_t n, wanted;  /* running; 0 until the first loop that is large enough */
    pid_t process;     /* that started them */
    bool spin;         /* there is a processor for everyone */

    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    atomic_uint round; /* counts loops; the sign for those who look out */
    atomic_size_t next;
    atomic_size_t inside; /* workers in the loop; grows under the lock only while `open` */
    /* under the lock: */
    size_t sleeping, joined, most;
    bool open, closing;
    mmli_cpu_tile fn;
    const void *ctx;
    size_t tiles;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void run_tiles(mmli_cpu_pool *p, mmli_cpu_tile fn, const void *ctx, size_t tiles, int worker)
{
    size_t t;

    while ((t = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < tiles)
        fn(ctx, t, worker);
}

/* Called and left with the lock held. Waits for a loop after `seen`. */
static void await_round(mmli_cpu_pool *p, unsigned seen)
{
    if (p->spin) {
        const int64_t until = now_ns() + spin_ns;

        pthread_mutex_unlock(&p->lock);
        while (atomic_load_explicit(&p->round, memory_order_acquire) == seen && now_ns() < until)
            relax();
        pthread_mutex_lock(&p->lock);
    }
    while (atomic_load_explicit(&p->round, memory_order_relaxed) == seen && !p->closing) {
        p->sleeping++;
        pthread_cond_wait(&p->wake, &p->lock);
        p->sleeping--;
    }
}

static void *work(void *pool)
{
    mmli_cpu_pool *p = pool;
    unsigned seen = 0;

    omp_set_num_threads(1);
    pthread_mutex_lock(&p->lock);
    while (!p->closing) {
        if (p->open && p->joined < p->most) {
            const int worker = (int)++p->joined;
            const mmli_cpu_tile fn = p->fn;
            const void *ctx = p->ctx;
            const size_t tiles = p->tiles;

            seen = atomic_load_explicit(&p->round, memory_order_relaxed);
            atomic_fetch_add_explicit(&p->inside, 1, memory_order_relaxed);
            pthread_mutex_unlock(&p->lock);
            run_tiles(p, fn, ctx, tiles, worker);
            pthread_mutex_lock(&p->lock);
            if (atomic_fetch_sub_explicit(&p->inside, 1, memory_order_release) == 1)
                pthread_cond_signal(&p->done);
        } else {
            seen = atomic_load_explicit(&p->round, memory_order_relaxed);
        }
        await_round(p, seen);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Threads that cannot be had are done without. */
static void start(mmli_cpu_pool *p)
{
    const size_t wanted = p->wanted;

    p->wanted = 0;
    p->process = getpid();
    while (p->n < wanted && mmli_thread_start(&p->thread[p->n], work, p) == 0)
        p->n++;
}

void mmli_cpu_pool_run(mmli_cpu_pool *p, int threads, size_t tiles, mmli_cpu_tile fn, const void *ctx)
{
    if (p->wanted)
        start(p);
    if (p->process != getpid()) { /* forked: the threads are gone, perhaps with the lock */
        mmli_cpu_alone(tiles, fn, ctx);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->tiles = tiles;
    p->joined = 0;
    p->most = (size_t)threads - 1;
    p->open = true;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
    for (size_t i = 0; i < mmli_min_size(p->sleeping, p->most); i++)
        pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);

    run_tiles(p, fn, ctx, tiles, 0);

    pthread_mutex_lock(&p->lock);
    p->open = false; /* who has not come by now is not waited for */
    pthread_mutex_unlock(&p->lock);
    if (p->spin) {
        const int64_t until = now_ns() + spin_ns;

        while (atomic_load_explicit(&p->inside, memory_order_acquire) > 0 && now_ns() < until)
            relax();
    }
    if (atomic_load_explicit(&p->inside, memory_order_acquire) > 0) {
        pthread_mutex_lock(&p->lock);
        while (atomic_load_explicit(&p->inside, memory_order_acquire) > 0)
            pthread_cond_wait(&p->done, &p->lock);
        pthread_mutex_unlock(&p->lock);
    }
}

mml_status mmli_cpu_pool_new(mmli_cpu_pool **out, int threads)
{
    mml_status st = MML_OK;
    mmli_cpu_pool *p = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    p->wanted = (size_t)threads - 1;
    MML_TRY(mmli_calloc(&p->thread, p->wanted, sizeof *p->thread));
    p->spin = threads <= omp_get_num_procs();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    *out = p;
    p = NULL;
out:
    mmli_free(p); /* its threads could not be had: nothing else in it */
    return st;
}

void mmli_cpu_pool_free(mmli_cpu_pool *p)
{
    if (!p)
        return;
    if (p->n > 0 && p->process == getpid()) {
        pthread_mutex_lock(&p->lock);
        p->closing = true;
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
        for (size_t i = 0; i < p->n; i++)
            pthread_join(p->thread[i], NULL);
    }
    if (p->n == 0 || p->process == getpid()) {
        pthread_cond_destroy(&p->wake);
        pthread_cond_destroy(&p->done);
        pthread_mutex_destroy(&p->lock);
    }
    mmli_free(p->thread);
    mmli_free(p);
}
