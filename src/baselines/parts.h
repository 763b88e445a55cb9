/* parts.h - what architectures are made of: declared once, applied in every pass. */
#ifndef MMLI_BASELINES_PARTS_H
#define MMLI_BASELINES_PARTS_H

#include <stdarg.h>

#include "baselines/baseline.h"
#include "ops/cross.h"

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

/* Attention of rows of width d to tokens of width w (or to each other): LN on both, H heads, output projection. */
typedef struct mmli_attention {
    mmli_norm query_norm, context_norm; /* context_norm: not for attention to each other */
    mmli_linear query, key, value, out;
    size_t heads, e;
    float scale;
    bool leaky;
} mmli_attention;

/* x + drop(W2 gate(W1 LN(x) + b1) + b2), hidden width 4 d */
typedef struct mmli_feed_forward {
    mmli_norm norm;
    mmli_linear in, out;
    mmli_gate gate;
} mmli_feed_forward;

enum { MMLI_BIAS = 1, MMLI_NORMAL = 2 /* weights N(0, 1 / in) instead of torch.nn.Linear's */, MMLI_HEAD = 4 };

/* (out, in). of: the fan-in that the start counts with, where the layer is a part of a wider one (0 = in). */
enum { MMLI_PART_NAME = 512 };
void mmli_declare_name(char name[MMLI_PART_NAME], mmli_declaring *to, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void mmli_name(char name[MMLI_PART_NAME], mmli_declaring *to, const char *format, ...) __attribute__((format(printf, 3, 4)));
mmli_linear mmli_declare_linear(mmli_declaring *to, size_t out, size_t in, size_t of, int flags, const char *name, ...)
    __attribute__((format(printf, 6, 7)));
/* (rows, cols) of N(0, 1) */
size_t mmli_declare_latent(mmli_declaring *to, size_t rows, size_t cols, const char *name);
mmli_norm mmli_declare_norm(mmli_declaring *to, size_t width, const char *name, ...) __attribute__((format(printf, 3, 4)));
/* A linear layer on concatenated vectors of n widths, by parts: "name.I.weight", the bias with the first. */
void mmli_declare_joint(mmli_declaring *to, mmli_linear *parts, size_t out, const size_t *widths, size_t n, int flags,
                        const char *name, ...) __attribute__((format(printf, 7, 8)));
/* w 0: attention of the rows to each other. Options tau, leaky_output and head_width. */
mmli_attention mmli_declare_attention(mmli_declaring *to, size_t d, size_t w, size_t heads, const char *name, ...)
    __attribute__((format(printf, 5, 6)));
mmli_feed_forward mmli_declare_feed_forward(mmli_declaring *to, size_t d, mmli_gate gate, const char *name, ...)
    __attribute__((format(printf, 4, 5)));
/* The encoder of modality m: "baseline.inputs.<modality>.encoder.*". width and hidden as in the options. */
void mmli_declare_encoder(mmli_declaring *to, size_t m, mml_encoder_kind kind, size_t layers);

/* ---- applying */
mmli_var *mmli_apply_linear(const mmli_baseline_pass *p, mmli_linear l, mmli_var *x);
/* v (n) of equal rows */
mmli_var *mmli_apply_joint(const mmli_baseline_pass *p, const mmli_linear *parts, mmli_var *const *v, size_t n);
mmli_var *mmli_apply_norm(const mmli_baseline_pass *p, mmli_norm n, mmli_var *x);
/* Tokens as attention reads them: normalised once for all layers, or as they are where they are too many (ops/cross.h). */
typedef struct mmli_attended {
    mmli_var *tokens;
    bool whole;
    const mmli_ragged *ragged;
} mmli_attended;
mmli_attended mmli_attend_to(const mmli_baseline_pass *p, const mmli_input *in, size_t heads, size_t e);
/* phi(A Wo + bo) for the P samples that have tokens; rows (P c, d) */
mmli_var *mmli_apply_cross(const mmli_baseline_pass *p, const mmli_attention *a, mmli_var *rows, size_t c,
                           const mmli_attended *to);
/* The same among the c rows of every sample: rows (B c, d); groups: B segments of c. */
mmli_var *mmli_apply_self(const mmli_baseline_pass *p, const mmli_attention *a, mmli_var *rows, const mmli_ragged *groups);
mml_status mmli_equal_groups(mmli_ragged *out, const mmli_baseline_pass *p, size_t groups, size_t c);
mmli_var *mmli_apply_feed_forward(const mmli_baseline_pass *p, const mmli_feed_forward *f, mmli_var *x, float drop,
                                  uint64_t key);
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

extern const mmli_architecture mmli_snn, mmli_abmil_net, mmli_perceiver, mmli_healnet, mmli_multimodn, mmli_late_concat,
    mmli_late_bilinear, mmli_mcat, mmli_linear_model;

#endif
