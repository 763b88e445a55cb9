/* arrange.c - see arrange.h. */
#include "baselines/arrange.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

bool mmli_baseline_joins(const mmli_baseline *b)
{
    return b->o.kind == MML_BASELINE_PERCEIVER && b->n > 1;
}

size_t mmli_joined_width(const mmli_baseline *b)
{
    size_t width = 0;

    for (size_t m = 0; m < b->n; m++)
        width = b->widths[m] > width ? b->widths[m] : width;
    return width;
}

mml_status mmli_join_tokens(mmli_host_tokens *out, mmli_tape *tape, const mmli_baseline *b, const mmli_host_tokens *in,
                            size_t samples)
{
    const size_t width = mmli_joined_width(b);
    mml_status st = MML_OK;
    size_t total = 0, bytes = 0, at = 0;
    int64_t *offsets = mmli_tape_host(tape, (samples + 1) * sizeof *offsets);
    float *values = NULL;

    *out = (mmli_host_tokens){.offsets = offsets, .width = width};
    for (size_t m = 0; m < b->n; m++)
        total += in[m].values ? (size_t)in[m].offsets[samples] : 0;
    MML_CHECK(mmli_mul_size(&bytes, total, width) && mmli_mul_size(&bytes, bytes, sizeof *values), MML_E_NOMEM,
              "%zu tokens of width %zu are too many", total, width);
    values = mmli_tape_host(tape, bytes);
    MML_TRY(mmli_tape_status(tape));
    memset(values, 0, bytes);
    offsets[0] = 0;
    for (size_t s = 0; s < samples; s++) {
        for (size_t m = 0; m < b->n; m++)
            for (int64_t t = in[m].values ? in[m].offsets[s] : 0; in[m].values && t < in[m].offsets[s + 1]; t++)
                memcpy(values + width * at++, in[m].values + (size_t)t * in[m].width, in[m].width * sizeof *values);
        offsets[s + 1] = (int64_t)at;
    }
    out->values = total > 0 ? values : NULL;
out:
    return st;
}
