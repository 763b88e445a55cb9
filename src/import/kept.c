/* kept.c - see kept.h. */
#include "import/kept.h"

#include <string.h>

#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- kept --------------------------------------------------------------------------------------------------------------------- */

mml_status mmli_kept_begin(mmli_kept *k, const mmli_cell *names, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&k->names, n, sizeof *k->names));
    MML_TRY(mmli_calloc(&k->odd, n, 1));
    MML_TRY(mmli_calloc(&k->texts, n, sizeof *k->texts));
    MML_TRY(mmli_calloc(&k->row, n, sizeof *k->row));
    for (; k->n_columns < n; k->n_columns++)
        MML_TRY(mmli_strdup(&k->names[k->n_columns], names[k->n_columns].text));
    MML_TRY(mmli_rowfile_open(&k->rows, k->beside));
out:
    return st;
}

mml_status mmli_kept_row(mmli_kept *k, size_t line)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&k->lines, &k->cap_lines, k->n_rows + 1, sizeof *k->lines));
    k->lines[k->n_rows++] = line;
    MML_TRY(mmli_rowfile_add(&k->rows, k->row, k->n_columns));
out:
    return st;
}

void mmli_kept_texts(mmli_kept *k, size_t column, char **texts)
{
    k->texts[column] = texts;
}

mml_status mmli_kept_end(mmli_kept *k, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_rowfile_finish(&k->rows));
    MML_TRY(mmli_strdup(&k->path, path));
out:
    return st;
}

void mmli_kept_free(mmli_kept *k)
{
    for (size_t i = 0; i < k->n_columns; i++)
        mmli_h5_texts_free(k->texts[i], k->n_rows);
    mmli_h5_texts_free(k->names, k->n_columns);
    mmli_free(k->texts);
    mmli_free(k->odd);
    mmli_free(k->row);
    mmli_free(k->lines);
    mmli_free(k->path);
    mmli_rowfile_close(&k->rows);
    *k = (mmli_kept){0};
}

/* ---- read again --------------------------------------------------------------------------------------------------------------- */

bool mmli_kept_is(const mmli_kept *k, const mmli_sheet *sheet)
{
    return k != NULL && k->path != NULL && strcmp(k->path, sheet->path) == 0 && sheet->n_more == 0 && !sheet->no_header &&
           sheet->names == NULL && sheet->ids == NULL;
}

mml_status mmli_kept_header(const mmli_kept *k, const mmli_csv_handler *handler, void *user)
{
    mml_status st = MML_OK;
    mmli_cell *cells = NULL;
    size_t n = k->n_columns;

    MML_TRY(mmli_calloc(&cells, n + 2, sizeof *cells));
    for (size_t i = 0; i < n; i++)
        cells[i] = (mmli_cell){k->names[i], strlen(k->names[i])};
    cells[n++] = (mmli_cell){"@row", 4};
    cells[n++] = (mmli_cell){"@file", 5};
    MML_TRY(handler->header(user, cells, n));
out:
    mmli_free(cells);
    return st;
}

bool mmli_kept_has_texts(const mmli_kept *k, size_t column)
{
    return column < k->n_columns && k->texts[column] != NULL;
}

mmli_cell mmli_kept_text(const mmli_kept *k, size_t row, size_t column)
{
    const char *text = k->texts[column][row];

    return (mmli_cell){text, strlen(text)};
}

bool mmli_kept_has_numbers(const mmli_kept *k, size_t column)
{
    return column < k->n_columns && !k->odd[column];
}
