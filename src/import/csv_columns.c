/* csv_columns.c - a CSV whose samples are columns (orientation = columns), as genomics often writes them: the first column
 * has the names of the features, the header the ids.
 *
 * It is read feature by feature into one temporary file and turned round, a tile at a time, into another, from which samples are
 * read: whatever its size, no more than a tile is in memory. */
#include <string.h>

#include "import/csv_values.h"
#include "import/rowfile.h"
#include "util/alloc.h"
#include "util/error.h"

enum { TILE_BYTES = 32 << 20 };

typedef struct columns_source {
    mmli_rowfile by_feature, by_sample;
    float *row;      /* (samples) */
    size_t cap_names;
} columns_source;

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    columns_source *c = s->state;

    MML_CHECK(n >= 2, MML_E_FORMAT, "%s: has no columns besides the names of the features", s->m->file);
    MML_TRY(mmli_calloc(&s->ids, n - 1, sizeof *s->ids));
    MML_TRY(mmli_calloc(&c->row, n - 1, sizeof *c->row));
    for (; s->n_pieces < n - 1; s->n_pieces++) {
        const char *id = cells[s->n_pieces + 1].text;

        MML_CHECK(mmli_bad_id(id) == NULL, MML_E_DATA, "%s: column %zu: its name, the id of a sample, cannot be used: %s", s->m->file,
                  s->n_pieces + 2, mmli_bad_id(id));
        MML_TRY(mmli_strdup(&s->ids[s->n_pieces], id));
    }
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    columns_source *c = s->state;

    for (size_t i = 1; i < n; i++)
        MML_TRY(mmli_problem(s->context->problems, mmli_csv_number(&c->row[i - 1], s->m->file, row, s->ids[i - 1], &cells[i])));
    MML_TRY(mmli_rowfile_add(&c->by_feature, c->row, s->n_pieces));
    MML_TRY(mmli_grow(&s->names, &c->cap_names, s->dims[0] + 1, sizeof *s->names));
    MML_TRY(mmli_strdup(&s->names[s->dims[0]], cells[0].text));
    s->rank = 1; /* dims and names are one from here */
    s->dims[0]++;
out:
    return st;
}

/* (features, samples) -> (samples, features), a band of samples at a time. */
static mml_status turn(const mmli_source *s, columns_source *c)
{
    mml_status st = MML_OK;
    const size_t n = s->n_pieces, width = s->dims[0];
    size_t band = (size_t)TILE_BYTES / sizeof(float) / width;
    float *tile = NULL;

    band = band == 0 ? 1 : band < n ? band : n;
    MML_TRY(mmli_calloc(&tile, band, width * sizeof *tile));
    for (size_t at = 0, count; at < n; at += count) {
        count = n - at < band ? n - at : band;
        for (size_t f = 0; f < width; f++) {
            MML_TRY(mmli_rowfile_get(c->row, &c->by_feature, f * n + at, count));
            for (size_t i = 0; i < count; i++)
                tile[i * width + f] = c->row[i];
        }
        MML_TRY(mmli_rowfile_add(&c->by_sample, tile, count * width));
    }
    MML_TRY(mmli_rowfile_finish(&c->by_sample));
out:
    mmli_free(tile);
    return st;
}

static mml_status columns_open(mmli_source *s)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    static const char *const others[] = {"header", "names", "ids", "categorical"};
    mml_status st = MML_OK;
    columns_source *c = NULL;

    MML_TRY(mmli_calloc(&c, 1, sizeof *c));
    s->state = c;
    MML_CHECK(s->m->kind == MML_TABLE, MML_E_FORMAT, "%s:%zu: [%s] orientation = columns is for a table", s->m->ini_path, s->m->line,
              s->m->section->name);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (mmli_source_option(s, others[i]) != NULL) {
            st = mmli_source_bad_option(s, others[i], "cannot be had with orientation = columns");
            goto out;
        }
    MML_CHECK(s->m->n_more == 0, MML_E_FORMAT, "%s:%zu: [%s] orientation = columns is for one file", s->m->ini_path, s->m->line,
              s->m->section->name);
    MML_TRY(mmli_rowfile_open(&c->by_feature, s->context->beside));
    MML_TRY(mmli_rowfile_open(&c->by_sample, s->context->beside));
    MML_TRY(mmli_csv_file_read(s->m->file, &handler, s));
    MML_CHECK(s->dims[0] > 0, MML_E_DATA, "%s: has a header but no rows", s->m->file);
    MML_TRY(mmli_rowfile_finish(&c->by_feature));
    MML_TRY(turn(s, c));
    mmli_rowfile_close(&c->by_feature);
out:
    return st;
}

static void columns_close(mmli_source *s)
{
    columns_source *c = s->state;

    if (c == NULL)
        return;
    mmli_rowfile_close(&c->by_feature);
    mmli_rowfile_close(&c->by_sample);
    mmli_free(c->row);
    mmli_free(c);
}

static mml_status columns_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    const columns_source *c = s->state;
    const size_t width = s->dims[0];

    (void)positions;
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_rowfile_get(values + spans[i].to * width, &c->by_sample, spans[i].piece * width, width));
out:
    return st;
}

const mmli_source_kind mmli_kind_csv_columns = {
    .name = "csv",
    .what = "a table of text (CSV) whose samples are columns",
    .open = columns_open,
    .close = columns_close,
    .read = columns_read,
};
