/* anndata_frame.c - the tables of AnnData: their ids and the names of their columns.
 *
 * A group whose attributes name the index and the order of the columns; in 0.6 and older one data set of records.
 */
#include "formats/anndata.h"
#include "formats/anndata_inside.h"

#include <string.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "util/alloc.h"
#include "util/error.h"

void mmli_ann_frame_free(mmli_ann_frame *f)
{
    mmli_h5_texts_free(f->ids, f->n);
    mmli_h5_texts_free(f->columns, f->n_columns);
    mmli_free(f->index);
    mmli_free(f->name);
    *f = (mmli_ann_frame){.loc = -1};
}

/* Takes the names that are not columns out of the list. */
static void leave_out(mmli_ann_frame *f, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n_columns; i++) {
        if (strcmp(f->columns[i], name) != 0)
            f->columns[kept++] = f->columns[i];
        else
            mmli_free(f->columns[i]);
    }
    f->n_columns = kept;
}

static mml_status open_group(mmli_ann_frame *f)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    bool ordered;

    MML_TRY(mmli_h5_group(&group, f->loc, f->path, f->name));
    MML_TRY(mmli_h5_attr_text(&f->index, group, f->path, "_index"));
    MML_TRY(mmli_h5_has_attr(&ordered, group, f->path, "column-order"));
    if (ordered)
        MML_TRY(mmli_h5_attr_texts(&f->columns, &f->n_columns, group, f->path, "column-order"));
    else
        MML_TRY(mmli_h5_members(&f->columns, &f->n_columns, group, f->path, NULL));
    leave_out(f, MMLI_ANN_CATEGORIES);
out:
    mmli_h5_drop(group);
    return st;
}

static mml_status open_records(mmli_ann_frame *f)
{
    mml_status st = MML_OK;
    const char *const *names;
    size_t at = 0;

    f->records = true;
    MML_TRY(mmli_h5_fields(&f->columns, &f->n_columns, f->loc, f->path, f->name));
    names = (const char *const *)f->columns;
    while (at < f->n_columns && strcmp(names[at], "index") != 0 && strcmp(names[at], "_index") != 0)
        at++;
    MML_CHECK(at < f->n_columns, MML_E_FORMAT, "%s: %s has no field `index`", f->path, f->name);
    MML_TRY(mmli_strdup(&f->index, names[at]));
out:
    return st;
}

/* The ids: texts, or (a file written by hand) integers, which become texts. */
static mml_status read_ids(mmli_ann_frame *f)
{
    mml_status st = MML_OK;
    mmli_ann_column c = {0};
    char room[MMLI_NUMBER_BYTES];

    MML_TRY(mmli_ann_column_any(&c, f, f->index));
    MML_TRY(mmli_calloc(&f->ids, c.n, sizeof *f->ids));
    f->n = c.n;
    for (size_t i = 0; i < c.n; i++) {
        MML_CHECK(!c.missing[i], MML_E_DATA, "%s: %s/%s: row %zu has no id", f->path, f->name, f->index, i);
        if (c.kind == MMLI_ANN_TEXT) {
            f->ids[i] = c.texts[i];
            c.texts[i] = NULL;
        } else
            MML_TRY(mmli_strdup(&f->ids[i], mmli_ann_column_text(room, &c, i)));
    }
out:
    mmli_ann_column_free(&c);
    return st;
}

mml_status mmli_ann_frame_open(mmli_ann_frame *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    mmli_h5_kind kind;

    *out = (mmli_ann_frame){.path = path, .loc = loc};
    MML_TRY(mmli_strdup(&out->name, name));
    MML_TRY(mmli_h5_kind_of(&kind, loc, path, name));
    MML_CHECK(kind == MMLI_H5_IS_GROUP || kind == MMLI_H5_IS_COMPOUND, MML_E_FORMAT, "%s: %s is %s, a table is needed",
              path, name, mmli_h5_kind_text(kind));
    MML_TRY(kind == MMLI_H5_IS_GROUP ? open_group(out) : open_records(out));
    MML_TRY(read_ids(out));
    leave_out(out, out->index);
out:
    if (st != MML_OK)
        mmli_ann_frame_free(out);
    return st;
}
