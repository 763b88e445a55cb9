/* products.c - how fast the cpu backend multiplies matrices of the sizes that the method has: each layer forward (y = x W^T),
 * and its two gradients (dx = dy W, dW = dy^T x), through the backend's gemm.
 *
 *     make bench/products && bench/products [THREADS [SECONDS]]
 *
 * Printed is the best repeat of each product in SECONDS [0.15], in GFLOP/s: what the machine can do, not what it did while
 * something else ran. Compares libraries (configure --with-blas), kernels of
 * OpenBLAS (OPENBLAS_CORETYPE) and our own code (MMLEGO_SIMD) on this machine. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/measure.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/rng.h"

/* rows of x, width in, width out */
static const struct layer {
    const char *what;
    size_t rows, in, out;
} layers[] = {
    {"32 latents 64 x 64: up, queries", 2048, 64, 512},
    {"the same: down", 2048, 256, 64},
    {"the same: 8 heads to latent", 2048, 512, 64},
    {"depth 128", 2048, 128, 512},
    {"depth 256", 2048, 256, 512},
    {"depth 512", 2048, 512, 512},
    {"depth 1024", 2048, 1024, 512},
    {"table of 32 by 2189: first", 32, 2189, 256},
    {"the same: others", 32, 256, 256},
    {"one row", 1, 2189, 256},
    {"64 series: keys", 3072, 37, 512},
    {"bag of 1000 by 1024: first", 1000, 1024, 512},
    {"bag of 10 000 by 1024: first", 10000, 1024, 512},
    {"the same: gate", 10000, 512, 256},
    {"square", 2048, 2048, 2048},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

typedef struct product {
    bool ta, tb;
    size_t m, n, k;
} product;

static mml_status multiply(mmli_device *dv, mmli_mem *c, const mmli_mem *a, const mmli_mem *b, const product *p)
{
    const mml_status st = dv->k.gemm(dv, p->ta, p->tb, p->m, p->n, p->k, 1.0f, a, p->ta ? p->m : p->k, b,
                                     p->tb ? p->k : p->n, 0.0f, c, p->n);

    return st == MML_OK ? dv->k.sync(dv) : st;
}

/* GFLOP/s of the best repeat. */
static mml_status time_product(double *rate, mmli_device *dv, const product *p, double seconds)
{
    mml_status st = MML_OK;
    mmli_mem *a = NULL, *b = NULL, *c = NULL;
    double best = 1e30, start;

    MML_TRY(mmli_bench_numbers(&a, dv, p->m * p->k, mmli_rng_key(1, "a", 0)));
    MML_TRY(mmli_bench_numbers(&b, dv, p->k * p->n, mmli_rng_key(1, "b", 0)));
    MML_TRY(dv->k.alloc(dv, &c, p->m * p->n * sizeof(float)));
    for (int warm = 0; warm < 3; warm++)
        MML_TRY(multiply(dv, c, a, b, p));
    start = mmli_now();
    do {
        const double before = mmli_now();
        double took;

        MML_TRY(multiply(dv, c, a, b, p));
        took = mmli_now() - before;
        best = took < best ? took : best;
    } while (mmli_now() - start < seconds);
    *rate = 2e-9 * (double)p->m * (double)p->n * (double)p->k / best;
out:
    if (a)
        dv->k.free(dv, a);
    if (b)
        dv->k.free(dv, b);
    if (c)
        dv->k.free(dv, c);
    return st;
}

static mml_status run(int threads, double seconds)
{
    mml_status st = MML_OK;
    mmli_device *dv = NULL;
    char text[4096];

    MML_TRY(mmli_device_open(&dv, "cpu", threads));
    mmli_cpu_describe(text, sizeof text);
    printf("%sthreads used: %d\n\n%-32s %6s %5s %5s %9s %9s %9s\n", text, dv->threads, "layer", "rows", "in", "out", "forward",
           "dx", "dW");
    for (size_t i = 0; i < N_LAYERS; i++) {
        const struct layer *l = &layers[i];
        const product of[] = {{false, true, l->rows, l->out, l->in},
                              {false, false, l->rows, l->in, l->out},
                              {true, false, l->out, l->in, l->rows}};

        printf("%-32s %6zu %5zu %5zu", l->what, l->rows, l->in, l->out);
        for (size_t j = 0; j < 3; j++) {
            double rate = 0;

            MML_TRY(time_product(&rate, dv, &of[j], seconds));
            printf(" %9.1f", rate);
            fflush(stdout);
        }
        putchar('\n');
    }
out:
    mmli_device_close(dv);
    return st;
}

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? atoi(argv[1]) : 0;
    const double seconds = argc > 2 ? atof(argv[2]) : 0.15;

    if (run(threads, seconds) == MML_OK)
        return 0;
    fprintf(stderr, "products: %s\n", mml_last_error());
    return 1;
}
