/* kind_csv.c - a CSV, one row a piece.
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

#include "formats/zip.h"
#include "import/csv_look.h"
#include "import/probe.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct csv_source {
    mmli_sheet sheet;
    char *names_file, *ids_file; /* resolved */
    FILE *spool;      /* rows of the picked columns */
    char **names_all; /* of the header */
    size_t n_all, id_at;
    size_t *at;       /* (n_picks) places in the header */
    float *row;
    size_t cap_rows;
} csv_source;

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

/* The columns are chosen here: what the rows keep is only what was picked. */
static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    csv_source *c = s->state;
    size_t only;

    MML_TRY(mmli_calloc(&c->names_all, n, sizeof *c->names_all));
    for (; c->n_all < n; c->n_all++)
        MML_TRY(mmli_strdup(&c->names_all[c->n_all], cells[c->n_all].text));
    MML_TRY(mmli_csv_column(&c->id_at, s->m->file, (const char *const *)c->names_all, n, s->m->id));
    MML_TRY(mmli_source_choose(s, (const char *const *)c->names_all, n, c->names_all[c->id_at]));
    c->at = s->picks;
    s->picks = NULL;
    MML_TRY(mmli_calloc(&s->picks, s->n_picks, sizeof *s->picks));
    MML_TRY(mmli_calloc(&s->names, s->n_picks, sizeof *s->names));
    MML_TRY(mmli_calloc(&c->row, s->n_picks, sizeof *c->row));
    s->rank = 1;
    s->dims[0] = s->n_picks;
    for (size_t i = 0; i < s->n_picks; i++) {
        const char *name = c->names_all[c->at[i]];

        s->picks[i] = i;
        MML_CHECK(mmli_bad_id(name) == NULL, MML_E_DATA, "%s: the name of column %zu: %s", s->m->file, c->at[i] + 1,
                  mmli_bad_id(name));
        MML_TRY(mmli_csv_column(&only, s->m->file, (const char *const *)c->names_all, n, name));
        MML_TRY(mmli_strdup(&s->names[i], name));
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
    csv_source *c = s->state;
    const mmli_cell *id = &cells[c->id_at];
    char text[MMLI_ERRNO_BYTES];

    (void)n;
    MML_CHECK(mmli_bad_id(id->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s", s->m->file, row,
              s->m->id, mmli_bad_id(id->text));
    for (size_t i = 0; i < s->n_picks; i++) {
        c->row[i] = NAN; /* what stays of a cell that a check has found wrong */
        MML_TRY(mmli_problem(s->context->problems, parse_cell(&c->row[i], s, row, s->names[i], &cells[c->at[i]])));
    }
    if (s->n_pieces == c->cap_rows) {
        size_t cap = c->cap_rows;

        MML_TRY(mmli_grow(&s->lines, &cap, s->n_pieces + 1, sizeof *s->lines));
        MML_TRY(mmli_grow(&s->ids, &c->cap_rows, s->n_pieces + 1, sizeof *s->ids)); /* the same growth */
    }
    MML_TRY(mmli_strdup(&s->ids[s->n_pieces], id->text));
    s->lines[s->n_pieces++] = row;
    MML_CHECK(fwrite(c->row, sizeof *c->row, s->n_picks, c->spool) == s->n_picks, MML_E_IO,
              "%s: its temporary copy could not be written: %s", s->m->file, mmli_errno_text(text, errno));
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

static mml_status csv_open(mmli_source *s)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    csv_source *c;

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *c));
    c = s->state;
    MML_CHECK(s->m->kind == MML_TABLE || s->m->kind == MML_BAG, MML_E_FORMAT,
              "%s:%zu: [%s] a %s is read from an array in HDF5: dataset = %s is needed", s->m->ini_path, s->m->line,
              s->m->section->name, s->m->kind == MML_SERIES ? "series" : "image",
              s->m->kind == MML_SERIES ? "NAME of (samples, steps, channels)" : "NAME of (samples, height, width, channels)");
    MML_CHECK(s->m->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = the %s with the sample ids", s->m->ini_path, s->m->line,
              s->m->section->name, "column");
    MML_TRY(read_options(s, c));
    MML_TRY(open_spool(&c->spool, s->context->beside));
    MML_TRY(mmli_sheet_read(&c->sheet, &handler, s));
    MML_CHECK(fflush(c->spool) == 0, MML_E_IO, "%s: its temporary copy could not be written; is the disk full?", s->m->file);
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
    mmli_h5_texts_free(c->names_all, c->n_all);
    mmli_free(c->at);
    mmli_free(c->row);
    if (c->spool != NULL)
        fclose(c->spool);
    mmli_free(c);
}

static mml_status csv_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    const csv_source *c = s->state;
    const size_t width = s->dims[0], bytes = width * sizeof *values;

    (void)positions;
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(fseeko(c->spool, (off_t)(spans[i].piece * bytes), SEEK_SET) == 0 &&
                      fread(values + spans[i].to * width, bytes, 1, c->spool) == 1,
                  MML_E_IO, "%s: its temporary copy could not be read back", s->m->file);
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
static bool is_zipped_table(const mmli_probe *p)
{
    mmli_zip *zip = NULL;
    size_t at = 0, n;
    bool is = false;

    if (mmli_zip_open(&zip, p->path) == MML_OK && mmli_zip_single(&at, zip, "table") == MML_OK) {
        n = strlen(mmli_zip_member(zip, at)->name);
        is = n < 4 || strcmp(mmli_zip_member(zip, at)->name + n - 4, ".npy") != 0;
    }
    mmli_zip_close(zip);
    return is;
}

static mmli_sureness csv_probe(char *what, const mmli_probe *p)
{
    static const char *const endings[] = {".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"};
    bool named = false;

    if (p->folder)
        return MMLI_NOT;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        named = named || mmli_probe_ends(p, endings[i]);
    (void)snprintf(what, MMLI_WHAT_BYTES, "a table of text%s", p->text != p->bytes ? ", packed by gzip" : "");
    if (is_text(p))
        return !named && !has_delimiter(p) ? MMLI_NOT : named ? MMLI_LIKELY : MMLI_PERHAPS;
    if (mmli_probe_begins(p, "PK\3\4", 4)) {
        (void)snprintf(what, MMLI_WHAT_BYTES, "a table of text, alone in a zip archive");
        return is_zipped_table(p) ? MMLI_LIKELY : named ? MMLI_PERHAPS : MMLI_NOT;
    }
    /* Empty, UTF-16, damaged: the reader says what is wrong with it. */
    return named || p->size == 0 || mmli_probe_begins(p, "\xff\xfe", 2) || mmli_probe_begins(p, "\xfe\xff", 2)
               ? MMLI_PERHAPS
               : MMLI_NOT;
}

static const char *const keys[] = {"header", "names", "ids", NULL};

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
