/* fft.cc - Fourier transforms of the emulated GPU: O(n^2), in float64, of one or two axes, packed arrays only. */
#include "cufft.h"

#include <stdio.h>

enum { MOST_PLANS = 4096 };

static struct plan {
    bool used, made;
    uint64_t born; /* which of those that had this number */
    cudaStream_t stream;
    int rank;
    long long n[2], batch;
    void *work;
} plans[MOST_PLANS];
static uint64_t births;

static plan *of(cufftHandle h)
{
    return h > 0 && h < MOST_PLANS && plans[h].used ? &plans[h] : nullptr;
}

cufftResult cufftCreate(cufftHandle *h)
{
    cufftResult r = CUFFT_SETUP_FAILED;

    mmlt_cuda_enter(nullptr);
    for (int i = 1; i < MOST_PLANS && r != CUFFT_SUCCESS; i++)
        if (!plans[i].used) {
            plans[i] = plan();
            plans[i].used = true;
            plans[i].born = ++births;
            *h = i;
            r = CUFFT_SUCCESS;
        }
    mmlt_cuda_leave();
    return r;
}

cufftResult cufftDestroy(cufftHandle h)
{
    if (!of(h))
        return CUFFT_INVALID_PLAN;
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return CUFFT_EXEC_FAILED;
    plans[h].used = false;
    return CUFFT_SUCCESS;
}

cufftResult cufftSetStream(cufftHandle h, cudaStream_t stream)
{
    if (!of(h))
        return CUFFT_INVALID_PLAN;
    of(h)->stream = stream;
    return CUFFT_SUCCESS;
}
cufftResult cufftSetAutoAllocation(cufftHandle h, int) { return of(h) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN; }
cufftResult cufftSetWorkArea(cufftHandle h, void *work)
{
    if (!of(h))
        return CUFFT_INVALID_PLAN;
    of(h)->work = work;
    return CUFFT_SUCCESS;
}

cufftResult cufftMakePlanMany64(cufftHandle h, int rank, long long *n, long long *inembed, long long, long long,
                                long long *onembed, long long, long long, cufftType type, long long batch,
                                size_t *work_bytes)
{
    plan *p = of(h);

    if (!p)
        return CUFFT_INVALID_PLAN;
    if (mmlt_cuda_may_ask() != cudaSuccess) /* tables of the plan */
        return CUFFT_ALLOC_FAILED;
    if (rank < 1 || rank > 2 || inembed || onembed || type != CUFFT_C2C || batch < 1 || n[0] < 1 || n[rank - 1] < 1)
        return CUFFT_INVALID_SIZE;
    p->rank = rank;
    p->n[0] = n[0];
    p->n[1] = rank == 2 ? n[1] : 1;
    p->batch = batch;
    p->made = true;
    *work_bytes = (size_t)(p->n[0] * p->n[1]) * sizeof(cufftComplex);
    return CUFFT_SUCCESS;
}

/* n elements `stride` apart, in place. `tmp`: 4 n */
static void line(double *re, double *im, size_t n, size_t stride, int sign, double *tmp)
{
    double *c = tmp, *s = tmp + n, *yr = tmp + 2 * n, *yi = tmp + 3 * n;

    for (size_t j = 0; j < n; j++) {
        c[j] = cos(2 * 3.14159265358979323846 * (double)j / (double)n);
        s[j] = sign * sin(2 * 3.14159265358979323846 * (double)j / (double)n);
    }
    for (size_t k = 0; k < n; k++) {
        yr[k] = yi[k] = 0;
        for (size_t t = 0; t < n; t++) {
            yr[k] += re[t * stride] * c[k * t % n] - im[t * stride] * s[k * t % n];
            yi[k] += re[t * stride] * s[k * t % n] + im[t * stride] * c[k * t % n];
        }
    }
    for (size_t k = 0; k < n; k++) {
        re[k * stride] = yr[k];
        im[k * stride] = yi[k];
    }
}

static void die(const char *why)
{
    fprintf(stderr, "emulated cuFFT: %s\n", why);
    abort();
}

/* p: as it was when the call was. */
static void transform(const plan &p, cufftHandle h, cufftComplex *in, cufftComplex *out, int sign)
{
    const size_t rows = (size_t)p.n[0], cols = (size_t)p.n[1], n = rows * cols;
    double *re = static_cast<double *>(malloc((2 * n + 4 * (rows > cols ? rows : cols)) * sizeof *re));
    double *im = re + n, *tmp = im + n;

    if (!re)
        die("out of memory");
    if (!plans[h].used || plans[h].born != p.born)
        die("a transform whose plan has been destroyed, and its tables with it");
    memset(p.work, 0xff, n * sizeof(cufftComplex));
    for (size_t b = 0; b < (size_t)p.batch; b++, in += n, out += n) {
        for (size_t i = 0; i < n; i++) {
            re[i] = (double)in[i].x;
            im[i] = (double)in[i].y;
        }
        for (size_t i = 0; p.rank == 2 && i < rows; i++)
            line(re + i * cols, im + i * cols, cols, 1, sign, tmp);
        for (size_t j = 0; j < cols; j++)
            line(re + j, im + j, rows, cols, sign, tmp);
        /* some rounding, where an exact result would hide who relies on it */
        for (size_t i = 0; i < n; i++)
            out[i] = make_float2((float)re[i], (float)(im[i] + (i % 2 ? 1e-9 : -1e-9)));
    }
    free(re);
}

cufftResult cufftExecC2C(cufftHandle h, cufftComplex *in, cufftComplex *out, int sign)
{
    const plan *p = of(h);

    if (!p || !p->made || !p->work)
        return CUFFT_INVALID_PLAN;
    const plan now = *p;
    return mmlt_cuda_push(p->stream, [=]() { transform(now, h, in, out, sign); }) == cudaSuccess ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}
