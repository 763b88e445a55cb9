/* bench.h - one device for one test, and buffers that are freed with it. */
#ifndef MMLT_OPS_BENCH_H
#define MMLT_OPS_BENCH_H

#include "tests/support/mmlt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Opened by begin; end closes, frees what was made, and sees that nothing is left. */
static mmli_device *dv;
static mmli_mem *held[32];
static size_t n_held;

static inline void begin(int backend)
{
    dv = mmlt_device(backend, 3);
    n_held = 0;
}

static inline void end(void)
{
    for (size_t i = 0; i < n_held; i++)
        dv->k.free(dv, held[i]);
    mmli_device_close(dv);
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
}

static inline mmli_mem *bytes(const void *data, size_t n)
{
    ck_assert_uint_lt(n_held, COUNT(held));
    return held[n_held++] = mmlt_upload(dv, data, n);
}
#define GIVE(array) bytes(array, sizeof(array))
#define TAKE(array, mem) mmlt_download(array, dv, mem, sizeof(array))
#define RUN(kernel, ...) mmlt_assert_ok(dv->k.kernel(dv, __VA_ARGS__))

#endif
