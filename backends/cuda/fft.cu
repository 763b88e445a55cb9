/* fft.cu - Fourier transforms of arrays given as real and imaginary parts, by cuFFT. Numbers are packed into pairs in
 * scratch memory, with the transformed axis last, transformed in place, and unpacked. Plans are kept, with one work area for all. */
#include <cufft.h>

#include "backends/cuda/map.h"

#include <stdlib.h>

namespace {

enum { PLANS = 64 };

struct entry {
    long long n[2], batch; /* n[0] = 0: one axis, n[1] */
    uint64_t used;
    cufftHandle plan;
    size_t work; /* bytes */
};

} // namespace

struct mmli_cuda_fft {
    entry e[PLANS];
    int n;
    uint64_t clock;
};

namespace {

mml_status check(cufftResult r, const char *call)
{
    const char *why = r == CUFFT_INVALID_SIZE     ? "it cannot transform this size"
                      : r == CUFFT_INTERNAL_ERROR ? "internal error"
                      : r == CUFFT_SETUP_FAILED   ? "it could not be set up"
                      : r == CUFFT_EXEC_FAILED    ? "it could not run"
                                                  : "";

    if (r == CUFFT_SUCCESS)
        return MML_OK;
    if (r == CUFFT_ALLOC_FAILED)
        return mmli_fail(MML_E_NOMEM, "the GPU is out of memory (%s): use a smaller batch or a smaller model", call);
    return mmli_fail(MML_E_BACKEND, "cuFFT: %s failed with code %d: %s", call, static_cast<int>(r), why);
}
#define FFT_CALL(call) MMLI_CUDA_TRY(check((call), #call))

mml_status make_plan(entry *e, mmli_device *dv, const long long n[2], long long batch)
{
    long long size[2] = {n[0], n[1]};
    const bool two = n[0] > 0;

    FFT_CALL(cufftSetStream(e->plan, mmli_cuda_stream(dv)));
    FFT_CALL(cufftSetAutoAllocation(e->plan, 0));
    FFT_CALL(cufftMakePlanMany64(e->plan, two ? 2 : 1, two ? size : size + 1, NULL, 1, 0, NULL, 1, 0, CUFFT_C2C, batch, &e->work));
    e->n[0] = n[0];
    e->n[1] = n[1];
    e->batch = batch;
    return MML_OK;
}

/* The plan for a shape: kept, or made in place of the one that was not used for longest. */
mml_status plan_for(entry **out, mmli_device *dv, const long long n[2], long long batch)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    mmli_cuda_fft *k = cuda->fft;
    int at = 0;
    mml_status st;

    *out = NULL;
    if (!k && !(k = cuda->fft = static_cast<mmli_cuda_fft *>(calloc(1, sizeof *k))))
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes for the plans of Fourier transforms could not be had", sizeof *k);
    k->clock++;
    for (int i = 0; i < k->n; i++) {
        entry *e = &k->e[i];

        if (e->n[0] == n[0] && e->n[1] == n[1] && e->batch == batch) {
            e->used = k->clock;
            *out = e;
            return MML_OK;
        }
        if (e->used < k->e[at].used)
            at = i;
    }
    if (cuda->step.capturing)
        return mmli_fail(MML_E_INTERNAL, "a plan of cuFFT has to be made while a step is captured");
    if (k->n == PLANS) {
        /* What was queued with it may still be to come. */
        MMLI_CUDA_CALL(cudaStreamSynchronize(mmli_cuda_stream(dv)));
        (void)cufftDestroy(k->e[at].plan);
        cuda->step.memory++; /* graphs may use its tables */
        k->e[at] = k->e[--k->n];
    }
    at = k->n;
    k->e[at] = entry();
    FFT_CALL(cufftCreate(&k->e[at].plan));
    if ((st = make_plan(&k->e[at], dv, n, batch)) != MML_OK) {
        (void)cufftDestroy(k->e[at].plan);
        return st;
    }
    k->n++;
    k->e[at].used = k->clock;
    *out = &k->e[at];
    return MML_OK;
}

/* Where number (r, j), r = b c + i, of `batch` arrays (c, d) is among the pairs. */
struct layout {
    size_t c, d;
    bool turned; /* the axis of c last */
    __device__ size_t at(size_t r, size_t j) const { return turned ? (r / c * d + j) * c + r % c : r * d + j; }
};

struct pack {
    layout l;
    float2 *z;
    const float *xr, *xi;
    __device__ void operator()(size_t r, size_t j) const
    {
        const size_t i = r * l.d + j;

        z[l.at(r, j)] = make_float2(xr[i], xi ? xi[i] : 0.0f);
    }
};

struct unpack {
    layout l;
    float *yr, *yi;
    const float2 *z;
    float scale;
    bool real_input, along_c, along_d;
    __device__ void operator()(size_t r, size_t j) const
    {
        const size_t i = r * l.d + j, row = r % l.c;
        const float2 v = z[l.at(r, j)];
        /* Real input: y[-k] is the conjugate of y[k], so where k = -k along every transformed axis y[k] is real. */
        const bool mirror = (!along_c || 2 * row % l.c == 0) && (!along_d || 2 * j % l.d == 0);

        yr[i] = scale * v.x;
        if (yi)
            yi[i] = real_input && mirror ? 0.0f : scale * v.y;
    }
};

mml_status transform(mmli_device *dv, float2 *z, const long long n[2], size_t batch, int sign)
{
    entry *e;
    void *work;

    MMLI_CUDA_TRY(plan_for(&e, dv, n, static_cast<long long>(batch)));
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_FFT_WORK, e->work > 0 ? e->work : 1, &work));
    FFT_CALL(cufftSetWorkArea(e->plan, work));
    FFT_CALL(cufftExecC2C(e->plan, z, z, sign < 0 ? CUFFT_FORWARD : CUFFT_INVERSE));
    return MML_OK;
}

} // namespace

mml_status mmli_cuda_fft_lines(mmli_device *dv, float2 *z, size_t n, size_t lines)
{
    const long long size[2] = {0, static_cast<long long>(n)};

    return transform(dv, z, size, lines, -1);
}

void mmli_cuda_fft_free(mmli_cuda_fft *plans)
{
    for (int i = 0; plans && i < plans->n; i++)
        (void)cufftDestroy(plans->e[i].plan);
    free(plans);
}

mml_status cuda_fft(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi, size_t batch, size_t c,
                    size_t d, int axes, int sign, float scale)
{
    /* An axis of length 1 is its own transform. */
    const bool along_c = axes & MMLI_AXIS_C, along_d = axes & MMLI_AXIS_D, do_c = along_c && c > 1, do_d = along_d && d > 1;
    const layout l = {c, d, do_c && !do_d};
    const long long n[2] = {do_c && do_d ? static_cast<long long>(c) : 0, static_cast<long long>(do_d ? d : c)};
    void *memory;
    float2 *z;

    if (batch == 0 || c == 0 || d == 0)
        return MML_OK;
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_FFT_DATA, batch * c * d * sizeof *z, &memory));
    z = static_cast<float2 *>(memory);
    MMLI_CUDA_TRY(cells(dv, batch * c, d, pack{l, z, dev_f(xr), dev_f(xi)}));
    if (do_c || do_d)
        MMLI_CUDA_TRY(transform(dv, z, n, do_c && do_d ? batch : do_d ? batch * c : batch * d, sign));
    return cells(dv, batch * c, d, unpack{l, dev_f(yr), dev_f(yi), z, scale, !xi, along_c, along_d});
}
