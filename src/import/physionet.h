/* physionet.h - the PhysioNet / CinC Challenge 2012: one text of Time,Parameter,Value a stay in set-a, set-b, set-c, and
 * the outcomes beside them (formats.md 8.2). */
#ifndef MMLI_IMPORT_PHYSIONET_H
#define MMLI_IMPORT_PHYSIONET_H

#include "import/bins.h"
#include "import/import.h"

enum { MMLI_P12_HOURS = 48, MMLI_P12_CHANNELS = 37, MMLI_P12_STATICS = 8 };

extern const char *const mmli_p12_channels[MMLI_P12_CHANNELS];
extern const char *const mmli_p12_statics[MMLI_P12_STATICS];

/* Where the stays are. */
typedef struct mmli_p12_stay {
    char *id;   /* RecordID, the name of the file */
    char *file;
} mmli_p12_stay;

typedef struct mmli_p12_folder {
    mmli_p12_stay *stays; /* (n) */
    size_t n, cap;
    char **outcomes;      /* (n_outcomes) Outcomes-a.txt ... */
    size_t n_outcomes, cap_outcomes;
} mmli_p12_folder;

/* The folder with set-a, set-b, set-c in it, or one of these. Without stays n = 0, which is no failure. */
mml_status mmli_p12_folder_read(mmli_p12_folder *out, const char *path);
void mmli_p12_folder_free(mmli_p12_folder *folder);

/* What was left out of a record, or put elsewhere. */
typedef struct mmli_p12_counts {
    size_t late;        /* stamped 48:00 or later: they go to the last hour */
    size_t implausible; /* values that cannot be */
    size_t unknown;     /* parameters of another name, or without one */
} mmli_p12_counts;

/* One record. statics (8), NaN = missing; bins (48, 37), cleared here; either may be NULL. counts are added to. MML_E_IO,
 * MML_E_FORMAT: not such a file; MML_E_DATA: a time or value that is none, a RecordID that is not `id`. */
mml_status mmli_p12_read(float *statics, mmli_bins *bins, mmli_p12_counts *counts, const mmli_p12_stay *stay);
/* The cells of the bins: mean of the hour; Urine: sum; MechVent: max. */
void mmli_p12_values(float *out, const mmli_bins *bins);

/* As mmli_table_read(): a row for every stay that has an outcome, with the columns of the outcomes (and @file); -1 = missing. */
mml_status mmli_p12_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);

#endif
