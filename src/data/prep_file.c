/* prep_file.c - a prep in the group of a model file, and as JSON for `inspect`; see prep.h.
 *
 * Attributes scaling, imputation, indicators (words), clip, position_bands, width, position_axes; data sets
 * features, category_of, center, scale_inv, fill, indicator (width). `features` is left out by an identity, `category_of` where all
 * features are numbers. */
#include "data/prep.h"

#include <math.h>
#include <string.h>

#include "data/prep_inside.h"
#include "io/cohort.h"
#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static const char *const scalings[] = {"standard", "robust", "none"};
static const char *const imputations[] = {"median", "mean", "zero", "locf"};
static const char *const indicators[] = {"none", "missing", "mask"};
#define COUNT(words) (sizeof(words) / sizeof *(words))

mml_status mmli_prep_save(const mmli_prep *prep, hid_t group, const char *path)
{
    const size_t dims[1] = {prep->width_in};
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_set_text(group, path, "scaling", scalings[prep->o.scaling]));
    MML_TRY(mmli_h5_set_f64(group, path, "clip", prep->o.clip));
    MML_TRY(mmli_h5_set_text(group, path, "imputation", imputations[prep->o.imputation]));
    MML_TRY(mmli_h5_set_text(group, path, "indicators", indicators[prep->o.indicators]));
    MML_TRY(mmli_h5_set_u64(group, path, "position_bands", prep->o.position_bands));
    MML_TRY(mmli_h5_set_u64(group, path, "position_axes", prep->n_axes));
    MML_TRY(mmli_h5_set_u64(group, path, "width", prep->width_in));
    if (prep->features != NULL)
        MML_TRY(mmli_h5_put_texts((const char *const *)prep->features, prep->width_in, group, path, "features"));
    if (prep->category_of != NULL)
        MML_TRY(mmli_h5_put_texts((const char *const *)prep->category_of, prep->width_in, group, path, "category_of"));
    MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, dims, prep->center, group, path, "center"));
    MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, dims, prep->scale_inv, group, path, "scale_inv"));
    MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, dims, prep->fill, group, path, "fill"));
    MML_TRY(mmli_h5_put(MMLI_H5_U8, 1, dims, prep->indicator, group, path, "indicator"));
out:
    return st;
}

/* The number of the word that an attribute holds. */
static mml_status load_word(int *out, hid_t group, const char *path, const char *name, const char *const *words, size_t n)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];
    char *word = NULL;
    size_t i = 0;

    MML_TRY(mmli_h5_attr_text(&word, group, path, name));
    while (i < n && strcmp(word, words[i]) != 0)
        i++;
    MML_CHECK(i < n, MML_E_FORMAT, "%s: preprocessing: %s `%s` is none of %s", path, name, word, mmli_list(list, words, n));
    *out = (int)i;
out:
    mmli_free(word);
    return st;
}

static mml_status load_options(mml_prep_options *o, size_t *width, size_t *n_axes, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    int scaling = 0, imputation = 0, indication = 0;
    uint64_t bands, axes, columns;

    MML_TRY(load_word(&scaling, group, path, "scaling", scalings, COUNT(scalings)));
    MML_TRY(load_word(&imputation, group, path, "imputation", imputations, COUNT(imputations)));
    MML_TRY(load_word(&indication, group, path, "indicators", indicators, COUNT(indicators)));
    MML_TRY(mmli_h5_attr_u64(&bands, group, path, "position_bands"));
    MML_TRY(mmli_h5_attr_u64(&axes, group, path, "position_axes"));
    MML_TRY(mmli_h5_attr_u64(&columns, group, path, "width"));
    *o = (mml_prep_options){.struct_size = sizeof *o, .scaling = (mml_scaling)scaling,
                            .imputation = (mml_imputation)imputation, .indicators = (mml_indicators)indication};
    MML_TRY(mmli_h5_attr_f64(&o->clip, group, path, "clip"));
    MML_CHECK(columns <= INT32_MAX && axes <= UINT16_MAX && bands <= UINT16_MAX, MML_E_FORMAT,
              "%s: preprocessing: damaged (width %llu, %llu position axes, %llu bands)", path, (unsigned long long)columns,
              (unsigned long long)axes, (unsigned long long)bands);
    o->position_bands = (unsigned)bands;
    *width = (size_t)columns;
    *n_axes = (size_t)axes;
out:
    return st;
}

static mml_status load_features(mmli_prep *p, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    char **names = NULL;
    size_t n = 0;
    bool there;

    MML_TRY(mmli_h5_exists(&there, group, path, "features"));
    if (!there)
        goto out;
    MML_TRY(mmli_h5_get_texts(&names, &n, group, path, "features"));
    MML_CHECK(n == p->width_in, MML_E_FORMAT, "%s: preprocessing: %zu feature names for %zu columns", path, n, p->width_in);
    for (size_t f = 0; f < n; f++)
        MML_CHECK(mmli_bad_id(names[f]) == NULL, MML_E_FORMAT, "%s: preprocessing: name of feature %zu: %s", path, f + 1,
                  mmli_bad_id(names[f]));
    MML_TRY(mmli_prep_set_features(p, (const char *const *)names));
out:
    mmli_h5_texts_free(names, n);
    return st;
}

static mml_status load_categories(mmli_prep *p, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    char **of = NULL;
    size_t n = 0;
    bool there;

    MML_TRY(mmli_h5_exists(&there, group, path, "category_of"));
    if (!there)
        goto out;
    MML_TRY(mmli_h5_get_texts(&of, &n, group, path, "category_of"));
    MML_CHECK(n == p->width_in && p->features != NULL, MML_E_FORMAT, "%s: preprocessing: category_of has %zu entries for %zu named "
              "columns", path, n, p->features != NULL ? p->width_in : 0);
    for (size_t f = 0; f < n; f++)
        MML_CHECK(of[f][0] == '\0' || (mmli_bad_id(of[f]) == NULL && mmli_is_category_of(p->features[f], of[f])), MML_E_FORMAT,
                  "%s: preprocessing: feature `%s` is no category of a column `%.80s`", path, p->features[f], of[f]);
    MML_TRY(mmli_prep_set_categories(p, (const char *const *)of));
out:
    mmli_h5_texts_free(of, n);
    return st;
}

static mml_status check_numbers(const mmli_prep *p, const char *path)
{
    for (size_t f = 0; f < p->width_in; f++) {
        if (!isfinite(p->center[f]) || !isfinite(p->scale_inv[f]) || p->scale_inv[f] < 0 || !isfinite(p->fill[f]))
            return mmli_fail(MML_E_FORMAT, "%s: preprocessing: the scaling of column %zu is damaged", path, f + 1);
        if (p->indicator[f] > 1)
            return mmli_fail(MML_E_FORMAT, "%s: preprocessing: indicator %zu is %d, not 0 or 1", path, f + 1, p->indicator[f]);
    }
    return MML_OK;
}

/* Sizes that do not fit together are no mistake of the caller here. */
static mml_status as_format(mml_status st)
{
    return st == MML_E_SHAPE ? mmli_fail_prefix(MML_E_FORMAT, "preprocessing") : st;
}

mml_status mmli_prep_load(mmli_prep **out, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    mml_prep_options o;
    mmli_prep *p = NULL;
    float *center = NULL;
    size_t dims[1], width = 0, n_axes = 0;

    *out = NULL;
    MML_TRY(load_options(&o, &width, &n_axes, group, path));
    MML_TRY(as_format(mmli_h5_get_new(&center, MMLI_H5_F32, 1, dims, group, path, "center")));
    MML_CHECK(dims[0] == width, MML_E_FORMAT, "%s: preprocessing: %zu centers for a width of %zu", path, dims[0], width);
    if ((st = mmli_prep_new(&p, width, n_axes, &o)) == MML_E_ARG)
        st = mmli_fail_prefix(MML_E_FORMAT, "%s: preprocessing", path);
    if (st != MML_OK)
        goto out;
    memcpy(p->center, center, width * sizeof *center);
    MML_TRY(as_format(load_features(p, group, path)));
    MML_TRY(as_format(load_categories(p, group, path)));
    MML_TRY(as_format(mmli_h5_get(p->scale_inv, MMLI_H5_F32, 1, dims, group, path, "scale_inv")));
    MML_TRY(as_format(mmli_h5_get(p->fill, MMLI_H5_F32, 1, dims, group, path, "fill")));
    MML_TRY(as_format(mmli_h5_get(p->indicator, MMLI_H5_U8, 1, dims, group, path, "indicator")));
    MML_TRY(check_numbers(p, path));
    MML_TRY(mmli_prep_set_width(p));
    *out = p;
    p = NULL;
out:
    mmli_prep_free(p);
    mmli_free(center);
    return st;
}

/* What was learnt of column f. */
static json_t *feature(const mmli_prep *p, size_t f)
{
    const double spread = p->scale_inv[f] > 0 ? 1 / (double)p->scale_inv[f] : 0;

    return json_pack("{s:s, s:f, s:f, s:f, s:b}", "name", p->features[f], "center", (double)p->center[f], "scale", spread,
                     "fill", (double)p->fill[f], "indicator", p->indicator[f] != 0);
}

json_t *mmli_prep_json(const mmli_prep *prep)
{
    size_t constant = 0, indicated = 0;
    json_t *root, *features;

    for (size_t f = 0; f < prep->width_in; f++) {
        constant += prep->scale_inv[f] == 0;
        indicated += prep->indicator[f];
    }
    root = json_pack("{s:s, s:f, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "scaling", scalings[prep->o.scaling], "clip",
                     prep->o.clip, "imputation", imputations[prep->o.imputation], "indicators",
                     indicators[prep->o.indicators], "position_bands", (json_int_t)prep->o.position_bands,
                     "position_axes", (json_int_t)prep->n_axes, "width", (json_int_t)prep->width_in, "width_out",
                     (json_int_t)prep->width_out, "constant_columns", (json_int_t)constant, "indicator_columns",
                     (json_int_t)indicated);
    if (root == NULL || prep->features == NULL)
        return root;
    features = json_array();
    for (size_t f = 0; f < prep->width_in && features != NULL; f++)
        if (json_array_append_new(features, feature(prep, f)) != 0) {
            json_decref(features);
            features = NULL;
        }
    if (features == NULL || json_object_set_new(root, "features", features) != 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}
