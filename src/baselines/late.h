/* late.h - late fusion, for tests of its parts. */
#ifndef MMLI_BASELINES_LATE_H
#define MMLI_BASELINES_LATE_H

#include "baselines/bilinear.h"

typedef struct mmli_late {
    mmli_linear *head;   /* (n) of concatenated vectors; of the fused vector: one */
    mmli_bilinear *fold; /* (n - 1) */
} mmli_late;

#endif
