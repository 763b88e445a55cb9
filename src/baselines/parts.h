/* parts.h - what architectures are made of: declared once, applied in every pass. */
#ifndef MMLI_BASELINES_PARTS_H
#define MMLI_BASELINES_PARTS_H

#include "baselines/baseline.h"

/* ---- declaring: the status sticks, so a list of declarations reads as a list */
typedef struct mmli_declaring {
    mmli_baseline *b;
    mmli_params *params;
    const mmli_baseline_modality *modalities;
    mml_status st;
} mmli_declaring;

/* Memory for a part, zeroed, freed with the baseline; NULL: the status has failed. */
void *mmli_declare_memory(mmli_declaring *to, size_t n, size_t size);

/* Parameter indices. Names are "baseline." and what printf makes of the text. */
typedef struct mmli_linear {
    size_t w, b; /* b: SIZE_MAX = none */
} mmli_linear;
typedef struct mmli_norm {
    size_t w, b;
} mmli_norm;

enum { MMLI_BIAS = 1, MMLI_NORMAL = 2 /* weights N(0, 1 / in) instead of torch.nn.Linear's */, MMLI_HEAD = 4 };

/* (out, in). of: the fan-in that the start counts with, where the layer is a part of a wider one (0 = in). */
mmli_linear mmli_declare_linear(mmli_declaring *to, size_t out, size_t in, size_t of, int flags, const char *name, ...)
    __attribute__((format(printf, 6, 7)));
mmli_norm mmli_declare_norm(mmli_declaring *to, size_t width, const char *name, ...) __attribute__((format(printf, 3, 4)));
/* The encoder of modality m: "baseline.inputs.<modality>.encoder.*". width and hidden as in the options. */
void mmli_declare_encoder(mmli_declaring *to, size_t m, mml_encoder_kind kind, size_t layers);

/* ---- applying */
mmli_var *mmli_apply_linear(const mmli_baseline_pass *p, mmli_linear l, mmli_var *x);
mmli_var *mmli_apply_norm(const mmli_baseline_pass *p, mmli_norm n, mmli_var *x);
/* One vector a sample that has the modality, (P, width): encoded tokens, their mean where there are several. NULL when
 * nobody has it. */
mmli_var *mmli_apply_encoder(const mmli_baseline_pass *p, const mmli_baseline *b, size_t m);
/* x (P len, cols) of those who have modality m as rows of all samples (B len, cols), 0 for the others; also for x NULL. */
mmli_var *mmli_for_all(const mmli_baseline_pass *p, size_t m, mmli_var *x, size_t len, size_t cols);
/* One stage, which is the prediction. */
void mmli_only_stage(mmli_stages *out, const mmli_baseline_pass *p, mmli_var *logits);

/* ---- architectures */
typedef struct mmli_architecture {
    const char *name;
    /* kinds (n): what there is; the message says what is missing */
    mml_status (*check)(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n);
    void (*declare)(mmli_declaring *to);
    void (*forward)(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p);
} mmli_architecture;

extern const mmli_architecture mmli_snn, mmli_abmil_net;

#endif
