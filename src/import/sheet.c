/* sheet.c - see sheet.h. */
#include "import/sheet.h"

#include <stdio.h>
#include <string.h>

#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

bool mmli_sheet_is_index(const char *name)
{
    return name[0] == '\0' || strncmp(name, "Unnamed: ", 9) == 0 || strcmp(name, "@row") == 0 || strcmp(name, "@file") == 0 ||
           strcmp(name, "@ids") == 0;
}

/* ---- files of one text a line ------------------------------------------------------------------------------------------------ */

typedef struct lines {
    char **text;
    size_t n, cap;
} lines;

static mml_status add_line(lines *l, const mmli_cell *cells)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&l->text, &l->cap, l->n + 1, sizeof *l->text));
    l->text[l->n] = NULL;
    l->n++;
    MML_TRY(mmli_strdup(&l->text[l->n - 1], cells[0].text));
out:
    return st;
}

static mml_status lines_header(void *user, const mmli_cell *cells, size_t n)
{
    (void)n;
    return add_line(user, cells);
}

static mml_status lines_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)row;
    (void)n;
    return add_line(user, cells);
}

static mml_status read_lines(lines *l, const char *path)
{
    static const mmli_csv_handler handler = {lines_header, lines_row};

    return path != NULL ? mmli_csv_file_read(path, &handler, l) : MML_OK;
}

/* ---- the table ---------------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    const mmli_sheet *sheet;
    const mmli_csv_handler *handler;
    void *user;
    const char *path; /* of the file being read */
    char *stem;
    lines header, names, ids;
    size_t width, rows;
    mmli_cell *cells; /* (width + 3) */
} reading;

/* "/data/1_tr.csv.gz" -> "1_tr" */
static mml_status make_stem(char **out, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const size_t n = strcspn(base, ".");

    return mmli_strf(out, "%.*s", n > 0 ? (int)n : (int)strlen(base), base);
}

static mmli_cell cell_of(const char *text)
{
    return (mmli_cell){text, strlen(text)};
}

static mml_status pass_row(reading *r, size_t row, const mmli_cell *cells)
{
    mml_status st = MML_OK;
    char number[24];
    size_t n = r->width;

    memcpy(r->cells, cells, r->width * sizeof *cells);
    MML_CHECK(r->sheet->ids == NULL || r->rows < r->ids.n, MML_E_DATA, "%s: has %zu ids, fewer than the rows of %s",
              r->sheet->ids, r->ids.n, r->path);
    (void)snprintf(number, sizeof number, "%zu", r->rows + 1);
    r->cells[n++] = cell_of(number);
    r->cells[n++] = cell_of(r->stem);
    if (r->sheet->ids != NULL)
        r->cells[n++] = cell_of(r->ids.text[r->rows]);
    r->rows++;
    MML_TRY(r->handler->row(r->user, row, r->cells, n));
out:
    return st;
}

/* The name of column i, from wherever it is. */
static mml_status add_name(reading *r, const mmli_cell *cells, size_t i)
{
    mml_status st = MML_OK;
    char *text = NULL;

    if (r->sheet->no_header && r->sheet->names == NULL)
        MML_TRY(mmli_strf(&text, "c%zu", i + 1));
    else
        MML_TRY(mmli_strdup(&text, r->sheet->no_header ? r->names.text[i] : cells[i].text));
    r->header.text[r->header.n++] = text;
out:
    return st;
}

static mml_status first_header(reading *r, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    size_t most = n;

    MML_CHECK(r->sheet->names == NULL || r->names.n == n, MML_E_FORMAT, "%s: has %zu names for the %zu columns of %s",
              r->sheet->names, r->names.n, n, r->path);
    MML_TRY(mmli_calloc(&r->header.text, n, sizeof *r->header.text));
    MML_TRY(mmli_calloc(&r->cells, n + 3, sizeof *r->cells));
    r->width = n;
    for (size_t i = 0; i < n; i++)
        MML_TRY(add_name(r, cells, i));
    for (size_t i = 0; i < n; i++)
        r->cells[i] = cell_of(r->header.text[i]);
    r->cells[most++] = cell_of("@row");
    r->cells[most++] = cell_of("@file");
    if (r->sheet->ids != NULL)
        r->cells[most++] = cell_of("@ids");
    MML_TRY(r->handler->header(r->user, r->cells, most));
out:
    return st;
}

static mml_status check_header(const reading *r, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;

    MML_CHECK(n == r->width, MML_E_FORMAT, "%s: has %zu columns, %s has %zu", r->path, n, r->sheet->path, r->width);
    for (size_t i = 0; i < n && !r->sheet->no_header; i++)
        MML_CHECK(strcmp(cells[i].text, r->header.text[i]) == 0, MML_E_FORMAT, "%s: column %zu is %.80s, in %s it is %.80s", r->path,
                  i + 1, cells[i].text, r->sheet->path, r->header.text[i]);
out:
    return st;
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;

    MML_TRY(r->header.text == NULL ? first_header(r, cells, n) : check_header(r, cells, n));
    if (r->sheet->no_header)
        MML_TRY(pass_row(r, 1, cells));
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)n;
    return pass_row(user, row, cells);
}

mml_status mmli_sheet_read(const mmli_sheet *sheet, const mmli_csv_handler *handler, void *user)
{
    static const mmli_csv_handler own = {on_header, on_row};
    mml_status st = MML_OK;
    reading r = {.sheet = sheet, .handler = handler, .user = user};

    MML_TRY(read_lines(&r.names, sheet->names));
    MML_TRY(read_lines(&r.ids, sheet->ids));
    for (size_t i = 0; i <= sheet->n_more; i++) {
        r.path = i == 0 ? sheet->path : sheet->more[i - 1];
        mmli_free(r.stem);
        r.stem = NULL;
        MML_TRY(make_stem(&r.stem, r.path));
        MML_TRY(mmli_csv_file_read(r.path, &own, &r));
    }
    MML_CHECK(sheet->ids == NULL || r.rows == r.ids.n, MML_E_DATA, "%s: has %zu ids for the %zu rows of %s", sheet->ids, r.ids.n,
              r.rows, sheet->path);
out:
    mmli_free(r.stem);
    mmli_free(r.cells);
    mmli_h5_texts_free(r.header.text, r.header.n);
    mmli_h5_texts_free(r.names.text, r.names.n);
    mmli_h5_texts_free(r.ids.text, r.ids.n);
    return st;
}
