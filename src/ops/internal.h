/* internal.h - what op files share: running a kernel on a tape, shape failures. */
#ifndef MMLI_OPS_INTERNAL_H
#define MMLI_OPS_INTERNAL_H

#include "ops/ops.h"
#include "util/error.h"

/* Runs a kernel; its failure becomes the tape's. True when it ran. */
#define MMLI_RUN(tape, kernel, ...)                                                                                    \
    (mmli_tape_fail((tape), mmli_tape_device(tape)->k.kernel(mmli_tape_device(tape), __VA_ARGS__)), mmli_tape_ok(tape))

/* In a backward function: run or return. */
#define MMLI_BACK(tape, kernel, ...)                                                                                   \
    do {                                                                                                               \
        mml_status back_st_ = mmli_tape_device(tape)->k.kernel(mmli_tape_device(tape), __VA_ARGS__);                   \
        if (back_st_ != MML_OK)                                                                                        \
            return back_st_;                                                                                           \
    } while (0)

#define MMLI_NORM_EPS 1e-5f /* of every LayerNorm: method.md 2, as torch.nn.LayerNorm */

static inline size_t mmli_size(const mmli_var *x)
{
    return x->rows * x->cols;
}

/* NULL, with the tape failed: what an op returns when shapes do not agree. */
static inline mmli_var *mmli_shape_error(mmli_tape *tape, const char *op, const mmli_var *a, const mmli_var *b)
{
    mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "%s: (%zu, %zu) does not fit (%zu, %zu)", op, a->rows, a->cols, b->rows,
                                   b->cols));
    return NULL;
}

#endif
