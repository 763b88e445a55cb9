/* ragged.c - offsets of the samples that have tokens. */
#include "ops/ragged.h"

#include "util/error.h"

/* Fills in what depends on off and idx, and uploads both. */
static mml_status finish(mmli_ragged *r, mmli_tape *tape)
{
    r->off_dev = mmli_tape_upload(tape, r->off, (r->segs + 1) * sizeof *r->off);
    r->idx_dev = NULL;
    if (r->segs != r->samples)
        r->idx_dev = mmli_tape_upload(tape, r->idx, r->segs * sizeof *r->idx);
    return mmli_tape_status(tape);
}

mml_status mmli_ragged_make(mmli_ragged *out, mmli_tape *tape, const int64_t *offsets, size_t samples)
{
    int64_t *off = mmli_tape_host(tape, (samples + 1) * sizeof *off);
    int32_t *idx = mmli_tape_host(tape, (samples + 1) * sizeof *idx);
    size_t p = 0;

    if (!off || !idx)
        return mmli_tape_status(tape);
    if (samples > INT32_MAX)
        return mmli_fail(MML_E_ARG, "a batch of %zu samples is too large (at most %d)", samples, INT32_MAX);
    *out = (mmli_ragged){.samples = samples, .off = off, .idx = idx, .single = true};
    off[0] = 0;
    for (size_t b = 0; b < samples; b++) {
        const int64_t n = offsets[b + 1] - offsets[b];
        if (n < 0)
            return mmli_fail(MML_E_ARG, "offsets of sample %zu descend (%lld to %lld)", b, (long long)offsets[b],
                             (long long)offsets[b + 1]);
        if (n == 0)
            continue;
        idx[p] = (int32_t)b;
        off[p + 1] = off[p] + n;
        out->single = out->single && n == 1;
        p++;
    }
    out->segs = p;
    out->tokens = (size_t)off[p];
    return finish(out, tape);
}

mml_status mmli_ragged_pooled(mmli_ragged *out, mmli_tape *tape, const mmli_ragged *in)
{
    int64_t *off = mmli_tape_host(tape, (in->segs + 1) * sizeof *off);

    if (!off)
        return mmli_tape_status(tape);
    for (size_t p = 0; p <= in->segs; p++)
        off[p] = (int64_t)p;
    *out = *in;
    out->off = off;
    out->tokens = in->segs;
    out->tokens_before = in->segs_before;
    out->single = true;
    out->off_dev = mmli_tape_upload(tape, off, (in->segs + 1) * sizeof *off);
    return mmli_tape_status(tape);
}

mmli_ragged *mmli_ragged_keep(mmli_tape *tape, const mmli_ragged *ragged)
{
    mmli_ragged *copy = mmli_tape_host(tape, sizeof *copy);

    if (copy)
        *copy = *ragged;
    return copy;
}
