/* anndata_column.c - columns of AnnData's tables, in the encodings of its versions.
 *
 *     0.2.0   a column is a data set, or a group: categorical (codes, categories), nullable-* (values, mask)
 *     0.1.0   a categorical column is a data set of codes with an object reference to __categories/COLUMN
 *     older   the table is one data set of records; categories are in uns/COLUMN_categories
 */
#include "formats/anndata.h"
#include "formats/anndata_inside.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "io/h5.h"
#include "io/h5foreign.h"
#include "util/alloc.h"
#include "util/error.h"

/* Where something is: for the readers below, which go from names to names. */
typedef struct place {
    hid_t loc;
    const char *path, *name;
} place;

static mml_status join(char **out, const char *a, const char *b)
{
    return mmli_strf(out, "%s/%s", a, b);
}

mml_status mmli_ann_attr(char **out, hid_t loc, const char *path, const char *name, const char *attr)
{
    mml_status st = MML_OK;
    hid_t id = -1;
    bool has;

    *out = NULL;
    MML_TRY(mmli_h5_object(&id, loc, path, name));
    MML_TRY(mmli_h5_has_attr(&has, id, path, attr));
    if (has)
        MML_TRY(mmli_h5_attr_text(out, id, path, attr));
out:
    mmli_h5_drop(id);
    return st;
}

/* A boolean attribute, false when there is none; an integer or an enumeration. */
static mml_status flag(bool *out, place at, const char *attr)
{
    mml_status st = MML_OK;
    hid_t id = -1;
    int64_t value = 0;
    bool has;

    *out = false;
    MML_TRY(mmli_h5_object(&id, at.loc, at.path, at.name));
    MML_TRY(mmli_h5_has_attr(&has, id, at.path, attr));
    if (has)
        MML_TRY(mmli_h5_attr_i64(&value, id, at.path, attr));
    *out = value != 0;
out:
    mmli_h5_drop(id);
    return st;
}

void mmli_ann_column_free(mmli_ann_column *c)
{
    mmli_h5_texts_free(c->texts, c->n);
    mmli_h5_texts_free(c->levels, c->n_levels);
    mmli_free(c->missing);
    mmli_free(c->integers);
    mmli_free(c->reals);
    *c = (mmli_ann_column){0};
}

static mml_status finish(mmli_ann_column *c)
{
    mml_status st = MML_OK;

    if (c->missing == NULL)
        MML_TRY(mmli_calloc(&c->missing, c->n, 1));
    for (size_t i = 0; i < c->n && c->kind == MMLI_ANN_REAL; i++)
        if (isnan(c->reals[i]))
            c->missing[i] = 1;
out:
    return st;
}

static bool kind_of(mmli_ann_column *c, mmli_h5_kind kind)
{
    switch (kind) {
    case MMLI_H5_IS_INT: c->kind = MMLI_ANN_INTEGER; return true;
    case MMLI_H5_IS_UINT: c->kind = MMLI_ANN_UNSIGNED; return true;
    case MMLI_H5_IS_SINGLE: c->kind = MMLI_ANN_REAL; c->single = true; return true;
    case MMLI_H5_IS_DOUBLE: c->kind = MMLI_ANN_REAL; return true;
    case MMLI_H5_IS_BOOL: c->kind = MMLI_ANN_BOOLEAN; return true;
    case MMLI_H5_IS_TEXT: c->kind = MMLI_ANN_TEXT; return true;
    case MMLI_H5_IS_GROUP:
    case MMLI_H5_IS_COMPOUND:
    case MMLI_H5_IS_OTHER: break;
    }
    return false;
}

/* A data set of numbers, booleans or texts. */
static mml_status read_plain(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    mmli_h5_kind kind;

    MML_TRY(mmli_h5_kind_of(&kind, at.loc, at.path, at.name));
    MML_CHECK(kind_of(c, kind), MML_E_FORMAT, "%s: %s is %s, numbers or text are needed", at.path, at.name,
              mmli_h5_kind_text(kind));
    if (c->kind == MMLI_ANN_TEXT)
        MML_TRY(mmli_h5_get_texts(&c->texts, &c->n, at.loc, at.path, at.name));
    else if (c->kind == MMLI_ANN_REAL)
        MML_TRY(mmli_h5_get_new(&c->reals, MMLI_H5_F64, 1, &c->n, at.loc, at.path, at.name));
    else
        MML_TRY(mmli_h5_get_new(&c->integers, kind == MMLI_H5_IS_UINT ? MMLI_H5_U64 : MMLI_H5_I64, 1, &c->n, at.loc,
                                at.path, at.name));
    MML_TRY(finish(c));
out:
    return st;
}

/* values and mask. */
static mml_status read_nullable(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    char *values = NULL, *mask = NULL;
    size_t n = 0;

    MML_TRY(join(&values, at.name, "values"));
    MML_TRY(join(&mask, at.name, "mask"));
    MML_TRY(read_plain(c, (place){at.loc, at.path, values}));
    mmli_free(c->missing);
    c->missing = NULL;
    MML_TRY(mmli_h5_get_new(&c->missing, MMLI_H5_U8, 1, &n, at.loc, at.path, mask));
    MML_CHECK(n == c->n, MML_E_SHAPE, "%s: %s has %zu values and a mask of %zu", at.path, at.name, c->n, n);
    for (size_t i = 0; i < n; i++)
        c->missing[i] = c->missing[i] != 0;
    MML_TRY(finish(c));
out:
    mmli_free(values);
    mmli_free(mask);
    return st;
}

/* A data set or a nullable group. */
static mml_status read_simple(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    mmli_h5_kind kind;

    MML_TRY(mmli_h5_kind_of(&kind, at.loc, at.path, at.name));
    MML_TRY(kind == MMLI_H5_IS_GROUP ? read_nullable(c, at) : read_plain(c, at));
out:
    return st;
}

/* The categories at `at` as texts. */
static mml_status read_levels(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    mmli_ann_column levels = {0};
    char room[MMLI_NUMBER_BYTES];

    MML_TRY(read_simple(&levels, at));
    MML_TRY(mmli_calloc(&c->levels, levels.n, sizeof *c->levels));
    c->n_levels = levels.n;
    for (size_t i = 0; i < levels.n; i++)
        MML_TRY(mmli_strdup(&c->levels[i], mmli_ann_column_text(room, &levels, i)));
out:
    mmli_ann_column_free(&levels);
    return st;
}

/* Makes a categorical column of a column of codes whose levels are read. */
static mml_status check_codes(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;

    MML_CHECK(c->kind == MMLI_ANN_INTEGER || c->kind == MMLI_ANN_UNSIGNED, MML_E_FORMAT,
              "%s: %s: codes of categories are integers, these are %s", at.path, at.name, mmli_ann_kind_text(c->kind));
    c->kind = MMLI_ANN_CATEGORY;
    for (size_t i = 0; i < c->n; i++) {
        MML_CHECK(c->integers[i] >= -1 && (c->integers[i] < 0 || (uint64_t)c->integers[i] < c->n_levels), MML_E_FORMAT,
                  "%s: %s: row %zu has code %" PRId64 ", there are %zu categories (-1 = missing)", at.path, at.name, i,
                  c->integers[i], c->n_levels);
        c->missing[i] = c->integers[i] < 0;
    }
out:
    return st;
}

static mml_status read_categorical(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    char *codes = NULL, *levels = NULL;

    MML_TRY(join(&codes, at.name, "codes"));
    MML_TRY(join(&levels, at.name, "categories"));
    MML_TRY(read_plain(c, (place){at.loc, at.path, codes}));
    MML_TRY(read_levels(c, (place){at.loc, at.path, levels}));
    MML_TRY(check_codes(c, at));
    MML_TRY(flag(&c->ordered, at, "ordered"));
out:
    mmli_free(codes);
    mmli_free(levels);
    return st;
}

/* 0.1.0: codes with a reference to their categories, which lie in a group beside the columns. */
static mml_status read_referring(mmli_ann_column *c, place at, const mmli_ann_frame *f, const char *column)
{
    mml_status st = MML_OK;
    char *levels = NULL;
    hid_t set = -1;
    bool there, same;

    MML_TRY(mmli_strf(&levels, "%s/" MMLI_ANN_CATEGORIES "/%s", f->name, column));
    MML_TRY(mmli_h5_exists(&there, at.loc, at.path, levels));
    MML_CHECK(there, MML_E_FORMAT, "%s: %s refers to categories, but there is no %s", at.path, at.name, levels);
    MML_TRY(mmli_h5_dataset(&set, NULL, -1, at.loc, at.path, at.name));
    MML_TRY(mmli_h5_attr_refers_to(&same, set, at.path, "categories", at.loc, levels));
    MML_CHECK(same, MML_E_FORMAT, "%s: the attribute categories of %s refers to something else than %s; damaged", at.path,
              at.name, levels);
    MML_TRY(read_plain(c, at));
    MML_TRY(read_levels(c, (place){at.loc, at.path, levels}));
    MML_TRY(check_codes(c, at));
    MML_TRY(flag(&c->ordered, (place){at.loc, at.path, levels}, "ordered"));
out:
    mmli_h5_drop(set);
    mmli_free(levels);
    return st;
}

/* A group by its encoding, or without one by its members. */
static mml_status read_group(mmli_ann_column *c, place at)
{
    mml_status st = MML_OK;
    char *encoding = NULL, *codes = NULL;
    bool categorical;

    MML_TRY(mmli_ann_attr(&encoding, at.loc, at.path, at.name, "encoding-type"));
    MML_TRY(join(&codes, at.name, "codes"));
    if (encoding == NULL)
        MML_TRY(mmli_h5_exists(&categorical, at.loc, at.path, codes));
    else
        categorical = strcmp(encoding, "categorical") == 0;
    MML_CHECK(categorical || encoding == NULL || strncmp(encoding, "nullable-", 9) == 0, MML_E_FORMAT,
              "%s: %s has the encoding %s, which is not read as a column", at.path, at.name, encoding);
    MML_TRY(categorical ? read_categorical(c, at) : read_nullable(c, at));
out:
    mmli_free(encoding);
    mmli_free(codes);
    return st;
}

static mml_status read_field(mmli_ann_column *c, const mmli_ann_frame *f, const char *column)
{
    mml_status st = MML_OK;
    char *levels = NULL;
    mmli_h5_kind kind;
    bool there;

    MML_TRY(mmli_h5_field_kind(&kind, f->loc, f->path, f->name, column));
    MML_CHECK(kind_of(c, kind), MML_E_FORMAT, "%s: field %s of %s is %s, numbers or text are needed", f->path, column,
              f->name, mmli_h5_kind_text(kind));
    if (c->kind == MMLI_ANN_TEXT)
        MML_TRY(mmli_h5_field_texts(&c->texts, &c->n, f->loc, f->path, f->name, column));
    else if (c->kind == MMLI_ANN_REAL)
        MML_TRY(mmli_h5_field_get(&c->reals, MMLI_H5_F64, &c->n, f->loc, f->path, f->name, column));
    else
        MML_TRY(mmli_h5_field_get(&c->integers, kind == MMLI_H5_IS_UINT ? MMLI_H5_U64 : MMLI_H5_I64, &c->n, f->loc, f->path,
                                  f->name, column));
    MML_TRY(finish(c));
    MML_TRY(mmli_strf(&levels, "uns/%s_categories", column));
    MML_TRY(mmli_h5_exists(&there, f->loc, f->path, levels));
    if (there && (c->kind == MMLI_ANN_INTEGER || c->kind == MMLI_ANN_UNSIGNED)) {
        MML_TRY(read_levels(c, (place){f->loc, f->path, levels}));
        MML_TRY(check_codes(c, (place){f->loc, f->path, column}));
    }
out:
    mmli_free(levels);
    return st;
}

static mml_status read_member(mmli_ann_column *c, const mmli_ann_frame *f, const char *column)
{
    mml_status st = MML_OK;
    char *name = NULL;
    hid_t set = -1;
    mmli_h5_kind kind;
    bool refers = false;
    place at;

    MML_TRY(join(&name, f->name, column));
    at = (place){f->loc, f->path, name};
    MML_TRY(mmli_h5_kind_of(&kind, at.loc, at.path, at.name));
    if (kind == MMLI_H5_IS_GROUP) {
        MML_TRY(read_group(c, at));
        goto out;
    }
    MML_TRY(mmli_h5_dataset(&set, NULL, -1, at.loc, at.path, at.name));
    MML_TRY(mmli_h5_has_attr(&refers, set, at.path, "categories"));
    MML_TRY(refers ? read_referring(c, at, f, column) : read_plain(c, at));
out:
    mmli_h5_drop(set);
    mmli_free(name);
    return st;
}

mml_status mmli_ann_column_any(mmli_ann_column *out, const mmli_ann_frame *f, const char *name)
{
    *out = (mmli_ann_column){0};
    return f->records ? read_field(out, f, name) : read_member(out, f, name);
}

mml_status mmli_ann_column_read(mmli_ann_column *out, const mmli_ann_frame *f, const char *name)
{
    mml_status st = MML_OK;
    size_t i = 0;

    *out = (mmli_ann_column){0};
    while (i < f->n_columns && strcmp(f->columns[i], name) != 0)
        i++;
    if (i == f->n_columns) {
        st = mmli_not_found(f->path, "column", name, (const char *const *)f->columns, f->n_columns);
        goto out;
    }
    MML_TRY(mmli_ann_column_any(out, f, name));
    MML_CHECK(out->n == f->n, MML_E_SHAPE, "%s: %s/%s has %zu values, the table has %zu rows", f->path, f->name, name,
              out->n, f->n);
out:
    if (st != MML_OK)
        mmli_ann_column_free(out);
    return st;
}

const char *mmli_ann_column_text(char room[MMLI_NUMBER_BYTES], const mmli_ann_column *c, size_t i)
{
    if (c->missing[i])
        return "";
    switch (c->kind) {
    case MMLI_ANN_INTEGER: snprintf(room, MMLI_NUMBER_BYTES, "%" PRId64, c->integers[i]); return room;
    case MMLI_ANN_UNSIGNED: snprintf(room, MMLI_NUMBER_BYTES, "%" PRIu64, (uint64_t)c->integers[i]); return room;
    case MMLI_ANN_REAL:
        return c->single ? mmli_format_float(room, (float)c->reals[i]) : mmli_format_double(room, c->reals[i]);
    case MMLI_ANN_BOOLEAN: return c->integers[i] != 0 ? "True" : "False";
    case MMLI_ANN_TEXT: return c->texts[i];
    case MMLI_ANN_CATEGORY: return c->levels[c->integers[i]];
    }
    return "";
}

bool mmli_ann_column_number(double *out, const mmli_ann_column *c, size_t i)
{
    if (c->kind == MMLI_ANN_TEXT || c->kind == MMLI_ANN_CATEGORY)
        return false;
    *out = c->missing[i]                  ? NAN
           : c->kind == MMLI_ANN_REAL     ? c->reals[i]
           : c->kind == MMLI_ANN_UNSIGNED ? (double)(uint64_t)c->integers[i]
                                          : (double)c->integers[i];
    return true;
}

const char *mmli_ann_kind_text(mmli_ann_kind kind)
{
    static const char *const texts[] = {"integer", "integer", "real", "boolean", "text", "categorical"};

    return texts[kind];
}
