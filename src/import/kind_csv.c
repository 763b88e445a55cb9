/* kind_csv.c - a CSV, one row a piece.
 *
 * Tokens are written in the order of the labels file; a CSV is in an order of its own and can only be read from
 * its beginning. So its numbers go through an unnamed file beside the output: parsed once, read back by row,
 * whatever the size.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/zip.h"
#include "import/csv_look.h"
#include "import/csv_values.h"
#include "import/mcat.h"
#include "import/probe.h"
#include "import/rowfile.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct csv_source {
    mmli_sheet sheet;
    char *names_file, *ids_file; /* resolved */
    mmli_rowfile rows; /* rows of the chosen columns, a number a cell */
    char **names;     /* (n_names) of the header */
    size_t n_names, id_at;
    mmli_csv_values values;
    const mmli_kept *kept; /* the numbers are there and not in `rows`; NULL: they are not */
    float *row, *wide;     /* of the chosen columns; of all that are kept */
    size_t cap_rows;
    size_t *place; /* (n_pieces) row of each piece, when some rows were the same sample again; NULL: its own */
} csv_source;

/* No id column, and cells of the header that are ids of samples: rows and columns are the other way round. */
static mml_status find_id(csv_source *c, const mmli_source *s)
{
    const mml_status st = mmli_csv_column(&c->id_at, s->m->file, (const char *const *)c->names, c->n_names, s->m->id);
    size_t met = 0;

    if (st == MML_E_NOT_FOUND && c->ids_file != NULL)
        return mmli_fail(MML_E_NOT_FOUND, "%s: modality %s: no column %s; the ids of ids = %s are the column @ids: say id = @ids", s->m->file,
                         s->m->name, s->m->id, mmli_source_option(s, "ids"));
    for (size_t i = 0; st == MML_E_NOT_FOUND && s->context->samples != NULL && i < c->n_names; i++)
        met += mmli_index_find(s->context->samples, c->names[i], strlen(c->names[i])) != SIZE_MAX;
    if (met == 0)
        return st;
    return mmli_fail(MML_E_DATA, "%s: modality %s: no column %s, but %zu names of columns are ids of samples: if the samples are the "
                     "columns, orientation = columns", s->m->file, s->m->name, s->m->id, met);
}

/* The columns are chosen here: what the rows keep is only what was picked. */
static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    csv_source *c = s->state;

    if (c->names != NULL) /* the file is read after all (from_kept) */
        return MML_OK;
    MML_TRY(mmli_calloc(&c->names, n, sizeof *c->names));
    for (; c->n_names < n; c->n_names++)
        MML_TRY(mmli_strdup(&c->names[c->n_names], cells[c->n_names].text));
    MML_TRY(find_id(c, s));
    MML_TRY(mmli_csv_values_make(&c->values, s, c->names, n, c->names[c->id_at]));
    MML_TRY(mmli_calloc(&c->row, c->values.n, sizeof *c->row));
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    csv_source *c = s->state;
    const mmli_cell *id = &cells[c->id_at];

    (void)n;
    MML_CHECK(mmli_bad_id(id->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s", s->m->file, row,
              s->m->id, mmli_bad_id(id->text));
    for (size_t i = 0; i < c->values.n; i++)
        MML_TRY(mmli_problem(s->context->problems,
                             mmli_csv_value(&c->row[i], &c->values, i, s, row, &cells[c->values.at[i]])));
    if (s->n_pieces == c->cap_rows) {
        size_t cap = c->cap_rows;

        MML_TRY(mmli_grow(&s->lines, &cap, s->n_pieces + 1, sizeof *s->lines));
        MML_TRY(mmli_grow(&s->ids, &c->cap_rows, s->n_pieces + 1, sizeof *s->ids)); /* the same growth */
    }
    MML_TRY(mmli_strdup(&s->ids[s->n_pieces], id->text));
    s->lines[s->n_pieces++] = row;
    MML_TRY(mmli_rowfile_add(&c->rows, c->row, c->values.n));
out:
    return st;
}

/* The keys of this format. */
static mml_status read_options(mmli_source *s, csv_source *c)
{
    mml_status st = MML_OK;
    const char *header = mmli_source_option(s, "header"), *names = mmli_source_option(s, "names"), *ids = mmli_source_option(s, "ids");
    bool has = true;

    c->sheet = (mmli_sheet){.path = s->m->file, .more = s->m->more, .n_more = s->m->n_more};
    if (header != NULL && !mmli_parse_bool(&has, header, strlen(header))) {
        st = mmli_source_bad_option(s, "header", "yes or no is needed");
        goto out;
    }
    c->sheet.no_header = !has;
    if (names != NULL && has) {
        st = mmli_source_bad_option(s, "names", "is for files without a header (header = no)");
        goto out;
    }
    if (names != NULL)
        MML_TRY(mmli_import_file_name(&c->names_file, s->context->config, names));
    if (ids != NULL)
        MML_TRY(mmli_import_file_name(&c->ids_file, s->context->config, ids));
    c->sheet.names = c->names_file;
    c->sheet.ids = c->ids_file;
out:
    return st;
}

/* The numbers of a row that was read. */
static mml_status get_row(float *out, const csv_source *c, size_t row)
{
    mml_status st = MML_OK;

    if (c->kept == NULL)
        return mmli_rowfile_get(out, &c->rows, row * c->values.n, c->values.n);
    MML_TRY(mmli_rowfile_get(c->wide, &c->kept->rows, row * c->kept->n_columns, c->kept->n_columns));
    for (size_t i = 0; i < c->values.n; i++)
        out[i] = c->wide[c->values.at[i]];
out:
    return st;
}

/* Are ids and numbers kept, and nothing is wrong with them? */
static bool has_kept(const csv_source *c, const mmli_kept *k)
{
    if (!mmli_kept_has_texts(k, c->id_at))
        return false;
    for (size_t i = 0; i < c->values.n; i++)
        if (c->values.categorical[i] || !mmli_kept_has_numbers(k, c->values.at[i]))
            return false;
    for (size_t i = 0; i < k->n_rows; i++)
        if (mmli_bad_id(mmli_kept_text(k, i, c->id_at).text) != NULL)
            return false;
    return true;
}

/* Without the file. *done = false: it must be read, for texts or for the message. */
static mml_status from_kept(bool *done, mmli_source *s, const mmli_csv_handler *handler, const mmli_kept *k)
{
    mml_status st = MML_OK;
    csv_source *c = s->state;

    *done = false;
    MML_TRY(mmli_kept_header(k, handler, s));
    if (!has_kept(c, k))
        goto out;
    MML_TRY(mmli_calloc(&c->wide, k->n_columns, sizeof *c->wide));
    MML_TRY(mmli_calloc(&s->ids, k->n_rows, sizeof *s->ids));
    MML_TRY(mmli_calloc(&s->lines, k->n_rows, sizeof *s->lines));
    for (; s->n_pieces < k->n_rows; s->n_pieces++) {
        MML_TRY(mmli_strdup(&s->ids[s->n_pieces], mmli_kept_text(k, s->n_pieces, c->id_at).text));
        s->lines[s->n_pieces] = k->lines[s->n_pieces];
    }
    c->kept = k;
    *done = true;
out:
    return st;
}

/* Rows of one sample must agree in what was picked; message names the first column that does not. */
static mml_status check_same(const mmli_source *s, size_t first, size_t again, const float *a, const float *b)
{
    const csv_source *c = s->state;

    for (size_t i = 0; i < c->values.n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i])))
            return mmli_fail(MML_E_DATA, "%s: rows %zu and %zu are both %s, but differ in column %s; rows of one sample must agree "
                             "(several different rows a sample are kind = bag)", s->m->file, s->lines[first], s->lines[again],
                             s->ids[again], c->values.names[i]);
    return MML_OK;
}

/* One piece a sample: the first row of each (repeats.h). */
static mml_status fold(mmli_source *s)
{
    mml_status st = MML_OK;
    csv_source *c = s->state;
    mmli_index index = {0};
    size_t first, second, n = 0;
    float *row = NULL;
    uint8_t *again = NULL;

    MML_TRY(mmli_index_make(&index, (const char *const *)s->ids, s->n_pieces, &first, &second));
    if (first == SIZE_MAX)
        goto out;
    MML_TRY(mmli_calloc(&row, c->values.n, sizeof *row));
    MML_TRY(mmli_calloc(&again, s->n_pieces, 1));
    MML_TRY(mmli_calloc(&c->place, s->n_pieces, sizeof *c->place));
    for (size_t i = 0; i < s->n_pieces; i++) {
        const size_t at = mmli_index_find(&index, s->ids[i], strlen(s->ids[i]));

        if (at == i)
            continue;
        again[i] = 1;
        MML_TRY(get_row(row, c, at));
        MML_TRY(get_row(c->row, c, i));
        MML_TRY(mmli_problem(s->context->problems, check_same(s, at, i, row, c->row)));
    }
    for (size_t i = 0; i < s->n_pieces; i++) {
        if (again[i]) {
            mmli_free(s->ids[i]);
            continue;
        }
        s->ids[n] = s->ids[i];
        s->lines[n] = s->lines[i];
        c->place[n++] = i;
    }
    MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s that came before, with the same values\n", s->n_pieces - n,
                            mmli_by_number(s->n_pieces - n, "row is a sample", "rows are samples")));
    s->n_pieces = n;
out:
    mmli_index_free(&index);
    mmli_free(row);
    mmli_free(again);
    return st;
}

static mml_status csv_open(mmli_source *s)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    static const char *const ways[] = {"rows", "columns"};
    mml_status st = MML_OK;
    const char *way = mmli_source_option(s, "orientation");
    bool done = false;
    csv_source *c;

    if (way != NULL && strcmp(way, ways[1]) == 0) {
        s->kind = &mmli_kind_csv_columns;
        return s->kind->open(s);
    }
    if (way != NULL && strcmp(way, ways[0]) != 0)
        return mmli_source_bad_option(s, "orientation", "rows (a sample is a row) or columns (a sample is a column) is needed");

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *c));
    c = s->state;
    MML_CHECK(s->m->kind == MML_TABLE || s->m->kind == MML_BAG, MML_E_FORMAT,
              "%s:%zu: [%s] a %s is read from an array in HDF5: dataset = %s is needed", s->m->ini_path, s->m->line,
              s->m->section->name, s->m->kind == MML_SERIES ? "series" : "image",
              s->m->kind == MML_SERIES ? "NAME of (samples, steps, channels)" : "NAME of (samples, height, width, channels)");
    MML_CHECK(s->m->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = %s", s->m->ini_path, s->m->line,
              s->m->section->name, mmli_source_option(s, "ids") != NULL ? "@ids, the column of what is in the file of ids"
                                                                         : "the column with the sample ids");
    MML_TRY(read_options(s, c));
    if (mmli_kept_is(s->context->kept, &c->sheet))
        MML_TRY(from_kept(&done, s, &handler, s->context->kept));
    if (!done) {
        MML_TRY(mmli_rowfile_open(&c->rows, s->context->beside));
        MML_TRY(mmli_sheet_read(&c->sheet, &handler, s));
        MML_TRY(mmli_rowfile_finish(&c->rows));
    }
    if (s->m->kind == MML_TABLE && s->context->config->repeats != NULL)
        MML_TRY(fold(s));
    MML_TRY(mmli_csv_values_finish(&c->values, s));
out:
    return st;
}

static void csv_close(mmli_source *s)
{
    csv_source *c = s->state;

    if (c == NULL)
        return;
    mmli_free(c->names_file);
    mmli_free(c->ids_file);
    mmli_h5_texts_free(c->names, c->n_names);
    mmli_csv_values_free(&c->values);
    mmli_free(c->row);
    mmli_free(c->wide);
    mmli_free(c->place);
    mmli_rowfile_close(&c->rows);
    mmli_free(c);
}

static mml_status csv_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    const csv_source *c = s->state;

    (void)positions;
    for (size_t i = 0; i < n; i++) {
        const size_t row = c->place != NULL ? c->place[spans[i].piece] : spans[i].piece;

        MML_TRY(get_row(c->row, c, row));
        mmli_csv_values_expand(values + spans[i].to * s->dims[0], &c->values, c->row);
    }
out:
    return st;
}

/* No control characters but blanks and line ends in what is seen of it. */
static bool is_text(const mmli_probe *p)
{
    for (size_t i = 0; i < p->n_text; i++) {
        const unsigned char c = p->text[i];

        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return false;
    }
    return p->n_text > 0;
}

/* Something that divides cells in the first line? */
static bool has_delimiter(const mmli_probe *p)
{
    for (size_t i = 0; i < p->n_text && p->text[i] != '\n'; i++)
        if (p->text[i] == ',' || p->text[i] == '\t' || p->text[i] == ';')
            return true;
    return false;
}

/* A zip with one file in it, that is no array. */
static mml_status is_zipped_table(bool *out, const mmli_probe *p)
{
    mml_status st = MML_OK;
    mmli_zip *zip = NULL;
    size_t at = 0, n;

    *out = false;
    MML_TRY(mmli_zip_open(&zip, p->path));
    MML_TRY(mmli_zip_single(&at, zip, "table"));
    n = strlen(mmli_zip_member(zip, at)->name);
    *out = n < 4 || strcmp(mmli_zip_member(zip, at)->name + n - 4, ".npy") != 0;
out:
    mmli_zip_close(zip);
    return mmli_probe_failure(st);
}

static mml_status csv_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    static const char *const endings[] = {".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"};
    mml_status st = MML_OK;
    bool named = false, table;

    if (p->folder)
        goto out;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        named = named || mmli_probe_ends(p, endings[i]);
    (void)snprintf(what, MMLI_WHAT_BYTES, "a table of text%s", p->text != p->bytes ? ", packed by gzip" : "");
    if (is_text(p)) {
        *out = !named && !has_delimiter(p) ? MMLI_NOT : named ? MMLI_LIKELY : MMLI_PERHAPS;
    } else if (mmli_probe_begins(p, "PK\3\4", 4)) {
        (void)snprintf(what, MMLI_WHAT_BYTES, "a table of text, alone in a zip archive");
        MML_TRY(is_zipped_table(&table, p));
        *out = table ? MMLI_LIKELY : named ? MMLI_PERHAPS : MMLI_NOT;
    } else if (named || p->size == 0 || mmli_probe_begins(p, "\xff\xfe", 2) || mmli_probe_begins(p, "\xfe\xff", 2)) {
        *out = MMLI_PERHAPS; /* empty, UTF-16, damaged: the reader says what is wrong with it */
    }
out:
    return st;
}

static const char *const keys[] = {"header", "names", "ids", "orientation", "categorical", NULL};

/* csv_columns.c is open of the other orientation. */
const mmli_source_kind mmli_kind_csv = {
    .name = "csv",
    .what = "a table of text (CSV)",
    .keys = keys,
    .probe = csv_probe,
    .open = csv_open,
    .close = csv_close,
    .read = csv_read,
    .inspect = mmli_csv_inspect,
    .suggest = mmli_csv_suggest,
    .texts = mmli_csv_texts,
};

/* What `csv` finds out by itself, to be asked for by name: then a table of another layout is refused. */
static mml_status never(mmli_sureness *out, char *what, const mmli_probe *p)
{
    (void)out;
    (void)what;
    (void)p;
    return MML_OK;
}

const mmli_source_kind mmli_kind_mcat = {
    .name = "mcat",
    .what = "a wide table of MCAT or PORPOISE (CSV)",
    .keys = keys,
    .probe = never,
    .open = csv_open,
    .close = csv_close,
    .read = csv_read,
    .inspect = mmli_csv_inspect,
    .suggest = mmli_mcat_suggest_file,
    .texts = mmli_csv_texts,
};
