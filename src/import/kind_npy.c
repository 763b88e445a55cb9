/* kind_npy.c - arrays of NumPy: a .npy, or one of a .npz that `dataset` names, as rows of samples.
 *
 * (N, F), (N, T, C), (N, H, W[, C]) as in HDF5; a bag (N, T, F) is N pieces of T rows. A structured array is a table whose
 * columns are its fields. Ids: an array of a .npz or a field that `id` names, a file (ids = FILE), or id = @row.
 *
 * Rows are read in place where they lie together. Those of an array in Fortran order, or of a member of a .npz, do not: they
 * are put in order in a temporary file, once, band by band, whatever the size. */
#include <stdio.h>
#include <string.h>

#include "import/npy_ids.h"
#include "import/npy_look.h"
#include "import/probe.h"
#include "import/rowfile.h"
#include "util/alloc.h"
#include "util/error.h"

/* Numbers of a band. One of a member goes through the whole member, once for each field, unless rows lie together. */
enum { BAND_TOGETHER = 1 << 21, BAND_APART = 1 << 24, BAND_UNPACKED = 1 << 28 };

typedef struct npy_source {
    mmli_zip *zip;
    mmli_npy *array;
    size_t each;    /* rows of a piece: T of a bag of three dimensions, else 1 */
    size_t *fields; /* (dims[0]) of a structured array */
    mmli_rowfile rows; /* all of them in order, if they do not lie so */
    bool ordered;
    float *column;  /* one field of some rows */
    size_t cap_column;
} npy_source;

/* ---- shape ------------------------------------------------------------------------------------------------------------- */

/* Fields that are numbers become columns; the one with the ids does not. */
static mml_status use_fields(mmli_source *s, npy_source *y)
{
    mml_status st = MML_OK;
    const mmli_npy *a = y->array;

    MML_CHECK((s->m->kind == MML_TABLE || s->m->kind == MML_BAG) && a->rank == 1, MML_E_SHAPE,
              "%s: holds records in %d dimensions; records in one can be a table or a bag", s->m->file, a->rank);
    MML_TRY(mmli_calloc(&y->fields, a->n_fields, sizeof *y->fields));
    MML_TRY(mmli_calloc(&s->names, a->n_fields + 1, sizeof *s->names));
    s->rank = 1;
    for (size_t f = 0; f < a->n_fields; f++) {
        if (a->fields[f].cls != MMLI_NPY_NUMBER || (s->m->id != NULL && strcmp(a->fields[f].name, s->m->id) == 0))
            continue;
        MML_TRY(mmli_strdup(&s->names[s->dims[0]], a->fields[f].name));
        y->fields[s->dims[0]++] = f;
    }
    MML_CHECK(s->dims[0] > 0, MML_E_DATA, "%s: none of its %zu fields is of numbers", s->m->file, a->n_fields);
out:
    return st;
}

static mml_status use_shape(mmli_source *s, npy_source *y)
{
    mml_status st = MML_OK;
    const mmli_npy *a = y->array;
    const mml_modality_kind kind = s->m->kind;
    size_t dims[MMLI_NPY_MAX_RANK + 2] = {0};
    int rank = a->rank;

    memcpy(dims, a->dims, sizeof a->dims);
    if (rank == 1 && (kind == MML_TABLE || kind == MML_BAG))
        dims[rank++] = 1; /* one feature */
    MML_TRY(mmli_source_use_array(s, dims, rank, "the array", "empty"));
    y->each = s->counts != NULL ? dims[1] : 1; /* of a bag (N, T, F) the array is seen as (N T, F) from here on */
    MML_CHECK(a->fields[0].cls == MMLI_NPY_NUMBER, MML_E_FORMAT, "%s: holds texts where numbers are needed", s->m->file);
    if (kind == MML_IMAGE && a->fields[0].number == MMLI_U8)
        s->scale = 1.0f / 255.0f;
    s->half = a->fields[0].number == MMLI_F16;
out:
    return st;
}

/* Names of the last dimension: an array of the archive. */
static mml_status use_channels(mmli_source *s, npy_source *y)
{
    mml_status st = MML_OK;

    if (s->m->channels == NULL || y->fields != NULL)
        goto out;
    MML_CHECK(y->zip != NULL, MML_E_FORMAT, "%s:%zu: [%s] channels = NAME is an array of a .npz", s->m->ini_path, s->m->line,
              s->m->section->name);
    MML_TRY(mmli_npz_texts(&s->names, s->dims[s->rank - 1], y->zip, s->m->channels, "columns"));
    s->names_from = s->m->channels;
out:
    return st;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

/* Columns of records from `piece` on, one field after the other. */
static mml_status read_fields(float *values, size_t piece, size_t n, const mmli_source *s, npy_source *y)
{
    mml_status st = MML_OK;
    const size_t width = s->dims[0];

    MML_TRY(mmli_grow(&y->column, &y->cap_column, n, sizeof *y->column));
    for (size_t f = 0; f < width; f++) {
        MML_TRY(mmli_npy_floats(y->column, y->array, y->fields[f], piece, n));
        for (size_t i = 0; i < n; i++)
            values[i * width + f] = y->column[i];
    }
out:
    return st;
}

static size_t band_rows(const npy_source *y, size_t each)
{
    const bool together = y->fields == NULL && (!y->array->fortran || y->array->rank < 2);
    const size_t most = together ? BAND_TOGETHER : y->zip == NULL ? BAND_APART : BAND_UNPACKED;

    return each == 0 || each >= most ? 1 : most / each;
}

/* Arrays whose rows cannot be read where they lie. */
static mml_status put_in_order(mmli_source *s, npy_source *y)
{
    mml_status st = MML_OK;
    const mmli_npy *a = y->array;
    const size_t rows = mmli_npy_n_rows(a), each = y->fields != NULL ? s->dims[0] : a->row_values;
    size_t band = band_rows(y, each), n;
    float *values = NULL;

    if (y->zip == NULL && (!a->fortran || a->rank < 2))
        goto out;
    band = band < rows ? band : rows;
    MML_CHECK(mmli_mul_size(&n, band, each), MML_E_NOMEM, "%s: rows of %zu numbers are too large", s->m->file, each);
    MML_TRY(mmli_calloc(&values, n, sizeof *values));
    MML_TRY(mmli_rowfile_open(&y->rows, s->context->beside));
    y->ordered = true;
    for (size_t at = 0; at < rows; at += band) {
        const size_t now = rows - at < band ? rows - at : band;

        MML_TRY(y->fields != NULL ? read_fields(values, at, now, s, y) : mmli_npy_floats(values, y->array, 0, at, now));
        MML_TRY(mmli_rowfile_add(&y->rows, values, now * each));
    }
    MML_TRY(mmli_rowfile_finish(&y->rows));
out:
    mmli_free(values);
    return st;
}

static mml_status npy_open(mmli_source *s)
{
    mml_status st = MML_OK;
    npy_source *y;
    size_t at;

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *y));
    y = s->state;
    y->each = 1;
    if (mmli_zip_is(s->m->file)) {
        MML_TRY(mmli_zip_open(&y->zip, s->m->file));
        MML_TRY(mmli_npz_find(&at, y->zip, s->m->dataset));
        MML_TRY(mmli_npz_member(&y->array, y->zip, at));
    } else {
        MML_CHECK(s->m->dataset == NULL, MML_E_FORMAT, "%s:%zu: [%s] dataset = %s names an array of a .npz; %s is one array",
                  s->m->ini_path, s->m->line, s->m->section->name, s->m->dataset, s->m->file);
        MML_TRY(mmli_npy_open(&y->array, s->m->file));
    }
    MML_CHECK(y->array->rank > 0, MML_E_SHAPE, "%s: holds a single number", s->m->file);
    s->n_pieces = mmli_npy_n_rows(y->array);
    MML_TRY(mmli_npy_is_record(y->array) ? use_fields(s, y) : use_shape(s, y));
    MML_TRY(mmli_npy_ids(&s->ids, s->n_pieces,
                         &(mmli_npy_id_source){s->m->file, y->array, y->zip, s->m->id, NULL, s}));
    MML_TRY(use_channels(s, y));
    MML_TRY(put_in_order(s, y));
out:
    if (st != MML_OK && s->ids == NULL)
        s->n_pieces = 0; /* nothing of s->ids to be freed */
    return st;
}

static void npy_close(mmli_source *s)
{
    npy_source *y = s->state;

    if (y == NULL)
        return;
    mmli_npy_close(y->array); /* before the archive that it is of */
    mmli_zip_close(y->zip);
    mmli_free(y->fields);
    mmli_rowfile_close(&y->rows);
    mmli_free(y->column);
    mmli_free(y);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static mml_status read_span(float *values, const mmli_piece_span *span, mmli_source *s, npy_source *y)
{
    const size_t width = mmli_source_row_values(s), at = (span->piece * y->each + span->first) * width;

    if (y->ordered)
        return mmli_rowfile_get(values, &y->rows, at, span->count * width);
    return y->fields != NULL ? read_fields(values, span->piece, 1, s, y)
                             : mmli_npy_elements(values, y->array, at, span->count * width);
}

static mml_status npy_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    npy_source *y = s->state;
    mml_status st = MML_OK;

    (void)positions;
    for (size_t i = 0; i < n; i++)
        MML_TRY(read_span(values + spans[i].to * mmli_source_row_values(s), &spans[i], s, y));
out:
    return st;
}

static mml_status npy_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    mmli_zip *zip = NULL;
    size_t at;

    if (mmli_probe_begins(p, "\x93NUMPY", 6)) {
        (void)snprintf(what, MMLI_WHAT_BYTES, "an array of NumPy");
        *out = MMLI_CERTAIN;
        goto out;
    }
    if (!mmli_probe_begins(p, "PK\3\4", 4))
        goto out;
    MML_TRY(mmli_zip_open(&zip, p->path));
    st = mmli_npz_find(&at, zip, NULL);
    if (st == MML_OK || st == MML_E_NOT_FOUND) /* one, or several */
        *out = MMLI_CERTAIN;
    (void)snprintf(what, MMLI_WHAT_BYTES, "an archive of NumPy arrays");
out:
    mmli_zip_close(zip);
    return mmli_probe_failure(st);
}

static const char *const keys[] = {"ids", NULL};

const mmli_source_kind mmli_kind_npy = {
    .name = "npy",
    .what = "an array of NumPy",
    .keys = keys,
    .probe = npy_probe,
    .open = npy_open,
    .close = npy_close,
    .read = npy_read,
    .inspect = mmli_npy_inspect,
    .suggest = mmli_npy_suggest,
    .texts = mmli_npy_labels,
};
