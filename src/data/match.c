/* match.c - see match.h. */
#include "data/match.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "data/prep_inside.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

/* Names of a model's or a cohort's features, and of which column each is a category (NULL: all are numbers). */
typedef struct side {
    const char *const *names, *const *of;
    size_t n;
    mmli_index index; /* of the names */
    bool differ;      /* no name is there twice */
} side;

static const char *column_of(const side *s, size_t f)
{
    return s->of != NULL ? s->of[f] : "";
}

static bool is_number(const side *s, size_t f)
{
    return column_of(s, f)[0] == '\0';
}

static mml_status index_names(side *s)
{
    size_t first, second;
    const mml_status st = mmli_index_make(&s->index, s->names, s->n, &first, &second);

    s->differ = first == SIZE_MAX;
    return st;
}

static size_t find(const side *s, const char *name)
{
    return mmli_index_find(&s->index, name, strlen(name));
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
        if (strcmp(column_of(s, f), column) == 0)
            return f;
    return SIZE_MAX;
}

/* Names that only count ("c0", "c1", ... is what the import calls columns without any) say nothing: one more of them is another
 * array. */
static bool only_counts(const side *s)
{
    for (size_t f = 0; f < s->n; f++) {
        const char *digits = s->names[f] + (s->names[f][0] == 'c');

        if (digits[strspn(digits, "0123456789")] != '\0')
            return false;
    }
    return true;
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

static mml_status check_columns(const char *modality, const side *model, const side *cohort, bool by_name)
{
    for (size_t f = 0; f < model->n; f++)
        if (!is_number(model, f) && category_of(cohort, column_of(model, f)) == SIZE_MAX)
            return mmli_fail(MML_E_DATA, "modality %s: the categorical column `%s` of training is missing", modality, column_of(model, f));
    for (size_t f = 0; !by_name && f < cohort->n; f++)
        if (!is_number(cohort, f) && category_of(model, column_of(cohort, f)) == SIZE_MAX)
            return mmli_fail(MML_E_DATA, "modality %s: the categorical column `%s` was not there in training", modality, column_of(cohort, f));
    return MML_OK;
}

/* First number that the other side has not, SIZE_MAX when it has all; *n: how many. */
static size_t first_without(size_t *n, const side *s, const side *other)
{
    size_t first = SIZE_MAX;

    *n = 0;
    for (size_t f = 0; f < s->n; f++)
        if (is_number(s, f) && find(other, s->names[f]) == SIZE_MAX && (*n)++ == 0)
            first = f;
    return first;
}

/* Every number of training must be there, wherever. */
static mml_status check_all_there(const char *modality, const side *model, const side *cohort)
{
    size_t missing, others;
    const size_t first = first_without(&missing, model, cohort), other = first_without(&others, cohort, model);
    char more[64] = "", instead[160] = "";

    if (missing == 0)
        return MML_OK;
    if (missing > 1)
        (void)snprintf(more, sizeof more, ", and %zu more of its %zu features", missing - 1, model->n);
    if (others > 0) /* the same by another name, perhaps */
        (void)snprintf(instead, sizeof instead, " (training had no `%.100s`, which is there)", cohort->names[other]);
    return mmli_fail(MML_E_DATA, "modality %s: the feature `%s` of training is missing%s%s; import the cohort again with it", modality,
                     model->names[first], more, instead);
}

/* ---- places --------------------------------------------------------------------------------------------------- */

static mml_status find_places(mmli_match *m, const side *model, const side *cohort, bool by_name)
{
    mml_status st = MML_OK;
    size_t number = 0;

    MML_TRY(mmli_calloc(&m->from, model->n, sizeof *m->from));
    MML_TRY(mmli_calloc(&m->beside, model->n, sizeof *m->beside));
    for (size_t f = 0; f < model->n; f++) {
        const char *column = column_of(model, f);
        const size_t at = find(cohort, model->names[f]);

        if (is_number(model, f) && by_name) {
            m->from[f] = at;
        } else if (is_number(model, f)) {
            while (!is_number(cohort, number))
                number++;
            m->from[f] = number++;
        } else {
            m->from[f] = at != SIZE_MAX && strcmp(column_of(cohort, at), column) == 0 ? at : SIZE_MAX;
            m->beside[f] = category_of(cohort, column);
        }
    }
out:
    return st;
}

static bool knows_one_of(const side *model, const side *cohort, const char *column)
{
    for (size_t f = 0; f < cohort->n; f++)
        if (strcmp(column_of(cohort, f), column) == 0 && find(model, cohort->names[f]) != SIZE_MAX)
            return true;
    return false;
}

/* Columns of the cohort that training had not; a categorical one once. */
static mml_status find_ignored(mmli_match *m, const side *model, const side *cohort)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&m->ignored, cohort->n, sizeof *m->ignored));
    for (size_t f = 0; f < cohort->n; f++) {
        const char *column = column_of(cohort, f);

        if (find(model, cohort->names[f]) != SIZE_MAX)
            continue;
        /* a model that does not say what its categories are may have some of them as numbers */
        if (is_number(cohort, f) || (category_of(model, column) == SIZE_MAX && knows_one_of(model, cohort, column)))
            m->ignored[m->n_ignored++] = (mmli_ignored){cohort->names[f], f};
        else if (category_of(model, column) == SIZE_MAX && category_of(cohort, column) == f)
            m->ignored[m->n_ignored++] = (mmli_ignored){column, f};
    }
out:
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

    MML_TRY(mmli_calloc(&m->unknown, cohort->n, sizeof *m->unknown));
    for (size_t f = 0; f < cohort->n; f++) {
        const char *column = column_of(cohort, f);
        const size_t at = find(model, cohort->names[f]);

        if (is_number(cohort, f) || category_of(model, column) == SIZE_MAX)
            continue;
        if (at != SIZE_MAX && strcmp(column_of(model, at), column) == 0 && has_met(prep, at))
            continue;
        m->unknown[m->n_unknown++] =
            (mmli_unknown){.column = column, .category = cohort->names[f] + strlen(column) + 1, .at = f};
    }
out:
    return st;
}

/* Columns of tables and series have a meaning of their own; the features of a bag or an image are one measurement, whose parts
 * others of the same name need not be. */
static bool can_go_by_name(const side *model, const side *cohort, mml_modality_kind kind)
{
    return (kind == MML_TABLE || kind == MML_SERIES) && model->differ && cohort->differ && !only_counts(cohort);
}

static mml_status match_names(mmli_match *m, const mmli_prep *prep, const mml_modality_info *info, side *model, side *cohort)
{
    mml_status st = MML_OK;
    bool by_name;

    MML_TRY(index_names(model));
    MML_TRY(index_names(cohort));
    by_name = can_go_by_name(model, cohort, info->kind);
    if (same_names(model, cohort) || (!by_name && (model->of == NULL || cohort->of == NULL))) {
        MML_TRY(mmli_prep_check(prep, info));
    } else {
        MML_TRY(by_name ? check_all_there(info->name, model, cohort) : check_numbers(info->name, model, cohort));
        MML_TRY(check_columns(info->name, model, cohort, by_name));
        MML_TRY(mmli_prep_check_positions(prep, info));
        MML_TRY(find_places(m, model, cohort, by_name));
        if (by_name)
            MML_TRY(find_ignored(m, model, cohort));
    }
    if (model->of != NULL && cohort->of != NULL)
        MML_TRY(find_unknown(m, prep, model, cohort));
out:
    return st;
}

mml_status mmli_match_make(mmli_match **out, const mmli_prep *prep, const mml_modality_info *info)
{
    mml_status st = MML_OK;
    side model = {.names = (const char *const *)prep->features, .of = (const char *const *)prep->category_of, .n = prep->width_in};
    side cohort = {.names = info->features, .of = info->category_of, .n = info->width};
    mmli_match *m = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&m, 1, sizeof *m));
    m->modality = info->name;
    m->width = prep->width_in;
    if (model.names != NULL && cohort.names != NULL)
        MML_TRY(match_names(m, prep, info, &model, &cohort));
    else
        MML_TRY(mmli_prep_check(prep, info));
    *out = m;
    m = NULL;
out:
    mmli_index_free(&model.index);
    mmli_index_free(&cohort.index);
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
    mmli_free(m->ignored);
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
