/* kept.h - what a survey has read out of a CSV, so that an import of the same file does not read it again: numbers in an unnamed
 * file beside the output, 4 bytes a cell, and the texts of columns that may be ids or outcomes. */
#ifndef MMLI_IMPORT_KEPT_H
#define MMLI_IMPORT_KEPT_H

#include <math.h>

#include "import/rowfile.h"
#include "import/sheet.h"

typedef struct mmli_kept {
    const char *beside; /* lent: set it before; mmli_rowfile_open() */
    char *path;         /* NULL: nothing is kept, or not all of it yet */
    size_t n_rows, n_columns;
    char **names;       /* (n_columns) */
    size_t *lines;      /* (n_rows) as of mmli_csv_handler */
    size_t cap_lines;
    uint8_t *odd;       /* (n_columns) a cell is neither missing nor a number that float32 holds */
    char ***texts;      /* (n_columns) of (n_rows); NULL: not kept */
    mmli_rowfile rows;  /* (n_rows, n_columns) NaN = missing, or odd */
    float *row;         /* (n_columns) the next one */
} mmli_kept;

/* For who reads: the header; the cells of a row, then the row; texts of a column, which become its own; the end. */
mml_status mmli_kept_begin(mmli_kept *kept, const mmli_cell *names, size_t n);
/* x: NaN = missing; infinite, or too large for float32: odd. Here, for it is called for every cell. */
static inline void mmli_kept_cell(mmli_kept *kept, size_t column, double x)
{
    const float f = (float)x;

    kept->row[column] = isinf(f) ? NAN : f;
    kept->odd[column] |= isinf(f) != 0;
}
mml_status mmli_kept_row(mmli_kept *kept, size_t line);
void mmli_kept_texts(mmli_kept *kept, size_t column, char **texts);
mml_status mmli_kept_end(mmli_kept *kept, const char *path);
void mmli_kept_free(mmli_kept *kept);

/* For who reads it again. Is this all that the sheet would read? `kept` may be NULL. */
bool mmli_kept_is(const mmli_kept *kept, const mmli_sheet *sheet);
/* The header as mmli_sheet_read() gives it, with the added columns, which are not kept. */
mml_status mmli_kept_header(const mmli_kept *kept, const mmli_csv_handler *handler, void *user);
bool mmli_kept_has_texts(const mmli_kept *kept, size_t column);
mmli_cell mmli_kept_text(const mmli_kept *kept, size_t row, size_t column); /* of a column that has texts */
bool mmli_kept_has_numbers(const mmli_kept *kept, size_t column);

#endif
