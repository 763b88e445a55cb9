/* device.c - the CPU backend as a table: memory, and which slots are filled. Slots that are not named
 * (losses, tally: a few hundred numbers a step) are inherited from the reference. */
#include <string.h>

#include "backends/cpu/cpu.h"
#include "util/alloc.h"

enum { COPY = 1 << 20 }; /* bytes of a tile of a copy */

static void cpu_close(mmli_device *dv)
{
    mmli_cpu *cpu = mmli_cpu_of(dv);

    if (!cpu)
        return;
    mmli_cpu_pool_free(cpu->pool);
    mmli_cpu_fft_free(cpu->fft);
    for (int i = 0; i < 2; i++)
        mmli_cpu_aligned_free(cpu->area[i]);
    mmli_free(cpu);
    dv->impl = NULL;
}

static mml_status cpu_open(mmli_device *dv, int threads)
{
    mml_status st = MML_OK;
    mmli_cpu *cpu = NULL;

    MML_TRY(mmli_calloc(&cpu, 1, sizeof *cpu));
    MML_TRY(mmli_cpu_pool_new(&cpu->pool, threads));
    cpu->vec = mmli_vec_choose();
    mmli_cpu_blas_prepare();
    dv->impl = cpu;
    cpu = NULL;
out:
    mmli_free(cpu);
    return st;
}

static mml_status cpu_alloc(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    (void)dv;
    return mmli_cpu_aligned(out, bytes);
}

static void cpu_free(mmli_device *dv, mmli_mem *p)
{
    (void)dv;
    mmli_cpu_aligned_free(p);
}

typedef struct copy_job {
    char *dst;
    const char *src;
    size_t bytes;
} copy_job;

static void copy_tile(const void *ctx, size_t t, int worker)
{
    const copy_job *c = ctx;

    (void)worker;
    memcpy(c->dst + t * COPY, c->src + t * COPY, mmli_min_size(COPY, c->bytes - t * COPY));
}

static mml_status copy_bytes(mmli_device *dv, void *dst, const void *src, size_t bytes)
{
    const copy_job c = {dst, src, bytes};

    if (dst != src)
        mmli_cpu_for(dv, mmli_ceil_div(bytes, COPY), 0.1 * (double)bytes, copy_tile, &c);
    return MML_OK;
}

static mml_status cpu_upload(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    return copy_bytes(dv, dst, src, bytes);
}

static mml_status cpu_download(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes)
{
    return copy_bytes(dv, dst, src, bytes);
}

static mml_status cpu_copy(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes)
{
    return copy_bytes(dv, dst, src, bytes);
}

static mml_status cpu_sync(mmli_device *dv)
{
    (void)dv; /* every call has finished when it returns */
    return MML_OK;
}

#define SLOT(kernel) .kernel = mmli_cpu_##kernel

const mmli_backend mmli_backend_cpu = {
    .name = "cpu",
    .host_memory = true,
    .open = cpu_open,
    .close = cpu_close,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_upload,
    .download = cpu_download,
    .copy = cpu_copy,
    .sync = cpu_sync,
    SLOT(fill), SLOT(add), SLOT(mul), SLOT(mul_add), SLOT(axpy), SLOT(scale),
    SLOT(act), SLOT(act_grad), SLOT(gate), SLOT(gate_grad),
    SLOT(dropout), SLOT(dropout_grad), SLOT(alpha_dropout), SLOT(alpha_dropout_grad),
    SLOT(col_sum_grad), SLOT(axpy_rows), SLOT(repeat), SLOT(spread), SLOT(spread_grad),
    SLOT(group_mean), SLOT(group_mean_grad), SLOT(gather), SLOT(gather_grad), SLOT(scatter), SLOT(scatter_grad),
    SLOT(segment_softmax), SLOT(segment_softmax_grad), SLOT(segment_sum), SLOT(segment_sum_grad),
    SLOT(segment_mean), SLOT(segment_mean_grad), SLOT(segment_dft_real), SLOT(segment_dft_real_grad),
    SLOT(attention), SLOT(attention_grad), SLOT(attention_join),
    SLOT(gemm), SLOT(gemm_batched), SLOT(linear), SLOT(layernorm), SLOT(layernorm_grad),
    SLOT(feed_forward), SLOT(feed_forward_grad),
    SLOT(fft), SLOT(col_normalise), SLOT(col_normalise_grad),
    SLOT(magnitude), SLOT(phase), SLOT(unit), SLOT(from_polar), SLOT(recip),
    SLOT(sum), SLOT(sum_squares), SLOT(l1_grad), SLOT(adamw),
};
