/* compare.h - every system on the same divisions of a cohort (doc/compare.md).
 *
 * A comparison is a list of jobs: one system on one division (fold). A job trains what it needs, reads the test part once,
 * and leaves a record in DIR/jobs and its model in DIR/models. Records are the only thing that jobs share, so they can be
 * run in any order that mml_compare_job.needs allows, in one process or on many machines, with the same results; a finished
 * job is not run again. Collecting reads records and nothing else.
 */
#ifndef MMLEGO_COMPARE_H
#define MMLEGO_COMPARE_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_compare mml_compare; /**< a plan: systems and folds of one cohort and task; only read by jobs */

/** What to compare. mml_compare_options_init() first. Strings are copied. */
typedef struct mml_compare_options {
    size_t struct_size;
    const char *cohort;              /**< path of a cohort file */
    const char *task;                /**< its task */
    const char *directory;           /**< where records and models go; made if it does not exist */
    const char *const *systems;      /**< names ("merge", "block:labs") or groups ("unimodal", "multimodal", "lego",
                                          "reference", "all"); blocks that a system needs are added. NULL = all */
    size_t n_systems;
    const char *const *modalities;   /**< NULL = all of the cohort */
    size_t n_modalities;
    int folds;                       /**< number of divisions [5] */
    int fold;                        /**< only this one, from 0; -1 = all [-1] */
    uint64_t seed;                   /**< of training: fold K of every system starts from seed + K [0] */
    mml_split_options split;         /**< of the cohort. Without `train`: repetitions 0 .. folds-1 of the seeded 70/15/15
                                          division. `train`, `valid`, `test` may contain "{fold}", which stands for the
                                          number of the fold; where nothing else differs between folds, the validation part
                                          is drawn anew in each. `fold` itself is not used */
    size_t tune;                     /**< trials of a search over the settings of each system, judged on the validation part:
                                          the same number for all; the first is the defaults. 0 = the defaults alone [0] */
    const char *study;               /**< "overlap", "missing", "modalities" or "interference" (doc/compare.md): jobs under changed conditions beside (missing,
                                          modalities) or in place of (overlap) those of the plain comparison; NULL = none */
    int weight_folds;                /**< of the blocks: mml_train_options.weight_folds [MML_FOLDS_AUTO] */
    mml_committee committee;         /**< of the blocks: mml_train_options.committee [MML_COMMITTEE_AUTO] */
    int threads;                     /**< of a job; 0 = all [0] */
    const char *command;             /**< the command, to be recorded; NULL = "" */
    const char *device;              /**< what trains and predicts: mml_device_describe(); NULL = cpu. Not a part of what a
                                          record must agree with */
} mml_compare_options;
MML_API void mml_compare_options_init(mml_compare_options *options);

/**
 * Makes the plan, and the folders for its records. Finished records of the same settings are found.
 * @return MML_E_NOT_FOUND  no such task, modality or system (lists what there is)
 *         MML_E_ARG        a record in the folder was made with other settings: the message names what differs
 *         MML_E_DATA       the cohort cannot be divided so
 *         MML_E_IO, MML_E_FORMAT
 */
MML_API MML_MUST_USE mml_status mml_compare_new(mml_compare **out, const mml_compare_options *options);
/** NULL is fine. */
MML_API void mml_compare_free(mml_compare *plan);

typedef enum mml_compare_state {
    MML_COMPARE_OPEN = 0, /**< no record, or one of a failure: to be run */
    MML_COMPARE_DONE,
    MML_COMPARE_SKIPPED,  /**< the definition of the system does not allow these modalities */
    MML_COMPARE_FAILED    /**< only after mml_compare_run() or mml_compare_look() */
} mml_compare_state;

/** One job; pointers lent until the plan ends. */
typedef struct mml_compare_job {
    const char *system, *title;
    const char *label;   /**< the system, and its conditions in a study */
    int fold;
    mml_compare_state state;
    const size_t *needs; /**< (n_needs) jobs that must have a record before this one is run */
    size_t n_needs;
    double score, seconds; /**< of its record: the main metric on the test part, and training; NaN without */
    const char *message;   /**< of its record: why it failed or was skipped; "" without. Lent until the next look */
} mml_compare_job;
MML_API size_t mml_compare_n_jobs(const mml_compare *plan);
/** In an order in which they can be run one after the other. @return MML_E_ARG past the end */
MML_API MML_MUST_USE mml_status mml_compare_job_at(mml_compare_job *out, const mml_compare *plan, size_t job);

/**
 * Runs a job and writes its record, whole or not at all. A training that fails, or a system that cannot be trained on these
 * modalities, is a result too: it is recorded with its message, and the call gives MML_OK. `peak_bytes` of the record is that
 * of the process so far, so a program that wants it right runs each job in a process of its own.
 *
 * @param[out] state  what became of it; may be NULL
 * @param watch       called between steps of training; non-zero stops. NULL is fine
 * @return MML_E_STOPPED  the watch asked for it: no record is left
 *         MML_E_ARG      a job that it needs has no record
 *         MML_E_DATA     the cohort file is not the one of the plan any more
 *         MML_E_IO       the record or the model could not be written
 */
MML_API MML_MUST_USE mml_status mml_compare_run(mml_compare_state *state, const mml_compare *plan, size_t job,
                                                mml_progress watch, void *user);
/** Reads what became of a job that another process has run. */
MML_API MML_MUST_USE mml_status mml_compare_look(mml_compare *plan, size_t job);
/** Records that a job failed, for a process that ended without a record. */
MML_API MML_MUST_USE mml_status mml_compare_fail(mml_compare *plan, size_t job, const char *message);

/**
 * Brings the records of one comparison together, from one folder or from several (a cluster job array): compare.json,
 * table.tsv, study_NAME.tsv of studies, and report.html (report.h) in the folder `out`.
 *
 * @param[out] json    the text of compare.json; yours: mml_string_free(). May be NULL
 * @return MML_E_ARG    records of different comparisons: the message names both files and what differs
 *         MML_E_DATA   no record at all
 *         MML_E_IO, MML_E_FORMAT a record is damaged
 */
MML_API MML_MUST_USE mml_status mml_compare_collect(char **json, const char *const *directories, size_t n, const char *out);

#ifdef __cplusplus
}
#endif
#endif
