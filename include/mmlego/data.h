/* data.h - patients as ragged tokens: batches built from plain arrays, cohorts in a file, splits.
 *
 * Every modality of every sample is a list of tokens (doc/method.md 1): a table row is one token, a
 * time series one token a step, an image one a patch, a bag one an instance; a missing modality is
 * no token. A value that was not measured is NaN; models impute it with what they learnt in training.
 */
#ifndef MMLEGO_DATA_H
#define MMLEGO_DATA_H

#include "mmlego/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_batch mml_batch;   /**< B samples, some modalities, in memory */
typedef struct mml_cohort mml_cohort; /**< an open cohort file; several threads may not share it */

/* ---- batches from plain arrays ------------------------------------------------------------- */

/** A batch of `n_samples` samples without any modality yet. */
MML_API MML_MUST_USE mml_status mml_batch_new(mml_batch **out, size_t n_samples);

/** NULL is fine. */
MML_API void mml_batch_free(mml_batch *batch);

/** Number of samples B. */
MML_API size_t mml_batch_size(const mml_batch *batch);

/**
 * Gives a batch the tokens of one modality (replacing those of an earlier call). Copied.
 *
 * @param name       name of the modality, as in the model
 * @param values     (T, width) packed tokens of all samples, row-major; NaN = not measured
 * @param offsets    (B + 1) sample b owns rows offsets[b] .. offsets[b+1]-1; offsets[0] = 0; ascending
 * @param width      token width i
 * @param positions  (T, n_axes) place of each token in [0, 1] (time, or row and column), or NULL
 * @param n_axes     0 when positions is NULL
 * @return MML_E_ARG    offsets not ascending from 0
 *         MML_E_NOMEM
 */
MML_API MML_MUST_USE mml_status mml_batch_set(mml_batch *batch, const char *name, const float *values,
                                              const int64_t *offsets, size_t width,
                                              const float *positions, size_t n_axes);

/**
 * The usual case of mml_batch_set: at most one token a sample (a table).
 *
 * @param values   (B, width)
 * @param present  (B) 0 = this sample lacks the modality; NULL = all have it. One whose values are all NaN lacks it, too, as it would
 *                 after an import
 */
MML_API MML_MUST_USE mml_status mml_batch_set_table(mml_batch *batch, const char *name,
                                                    const float *values, const uint8_t *present,
                                                    size_t width);

/** What a batch holds of one modality; pointers lent until the batch changes. */
typedef struct mml_tokens {
    const char *name;
    const float *values;    /**< (T, width) */
    const int64_t *offsets; /**< (B + 1) */
    size_t width;
    const float *positions; /**< (T, n_axes) or NULL */
    size_t n_axes;
} mml_tokens;

/** @return MML_E_NOT_FOUND if the batch does not have the modality (all samples lack it) */
MML_API MML_MUST_USE mml_status mml_batch_get(mml_tokens *out, const mml_batch *batch, const char *name);

/* ---- cohort files ---------------------------------------------------------------------------- */

typedef enum mml_modality_kind { MML_TABLE = 0, MML_SERIES, MML_IMAGE, MML_BAG } mml_modality_kind;
typedef enum mml_task_kind { MML_BINARY = 0, MML_MULTICLASS, MML_SURVIVAL, MML_REGRESSION } mml_task_kind;

/** One modality of a cohort; pointers lent until the cohort is closed. */
typedef struct mml_modality_info {
    const char *name;
    mml_modality_kind kind;
    size_t width;              /**< token width */
    size_t n_axes;             /**< position coordinates stored per token, 0 = none */
    uint64_t n_tokens;         /**< of all samples */
    size_t n_present;          /**< samples with at least one token */
    const char *const *features; /**< (width) names */
    const int64_t *offsets;    /**< (N + 1) of the whole cohort */
    const char *const *category_of; /**< (width) the column of which a feature, `COLUMN=CATEGORY`, is one category; "" = the
                                         feature is a number. NULL: all are numbers */
} mml_modality_info;

/** One task of a cohort; pointers lent until the cohort is closed. */
typedef struct mml_task_info {
    const char *name;
    mml_task_kind kind;
    size_t n_classes;           /**< classes named in the cohort; 0 for survival and regression */
    const char *const *classes; /**< (n_classes) sorted: by number if all are numbers, else by byte */
    const double *value;        /**< (N) class index, target, or time; NaN = unknown */
    const uint8_t *event;       /**< (N) survival: 1 = event, 0 = censored; else NULL */
    const char *unit;           /**< of the time or value ("months"); "" = not said */
} mml_task_info;

/** A text column of a cohort (split columns, group). */
typedef struct mml_column_info {
    const char *name;
    const char *const *text; /**< (N) "" = empty */
} mml_column_info;

/** Opens a cohort made by mml_import() or by any HDF5 writer (doc/cohort.md). Labels, ids and offsets are
 *  read and checked; tokens stay in the file.
 *  @return MML_E_IO, MML_E_FORMAT (not a cohort; newer version; truncated), MML_E_DATA (duplicate id) */
MML_API MML_MUST_USE mml_status mml_cohort_open(mml_cohort **out, const char *path);
/** NULL is fine. */
MML_API void mml_cohort_close(mml_cohort *cohort);

/** What is in an open cohort. All pointers are lent until mml_cohort_close(); ids, groups and columns are in the order of
 *  the samples. */
MML_API const char *mml_cohort_path(const mml_cohort *cohort);            /**< as given to mml_cohort_open() */
MML_API size_t mml_cohort_size(const mml_cohort *cohort);                 /**< N samples */
MML_API const char *const *mml_cohort_ids(const mml_cohort *cohort);      /**< (N) */
MML_API const char *const *mml_cohort_groups(const mml_cohort *cohort);   /**< (N) or NULL: every sample its own */
MML_API size_t mml_cohort_n_modalities(const mml_cohort *cohort);
MML_API size_t mml_cohort_n_tasks(const mml_cohort *cohort);
MML_API size_t mml_cohort_n_columns(const mml_cohort *cohort);
/** By place, 0 up to the number above. @return MML_E_ARG past the end */
MML_API MML_MUST_USE mml_status mml_cohort_modality_at(mml_modality_info *out, const mml_cohort *cohort, size_t i);
MML_API MML_MUST_USE mml_status mml_cohort_task_at(mml_task_info *out, const mml_cohort *cohort, size_t i);
MML_API MML_MUST_USE mml_status mml_cohort_column_at(mml_column_info *out, const mml_cohort *cohort, size_t i);
/** By name; MML_E_NOT_FOUND lists the names there are and the nearest. */
MML_API MML_MUST_USE mml_status mml_cohort_modality(mml_modality_info *out, const mml_cohort *cohort, const char *name);
MML_API MML_MUST_USE mml_status mml_cohort_task(mml_task_info *out, const mml_cohort *cohort, const char *name);
MML_API MML_MUST_USE mml_status mml_cohort_column(mml_column_info *out, const mml_cohort *cohort, const char *name);

/**
 * Reads the tokens of some samples into a batch, replacing what it held; its buffers are reused, so a
 * loop over batches allocates only until the largest has been seen. A modality that fits the memory
 * budget of the cohort is kept in memory after first use, larger ones are read by hyperslab.
 *
 * @param samples  (n) indices below mml_cohort_size(), in the order wanted
 * @param names    (n_names) modalities to read
 */
MML_API MML_MUST_USE mml_status mml_cohort_read(mml_cohort *cohort, mml_batch *batch, const size_t *samples,
                                                size_t n, const char *const *names, size_t n_names);

/** Bytes of tokens that a cohort may keep in memory (default 1 GiB, over all modalities). */
MML_API void mml_cohort_set_memory(mml_cohort *cohort, size_t bytes);

/* ---- progress --------------------------------------------------------------------------------- */

/** Progress of long work: `done` of `total` (0 = unknown). Return non-zero to stop (MML_E_STOPPED). */
typedef int (*mml_progress)(void *user, const char *what, uint64_t done, uint64_t total);

/* ---- export ----------------------------------------------------------------------------------- */

typedef enum mml_export_format { MML_EXPORT_CSV = 0, MML_EXPORT_NPY } mml_export_format;
typedef enum mml_export_part { MML_EXPORT_VALUES = 0, MML_EXPORT_POSITIONS, MML_EXPORT_OFFSETS } mml_export_part;

/**
 * Tokens of a modality as a file, whole or not at all. CSV: id, the number of the token (not of a table), positions, features;
 * a line a token; empty = not measured; numbers read back to the same bits. NumPy: values (T, width) float32, of a table
 * (N, width) with NaN for samples without it; positions (T, n_axes) float32; offsets (N + 1) int64.
 *
 * @param progress  told of samples, or NULL; may stop it, which leaves no file
 * @return MML_E_NOT_FOUND no such modality; MML_E_ARG a part of a CSV, or positions where there are none; MML_E_IO; MML_E_STOPPED
 */
MML_API MML_MUST_USE mml_status mml_export_modality(mml_cohort *cohort, const char *modality, mml_export_part part,
                                                    mml_export_format format, const char *path, mml_progress progress,
                                                    void *user);
/**
 * Labels as a file, whole or not at all. CSV: id, group, columns, then of each task (or of `task` alone) the class or value, or
 * NAME.time and NAME.event. NumPy, of one task: class numbers int64 (-1 = unknown), values float64, or records (event, time).
 * @return MML_E_NOT_FOUND no such task; MML_E_ARG an array without a task; MML_E_IO; MML_E_STOPPED
 */
MML_API MML_MUST_USE mml_status mml_export_labels(mml_cohort *cohort, const char *task, mml_export_format format,
                                                  const char *path, mml_progress progress, void *user);

/* ---- import ----------------------------------------------------------------------------------- */

/** How to import. mml_import_options_init(), or zero it. */
typedef struct mml_import_options {
    size_t struct_size;
    const char *format;    /**< of the file: "ini" (a cohort.ini), "csv", ...; NULL = what the file looks like */
    int dry_run;           /**< check everything and write nothing: all that is wrong is told at once */
    mml_progress progress; /**< or NULL */
    void *user;            /**< for progress */
    int strict;            /**< an image that cannot be read is an error, not a missing modality: strict = yes everywhere */
} mml_import_options;
MML_API void mml_import_options_init(mml_import_options *options);

/**
 * Builds a cohort file as a cohort.ini says (doc/cohort.md), or of any other file or folder that import knows, as
 * mml_suggest_cohort() would for it. The output appears whole or not at all.
 *
 * @param out_path     none of the files that are read (MML_E_ARG); may be NULL in a dry run
 * @param[out] report  new text, one line a modality and task (samples, missing, overlap); after a dry run that has found
 *                     something wrong, a line for each problem, and MML_E_DATA. Yours: mml_string_free(); may be NULL
 * @return MML_E_IO, MML_E_FORMAT, MML_E_DATA: the message names file, row and column; MML_E_NOT_FOUND: format unknown
 */
MML_API MML_MUST_USE mml_status mml_import_with(const char *path, const char *out_path, const mml_import_options *options,
                                                char **report);
/** The same with default options. */
MML_API MML_MUST_USE mml_status mml_import(const char *ini_path, const char *out_path, char **report,
                                           mml_progress progress, void *user);

/** What a file is to this library. New values are added at the end. */
typedef enum mml_file_kind { MML_FILE_OTHER = 0, MML_FILE_COHORT, MML_FILE_MODEL, MML_FILE_CHECKPOINT } mml_file_kind;

/**
 * Which of the library's own files this says to be, by its mark alone; whether it is whole is seen when it is opened.
 *
 * @param[out] out  MML_FILE_OTHER: a file of another program, or a folder
 * @return MML_E_IO cannot be read; MML_E_FORMAT: HDF5, but damaged or truncated, so that it cannot be told
 */
MML_API MML_MUST_USE mml_status mml_file_kind_of(mml_file_kind *out, const char *path);

/**
 * What a file or folder is that is neither cohort nor model: format, shapes, types, ids, columns, what is missing, as JSON.
 *
 * @param format  NULL = what it looks like
 * @param[out] json  yours: mml_string_free()
 * @return MML_E_IO; MML_E_FORMAT: of no format that import knows, with how to convert it where that is known
 */
MML_API MML_MUST_USE mml_status mml_file_describe(char **json, const char *path, const char *format);

/**
 * The text of a cohort.ini that imports these files, to be read and changed: file names are as given. The first table with ids has
 * the labels.
 *
 * @param[out] ini  yours: mml_string_free()
 */
MML_API MML_MUST_USE mml_status mml_suggest_cohort(char **ini, const char *const *paths, size_t n, const char *format);

/* ---- splits ------------------------------------------------------------------------------------ */

typedef enum mml_part { MML_PART_NONE = 0, MML_PART_TRAIN, MML_PART_VALID, MML_PART_TEST } mml_part;

/** How to divide a cohort. mml_split_options_init(), or zero it: then fold 0 unless `train` is given, valid_fraction 0.15. */
typedef struct mml_split_options {
    size_t struct_size;
    const char *train; /**< "column=value[,value...]", a fraction such as "0.7", or NULL */
    const char *valid; /**< the same; NULL = a fraction of the training part, see valid_fraction. A fraction beside a
                            training part by column is taken out of that part */
    const char *test;  /**< the same; NULL = nothing, or the rest when train is a fraction */
    int fold;          /**< >= 0: repetition K of the seeded 70/15/15 protocol; -1 = not used */
    double valid_fraction; /**< taken from the training part when `valid` is NULL [0.15] */
    uint64_t seed;     /**< of fractions and folds [0]; independent of the training seed */
} mml_split_options;
MML_API void mml_split_options_init(mml_split_options *options);

/**
 * Divides the samples of a cohort that have a label of `task`. All samples of one group fall in one part;
 * fractions are stratified by class (survival: by event). Samples without a label get MML_PART_NONE.
 * Neither fold nor train given: 70/15/15, fold 0.
 *
 * @param[out] part  (N) caller's array
 * @return MML_E_NOT_FOUND  unknown column, or a value no sample has
 *         MML_E_DATA       an empty part, or a group on both sides of a split by columns
 */
MML_API MML_MUST_USE mml_status mml_split(mml_part *part, const mml_cohort *cohort, const char *task,
                                          const mml_split_options *options);

/** Samples with `column=value[,value...]` ("challenge_set=b"). @param[out] chosen (N) 0/1 */
MML_API MML_MUST_USE mml_status mml_select(uint8_t *chosen, const mml_cohort *cohort, const char *condition);

/** What `mmlego inspect` says of a cohort, as JSON. @param[out] json yours: mml_string_free() */
MML_API MML_MUST_USE mml_status mml_cohort_describe(char **json, const mml_cohort *cohort);

#ifdef __cplusplus
}
#endif
#endif
