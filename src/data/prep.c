/* prep.c - a prep as a thing: made, copied, compared with a cohort; see prep.h. */
#include "data/prep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/prep_inside.h"
#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

/* More bands than tokens can tell apart are a mistake; the highest wave has 128 periods over a sample. */
enum { MAX_BANDS = 256 };

static mml_status check_options(const mml_prep_options *o)
{
    if ((unsigned)o->scaling > MML_SCALE_NONE)
        return mmli_fail(MML_E_ARG, "scaling: %d is none of standard, robust, none", (int)o->scaling);
    if ((unsigned)o->imputation > MML_IMPUTE_LOCF)
        return mmli_fail(MML_E_ARG, "imputation: %d is none of median, mean, zero, locf", (int)o->imputation);
    if ((unsigned)o->indicators > MML_INDICATE_MASK)
        return mmli_fail(MML_E_ARG, "indicators: %d is none of none, missing, mask", (int)o->indicators);
    if (!isfinite(o->clip) || o->clip < 0)
        return mmli_fail(MML_E_ARG, "clip: must be 0 (no clipping) or a positive number");
    if (o->position_bands > MAX_BANDS)
        return mmli_fail(MML_E_ARG, "position bands: %u is more than %d", o->position_bands, MAX_BANDS);
    return MML_OK;
}

mml_status mmli_prep_new(mmli_prep **out, size_t width, size_t n_axes, const mml_prep_options *options)
{
    mml_status st = MML_OK;
    mmli_prep *p = NULL;

    *out = NULL;
    MML_TRY(check_options(options));
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    p->o = *options;
    p->o.struct_size = sizeof p->o;
    p->width_in = width;
    p->n_axes = n_axes;
    MML_TRY(mmli_calloc(&p->center, width, sizeof *p->center));
    MML_TRY(mmli_calloc(&p->scale_inv, width, sizeof *p->scale_inv));
    MML_TRY(mmli_calloc(&p->fill, width, sizeof *p->fill));
    MML_TRY(mmli_calloc(&p->indicator, width, sizeof *p->indicator));
    MML_TRY(mmli_prep_set_width(p));
    *out = p;
    p = NULL;
out:
    mmli_prep_free(p);
    return st;
}

void mmli_prep_free(mmli_prep *prep)
{
    if (prep == NULL)
        return;
    mmli_h5_texts_free(prep->features, prep->width_in);
    mmli_h5_texts_free(prep->category_of, prep->width_in);
    mmli_free(prep->center);
    mmli_free(prep->scale_inv);
    mmli_free(prep->fill);
    mmli_free(prep->indicator);
    mmli_free(prep);
}

static mml_status copy_texts(char ***out, const char *const *texts, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(out, n, sizeof **out));
    for (size_t f = 0; f < n; f++)
        MML_TRY(mmli_strdup(&(*out)[f], texts[f]));
out:
    return st;
}

mml_status mmli_prep_set_features(mmli_prep *prep, const char *const *features)
{
    return copy_texts(&prep->features, features, prep->width_in);
}

mml_status mmli_prep_set_categories(mmli_prep *prep, const char *const *category_of)
{
    return copy_texts(&prep->category_of, category_of, prep->width_in);
}

mml_status mmli_prep_set_width(mmli_prep *prep)
{
    size_t indicators = 0, axes = 0, positions;

    for (size_t f = 0; f < prep->width_in; f++)
        indicators += prep->indicator[f];
    if (prep->o.position_bands > 0)
        axes = prep->n_axes > 0 ? prep->n_axes : 1;
    if (!mmli_mul_size(&positions, axes, 2 * (size_t)prep->o.position_bands + 1) ||
        __builtin_add_overflow(prep->width_in, indicators, &prep->width_out) ||
        __builtin_add_overflow(prep->width_out, positions, &prep->width_out))
        return mmli_fail(MML_E_NOMEM, "tokens with %zu position axes are too wide", axes);
    return MML_OK;
}

mml_status mmli_prep_identity(mmli_prep **out, size_t width)
{
    const mml_prep_options raw = {.struct_size = sizeof raw, .scaling = MML_SCALE_NONE, .imputation = MML_IMPUTE_ZERO};
    mml_status st;

    if ((st = mmli_prep_new(out, width, 0, &raw)) != MML_OK)
        return st;
    for (size_t f = 0; f < width; f++)
        (*out)->scale_inv[f] = 1.0f;
    return MML_OK;
}

mml_status mmli_prep_identity_named(mmli_prep **out, const char *const *features, const char *const *category_of, size_t width)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_prep_identity(out, width));
    MML_TRY(mmli_prep_set_features(*out, features));
    if (category_of != NULL)
        MML_TRY(mmli_prep_set_categories(*out, category_of));
out:
    if (st != MML_OK) {
        mmli_prep_free(*out);
        *out = NULL;
    }
    return st;
}

mml_status mmli_prep_copy(mmli_prep **out, const mmli_prep *prep)
{
    mml_status st = MML_OK;
    mmli_prep *p = NULL;

    *out = NULL;
    MML_TRY(mmli_prep_new(&p, prep->width_in, prep->n_axes, &prep->o));
    memcpy(p->center, prep->center, p->width_in * sizeof *p->center);
    memcpy(p->scale_inv, prep->scale_inv, p->width_in * sizeof *p->scale_inv);
    memcpy(p->fill, prep->fill, p->width_in * sizeof *p->fill);
    memcpy(p->indicator, prep->indicator, p->width_in * sizeof *p->indicator);
    if (prep->features != NULL)
        MML_TRY(mmli_prep_set_features(p, (const char *const *)prep->features));
    if (prep->category_of != NULL)
        MML_TRY(mmli_prep_set_categories(p, (const char *const *)prep->category_of));
    p->width_out = prep->width_out;
    *out = p;
    p = NULL;
out:
    mmli_prep_free(p);
    return st;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* *same = whether both lists hold the same names, in any order. */
static mml_status same_set(bool *same, const char *const *a, const char *const *b, size_t n)
{
    mml_status st = MML_OK;
    const char **sorted[2] = {NULL, NULL};

    for (int i = 0; i < 2; i++) {
        MML_TRY(mmli_calloc(&sorted[i], n, sizeof *sorted[i]));
        memcpy(sorted[i], i == 0 ? a : b, n * sizeof *sorted[i]);
        qsort(sorted[i], n, sizeof *sorted[i], by_text);
    }
    *same = true;
    for (size_t f = 0; f < n; f++)
        *same = *same && strcmp(sorted[0][f], sorted[1][f]) == 0;
out:
    mmli_free(sorted[0]);
    mmli_free(sorted[1]);
    return st;
}

mml_status mmli_prep_check_names(const char *modality, const char *const *mine, size_t n_mine, const char *const *theirs,
                                 size_t n_theirs, const char *what)
{
    const size_t n = n_mine < n_theirs ? n_mine : n_theirs;
    mml_status st;
    bool same = false;
    size_t f = 0;

    while (f < n && strcmp(mine[f], theirs[f]) == 0)
        f++;
    if (f == n_mine && f == n_theirs)
        return MML_OK;
    if (f == n_theirs)
        return mmli_fail(MML_E_DATA, "modality %s: feature %zu of training, `%s`, is missing (%zu %s, in training %zu)", modality,
                         f + 1, mine[f], n_theirs, what, n_mine);
    if (f == n_mine)
        return mmli_fail(MML_E_DATA, "modality %s: feature %zu, `%s`, was not there in training (%zu %s, in training %zu); "
                         "import the cohort again without it (columns = all, -%s)",
                         modality, f + 1, theirs[f], n_theirs, what, n_mine, theirs[f]);
    if (n_mine == n_theirs && (st = same_set(&same, mine, theirs, n_theirs)) != MML_OK)
        return st;
    if (same)
        return mmli_fail(MML_E_DATA,
                         "modality %s: the features of training in another order: number %zu is `%s`, in training `%s`; "
                         "import the cohort again with its columns in the order of training", modality, f + 1, theirs[f], mine[f]);
    return mmli_fail(MML_E_DATA, "modality %s: feature %zu is `%s`, in training it was `%s` (%zu %s, in training %zu)", modality,
                     f + 1, theirs[f], mine[f], n_theirs, what, n_mine);
}

mml_status mmli_prep_check_positions(const mmli_prep *prep, const mml_modality_info *info)
{
    if (prep->o.position_bands > 0 && info->n_axes != prep->n_axes)
        return mmli_fail(MML_E_DATA, "modality %s: positions with %zu axes, in training %zu", info->name, info->n_axes,
                         prep->n_axes);
    return MML_OK;
}

mml_status mmli_prep_check(const mmli_prep *prep, const mml_modality_info *info)
{
    mml_status st;

    if (prep->features != NULL && info->features != NULL) {
        st = mmli_prep_check_names(info->name, (const char *const *)prep->features, prep->width_in, info->features, info->width,
                                   "features");
        if (st != MML_OK)
            return st;
    } else if (info->width != prep->width_in) {
        return mmli_fail(MML_E_DATA, "modality %s: %zu features, in training %zu", info->name, info->width, prep->width_in);
    }
    return mmli_prep_check_positions(prep, info);
}
