/* load.c - opening what the operands name, and choosing samples of a cohort. */
#include "cli/load.h"

#include <stdlib.h>
#include <string.h>

int mmlc_load_model(mml_model **out, const mmlc_command *command, const char *path)
{
    mml_status st = mml_model_load(out, path, NULL, 0);

    return st == MML_OK ? MMLC_GO : mmlc_fail(command, st);
}

int mmlc_open_cohort(mml_cohort **out, const mmlc_command *command, const char *path)
{
    mml_status st = mml_cohort_open(out, path);

    return st == MML_OK ? MMLC_GO : mmlc_fail(command, st);
}

void mmlc_models_free(mmlc_models *models)
{
    for (size_t i = 0; models->model != NULL && i < models->n; i++)
        mml_model_free(models->model[i]);
    free(models->model);
    *models = (mmlc_models){.model = NULL};
}

static int check_pair(const mmlc_command *command, const mml_model *a, const char *path_a, const mml_model *b, const char *path_b)
{
    for (size_t i = 0; i < mml_model_n_blocks(a); i++)
        for (size_t j = 0; j < mml_model_n_blocks(b); j++) {
            int same = 0;
            const mml_status st = mml_model_same_block(&same, b, j, a, i);

            if (st != MML_OK)
                return mmlc_fail(command, st);
            if (same)
                return mmlc_usage_error(command, "block %s of %s is a copy of block %s of %s: each block is given once",
                                        mml_model_block_name(a, i), path_a, mml_model_block_name(b, j), path_b);
        }
    return MMLC_GO;
}

/* Two files may hold one block: a copy under another name, or a merge and what it was made of. It would be weighed twice. */
static int check_once(const mmlc_models *models, const mmlc_command *command, const char *const *paths)
{
    int rc = MMLC_GO;

    for (size_t m = 1; m < models->n; m++)
        for (size_t o = 0; o < m && rc == MMLC_GO; o++)
            rc = check_pair(command, models->model[m], paths[m], models->model[o], paths[o]);
    return rc;
}

int mmlc_models_load(mmlc_models *models, const mmlc_command *command, const char *const *paths, size_t n)
{
    int rc = MMLC_GO;

    *models = (mmlc_models){.model = NULL};
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (mmlc_same_file(paths[i], paths[j]))
                return mmlc_usage_error(command, "%s and %s are the same: each block is given once", paths[j], paths[i]);
    *models = (mmlc_models){.model = calloc(n + 1, sizeof *models->model), .n = n};
    if (models->model == NULL)
        return mmlc_no_memory(command);
    for (size_t i = 0; i < n && rc == MMLC_GO; i++) {
        rc = mmlc_load_model(&models->model[i], command, paths[i]);
        if (rc == MMLC_GO)
            for (size_t b = 0; b < mml_model_n_blocks(models->model[i]); b += mml_model_committee(models->model[i], b))
                models->n_blocks++;
    }
    return rc == MMLC_GO ? check_once(models, command, paths) : rc;
}

static int part_named(mml_part *part, const char *name)
{
    static const char *const names[] = {"", "train", "valid", "test"};

    for (int i = 1; i < 4; i++)
        if (strcmp(names[i], name) == 0) {
            *part = (mml_part)i;
            return 1;
        }
    return 0;
}

int mmlc_choose(size_t **samples, size_t *n, const mmlc_command *command, const mml_cohort *cohort,
                const mml_model *model, const char *on)
{
    size_t size = mml_cohort_size(cohort);
    const char *const *ids = mml_cohort_ids(cohort);
    uint8_t *chosen = calloc(size + 1, sizeof *chosen);
    mml_part part = MML_PART_NONE;
    int rc = MMLC_GO;

    *n = 0;
    *samples = calloc(size + 1, sizeof **samples);
    if (chosen == NULL || *samples == NULL) {
        rc = mmlc_no_memory(command);
    } else if (on == NULL || strcmp(on, "all") == 0) {
        memset(chosen, 1, size);
    } else if (part_named(&part, on)) {
        for (size_t i = 0; i < size; i++)
            chosen[i] = mml_model_part_of(model, SIZE_MAX, ids[i]) == part;
    } else if (strchr(on, '=') == NULL) {
        rc = mmlc_usage_error(command, "--on must be train, valid, test, all or a condition such as sex=f, not '%s'",
                              on);
    } else {
        mml_status st = mml_select(chosen, cohort, on);

        rc = st == MML_OK ? MMLC_GO : mmlc_fail_named(command, st);
    }
    for (size_t i = 0; rc == MMLC_GO && i < size; i++)
        if (chosen[i])
            (*samples)[(*n)++] = i;
    free(chosen);
    if (rc == MMLC_GO && *n == 0) {
        mmlc_say(command, "%s: no sample is in '%s'", mml_cohort_path(cohort), on != NULL ? on : "all");
        rc = MMLC_DATA;
    }
    return rc;
}

int mmlc_check_overlap(const mmlc_command *command, const mml_cohort *cohort, const mml_model *model)
{
    size_t n = mml_cohort_n_modalities(cohort);
    char known[512] = "", there[512] = "";
    size_t used = 0;
    mml_modality_info info;

    for (size_t b = 0; b < mml_model_n_blocks(model); b++) {
        const char *name = mml_model_block_modality(model, b);

        for (size_t i = 0; i < n; i++)
            if (mml_cohort_modality_at(&info, cohort, i) == MML_OK && strcmp(info.name, name) == 0)
                return MMLC_GO;
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", b > 0 ? ", " : "", name);
    }
    used = 0;
    for (size_t i = 0; i < n; i++)
        if (mml_cohort_modality_at(&info, cohort, i) == MML_OK && used < sizeof there)
            used += (size_t)snprintf(there + used, sizeof there - used, "%s%s", i > 0 ? ", " : "", info.name);
    mmlc_say(command, "%s has none of the modalities of the model (%s); it has %s", mml_cohort_path(cohort), known,
             there[0] != '\0' ? there : "none");
    return MMLC_DATA;
}

void mmlc_say_unknown(const mmlc_command *command, const mml_unknown_category *list, size_t most, size_t n)
{
    for (size_t i = 0; i < n && i < most; i++)
        mmlc_say(command, "modality %s: %zu %s `%s` as %s, which the model has not learnt: it counts as none of the "
                 "categories of the model", list[i].modality, list[i].n, mmlc_by_number(list[i].n, "patient has", "patients have"),
                 list[i].category, list[i].column);
    if (n > most)
        mmlc_say(command, "... and %zu more %s that the model has not learnt", n - most,
                 mmlc_by_number(n - most, "category", "categories"));
}

void mmlc_say_ignored_list(const mmlc_command *command, const mml_ignored_column *list, size_t n)
{
    enum { NAMED = 5 };

    for (size_t i = 0, end; i < n; i = end) {
        char names[600] = "";
        size_t used = 0;

        for (end = i; end < n && strcmp(list[end].modality, list[i].modality) == 0; end++)
            if (end - i < NAMED && used < sizeof names)
                used += (size_t)snprintf(names + used, sizeof names - used, "%s`%.100s`", end > i ? ", " : "", list[end].column);
        if (end - i > NAMED && used < sizeof names)
            (void)snprintf(names + used, sizeof names - used, " and %zu more", end - i - NAMED);
        mmlc_say(command, "modality %s: the model has not been trained on %s: ignored", list[i].modality, names);
    }
}

void mmlc_say_ignored(const mmlc_command *command, const mml_model *model, const mml_cohort *cohort)
{
    mml_ignored_column *list = NULL;
    size_t n = 0;

    if (mml_model_ignored(&list, &n, model, cohort) != MML_OK)
        return;
    mmlc_say_ignored_list(command, list, n);
    mml_ignored_columns_free(list);
}
