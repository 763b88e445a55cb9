/* explain_tables.h - the tables of `mmlego explain`: sinks of mmlego/explain.h that write lines. */
#ifndef MMLC_EXPLAIN_TABLES_H
#define MMLC_EXPLAIN_TABLES_H

#include <mmlego/explain.h>

#include "cli/cli.h"

typedef enum mmlc_per { MMLC_PER_FEATURE = 0, MMLC_PER_TOKEN, MMLC_PER_VALUE } mmlc_per;

/* A row of a summary: a modality, or a feature of a block. */
typedef struct mmlc_summary {
    const char *block, *feature; /* lent by the model and the cohort; feature NULL: of a modality */
    int indicator;
    size_t n;                    /* samples */
    double sum, size;            /* of values and of absolute values over the samples */
} mmlc_summary;

typedef struct mmlc_table {
    FILE *to, *scores; /* scores: NULL, or one line a sample with its score and baseline */
    const mml_model *model;
    const mml_explainer *explainer;
    const char *const *ids;
    mmlc_per per;      /* gradients: what a line is */
    mmlc_summary *row; /* (n) */
    size_t n, cap;
    size_t *first;     /* (blocks) its first row + 1; 0 = none yet */
    size_t lines;      /* samples so far */
    size_t last;       /* of the cohort */
    int no_memory;
    struct mmlc_plots *plots; /* of one patient, or NULL */
} mmlc_table;

/* Headers. A table of attributions needs `first`. */
void mmlc_attention_header(const mmlc_table *t);
void mmlc_modalities_header(const mmlc_table *t);
void mmlc_gradients_header(const mmlc_table *t);
/* Sinks; `table` is an mmlc_table. */
int mmlc_attention_line(void *table, const mml_attention *a);
int mmlc_modalities_line(void *table, const mml_contribution *c);
int mmlc_gradients_lines(void *table, const mml_attributions *a);

/* The rows by falling mean absolute value, at most `top` of them (0 = all), as a table. */
void mmlc_put_summary(FILE *to, mmlc_table *t, size_t top);

#endif
