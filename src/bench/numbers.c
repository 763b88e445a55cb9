/* numbers.c - what is computed with when only the time matters. */
#include "bench/measure.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

/* Speed does not depend on the values, so a large array repeats a block of normal numbers. Its length is odd, that no two
 * tokens in reach of each other are equal. */
enum { PATTERN = 262139 };

mml_status mmli_bench_numbers(mmli_mem **out, mmli_device *dv, size_t n, uint64_t key)
{
    mml_status st = MML_OK;
    float *values = NULL;
    const size_t block = n < PATTERN ? n : PATTERN;

    MML_TRY(dv->k.alloc(dv, out, n * sizeof *values));
    MML_TRY(mmli_calloc(&values, block, sizeof *values));
    for (size_t i = 0; i < block; i++)
        values[i] = mmli_rng_normal(key, i);
    for (size_t at = 0; at < n; at += block) {
        const size_t some = n - at < block ? n - at : block;
        MML_TRY(dv->k.upload(dv, mmli_at(*out, at), values, some * sizeof *values));
    }
out:
    mmli_free(values);
    return st;
}
