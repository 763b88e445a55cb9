/* csv_values.h - what the cells of the chosen columns of a CSV become: a number each, or one number for each category. */
#ifndef MMLI_IMPORT_CSV_VALUES_H
#define MMLI_IMPORT_CSV_VALUES_H

#include "import/source.h"
#include "io/csv.h"

/* Words of a column, in order of appearance while the file is read, then sorted. */
typedef struct mmli_categories {
    char **words;     /* (n) */
    size_t *rank;     /* (n) place of word k among the sorted */
    size_t n, cap;
    bool fixed;       /* given in the ini: another word is none of them, all zero */
    size_t n_unknown; /* cells with another word */
} mmli_categories;

typedef struct mmli_csv_values {
    size_t n;                    /* columns picked */
    size_t *at;                  /* (n) places in the header */
    char **names;                /* (n) */
    mmli_categories *categories; /* (n) or NULL: none is categorical */
    uint8_t *categorical;        /* (n) */
} mmli_csv_values;

/* Chooses the columns of a header; `categorical` of the modality says which are not numbers. skip: the id column. */
mml_status mmli_csv_values_make(mmli_csv_values *out, mmli_source *source, char *const *names, size_t n, const char *skip);
void mmli_csv_values_free(mmli_csv_values *v);
/* One number for a cell: the value, the place of its category by appearance, -1 for none, NaN for missing. */
mml_status mmli_csv_value(float *out, mmli_csv_values *v, size_t column, const mmli_source *source, size_t row,
                          const mmli_cell *cell);
/* After the last row: names, width and notes of the source. */
mml_status mmli_csv_values_finish(mmli_csv_values *v, mmli_source *source);
/* (n) numbers as above into those of a row of the source. */
void mmli_csv_values_expand(float *out, const mmli_csv_values *v, const float *raw);

/* A cell as a number: NaN = missing; true, false, yes, no are 1 and 0. MML_E_DATA names row, column and cell. */
mml_status mmli_csv_number(float *out, const char *path, size_t row, const char *column, const mmli_cell *cell);

#endif
