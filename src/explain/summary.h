/* summary.h - the way back through the summaries of a linear baseline (baselines/arrange.h). */
#ifndef MMLI_EXPLAIN_SUMMARY_H
#define MMLI_EXPLAIN_SUMMARY_H

#include "baselines/arrange.h"

/* dx (n, width) = the gradient of the tokens x of one sample, from that of its summary, dy. raw (n, width_in): NaN = not
 * measured. Least and greatest values pass it to the first token that has them. */
void mmli_summary_back(float *dx, const float *dy, mml_modality_kind kind, const float *x, size_t width, const float *raw,
                       size_t width_in, size_t n);

#endif
