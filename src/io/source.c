/* source.c - the rows of a modality by sample id: an array in HDF5 read in pieces, or a CSV.
 *
 * Tokens are written in the order of the labels file; a CSV is in an order of its own and can only be read from
 * its beginning. So its numbers go through an unnamed file beside the output: parsed once, read back by row,
 * whatever the size.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/csv.h"
#include "io/import.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

struct mmli_source {
    const mmli_import_modality *m;
    size_t n_rows, cap_rows;
    char **ids;
    size_t *lines; /* CSV: row of the file, for messages */
    int rank;
    size_t dims[3], row_values; /* a CSV's row holds the picked columns only */
    char **names;  /* (last dimension) */
    size_t *picks, n_picks;
    const char **left_out; /* lent by names_all or names */
    size_t n_left_out;
    /* HDF5 */
    hid_t file, set;
    bool bytes;
    mmli_scratch scratch;
    /* CSV */
    FILE *spool;
    char **names_all; /* of the header */
    size_t n_all, id_at;
    size_t *at;       /* (n_picks) places in the header */
    float *row;
};

void mmli_source_close(mmli_source *s)
{
    if (s == NULL)
        return;
    mmli_h5_texts_free(s->ids, s->n_rows);
    mmli_h5_texts_free(s->names, s->rank > 0 ? s->dims[s->rank - 1] : 0);
    mmli_h5_texts_free(s->names_all, s->n_all);
    mmli_free(s->lines);
    mmli_free(s->picks);
    mmli_free(s->left_out);
    mmli_free(s->at);
    mmli_free(s->row);
    mmli_scratch_free(&s->scratch);
    mmli_h5_drop(s->set);
    mmli_h5_drop(s->file);
    if (s->spool != NULL)
        fclose(s->spool);
    mmli_free(s);
}

size_t mmli_source_n_rows(const mmli_source *s)
{
    return s->n_rows;
}

const char *const *mmli_source_ids(const mmli_source *s)
{
    return (const char *const *)s->ids;
}

int mmli_source_shape(size_t dims[3], const mmli_source *s)
{
    memcpy(dims, s->dims, sizeof s->dims);
    return s->rank;
}

const char *const *mmli_source_names(const mmli_source *s)
{
    return (const char *const *)s->names;
}

size_t mmli_source_picks(const size_t **picks, const mmli_source *s)
{
    *picks = s->picks;
    return s->n_picks;
}

size_t mmli_source_left_out(const char *const **names, const mmli_source *s)
{
    *names = s->left_out;
    return s->n_left_out;
}

bool mmli_source_is_bytes(const mmli_source *s)
{
    return s->bytes;
}

/* Which of n names are chosen: s->picks, s->left_out. */
static mml_status choose(mmli_source *s, char *const *names, size_t n, const char *skip)
{
    mml_status st = MML_OK;
    uint8_t *chosen = NULL, *left_out = NULL;

    MML_TRY(mmli_calloc(&chosen, n, 1));
    MML_TRY(mmli_calloc(&left_out, n, 1));
    MML_TRY(mmli_choose_columns(chosen, left_out, s->m, (const char *const *)names, n, skip));
    MML_TRY(mmli_calloc(&s->picks, n, sizeof *s->picks));
    MML_TRY(mmli_calloc(&s->left_out, n, sizeof *s->left_out));
    for (size_t i = 0; i < n; i++) {
        if (chosen[i])
            s->picks[s->n_picks++] = i;
        if (left_out[i])
            s->left_out[s->n_left_out++] = names[i];
    }
out:
    mmli_free(chosen);
    mmli_free(left_out);
    return st;
}

/* Two rows of one sample are a mistake, but for a bag, whose instances they are. */
static mml_status check_ids(mmli_source *s)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_CHECK(s->n_rows > 0, MML_E_DATA, "%s: modality %s: there are no rows", s->m->file, s->m->name);
    if (s->m->kind == MML_BAG && s->rank == 1)
        goto out;
    MML_TRY(mmli_index_make(&index, (const char *const *)s->ids, s->n_rows, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: rows %zu and %zu have the same id %s%s", s->m->file,
              s->lines != NULL ? s->lines[first] : first, s->lines != NULL ? s->lines[second] : second, s->ids[second],
              s->m->kind == MML_TABLE ? "; several rows a sample are kind = bag" : "");
out:
    mmli_index_free(&index);
    return st;
}

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

/* A file without a name in the folder where the output will be (there is room for it there, or nowhere). */
static mml_status open_spool(FILE **out, const char *beside)
{
    mml_status st = MML_OK;
    const char *slash = strrchr(beside, '/');
    char *name = NULL, text[MMLI_ERRNO_BYTES];
    int fd;

    MML_TRY(mmli_strf(&name, "%.*s.mmlego-import-XXXXXX", slash == NULL ? 0 : (int)(slash - beside) + 1, beside));
    fd = mkstemp(name);
    MML_CHECK(fd >= 0, MML_E_IO, "%s: no temporary file can be made beside it: %s", beside, mmli_errno_text(text, errno));
    unlink(name);
    if ((*out = fdopen(fd, "w+b")) == NULL) {
        st = mmli_fail(MML_E_NOMEM, "%s: out of memory", beside);
        close(fd);
    }
out:
    mmli_free(name);
    return st;
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;

    MML_TRY(mmli_calloc(&s->names_all, n, sizeof *s->names_all));
    for (; s->n_all < n; s->n_all++)
        MML_TRY(mmli_strdup(&s->names_all[s->n_all], cells[s->n_all].text));
    MML_TRY(mmli_csv_column(&s->id_at, s->m->file, (const char *const *)s->names_all, n, s->m->id));
    MML_TRY(choose(s, s->names_all, n, s->m->id));
    s->at = s->picks; /* places in the header; the rows that we keep have the picked ones only */
    s->picks = NULL;
    MML_TRY(mmli_calloc(&s->picks, s->n_picks, sizeof *s->picks));
    MML_TRY(mmli_calloc(&s->names, s->n_picks, sizeof *s->names));
    MML_TRY(mmli_calloc(&s->row, s->n_picks, sizeof *s->row));
    s->rank = 1;
    s->dims[0] = s->row_values = s->n_picks;
    for (size_t i = 0; i < s->n_picks; i++) {
        size_t only;

        s->picks[i] = i;
        MML_CHECK(mmli_bad_id(s->names_all[s->at[i]]) == NULL, MML_E_DATA, "%s: the name of column %zu: %s", s->m->file,
                  s->at[i] + 1, mmli_bad_id(s->names_all[s->at[i]]));
        MML_TRY(mmli_csv_column(&only, s->m->file, (const char *const *)s->names_all, n, s->names_all[s->at[i]]));
        MML_TRY(mmli_strdup(&s->names[i], s->names_all[s->at[i]]));
    }
out:
    return st;
}

static mml_status parse_cell(float *out, const mmli_source *s, size_t row, const char *column, const mmli_cell *cell)
{
    double x;

    if (mmli_parse_float(out, cell->text, cell->n)) {
        if (isfinite(*out))
            return MML_OK;
        return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a measurement; leave the cell empty if the "
                         "value is not known", s->m->file, row, column, cell->text);
    }
    if (mmli_is_missing(cell->text, cell->n)) {
        *out = NAN;
        return MML_OK;
    }
    if (mmli_parse_double(&x, cell->text, cell->n))
        return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: %.80s is too large for a 32-bit float", s->m->file, row, column,
                         cell->text);
    return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a number; a column of text is left out with columns "
                     "= all, -%s", s->m->file, row, column, cell->text, column);
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    const mmli_cell *id = &cells[s->id_at];
    char text[MMLI_ERRNO_BYTES];

    (void)n;
    MML_CHECK(mmli_bad_id(id->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s", s->m->file, row,
              s->m->id, mmli_bad_id(id->text));
    for (size_t i = 0; i < s->n_picks; i++)
        MML_TRY(parse_cell(&s->row[i], s, row, s->names[i], &cells[s->at[i]]));
    if (s->n_rows == s->cap_rows) {
        size_t cap = s->cap_rows;

        MML_TRY(mmli_grow(&s->lines, &cap, s->n_rows + 1, sizeof *s->lines));
        MML_TRY(mmli_grow(&s->ids, &s->cap_rows, s->n_rows + 1, sizeof *s->ids)); /* the same growth */
    }
    MML_TRY(mmli_strdup(&s->ids[s->n_rows], id->text));
    s->lines[s->n_rows++] = row;
    MML_CHECK(fwrite(s->row, sizeof *s->row, s->n_picks, s->spool) == s->n_picks, MML_E_IO,
              "%s: its temporary copy could not be written: %s", s->m->file, mmli_errno_text(text, errno));
out:
    return st;
}

static mml_status open_csv(mmli_source *s, const char *beside)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;

    MML_TRY(open_spool(&s->spool, beside));
    MML_TRY(mmli_csv_read(s->m->file, &handler, s));
    MML_CHECK(fflush(s->spool) == 0, MML_E_IO, "%s: its temporary copy could not be written; is the disk full?", s->m->file);
    MML_TRY(check_ids(s));
out:
    return st;
}

static mml_status csv_rows(float *out, const mmli_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    const size_t bytes = s->row_values * sizeof *out;

    for (size_t i = 0; i < n; i++) {
        MML_CHECK(fseeko(s->spool, (off_t)(spans[i].first * bytes), SEEK_SET) == 0 &&
                      fread(out + spans[i].to * s->row_values, bytes, spans[i].count, s->spool) == spans[i].count,
                  MML_E_IO, "%s: its temporary copy could not be read back", s->m->file);
    }
out:
    return st;
}

/* ---- HDF5 ----------------------------------------------------------------------------------------------------------------- */

static const char *wanted_shape(mml_modality_kind kind)
{
    switch (kind) {
    case MML_TABLE: return "(samples, features)";
    case MML_SERIES: return "(samples, steps, channels)";
    case MML_IMAGE: return "(samples, height, width) or (samples, height, width, channels)";
    case MML_BAG: return "(instances, features) or (samples, instances, features)";
    }
    return "";
}

/* Dimensions after the first, as kinds want them. */
static mml_status read_shape(mmli_source *s)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK] = {0};
    int rank;
    bool fits = false;

    MML_TRY(mmli_h5_shape(dims, &rank, s->file, s->m->file, s->m->dataset));
    switch (s->m->kind) {
    case MML_TABLE: fits = rank == 2; break;
    case MML_SERIES: fits = rank == 3; break;
    case MML_IMAGE: fits = rank == 3 || rank == 4; break;
    case MML_BAG: fits = rank == 2 || rank == 3; break;
    }
    MML_CHECK(fits, MML_E_SHAPE, "%s: %s has %d dimension%s; for a%s %s it must be %s", s->m->file, s->m->dataset,
              rank, rank == 1 ? "" : "s", s->m->kind == MML_IMAGE ? "n" : "", mmli_modality_kind_name(s->m->kind),
              wanted_shape(s->m->kind));
    if (s->m->kind == MML_IMAGE && rank == 3)
        dims[rank++] = 1; /* grey */
    s->rank = rank - 1;
    s->row_values = 1;
    for (int i = 1; i < rank; i++) {
        MML_CHECK(dims[i] > 0 && mmli_mul_size(&s->row_values, s->row_values, dims[i]), MML_E_SHAPE,
                  "%s: %s has an empty or too large dimension", s->m->file, s->m->dataset);
        s->dims[i - 1] = dims[i];
    }
    MML_CHECK(s->row_values <= (size_t)1 << 32, MML_E_SHAPE, "%s: %s: one row of %zu values is too large", s->m->file,
              s->m->dataset, s->row_values);
    s->cap_rows = dims[0];
out:
    return st;
}

/* Ids as text or as integers (which become their decimal text). */
static mml_status read_ids(mmli_source *s)
{
    mml_status st = MML_OK;
    hid_t set = -1, type = -1;
    int64_t *numbers = NULL;
    size_t n = 0;
    bool integer;

    mmli_h5_lock();
    MML_TRY(mmli_h5_dataset(&set, &n, 1, s->file, s->m->file, s->m->id));
    type = H5Dget_type(set);
    integer = type >= 0 && H5Tget_class(type) == H5T_INTEGER;
    if (!integer) {
        MML_TRY(mmli_h5_get_texts(&s->ids, &s->n_rows, s->file, s->m->file, s->m->id));
    } else {
        MML_TRY(mmli_h5_get_new(&numbers, MMLI_H5_I64, 1, &n, s->file, s->m->file, s->m->id));
        MML_TRY(mmli_calloc(&s->ids, n, sizeof *s->ids));
        for (; s->n_rows < n; s->n_rows++)
            MML_TRY(mmli_strf(&s->ids[s->n_rows], "%lld", (long long)numbers[s->n_rows]));
    }
    MML_CHECK(s->n_rows == s->cap_rows, MML_E_SHAPE, "%s: %s has %zu ids for the %zu rows of %s", s->m->file, s->m->id,
              s->n_rows, s->cap_rows, s->m->dataset);
    for (size_t i = 0; i < s->n_rows; i++)
        MML_CHECK(mmli_bad_id(s->ids[i]) == NULL, MML_E_DATA, "%s: %s: id %zu cannot be used: %s", s->m->file, s->m->id, i,
                  mmli_bad_id(s->ids[i]));
out:
    mmli_free(numbers);
    mmli_h5_drop(type);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

/* Names of the last dimension: from a data set, else c0, c1, ... */
static mml_status read_names(mmli_source *s)
{
    mml_status st = MML_OK;
    const size_t width = s->dims[s->rank - 1];
    char **names = NULL;
    size_t n = 0;
    mmli_index index = {0};
    size_t first, second;

    if (s->m->channels == NULL) {
        MML_TRY(mmli_calloc(&names, width, sizeof *names));
        for (; n < width; n++)
            MML_TRY(mmli_strf(&names[n], "c%zu", n));
    } else {
        MML_TRY(mmli_h5_get_texts(&names, &n, s->file, s->m->file, s->m->channels));
    }
    MML_CHECK(n == width, MML_E_SHAPE, "%s: %s has %zu names for the %zu channels of %s", s->m->file, s->m->channels, n, width,
              s->m->dataset);
    for (size_t i = 0; i < n; i++)
        MML_CHECK(mmli_bad_id(names[i]) == NULL, MML_E_DATA, "%s: %s: name %zu cannot be used: %s", s->m->file,
                  s->m->channels, i, mmli_bad_id(names[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)names, n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: %s: names %zu and %zu are both %s", s->m->file, s->m->channels, first,
              second, names[second]);
    s->names = names;
    names = NULL;
    MML_TRY(choose(s, s->names, n, NULL));
out:
    mmli_index_free(&index);
    mmli_h5_texts_free(names, n);
    return st;
}

static mml_status open_hdf5(mmli_source *s)
{
    mml_status st = MML_OK;
    hid_t type = -1;

    mmli_h5_lock();
    MML_TRY(mmli_h5_open(&s->file, s->m->file));
    MML_TRY(read_shape(s));
    MML_TRY(mmli_h5_dataset(&s->set, NULL, -1, s->file, s->m->file, s->m->dataset));
    type = H5Dget_type(s->set);
    MML_CHECK(type >= 0, MML_E_FORMAT, "%s: %s: damaged", s->m->file, s->m->dataset);
    s->bytes = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    MML_TRY(read_ids(s));
    MML_TRY(read_names(s));
    MML_TRY(check_ids(s));
out:
    mmli_h5_drop(type);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_source_open(mmli_source **out, const mmli_import_modality *modality, const char *beside)
{
    mml_status st = MML_OK;
    mmli_source *s = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&s, 1, sizeof *s));
    s->m = modality;
    s->file = s->set = -1;
    MML_TRY(modality->dataset == NULL ? open_csv(s, beside) : open_hdf5(s));
    *out = s;
    s = NULL;
out:
    mmli_source_close(s);
    return st;
}

mml_status mmli_source_rows(float *out, mmli_span *spans, size_t n, mmli_source *s)
{
    if (s->spool != NULL)
        return csv_rows(out, spans, n, s);
    return mmli_h5_gather(out, spans, n, s->row_values, s->set, s->m->file, s->m->dataset, &s->scratch);
}
