/* arrange.c - see arrange.h. */
#include "baselines/arrange.h"

#include <math.h>
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

/* ---- summaries -------------------------------------------------------------------------------------------------------- */

bool mmli_kind_summarises(mml_baseline_kind kind)
{
    return kind == MML_BASELINE_LINEAR;
}

size_t mmli_summary_width(mml_modality_kind kind, size_t width_in, size_t width_out)
{
    if (kind == MML_TABLE)
        return width_out;
    return 4 * width_in + (kind == MML_SERIES ? width_in : 1);
}

/* Mean, least, greatest, last and number of the measured values of channel j of n tokens. */
static void channel(float out[5], const float *x, size_t width, const float *raw, size_t width_in, size_t n, size_t j)
{
    double sum = 0;
    size_t count = 0;

    for (size_t t = 0; t < n; t++) {
        const float value = x[t * width + j];

        if (isnan(raw[t * width_in + j]))
            continue;
        out[1] = count == 0 || value < out[1] ? value : out[1];
        out[2] = count == 0 || value > out[2] ? value : out[2];
        out[3] = value;
        sum += (double)value;
        count++;
    }
    if (count == 0)
        out[1] = out[2] = out[3] = 0;
    out[0] = count > 0 ? (float)(sum / (double)count) : 0;
    out[4] = (float)count;
}

static void summarise_sample(float *out, mml_modality_kind kind, const float *x, size_t width, const float *raw,
                             size_t width_in, size_t n)
{
    for (size_t j = 0; kind == MML_TABLE && j < width; j++) {
        double sum = 0;

        for (size_t t = 0; t < n; t++)
            sum += (double)x[t * width + j];
        out[j] = (float)(sum / (double)n);
    }
    for (size_t j = 0; kind != MML_TABLE && j < width_in; j++) {
        float five[5];

        channel(five, x, width, raw, width_in, n, j);
        for (size_t i = 0; i < (kind == MML_SERIES ? 5u : 4u); i++)
            out[i * width_in + j] = five[i];
    }
    if (kind != MML_TABLE && kind != MML_SERIES)
        out[4 * width_in] = (float)n;
}

mml_status mmli_summarise(mmli_host_tokens *out, mmli_tape *tape, mml_modality_kind kind, const mmli_host_tokens *x,
                          const float *raw, size_t width_in, size_t samples)
{
    const size_t width = mmli_summary_width(kind, width_in, x->width);
    int64_t *offsets = mmli_tape_host(tape, (samples + 1) * sizeof *offsets);
    float *values = mmli_tape_host(tape, samples * width * sizeof *values);

    if (!offsets || !values)
        return mmli_tape_status(tape);
    offsets[0] = 0;
    for (size_t s = 0; s < samples; s++) {
        const size_t first = (size_t)x->offsets[s], n = (size_t)(x->offsets[s + 1] - x->offsets[s]);

        offsets[s + 1] = offsets[s] + (n > 0);
        if (n > 0)
            summarise_sample(values + (size_t)offsets[s] * width, kind, x->values + first * x->width, x->width,
                             raw + first * width_in, width_in, n);
    }
    *out = (mmli_host_tokens){values, offsets, width};
    return MML_OK;
}
