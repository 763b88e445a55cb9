/* match.c - see match.h. */
#include "data/match.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "data/prep_inside.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

/* Names of a model's or a cohort's features, and of which column each is a category. */
typedef struct side {
    const char *const *names, *const *of;
    size_t n;
} side;

static bool is_number(const side *s, size_t f)
{
    return s->of[f][0] == '\0';
}

static bool same_names(const side *a, const side *b)
{
    if (a->n != b->n)
        return false;
    for (size_t f = 0; f < a->n; f++)
        if (strcmp(a->names[f], b->names[f]) != 0)
            return false;
    return true;
}

/* First feature that is a category of this column, or SIZE_MAX. */
static size_t category_of(const side *s, const char *column)
{
    for (size_t f = 0; f < s->n; f++)
        if (strcmp(s->of[f], column) == 0)
            return f;
    return SIZE_MAX;
}

/* ---- what must be the same ----------------------------------------------------------------------------------- */

static mml_status numbers_of(const char ***out, size_t *n, const side *s)
{
    mml_status st = MML_OK;

    *n = 0;
    MML_TRY(mmli_calloc(out, s->n, sizeof **out));
    for (size_t f = 0; f < s->n; f++)
        if (is_number(s, f))
            (*out)[(*n)++] = s->names[f];
out:
    return st;
}

static mml_status check_numbers(const char *modality, const side *model, const side *cohort)
{
    mml_status st = MML_OK;
    const char **mine = NULL, **theirs = NULL;
    size_t n_mine, n_theirs;

    MML_TRY(numbers_of(&mine, &n_mine, model));
    MML_TRY(numbers_of(&theirs, &n_theirs, cohort));
    MML_TRY(mmli_prep_check_names(modality, mine, n_mine, theirs, n_theirs, "features besides categories"));
out:
    mmli_free(mine);
    mmli_free(theirs);
    return st;
}

static mml_status check_columns(const char *modality, const side *model, const side *cohort)
{
    for (size_t f = 0; f < model->n; f++)
        if (!is_number(model, f) && category_of(cohort, model->of[f]) == SIZE_MAX)
            return mmli_fail(MML_E_DATA, "modality %s: the categorical column `%s` of training is missing", modality, model->of[f]);
    for (size_t f = 0; f < cohort->n; f++)
        if (!is_number(cohort, f) && category_of(model, cohort->of[f]) == SIZE_MAX)
            return mmli_fail(MML_E_DATA, "modality %s: the categorical column `%s` was not there in training", modality, cohort->of[f]);
    return MML_OK;
}

/* ---- places --------------------------------------------------------------------------------------------------- */

static mml_status find_places(mmli_match *m, const side *model, const side *cohort)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second, number = 0;

    MML_TRY(mmli_index_make(&index, cohort->names, cohort->n, &first, &second));
    MML_TRY(mmli_calloc(&m->from, model->n, sizeof *m->from));
    MML_TRY(mmli_calloc(&m->beside, model->n, sizeof *m->beside));
    for (size_t f = 0; f < model->n; f++) {
        size_t at;

        if (is_number(model, f)) {
            while (!is_number(cohort, number))
                number++;
            m->from[f] = number++;
            continue;
        }
        at = mmli_index_find(&index, model->names[f], strlen(model->names[f]));
        m->from[f] = at != SIZE_MAX && strcmp(cohort->of[at], model->of[f]) == 0 ? at : SIZE_MAX;
        m->beside[f] = category_of(cohort, model->of[f]);
    }
out:
    mmli_index_free(&index);
    return st;
}

/* A category that no training sample had is a column of zeros, and scaling makes 0 of whatever comes later. */
static bool has_met(const mmli_prep *prep, size_t f)
{
    return prep->scale_inv[f] > 0.0f || prep->center[f] != 0.0f;
}

static mml_status find_unknown(mmli_match *m, const mmli_prep *prep, const side *model, const side *cohort)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_TRY(mmli_index_make(&index, model->names, model->n, &first, &second));
    MML_TRY(mmli_calloc(&m->unknown, cohort->n, sizeof *m->unknown));
    for (size_t f = 0; f < cohort->n; f++) {
        size_t at;

        if (is_number(cohort, f))
            continue;
        at = mmli_index_find(&index, cohort->names[f], strlen(cohort->names[f]));
        if (at != SIZE_MAX && strcmp(model->of[at], cohort->of[f]) == 0 && has_met(prep, at))
            continue;
        m->unknown[m->n_unknown++] = (mmli_unknown){
            .column = cohort->of[f], .category = cohort->names[f] + strlen(cohort->of[f]) + 1, .at = f};
    }
out:
    mmli_index_free(&index);
    return st;
}

mml_status mmli_match_make(mmli_match **out, const mmli_prep *prep, const mml_modality_info *info)
{
    mml_status st = MML_OK;
    const side model = {(const char *const *)prep->features, (const char *const *)prep->category_of, prep->width_in};
    const side cohort = {info->features, info->category_of, info->width};
    mmli_match *m = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&m, 1, sizeof *m));
    m->modality = info->name;
    m->width = prep->width_in;
    if (model.names == NULL || model.of == NULL || cohort.names == NULL || cohort.of == NULL || same_names(&model, &cohort)) {
        MML_TRY(mmli_prep_check(prep, info));
    } else {
        MML_TRY(check_numbers(info->name, &model, &cohort));
        MML_TRY(check_columns(info->name, &model, &cohort));
        MML_TRY(mmli_prep_check_positions(prep, info));
        MML_TRY(find_places(m, &model, &cohort));
    }
    if (model.names != NULL && model.of != NULL && cohort.names != NULL && cohort.of != NULL)
        MML_TRY(find_unknown(m, prep, &model, &cohort));
    *out = m;
    m = NULL;
out:
    mmli_match_free(m);
    return st;
}

void mmli_match_free(mmli_match *m)
{
    if (m == NULL)
        return;
    mmli_free(m->from);
    mmli_free(m->beside);
    mmli_free(m->unknown);
    mmli_free(m);
}

/* ---- tokens --------------------------------------------------------------------------------------------------- */

void mmli_match_values(float *out, const mmli_match *m, const float *values, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++, values += width, out += m->width)
        for (size_t f = 0; f < m->width; f++)
            out[f] = m->from[f] != SIZE_MAX ? values[m->from[f]] : isnan(values[m->beside[f]]) ? NAN : 0.0f;
}

static bool has(const mml_tokens *tokens, size_t sample, size_t feature)
{
    for (int64_t t = tokens->offsets[sample]; t < tokens->offsets[sample + 1]; t++) {
        const float x = tokens->values[(size_t)t * tokens->width + feature];

        if (!isnan(x) && x != 0.0f)
            return true;
    }
    return false;
}

void mmli_match_count(mmli_match *m, const mml_tokens *tokens, size_t n_samples)
{
    for (size_t i = 0; i < m->n_unknown; i++)
        for (size_t b = 0; b < n_samples; b++)
            m->unknown[i].samples += has(tokens, b, m->unknown[i].at);
}
