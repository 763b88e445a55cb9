/* explain_plots.h - pictures of `mmlego explain`. */
#ifndef MMLC_EXPLAIN_PLOTS_H
#define MMLC_EXPLAIN_PLOTS_H

#include "cli/explain_tables.h"

/* Where they go, and of whom. A failure sticks: rc, MMLC_OK until then. */
typedef struct mmlc_plots {
    const mmlc_command *command;
    const char *folder;
    const char *score; /* what is explained, in words */
    const char *id;    /* the one patient; NULL = the plots of one are not made */
    size_t top;        /* bars and rows at most; 0 = all */
    const mml_model *model;
    const mml_cohort *cohort;
    int rc;
    /* attention: what was shown of a block so far */
    size_t block, steps, n, n_axes;
    int pooling;       /* row 0 is the pooling */
    double *weight;    /* (steps, n) */
    float *place;      /* (n, n_axes) */
} mmlc_plots;

/* features.svg and modalities.svg: the rows of a table, which mmlc_put_summary() has put in order. */
void mmlc_plot_summary(mmlc_plots *p, const mmlc_table *t, const char *name);
/* Of the one patient: attention-BLOCK.svg (ended by the next block, or mmlc_plot_attention_end), gradients-BLOCK.svg. */
void mmlc_plot_attention(mmlc_plots *p, const mml_attention *a);
void mmlc_plot_attention_end(mmlc_plots *p);
void mmlc_plot_gradients(mmlc_plots *p, const mml_attributions *a);

#endif
