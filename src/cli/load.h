/* load.h - opening what the operands name, and choosing samples of a cohort. */
#ifndef MMLC_LOAD_H
#define MMLC_LOAD_H

#include <mmlego/data.h>
#include <mmlego/model.h>
#include <mmlego/predict.h>

#include "cli/cli.h"

/* Every function that gives an int: MMLC_GO, or the exit code of a failure that was reported. */
int mmlc_load_model(mml_model **out, const mmlc_command *command, const char *path);
int mmlc_open_cohort(mml_cohort **out, const mmlc_command *command, const char *path);

typedef struct mmlc_models {
    mml_model **model; /* (n) */
    size_t n;
    size_t n_blocks;   /* of all of them, a committee as one */
} mmlc_models;
int mmlc_models_load(mmlc_models *models, const mmlc_command *command, const char *const *paths, size_t n);
void mmlc_models_free(mmlc_models *models);

/*
 * The samples of --on: "train", "valid", "test" as the model recorded them, "all" (also NULL) or
 * "column=value[,...]". samples[0 .. n-1] are the caller's to free(), in any case.
 */
int mmlc_choose(size_t **samples, size_t *n, const mmlc_command *command, const mml_cohort *cohort,
                const mml_model *model, const char *on);

/* At least one modality of the model is in the cohort; otherwise every prediction would be the prior. */
int mmlc_check_overlap(const mmlc_command *command, const mml_cohort *cohort, const mml_model *model);

/* A line for each category that the model has not learnt; list has the first of n, `most` at most. */
void mmlc_say_unknown(const mmlc_command *command, const mml_unknown_category *list, size_t most, size_t n);
/* A line for each modality that has columns which the model does not read, from the list of mml_model_ignored(). */
void mmlc_say_ignored_list(const mmlc_command *command, const mml_ignored_column *list, size_t n);
/* The same where nothing else needs the list. Silent on errors: what comes next meets them, too. */
void mmlc_say_ignored(const mmlc_command *command, const mml_model *model, const mml_cohort *cohort);

#endif
