/* mimic3.h - a folder of the MIMIC-III benchmark (formats.md 8.1): listfile.csv, and one time series a stay. */
#ifndef MMLI_IMPORT_MIMIC3_H
#define MMLI_IMPORT_MIMIC3_H

#include "import/bins.h"
#include "import/import.h"

enum { MMLI_M3_CHANNELS = 17 };

typedef struct mmli_m3_channel {
    const char *name;
    const char *const *categories; /* (n); n = 0: a number */
    size_t n;
} mmli_m3_channel;

extern const mmli_m3_channel mmli_m3_channels[MMLI_M3_CHANNELS];

/* One line of a list: a stay, up to a time. */
typedef struct mmli_m3_sample {
    char *id;      /* name of the file without _timeseries.csv; in a list with periods "@" and the period after it */
    char *subject; /* the patient: what comes before _episode */
    char *file;
    double until;  /* hours; infinity where the list does not say */
    const char *set; /* "train" or "test"; "" where the list lies in the folder itself */
    char **texts;  /* (n_columns) */
    size_t row;    /* of the list */
} mmli_m3_sample;

typedef struct mmli_m3_folder {
    mmli_m3_sample *samples; /* (n) in the order of the lists, train first */
    size_t n, cap;
    char **columns;          /* (n_columns) the labels: all but stay and period_length */
    size_t n_columns;
} mmli_m3_folder;

/* The folder with listfile.csv in it, or with train and test, which have one each. */
mml_status mmli_m3_folder_read(mmli_m3_folder *out, const char *path);
void mmli_m3_folder_free(mmli_m3_folder *folder);
/* Is it such a folder, by the names in it? */
mml_status mmli_m3_is(bool *out, const char *path);

/* The measurements of a sample into bins (steps, 17), cleared here; a category as its place. What lies after the last bin, or
 * after the period, is left out. MML_E_DATA: no number, a category that the benchmark does not know. */
mml_status mmli_m3_read(mmli_bins *bins, double width, const mmli_m3_sample *sample);

/* As mmli_table_read(): columns of the lists, `set` and `subject`. */
mml_status mmli_m3_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);

#endif
