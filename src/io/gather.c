/* gather.c - a shuffled batch wants rows from all over a file: sort, join neighbours, read, scatter. */
#include "io/gather.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum {
    READ_BYTES = 4 << 20, /* at once */
    GAP_BYTES = 32 << 10  /* reading across a gap this small is cheaper than another call */
};

static int by_first(const void *a, const void *b)
{
    const mmli_span *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

void mmli_scratch_free(mmli_scratch *scratch)
{
    mmli_free(scratch->values);
    *scratch = (mmli_scratch){0};
}

/* Copies what rows lo .. hi-1, just read, hold of the spans i .. j-1. */
static void scatter(float *out, const float *rows, size_t lo, size_t hi, const mmli_span *spans, size_t i, size_t j,
                    size_t width)
{
    for (; i < j && spans[i].first < hi; i++) {
        const size_t end = spans[i].first + spans[i].count;
        const size_t from = spans[i].first > lo ? spans[i].first : lo, to = end < hi ? end : hi;

        if (from < to)
            memcpy(out + (spans[i].to + (from - spans[i].first)) * width, rows + (from - lo) * width,
                   (to - from) * width * sizeof *out);
    }
}

mml_status mmli_h5_gather(float *out, mmli_span *spans, size_t n, size_t width, hid_t dataset, const char *path,
                          const char *name, mmli_scratch *scratch)
{
    mml_status st = MML_OK;
    const size_t row_bytes = width * sizeof *out;
    const size_t most = READ_BYTES / row_bytes > 0 ? READ_BYTES / row_bytes : 1;
    const size_t gap = GAP_BYTES / row_bytes;

    qsort(spans, n, sizeof *spans, by_first);
    for (size_t i = 0, j; i < n; i = j) {
        size_t end = spans[i].first + spans[i].count;

        for (j = i + 1; j < n && spans[j].first <= end + gap; j++)
            if (spans[j].first + spans[j].count > end)
                end = spans[j].first + spans[j].count;
        for (size_t lo = spans[i].first; lo < end; lo += most) {
            const size_t count = end - lo < most ? end - lo : most;

            while (spans[i].first + spans[i].count <= lo)
                i++; /* done with */

            MML_TRY(mmli_grow(&scratch->values, &scratch->cap, count * width, sizeof *out));
            MML_TRY(mmli_h5_get_rows(scratch->values, MMLI_H5_F32, lo, count, width, dataset, path, name));
            scatter(out, scratch->values, lo, lo + count, spans, i, j, width);
        }
    }
out:
    return st;
}
