/* coders.h - custom encoders for tests (include/mmlego/tensor.h): by tensor operations and by host functions, a token out
 * for each token in, or one for each sample. */
#ifndef MMLT_LEGO_CODERS_H
#define MMLT_LEGO_CODERS_H

#include "mmlego/tensor.h"

enum { CODERS = 4, CODER_WIDTH = 5 };
/* 0 operations, tokens; 1 operations, pooled by attention; 2 host, tokens; 3 host, pooled by the mean */
const mml_encoder *coder(int i);

#endif
