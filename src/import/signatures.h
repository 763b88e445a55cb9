/* signatures.h - a table of genes as one token for each signature (pathway): MCAT's signatures.csv, a column of genes each, or
 * SurvPath's compositions, a row for each gene with 0 and 1.
 *
 * All tokens have the same features, the genes of any signature; a token has values for its own genes and NaN for the others. So a
 * gene is one feature wherever it occurs, with one mean and one deviation, and what is not of the signature becomes the mean: 0
 * after standardising. (Padding to the widest would average different genes.) */
#ifndef MMLI_IMPORT_SIGNATURES_H
#define MMLI_IMPORT_SIGNATURES_H

#include <stdbool.h>

#include "util/text.h"

typedef struct mmli_signatures {
    size_t n, width;  /* signatures that have a column; columns that are in one */
    size_t *columns;  /* (width) places among the columns given, in the order of the bytes of their names */
    uint8_t *member;  /* (n, width) 0/1 */
} mmli_signatures;

/* Columns are genes, with the suffix _mut, _cnv, _rnaseq, _rna or none. What was found goes to notes. MML_E_DATA: no column is in a
 * signature; MML_E_IO, MML_E_FORMAT: of the file. */
mml_status mmli_signatures_read(mmli_signatures *out, mmli_buf *notes, const char *path, const char *const *columns, size_t n);
void mmli_signatures_free(mmli_signatures *s); /* {0} is fine */

#endif
