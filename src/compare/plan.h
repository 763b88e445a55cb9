/* plan.h - the inside of mml_compare: modalities, systems, jobs. */
#ifndef MMLI_COMPARE_PLAN_H
#define MMLI_COMPARE_PLAN_H

#include <jansson.h>
#include <stdbool.h>

#include "mmlego/baseline.h"
#include "mmlego/compare.h"
#include "mmlego/model.h"
#include "mmlego/train.h"

typedef enum mmli_system_kind {
    MMLI_SYSTEM_BLOCK = 0,
    MMLI_SYSTEM_ENSEMBLE, /* from here on joined from the blocks of the fold */
    MMLI_SYSTEM_WEIGHTED, /* the ensemble with the weights of the merge: the second yardstick of method.md 3b */
    MMLI_SYSTEM_MERGE,
    MMLI_SYSTEM_STACK,
    MMLI_SYSTEM_WEAVE,
    MMLI_SYSTEM_BASELINE,    /* another architecture (mmlego/baseline.h) */
    MMLI_SYSTEM_INTERFERENCE /* no system: a measurement of two blocks, of the study of that name */
} mmli_system_kind;

/* What a system is, whatever the cohort (systems.c). */
typedef struct mmli_system_type {
    const char *name, *title, *group;
    mmli_system_kind kind;
    bool unimodal; /* one system a modality, "name:modality" */
    mml_baseline_kind baseline; /* of MMLI_SYSTEM_BASELINE */
} mmli_system_type;

typedef struct mmli_system {
    const mmli_system_type *type;
    char *name, *title;
    size_t modality; /* place in the plan's list; SIZE_MAX = all of them */
    size_t order;    /* place among all systems that there are: of rows in tables */
} mmli_system;

typedef struct mmli_plan_modality {
    char *name;
    mml_modality_kind kind;
    size_t width, present;
} mmli_plan_modality;

typedef enum mmli_study { MMLI_STUDY_NONE = 0, MMLI_STUDY_OVERLAP, MMLI_STUDY_MISSING, MMLI_STUDY_MODALITIES,
                          MMLI_STUDY_INTERFERENCE } mmli_study;

/* Conditions under which systems are compared (study.h); study NONE: those of the plain comparison. */
typedef struct mmli_point {
    mmli_study study;
    double x;
    size_t modality; /* missing: which; modalities: how many; interference: the first of two */
    size_t other;    /* interference: the second */
    int in_training; /* missing: in training and validation, else in the test part */
} mmli_point;

typedef struct mmli_plan_job {
    size_t system, point;
    char *label; /* "merge", "merge overlap 0.5" */
    int fold;
    mml_compare_state state;
    size_t n_needs, *needs;
    double score, seconds; /* of the record; NaN without */
    char *message;         /* of the record; NULL without */
} mmli_plan_job;

struct mml_compare {
    char *cohort, *task, *directory, *command, *device; /* device: NULL = cpu */
    char *train, *valid, *test; /* of the split, with {fold} in them; or NULL */
    double valid_fraction;
    uint64_t split_seed, seed, data_hash;
    size_t tune;
    int weight_folds;
    mml_committee committee;
    int folds, fold, threads;
    mml_task_kind kind;
    size_t samples;
    mmli_study study;
    bool plain; /* the plain comparison is among the jobs */
    mmli_point *points;
    size_t n_modalities, n_systems, n_jobs, n_points;
    mmli_plan_modality *modalities;
    mmli_system *systems;
    mmli_plan_job *jobs;
};

/* ---- systems.c: names to systems. The systems of a plan are set, blocks first. */
mml_status mmli_plan_systems(mml_compare *plan, const char *const *names, size_t n);
/* Is it joined from the blocks of its fold? */
bool mmli_system_is_joined(const mmli_system *system);
/* Does its definition allow these modalities? MML_E_ARG: the message says why not. */
mml_status mmli_system_check(const mml_compare *plan, const mmli_system *system, size_t point);
/* Modalities of a system at a point of a study: *first of *n in the plan's list. */
void mmli_system_modalities(size_t *first, size_t *n, const mml_compare *plan, const mmli_system *system, size_t point);

/* ---- division.c: the division of one fold. Text is new: mmli_division_clear(). */
mml_status mmli_division(mml_split_options *out, const mml_compare *plan, int fold);
void mmli_division_clear(mml_split_options *split);

/* ---- folder.c: where things lie. New strings; mmli_free(). */
mml_status mmli_record_path(char **out, const mml_compare *plan, size_t job);
mml_status mmli_model_path(char **out, const mml_compare *plan, size_t job);
mml_status mmli_folder_path(char **out, const char *directory, const char *name);
/* Makes a folder where it is not there; its parent must be. */
mml_status mmli_folder_make(const char *path);
/* Makes DIR, DIR/jobs and DIR/models where they are not there. */
mml_status mmli_folders_make(const char *directory);
bool mmli_file_exists(const char *path);
/* A JSON value, or a text, as a file, whole or not at all; a value back. NULL: MML_E_NOMEM. MML_E_FORMAT names line and column. */
mml_status mmli_json_save(const json_t *value, const char *path);
mml_status mmli_text_save(const char *text, const char *path);
mml_status mmli_json_load(json_t **out, const char *path);

/* ---- settings.c: all that decides the result of a job. New reference. */
mml_status mmli_job_settings(json_t **out, const mml_compare *plan, size_t job);
/* The part of it that is the same for all jobs of a comparison: for mmli_records_agree(). */
extern const char *const mmli_common_settings[]; /* ended by NULL */
/* The first place where two values differ, "training.epochs: 20 there, 30 here"; false when they are equal. */
bool mmli_json_differs(char *out, size_t size, const json_t *there, const json_t *here);

/* ---- plan.c: DIR/plan.json, what collecting needs to know of cohort and task. */
mml_status mmli_plan_write(const mml_compare *plan);

#endif
