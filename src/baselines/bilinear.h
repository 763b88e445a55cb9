/* bilinear.h - gated bilinear fusion of two vectors (Chen et al., Pathomic Fusion, 2020). */
#ifndef MMLI_BASELINES_BILINEAR_H
#define MMLI_BASELINES_BILINEAR_H

#include "baselines/parts.h"

enum { MMLI_BILINEAR_HIDDEN = 256 };

typedef struct mmli_bilinear {
    size_t width, reduced;
    struct {
        mmli_linear h, z[2], o;
    } side[2];
    mmli_linear hidden, out;
} mmli_bilinear;

/* Vectors of width o.width, and one of them comes out; between, they are o.reduction times narrower. */
mmli_bilinear mmli_declare_bilinear(mmli_declaring *to, const char *name, ...) __attribute__((format(printf, 2, 3)));
/* x, y (B, width) */
mmli_var *mmli_apply_bilinear(const mmli_baseline_pass *p, const mmli_bilinear *f, mmli_var *x, mmli_var *y, float drop,
                              uint64_t key);

#endif
