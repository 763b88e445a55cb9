/* source.h - where the tokens of a modality come from: any file or folder as *pieces* by sample id.
 *
 * A piece is a run of rows that belong to one sample. In a table a piece is one row; in a bag it is an instance, a
 * slide or all cells of a patient, and a sample may have several pieces, which follow each other in the order of the
 * source. Rows are fixed: (F), (T, C) or (H, W, C); several rows in a piece only if a row is (F), a token.
 *
 * A format is one file: a table of functions (mmli_source_kind) and its line in kinds.c. `open` finds out ids, shapes
 * and names and checks what can be checked without reading the values; `read` is then asked for runs of rows and never
 * needs more memory than for these: a bag of 100 000 x 1024 is read in blocks of a few MiB.
 */
#ifndef MMLI_IMPORT_SOURCE_H
#define MMLI_IMPORT_SOURCE_H

#include <stdbool.h>

#include "import/facts.h"
#include "import/import.h"
#include "import/kept.h"
#include "import/problems.h"
#include "import/suggest.h"
#include "io/index.h"
#include "util/text.h"

typedef struct mmli_source_kind mmli_source_kind;

/* What import knows besides the modality. */
typedef struct mmli_source_context {
    const char *beside; /* the output: temporary files (made and unlinked at once) go into its folder */
    const mmli_import_config *config;
    const mmli_index *samples; /* those of the cohort; NULL while they are being collected */
    const mmli_kept *kept; /* what was read of a file before, if anything was */
    mmli_problems *problems; /* a wrong value goes through mmli_problem(): a check wants all of them */
} mmli_source_context;

typedef struct mmli_source {
    const mmli_source_kind *kind;
    const mmli_import_modality *m;      /* lent, as what is in the context */
    const mmli_source_context *context; /* our copy: the caller's may be gone when rows are read */
    mmli_source_context copy;
    void *state;                        /* of the kind: set by open, freed by close */

    /* Filled by open. Arrays are from util/alloc.h and freed by mmli_source_close(), also after a failure of open. */
    size_t n_pieces;
    char **ids;         /* (n_pieces) of the sample, mmli_bad_id() checked */
    size_t *lines;      /* (n_pieces) where a message can say "row 12 of the file"; NULL: pieces count from 0 */
    size_t *counts;     /* (n_pieces) rows; 0 = the sample is known and has nothing (an empty slide); NULL: 1 each */
    int rank;           /* of a row: 1 (F), 2 (T, C), 3 (H, W, C) */
    size_t dims[3];
    char **names;       /* (last dimension), no two alike; NULL: c0, c1, ... */
    char **category_of; /* (last dimension) the column of which a name, COLUMN=CATEGORY, is one category; "" = a number;
                         * NULL: all are numbers. The values are 1, 0, or NaN in all categories of a column */
    const char *names_from; /* where they are in the file, for messages; lent; may be NULL */
    size_t *picks, n_picks; /* columns chosen, ascending places in the last dimension: mmli_source_choose(), which the
                           * caller of open does when open did not */
    char **left_out;    /* (n_left_out) reserved columns that the choice would have had */
    size_t n_left_out;
    size_t n_axes;      /* positions of a row, each in [0, 1]; 0 = none. Only rank 1 (others: tokens.c makes them) */
    float scale;        /* values are multiplied by it: 1, or 1/255 for pixels of one byte */
    double position_unit; /* what a position of 1 stands for (pixels); 0: not said */
    bool unpacked;      /* values that gzip makes hardly smaller: kept without, unless the user says a level */
    bool half;          /* all values are float16: the cohort keeps them so, without loss */
    mmli_buf notes;     /* lines for the report, each "  text\n": what was skipped, joined, assumed */
} mmli_source;

/* Rows first .. first+count-1 of a piece are wanted at row `to` of the result. */
typedef struct mmli_piece_span {
    size_t piece, first, count, to;
} mmli_piece_span;

/* ---- a format --------------------------------------------------------------------------------------------------------- */

enum { MMLI_PROBE_BYTES = 4096, MMLI_WHAT_BYTES = 240 };

typedef enum mmli_sureness {
    MMLI_NOT = 0,
    MMLI_PERHAPS, /* could be: nothing speaks against it */
    MMLI_LIKELY,  /* the right container (an HDF5 file) or the right ending */
    MMLI_CERTAIN  /* marks that no other format has */
} mmli_sureness;

/* A file or folder looked at from outside. */
typedef struct mmli_probe {
    const char *path;
    bool folder;
    uint64_t size;              /* of a file */
    const unsigned char *bytes; /* the first n, as stored */
    size_t n;
    const unsigned char *text;  /* the first n_text, unpacked when the file is gzip; else `bytes` again */
    size_t n_text;
} mmli_probe;

struct mmli_source_kind {
    const char *name; /* format = name */
    const char *what; /* for lists in messages: "a table of text (CSV)" */
    const char *const *keys; /* of [modality], beyond the common ones; ends in NULL; NULL = none */
    /* How sure it is that it can read this; what[MMLI_WHAT_BYTES] = one sentence of what it is. May open the file. What it can't read is
     * MMLI_NOT, as *out is on entry; it fails only where it can't tell: MML_E_NOMEM, and MML_E_IO where the disk does not give the file. */
    mml_status (*probe)(mmli_sureness *out, char *what, const mmli_probe *probe);
    mml_status (*open)(mmli_source *source);
    void (*close)(mmli_source *source); /* also after a failed open; NULL: mmli_free(state) is enough */
    /* Rows of spans (which may come in any order, and may be reordered) into values (rows, dims...) and, if n_axes > 0,
     * positions (rows, n_axes). NaN = not measured. */
    mml_status (*read)(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *source);
    /* The rest may be NULL. What `mmlego inspect` says besides the sentence of probe: shapes, types, ids, columns. */
    mml_status (*inspect)(mmli_facts *facts, const char *path);
    /* Sections of a cohort.ini that import the file; labels only if mmli_suggest_labels() takes them. */
    mml_status (*suggest)(mmli_suggestion *suggestion, const char *path);
    /* The file as a table of labels; see mmli_table_read(). Ids may occur twice (the caller finds that); out->path is set, and out
     * is freed by the caller, also after a failure. */
    mml_status (*texts)(mmli_table *out, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);
};

extern const mmli_source_kind mmli_kind_csv, mmli_kind_mcat, mmli_kind_hdf5, mmli_kind_bags, mmli_kind_anndata, mmli_kind_mudata, mmli_kind_npy,
                             mmli_kind_safetensors, mmli_kind_images, mmli_kind_physionet2012, mmli_kind_long,
                             mmli_kind_mimic3;
/* Of a CSV whose samples are columns: what the open of mmli_kind_csv becomes; not in the list. */
extern const mmli_source_kind mmli_kind_csv_columns;

/* All of them, in the order in which equal sureness is decided. */
const mmli_source_kind *const *mmli_source_kinds(size_t *n);
/* The kind of this format name, or NULL. */
const mmli_source_kind *mmli_source_kind_named(const char *name);

/* ---- for the kinds ------------------------------------------------------------------------------------------------------ */

/* Value of a key of the modality's section, or NULL. mmli_source_bad_option: MML_E_FORMAT that names file, line and value. */
const char *mmli_source_option(const mmli_source *source, const char *key);
mml_status mmli_source_bad_option(const mmli_source *source, const char *key, const char *why);
/* Which of n names `columns` chooses: sets picks and left_out. skip: the id column, or NULL. */
mml_status mmli_source_choose(mmli_source *source, const char *const *names, size_t n, const char *skip);
/* A feature more of rows of rank 1: COLUMN, or with a word COLUMN=WORD, one of its categories. names, and category_of unless it is NULL,
 * have room. */
mml_status mmli_source_add_feature(mmli_source *source, const char *column, const char *word);
/* Rank, dims and counts of a source that is one array: (N, ...) as its kind of modality wants it, a grey image without channels too,
 * a bag (N, T, F) as N pieces of T rows. MML_E_SHAPE: another rank; or a dimension of 0.
 * Messages call the array `name`, and what a dimension of 0 means `zero` ("empty"). */
mml_status mmli_source_use_array(mmli_source *source, const size_t *dims, int rank, const char *name, const char *zero);

/* ---- for the import ------------------------------------------------------------------------------------------------------- */

/* The kind that is surest. MML_E_IO: cannot be opened; MML_E_FORMAT: no kind can read it. what may be NULL. */
mml_status mmli_source_recognise(const mmli_source_kind **out, char *what, const char *path);
/* Opens, checks that the kind kept its promises (ids, names, sizes), that only a bag has several pieces of a sample. */
mml_status mmli_source_open(mmli_source **out, const mmli_import_modality *modality, const mmli_source_context *context);
void mmli_source_close(mmli_source *source);
/* Values of one row. */
size_t mmli_source_row_values(const mmli_source *source);
/* Rows of a piece. */
size_t mmli_source_count(const mmli_source *source, size_t piece);

#endif
