/* anndata_sparse.c - sparse matrices of AnnData (data, indices, indptr), rows of them made dense.
 *
 * Their pointers are read whole, 8 bytes a row; entries only as they are needed. Entries of a row may come in any order and
 * more than once.
 */
#include "formats/anndata_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/spool.h"

/* Which attributes say that a group is a sparse matrix: of today, or of 0.6. */
static mml_status format_of(bool *is, bool *by_columns, const char **shape, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    char *format = NULL;

    *shape = "shape";
    MML_TRY(mmli_ann_attr(&format, loc, path, name, "encoding-type"));
    if (format == NULL) {
        *shape = "h5sparse_shape";
        MML_TRY(mmli_ann_attr(&format, loc, path, name, "h5sparse_format"));
    }
    *by_columns = format != NULL && strncmp(format, "csc", 3) == 0;
    *is = *by_columns || (format != NULL && strncmp(format, "csr", 3) == 0);
out:
    mmli_free(format);
    return st;
}

static mml_status read_shape(mmli_ann_sparse *m, hid_t loc, const char *attr)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    int64_t shape[2];

    MML_TRY(mmli_h5_group(&group, loc, m->path, m->name));
    MML_TRY(mmli_h5_attr_i64s(shape, 2, group, m->path, attr));
    MML_CHECK(shape[0] >= 0 && shape[1] >= 0 && shape[0] < UINT32_MAX && shape[1] < UINT32_MAX, MML_E_FORMAT,
              "%s: %s: shape (%" PRId64 ", %" PRId64 ") is not one of a matrix that can be read", m->path, m->name, shape[0],
              shape[1]);
    m->n = (size_t)shape[0];
    m->width = (size_t)shape[1];
    m->slices = m->by_columns ? m->width : m->n;
    m->across = m->by_columns ? m->n : m->width;
out:
    mmli_h5_drop(group);
    return st;
}

/* Pointers: from 0 to the number of entries, never back. Read as signed: a negative one is then a large one. */
static mml_status read_pointers(mmli_ann_sparse *m, hid_t loc)
{
    mml_status st = MML_OK;
    const char *slice = m->by_columns ? "column" : "row";
    char *name = NULL;
    size_t n = 0;

    MML_TRY(mmli_strf(&name, "%s/indptr", m->name));
    MML_TRY(mmli_h5_get_new(&m->pointers, MMLI_H5_I64, 1, &n, loc, m->path, name));
    MML_CHECK(n == m->slices + 1, MML_E_SHAPE, "%s: %s has %zu entries, %zu needed for %zu %ss", m->path, name, n,
              m->slices + 1, m->slices, slice);
    MML_CHECK(m->pointers[0] == 0, MML_E_FORMAT, "%s: %s begins with %" PRId64 ", it must be 0", m->path, name,
              (int64_t)m->pointers[0]);
    for (size_t i = 0; i < m->slices; i++)
        MML_CHECK(m->pointers[i] <= m->pointers[i + 1], MML_E_FORMAT,
                  "%s: %s: %s %zu ends at %" PRId64 ", before its begin at %" PRId64, m->path, name, slice, i,
                  (int64_t)m->pointers[i + 1], (int64_t)m->pointers[i]);
    MML_CHECK(m->pointers[m->slices] == m->stored, MML_E_SHAPE,
              "%s: %s ends with %" PRIu64 ", but %zu entries are stored", m->path, name, m->pointers[m->slices], m->stored);
out:
    mmli_free(name);
    return st;
}

static mml_status open_part(hid_t *out, size_t *n, const mmli_ann_sparse *m, hid_t loc, const char *part, bool whole)
{
    mml_status st = MML_OK;
    char *name = NULL;
    mmli_h5_kind kind;

    MML_TRY(mmli_strf(&name, "%s/%s", m->name, part));
    MML_TRY(mmli_h5_kind_of(&kind, loc, m->path, name));
    MML_CHECK(kind == MMLI_H5_IS_INT || kind == MMLI_H5_IS_UINT ||
                  (!whole && (kind == MMLI_H5_IS_SINGLE || kind == MMLI_H5_IS_DOUBLE || kind == MMLI_H5_IS_BOOL)),
              MML_E_FORMAT, "%s: %s is %s, %s are needed", m->path, name, mmli_h5_kind_text(kind),
              whole ? "integers" : "numbers");
    MML_TRY(mmli_h5_dataset(out, n, 1, loc, m->path, name));
out:
    mmli_free(name);
    return st;
}

mml_status mmli_ann_sparse_open(bool *is, mmli_ann_sparse *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    const char *shape;
    size_t indices = 0;

    *out = (mmli_ann_sparse){.path = path, .data = -1, .indices = -1, .spool = -1};
    MML_TRY(format_of(is, &out->by_columns, &shape, loc, path, name));
    if (!*is)
        goto out;
    MML_TRY(mmli_strdup(&out->name, name));
    MML_TRY(read_shape(out, loc, shape));
    MML_TRY(open_part(&out->data, &out->stored, out, loc, "data", false));
    MML_TRY(open_part(&out->indices, &indices, out, loc, "indices", true));
    MML_CHECK(indices == out->stored, MML_E_SHAPE, "%s: %s has %zu values and %zu indices", path, name, out->stored, indices);
    MML_TRY(read_pointers(out, loc));
    MML_TRY(mmli_packed_open(&out->packed_data, out->data, 0, path, out->name));
    MML_TRY(mmli_packed_open(&out->packed_indices, out->indices, 0, path, out->name));
out:
    if (st != MML_OK)
        mmli_ann_sparse_close(out);
    return st;
}

void mmli_ann_sparse_close(mmli_ann_sparse *m)
{
    mmli_spool_close(m->spool);
    mmli_packed_close(m->packed_data);
    mmli_packed_close(m->packed_indices);
    mmli_h5_drop(m->data);
    mmli_h5_drop(m->indices);
    mmli_free(m->pointers);
    mmli_free(m->name);
    *m = (mmli_ann_sparse){.data = -1, .indices = -1, .spool = -1};
}

mml_status mmli_ann_sparse_entries(double *values, int64_t *across, size_t first, size_t count, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;

    if (values != NULL)
        MML_TRY(mmli_packed_check(m->packed_data, first, count));
    MML_TRY(mmli_packed_check(m->packed_indices, first, count));
    if (values != NULL)
        MML_TRY(mmli_h5_get_rows(values, MMLI_H5_F64, first, count, 1, m->data, m->path, m->name));
    MML_TRY(mmli_h5_get_rows(across, MMLI_H5_I64, first, count, 1, m->indices, m->path, m->name));
    for (size_t i = 0; i < count; i++)
        MML_CHECK(across[i] >= 0 && (uint64_t)across[i] < m->across, MML_E_FORMAT,
                  "%s: %s/indices: entry %zu is in %s %" PRId64 ", there are %zu", m->path, m->name, first + i,
                  m->by_columns ? "row" : "column", across[i], m->across);
out:
    return st;
}

/* Entries of rows, in pieces, added up in `sum`, one row at a time. */
typedef struct adder {
    double *sum; /* (width) the row that is being made */
    float *out;  /* where it goes */
    size_t width, row;
    const uint64_t *ends; /* of the rows: place in the file behind their last entry */
} adder;

static void end_row(adder *a)
{
    for (size_t j = 0; j < a->width; j++)
        a->out[a->row * a->width + j] = (float)a->sum[j];
    memset(a->sum, 0, a->width * sizeof *a->sum);
    a->row++;
}

static void add(adder *a, uint64_t place, size_t column, double value)
{
    while (place >= a->ends[a->row])
        end_row(a);
    a->sum[column] += value;
}

static mml_status add_file(adder *a, uint64_t first, uint64_t end, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    const size_t room = end - first < MMLI_ANN_PIECE ? (size_t)(end - first) : MMLI_ANN_PIECE;
    double *values = NULL;
    int64_t *columns = NULL;

    MML_TRY(mmli_calloc(&values, room, sizeof *values));
    MML_TRY(mmli_calloc(&columns, room, sizeof *columns));
    for (uint64_t at = first; at < end;) {
        const size_t n = end - at < room ? (size_t)(end - at) : room;

        MML_TRY(mmli_ann_sparse_entries(values, columns, (size_t)at, n, m));
        for (size_t i = 0; i < n; i++)
            add(a, at + i, (size_t)columns[i], values[i]);
        at += n;
    }
out:
    mmli_free(values);
    mmli_free(columns);
    return st;
}

static mml_status add_spool(adder *a, uint64_t first, uint64_t end, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    const size_t room = end - first < MMLI_ANN_PIECE ? (size_t)(end - first) : MMLI_ANN_PIECE;
    mmli_ann_entry *entries = NULL;

    MML_TRY(mmli_calloc(&entries, room, sizeof *entries));
    for (uint64_t at = first; at < end;) {
        const size_t n = end - at < room ? (size_t)(end - at) : room;

        MML_TRY(mmli_spool_read(m->spool, m->beside, at * sizeof *entries, entries, n * sizeof *entries));
        for (size_t i = 0; i < n; i++)
            add(a, at + i, entries[i].column, entries[i].value);
        at += n;
    }
out:
    mmli_free(entries);
    return st;
}

mml_status mmli_ann_sparse_rows(float *out, size_t first, size_t count, mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    adder a = {.out = out, .width = m->width};

    if (m->by_columns && m->spool < 0)
        MML_TRY(mmli_ann_sparse_transpose(m));
    MML_TRY(mmli_calloc(&a.sum, m->width, sizeof *a.sum));
    a.ends = m->pointers + first + 1;
    MML_TRY(m->by_columns ? add_spool(&a, m->pointers[first], m->pointers[first + count], m)
                          : add_file(&a, m->pointers[first], m->pointers[first + count], m));
    while (a.row < count)
        end_row(&a);
out:
    mmli_free(a.sum);
    return st;
}
