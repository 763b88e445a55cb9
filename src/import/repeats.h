/* repeats.h - several rows of one sample in a table: a row for each slide, with what is known of the case in all of them.
 *
 * [cohort] repeats = COLUMN says so. The first row is the sample; the others must agree with it in every column that is read, but
 * for COLUMN itself, whose texts are joined. A table that disagrees with itself is an error and not a choice.
 */
#ifndef MMLI_IMPORT_REPEATS_H
#define MMLI_IMPORT_REPEATS_H

#include "import/import.h"

/* Leaves one row an id; fills table->other, the texts of `column` and their rows, if the table has it. MML_E_DATA names both
 * rows and the column in which they differ. */
mml_status mmli_table_fold(mmli_table *table, const char *column);

#endif
