/* arrange.h - what an architecture reads that is not one device array a modality: made on the host, before the upload. */
#ifndef MMLI_BASELINES_ARRANGE_H
#define MMLI_BASELINES_ARRANGE_H

#include "baselines/baseline.h"

/* Preprocessed tokens of one modality on the host; values NULL: nobody has it. */
typedef struct mmli_host_tokens {
    const float *values;    /* (offsets[B], width) */
    const int64_t *offsets; /* (B + 1) */
    size_t width;
} mmli_host_tokens;

/* Does it read the tokens of all modalities as one set? Then input 0 is that set and the others are not read. */
bool mmli_baseline_joins(const mmli_baseline *b);
/* The width of its tokens: the largest. */
size_t mmli_joined_width(const mmli_baseline *b);
/* The tokens of a sample one modality after the other, filled with zeros to one width; in the memory of the tape. */
mml_status mmli_join_tokens(mmli_host_tokens *out, mmli_tape *tape, const mmli_baseline *b, const mmli_host_tokens *in,
                            size_t samples);

/* Does it read one row of features a sample? Of a table its token (the mean of several). Of all else mean, least, greatest and
 * last value of every channel over the tokens where it was measured (0, the training mean, where it never was), then how many
 * those are: by channel for a series, else the number of tokens. Columns that preprocessing adds (indicators, positions) are left out
 * then. */
bool mmli_kind_summarises(mml_baseline_kind kind);
/* Width of the row, for tokens of width_in before and width_out after preprocessing. */
size_t mmli_summary_width(mml_modality_kind kind, size_t width_in, size_t width_out);
/* x: preprocessed tokens; raw: (tokens, width_in), NaN = not measured. In the memory of the tape. */
mml_status mmli_summarise(mmli_host_tokens *out, mmli_tape *tape, mml_modality_kind kind, const mmli_host_tokens *x,
                          const float *raw, size_t width_in, size_t samples);

#endif
