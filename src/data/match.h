/* match.h - the tokens of a cohort as the tokens of a model's training.
 *
 * Columns of a table or a series are matched by name: in whatever order, and those that training had not are ignored, and told; one
 * that is missing is an error. Where names say nothing (numbers of an array, a name twice, an older file without any) and of bags and
 * images, numbers must be the same, in the same order.
 *
 * A categorical column is one feature for each category (`COLUMN=CATEGORY`, 0 or 1), and another cohort has seen other
 * categories: these features are matched by name whatever the modality. A category that the cohort lacks is 0 in all of its samples;
 * one that the model does not know, or has never met in its training part, is left out, so that its samples are 0 in all
 * categories of the column, and they are counted. An empty cell stays missing in all categories. */
#ifndef MMLI_DATA_MATCH_H
#define MMLI_DATA_MATCH_H

#include "data/prep.h"

typedef struct mmli_unknown {
    const char *column, *category; /* lent by the cohort */
    size_t at;                     /* place of the feature in the cohort */
    size_t samples;                /* counted so far */
} mmli_unknown;

/* What the model has not: a number, or a categorical column. */
typedef struct mmli_ignored {
    const char *name; /* lent by the cohort */
    size_t at;        /* place in the cohort, of the first category of a column */
} mmli_ignored;

typedef struct mmli_match {
    const char *modality; /* lent by the cohort */
    size_t width;         /* features of the model */
    size_t *from;         /* (width) place in the cohort; SIZE_MAX: a category that it lacks. NULL: the same features */
    size_t *beside;       /* (width) of such a category: another one of its column */
    mmli_unknown *unknown;
    size_t n_unknown;
    mmli_ignored *ignored; /* in the order of the cohort's features */
    size_t n_ignored;
} mmli_match;

/* MML_E_DATA names the first feature, or column, that differs. The cohort must outlive it. */
mml_status mmli_match_make(mmli_match **out, const mmli_prep *prep, const mml_modality_info *info);
void mmli_match_free(mmli_match *match); /* NULL is fine */
/* Values (n, cohort's width) into (n, width of the model). Only where `from` is not NULL. */
void mmli_match_values(float *out, const mmli_match *match, const float *values, size_t n, size_t width);
/* Adds the samples of a batch that have unknown categories. */
void mmli_match_count(mmli_match *match, const mml_tokens *tokens, size_t n_samples);

#endif
