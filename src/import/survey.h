/* survey.h - one pass over a CSV that is not known yet: what each column holds, which one has the ids. */
#ifndef MMLI_IMPORT_SURVEY_H
#define MMLI_IMPORT_SURVEY_H

#include <stdbool.h>

#include "import/kept.h"

enum { MMLI_SURVEY_VALUES = 12 /* distinct texts kept of a column */ };

typedef struct mmli_survey_column {
    /* What every cell touches comes first, in as few bytes as may be. */
    size_t n_missing, n_numbers, n_texts;
    double least, most;     /* of the numbers */
    bool whole;             /* all numbers are whole ones */
    bool distinct;          /* no cell is missing or occurs twice; only for columns that may be ids, else false */
    size_t n_values;
    char *name;
    char *values[MMLI_SURVEY_VALUES + 1]; /* distinct cells, in order of appearance; one more than is shown = many */
} mmli_survey_column;

typedef struct mmli_survey {
    size_t n_rows, n_columns;
    mmli_survey_column *columns;
    bool numbers_in_header; /* all of the first row are numbers: probably there is no header */
    size_t id;              /* the column with the ids, or SIZE_MAX */
    char *first_id, *last_id;
    struct mmli_survey_inside *inside;
} mmli_survey;

/* keep: what was read, for an import of the file (kept.h); complete only if the table has a header. NULL: nothing. */
mml_status mmli_survey_read(mmli_survey *out, const char *path, mmli_kept *keep);
void mmli_survey_free(mmli_survey *survey);

#endif
