/* kind_hdf5.c - an array in an HDF5 file that `dataset` names: (N, F), (N, T, C), (N, H, W[, C]); ids in another.
 *
 * A bag (N, T, F) is N pieces of T rows, read by hyperslab: its samples may be larger than memory. */
#include <stdio.h>
#include <string.h>

#include "import/hdf5_look.h"
#include "import/probe.h"
#include "io/h5packed.h"
#include "io/rows.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct hdf5_source {
    hid_t file, set;
    size_t first_dim;
    bool slabs;      /* a bag of three dimensions */
    mmli_packed *packed; /* then */
    mmli_rows *rows;
    mmli_span *list; /* for the gathering */
    size_t cap_list;
} hdf5_source;

static mml_status read_shape(mmli_source *s, hdf5_source *h)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK] = {0};
    int rank;

    MML_TRY(mmli_h5_shape(dims, &rank, h->file, s->m->file, s->m->dataset));
    MML_TRY(mmli_source_use_array(s, dims, rank, s->m->dataset, "empty or too large"));
    h->first_dim = dims[0];
    h->slabs = s->counts != NULL;
out:
    return st;
}

/* Ids as text or as integers (which become their decimal text). */
static mml_status read_ids(mmli_source *s, const hdf5_source *h)
{
    mml_status st = MML_OK;
    hid_t set = -1, type = -1;
    uint64_t *numbers = NULL; /* or int64_t, as the file says */
    size_t n = 0;
    bool integer, is_signed;

    MML_TRY(mmli_h5_dataset(&set, &n, 1, h->file, s->m->file, s->m->id));
    type = H5Dget_type(set);
    integer = type >= 0 && H5Tget_class(type) == H5T_INTEGER;
    is_signed = integer && H5Tget_sign(type) != H5T_SGN_NONE;
    if (!integer) {
        MML_TRY(mmli_h5_get_texts(&s->ids, &s->n_pieces, h->file, s->m->file, s->m->id));
    } else {
        MML_TRY(mmli_h5_get_new(&numbers, is_signed ? MMLI_H5_I64 : MMLI_H5_U64, 1, &n, h->file, s->m->file, s->m->id));
        MML_TRY(mmli_calloc(&s->ids, n, sizeof *s->ids));
        for (; s->n_pieces < n; s->n_pieces++)
            MML_TRY(is_signed ? mmli_strf(&s->ids[s->n_pieces], "%lld", (long long)numbers[s->n_pieces])
                              : mmli_strf(&s->ids[s->n_pieces], "%llu", (unsigned long long)numbers[s->n_pieces]));
    }
    MML_CHECK(s->n_pieces == h->first_dim, MML_E_SHAPE, "%s: %s has %zu ids for the %zu rows of %s", s->m->file, s->m->id,
              s->n_pieces, h->first_dim, s->m->dataset);
    for (size_t i = 0; i < s->n_pieces; i++)
        MML_CHECK(mmli_bad_id(s->ids[i]) == NULL, MML_E_DATA, "%s: %s: id %zu cannot be used: %s", s->m->file, s->m->id, i,
                  mmli_bad_id(s->ids[i]));
out:
    mmli_free(numbers);
    mmli_h5_drop(type);
    mmli_h5_drop(set);
    return st;
}

/* Names of the last dimension, when a data set has them. */
static mml_status read_names(mmli_source *s, const hdf5_source *h)
{
    mml_status st = MML_OK;
    const size_t width = s->dims[s->rank - 1];
    char **names = NULL;
    size_t n = 0;

    if (s->m->channels == NULL)
        return MML_OK;
    MML_TRY(mmli_h5_get_texts(&names, &n, h->file, s->m->file, s->m->channels));
    MML_CHECK(n == width, MML_E_SHAPE, "%s: %s has %zu names for the %zu channels of %s", s->m->file, s->m->channels, n, width,
              s->m->dataset);
    s->names = names;
    s->names_from = s->m->channels;
    names = NULL;
out:
    mmli_h5_texts_free(names, n);
    return st;
}

static mml_status hdf5_open(mmli_source *s)
{
    mml_status st = MML_OK;
    hdf5_source *h = NULL;
    hid_t type = -1;

    mmli_h5_lock();
    MML_TRY(mmli_calloc(&h, 1, sizeof *h));
    h->file = h->set = -1;
    s->state = h;
    MML_CHECK(s->m->dataset != NULL || s->m->format == NULL, MML_E_FORMAT, "%s:%zu: [%s] format = hdf5 needs dataset = NAME of "
              "the array in the file", s->m->ini_path, s->m->line, s->m->section->name);
    MML_CHECK(s->m->dataset != NULL, MML_E_FORMAT,
              "%s: is an HDF5 file, not a CSV; name the array in it (dataset = ...)", s->m->file);
    MML_CHECK(s->m->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = the %s with the sample ids", s->m->ini_path, s->m->line,
              s->m->section->name, "data set");
    MML_TRY(mmli_h5_open(&h->file, s->m->file));
    MML_TRY(read_shape(s, h));
    MML_TRY(mmli_h5_dataset(&h->set, NULL, -1, h->file, s->m->file, s->m->dataset));
    type = H5Dget_type(h->set);
    MML_CHECK(type >= 0, MML_E_FORMAT, "%s: %s: damaged", s->m->file, s->m->dataset);
    if (s->m->kind == MML_IMAGE && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 &&
        H5Tget_sign(type) == H5T_SGN_NONE)
        s->scale = 1.0f / 255.0f;
    MML_TRY(mmli_rows_open(&h->rows, h->set, 0, s->m->file, s->m->dataset));
    s->half = mmli_rows_are_half(h->rows);
    if (h->slabs)
        MML_TRY(mmli_packed_open(&h->packed, h->set, 0, s->m->file, s->m->dataset));
    MML_TRY(read_ids(s, h));
    MML_TRY(read_names(s, h));
out:
    st = mmli_h5_guard_verdict(st, h == NULL ? -1 : h->file, s->m->file);
    mmli_h5_drop(type);
    mmli_h5_unlock();
    return st;
}

static void hdf5_close(mmli_source *s)
{
    hdf5_source *h = s->state;

    if (h == NULL)
        return;
    mmli_rows_close(h->rows);
    mmli_packed_close(h->packed);
    mmli_free(h->list);
    mmli_h5_drop(h->set);
    mmli_h5_drop(h->file);
    mmli_free(h);
}

/* Rows of one sample of (N, T, F). */
static mml_status read_slab(float *out, const mmli_piece_span *span, const mmli_source *s, const hdf5_source *h)
{
    mml_status st = MML_OK;
    const hsize_t start[3] = {span->piece, span->first, 0}, size[3] = {1, span->count, s->dims[0]};
    hid_t file, memory;
    char why[240] = "";

    if ((st = mmli_packed_check(h->packed, span->piece, 1)) != MML_OK)
        return st;
    mmli_h5_lock();
    file = H5Dget_space(h->set);
    memory = H5Screate_simple(3, size, NULL);
    if (file < 0 || memory < 0 || H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(h->set, mmli_h5_mem_type(MMLI_H5_F32), memory, file, H5P_DEFAULT, out) < 0) {
        mmli_h5_reason(why, sizeof why);
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", s->m->file, s->m->dataset, why);
    }
    mmli_h5_drop(memory);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return st;
}

static mml_status hdf5_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    hdf5_source *h = s->state;
    const size_t width = mmli_source_row_values(s);

    (void)positions;
    for (size_t i = 0; i < n && h->slabs; i++)
        MML_TRY(read_slab(values + spans[i].to * width, &spans[i], s, h));
    if (h->slabs)
        goto out;
    MML_TRY(mmli_grow(&h->list, &h->cap_list, n, sizeof *h->list));
    for (size_t i = 0; i < n; i++)
        h->list[i] = (mmli_span){.first = spans[i].piece, .count = 1, .to = spans[i].to};
    MML_TRY(mmli_rows_gather(values, h->list, n, h->rows));
out:
    return st;
}

static mml_status hdf5_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    bool ours = false;

    if (!mmli_probe_begins(p, "\x89HDF\r\n\x1a\n", 8))
        goto out;
    MML_TRY(mmli_hdf5_is_ours(&ours, p->path));
    if (ours)
        goto out;
    (void)snprintf(what, MMLI_WHAT_BYTES, "an HDF5 file");
    *out = MMLI_LIKELY;
out:
    return st;
}

const mmli_source_kind mmli_kind_hdf5 = {
    .name = "hdf5",
    .what = "an array in an HDF5 file",
    .probe = hdf5_probe,
    .open = hdf5_open,
    .close = hdf5_close,
    .read = hdf5_read,
    .inspect = mmli_hdf5_inspect,
    .suggest = mmli_hdf5_suggest,
};
