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
#include "util/error.h"

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
    {"bag of 100 by 1024: first", 100, 1024, 512},
    {"bag of 1000 by 1024: first", 1000, 1024, 512},
    {"bag of 10 000 by 1024: first", 10000, 1024, 512},
    {"the same: gate", 10000, 512, 256},
    {"square", 2048, 2048, 2048},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

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
        const mmli_bench_gemm of[] = {{false, true, l->rows, l->out, l->in},
                              {false, false, l->rows, l->in, l->out},
                              {true, false, l->out, l->in, l->rows}};

        printf("%-32s %6zu %5zu %5zu", l->what, l->rows, l->in, l->out);
        for (size_t j = 0; j < 3; j++) {
            double rate = 0;

            MML_TRY(mmli_bench_time_gemm(&rate, dv, &of[j], seconds, 1));
            printf(" %9.1f", 1e-9 * rate);
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
