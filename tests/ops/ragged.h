/* ragged.h - batches of segments, for the cases of segments and attention. */
#ifndef MMLT_OPS_RAGGED_H
#define MMLT_OPS_RAGGED_H

#include "tests/ops/case.h"

enum { RAGGED_MOST = 700 /* segments */ };

/* Lengths of the segments of pattern i < RAGGED: none, empty ones in every place, one token each,
 * short and long ones mixed. */
enum { RAGGED = 10 };
size_t ragged(size_t len[RAGGED_MOST], size_t i);

#endif
