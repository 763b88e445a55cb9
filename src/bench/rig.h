/* rig.h - a case set up: model, input on the device, optimiser; and one repeat of it. */
#ifndef MMLI_BENCH_RIG_H
#define MMLI_BENCH_RIG_H

#include "bench/cases.h"
#include "bench/count.h"
#include "model/model.h"
#include "train/optim.h"

typedef struct mmli_bench_rig {
    const mmli_bench_spec *spec;
    mml_model *model;       /* on a counting device; MERGE work: NULL */
    mml_model **parts;      /* (n) MERGE work: the blocks; else NULL */
    mmli_mem **x;           /* (n) input tokens */
    int64_t *offsets;       /* (n, batch + 1) */
    uint8_t *present;       /* (n, batch) all 1 */
    size_t input;           /* bytes of x */
    double resident;        /* bytes of the process when the input had been made; NaN = not known */
    mmli_tape *tape;
    mmli_heads heads;
    mmli_optim *optim;      /* NULL when predicting */
    mml_train_options train;
    mmli_mem *loss;         /* float64 */
    int32_t *label;         /* (batch) */
    float *weight, *logits; /* (batch), (batch, outputs) */
    uint64_t step;
} mmli_bench_rig;

/* Name of modality i of every case. */
enum { MMLI_BENCH_NAME = 32 };
void mmli_bench_modality(char name[MMLI_BENCH_NAME], size_t i);

/* The model of a case, at its random start. */
mml_status mmli_bench_model_on(mml_model **out, const mmli_bench_spec *spec, const char *device, int threads,
                               uint64_t seed);

mml_status mmli_bench_rig_new(mmli_bench_rig **out, const mmli_bench_spec *spec, const mml_bench_options *o);
void mmli_bench_rig_free(mmli_bench_rig *rig);
mml_status mmli_bench_rig_repeat(mmli_bench_rig *rig);

#endif
