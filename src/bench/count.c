/* count.c - the counting device: memory, totals, the table. The kernels are in count_*.c. */
#include "bench/count.h"

#include <stdio.h>
#include <string.h>

#include "bench/count_inside.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- a device of it --------------------------------------------------------------------------------------------------- */

static mml_status open_counter(mmli_device *dv, int threads)
{
    mml_status st = MML_OK;
    mmli_counter *c = NULL;
    char name[64];

    if (dv->k.index > 0)
        snprintf(name, sizeof name, "%s:%d", dv->k.name, dv->k.index);
    else
        snprintf(name, sizeof name, "%s", dv->k.name);
    MML_TRY(mmli_calloc(&c, 1, sizeof *c));
    MML_TRY(mmli_device_open(&c->inner, name, threads)); /* by name: see mmli_count_table */
    dv->impl = c;
    c = NULL;
out:
    mmli_free(c);
    return st;
}

static void close_counter(mmli_device *dv)
{
    mmli_counter *c = mmli_counter_of(dv);

    mmli_device_close(c->inner);
    mmli_free(c);
}

/* Sizes are kept in front of what is handed out, a line of 64 bytes, so that freeing can subtract them. */
enum { LINE = 64 };

static mml_status alloc_counted(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    mmli_counter *c = mmli_counter_of(dv);
    const uint64_t size = bytes;
    mml_status st = MML_OK;
    mmli_mem *base = NULL;

    *out = NULL;
    MML_CHECK(bytes <= SIZE_MAX - LINE, MML_E_NOMEM, "%zu bytes of device memory: the size overflows", bytes);
    MML_TRY(c->inner->k.alloc(c->inner, &base, bytes + LINE));
    MML_TRY(c->inner->k.upload(c->inner, base, &size, sizeof size));
    c->count.allocations += c->on;
    c->count.live += size;
    c->count.most = c->count.live > c->count.most ? c->count.live : c->count.most;
    *out = mmli_at_bytes(base, LINE);
    base = NULL;
out:
    if (base)
        c->inner->k.free(c->inner, base);
    return st;
}

static void free_counted(mmli_device *dv, mmli_mem *p)
{
    mmli_counter *c = mmli_counter_of(dv);
    mmli_mem *base = p ? (mmli_mem *)((uintptr_t)p - LINE) : NULL;
    uint64_t size = 0;

    if (!base)
        return;
    if (c->inner->k.download(c->inner, &size, base, sizeof size) == MML_OK)
        c->count.live -= size < c->count.live ? size : c->count.live; /* it may be another device's */
    c->inner->k.free(c->inner, base);
}

static mml_status upload(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    mmli_counter *c = mmli_counter_of(dv);

    c->count.moved += c->on ? bytes : 0;
    return c->inner->k.upload(c->inner, dst, src, bytes);
}

static mml_status turn(mmli_device *dv)
{
    mmli_counter *c = mmli_counter_of(dv);

    return c->inner->k.turn(c->inner);
}

static mml_status send(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    mmli_counter *c = mmli_counter_of(dv);

    c->count.moved += c->on ? bytes : 0;
    return c->inner->k.send(c->inner, dst, src, bytes);
}

static mml_status download(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes)
{
    mmli_counter *c = mmli_counter_of(dv);

    c->count.moved += c->on ? bytes : 0;
    return c->inner->k.download(c->inner, dst, src, bytes);
}

static mml_status copy(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes)
{
    mmli_counter *c = mmli_counter_of(dv);

    c->count.moved += c->on ? bytes : 0;
    return c->inner->k.copy(c->inner, dst, src, bytes);
}

static mml_status step_begin(mmli_device *dv)
{
    mmli_counter *c = mmli_counter_of(dv);

    return c->inner->k.step_begin(c->inner);
}

static mml_status step_end(mmli_device *dv, bool *again)
{
    mmli_counter *c = mmli_counter_of(dv);

    return c->inner->k.step_end(c->inner, again);
}

static mml_status wait_for(mmli_device *dv)
{
    mmli_counter *c = mmli_counter_of(dv);

    return c->inner->k.sync(c->inner);
}

/* ---- the table -------------------------------------------------------------------------------------------------------- */

mml_status mmli_count_table(mmli_backend *out, const char *device)
{
    mml_status st = MML_OK;
    mmli_device *dv = NULL;

    MML_TRY(mmli_device_open(&dv, device, 1)); /* the message for an unknown name; and the name of the default */
    *out = (mmli_backend){
        .name = dv->k.name,
        .host_memory = dv->k.host_memory,
        .index = dv->k.index,
        .open = open_counter,
        .close = close_counter,
        .alloc = alloc_counted,
        .free = free_counted,
        .upload = upload,
        .turn = dv->k.turn ? turn : NULL,
        .send = dv->k.send ? send : NULL,
        .download = download,
        .copy = copy,
        .sync = wait_for,
        .step_begin = dv->k.step_begin ? step_begin : NULL,
        .step_end = dv->k.step_end ? step_end : NULL,
#define MML_KERNEL(kernel, args) .kernel = mmli_counted_##kernel,
#include "backends/kernels.def"
#undef MML_KERNEL
    };
out:
    mmli_device_close(dv);
    return st;
}

void mmli_count_start(mmli_device *dv)
{
    mmli_counter *c = mmli_counter_of(dv);

    memset(c->count.kernel, 0, sizeof c->count.kernel);
    c->count.allocations = c->count.moved = 0;
    c->on = true;
}

void mmli_count_stop(mmli_device *dv)
{
    mmli_counter_of(dv)->on = false;
}

const mmli_count *mmli_count_of(const mmli_device *dv)
{
    return &mmli_counter_of(dv)->count;
}

mmli_cost mmli_count_total(const mmli_count *count)
{
    mmli_cost sum = {0, 0, 0, 0};

    for (size_t i = 0; i < MMLI_N_KERNELS; i++) {
        sum.calls += count->kernel[i].calls;
        sum.matrix += count->kernel[i].matrix;
        sum.other += count->kernel[i].other;
        sum.bytes += count->kernel[i].bytes;
    }
    return sum;
}

/* ---- what the offsets say -------------------------------------------------------------------------------------------- */

uint64_t mmli_count_tokens(mmli_counter *c, const mmli_mem *off, size_t segs)
{
    int64_t last = 0;

    if (c->inner->k.download(c->inner, &last, mmli_at_bytes(off, segs * sizeof last), sizeof last) != MML_OK)
        return 0; /* the kernel will fail too, and say why */
    return (uint64_t)last;
}

uint64_t mmli_count_log2(uint64_t n)
{
    uint64_t log = 0;

    while (n > UINT64_C(1) << log && log < 63)
        log++;
    return log;
}

static bool length_of(uint64_t *len, mmli_counter *c, const mmli_mem *off, size_t s)
{
    int64_t ends[2];

    if (c->inner->k.download(c->inner, ends, mmli_at_bytes(off, s * sizeof *ends), sizeof ends) != MML_OK)
        return false;
    *len = (uint64_t)(ends[1] - ends[0]);
    return true;
}

uint64_t mmli_count_squares(mmli_counter *c, const mmli_mem *off, size_t segs)
{
    uint64_t sum = 0, len;

    for (size_t s = 0; s < segs && length_of(&len, c, off, s); s++)
        sum += len * len;
    return sum;
}

uint64_t mmli_count_transforms(mmli_counter *c, const mmli_mem *off, size_t segs)
{
    uint64_t sum = 0, len;

    for (size_t s = 0; s < segs && length_of(&len, c, off, s); s++)
        sum += len * mmli_count_log2(len);
    return sum;
}
