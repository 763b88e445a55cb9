/* folds.h - files that list who is in which part of a division, as MCAT, PORPOISE, SurvPath and CLAM write them: a column for each of
 * train, val and test with ids in its cells, or a row for each id with True and False. */
#ifndef MMLI_IMPORT_FOLDS_H
#define MMLI_IMPORT_FOLDS_H

#include "import/import.h"
#include "io/index.h"

typedef struct mmli_folds {
    char *name;     /* of the text column: "splits_0.csv" and "splits_0_bool.csv" -> split_0, others by the file; own */
    char **parts;   /* (n samples) "train", "val", "test", "" = in none; the texts are constants */
    size_t count[4]; /* in train, val, test, in none */
} mmli_folds;

/* Has it such a header: train, and val or test, and at most an index? MML_E_IO, MML_E_FORMAT. */
mml_status mmli_is_folds(bool *out, const char *path);
/* ids (n): the samples, of which `samples` is the index. Cells are ids, or texts of labels->other (slides), with or without .svs.
 * MML_E_NOT_FOUND: an id of nobody; MML_E_DATA: a sample in two parts; MML_E_FORMAT: CLAM's table of counts. */
mml_status mmli_folds_read(mmli_folds *out, const char *path, const mmli_index *samples, char *const *ids, size_t n,
                           const mmli_table *labels);
void mmli_folds_free(mmli_folds *folds); /* {0} is fine */

#endif
