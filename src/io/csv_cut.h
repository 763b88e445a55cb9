/* csv_cut.h - one line of a CSV into its cells, as libcsv would cut it: the short way of nearly all lines. */
#ifndef MMLI_IO_CSV_CUT_H
#define MMLI_IO_CSV_CUT_H

#include <stdbool.h>

#include "io/csv.h"

typedef struct mmli_csv_cut {
    mmli_cell *cells; /* (n) lent until the next line */
    size_t n, cap;
    char *copy;       /* of a line with quotes: the cells are made in it */
    size_t cap_copy;
} mmli_csv_cut;

/* A line that ends in '\n' (line[n - 1]), of which nothing came before: no quote is open. No byte is '\0'. The cells are made in
 * place. *done = false, and the line is as it was: libcsv is needed, for a quoted cell goes on in the next line, a quote is out of
 * place, or a CR ends a line by itself. A blank line has no cells. */
mml_status mmli_csv_cut_line(bool *done, mmli_csv_cut *cut, char *line, size_t n, char delimiter);
void mmli_csv_cut_free(mmli_csv_cut *cut);

#endif
