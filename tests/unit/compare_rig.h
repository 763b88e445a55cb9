/* compare_rig.h - a comparison of lego systems on the small made cohort of train_rig.h, in a fresh folder. */
#ifndef MMLT_COMPARE_RIG_H
#define MMLT_COMPARE_RIG_H

#include <jansson.h>

#include "mmlego/compare.h"
#include "tests/unit/folder.h"
#include "tests/unit/train_rig.h"

typedef struct compare_rig {
    mmlt_cohort made;
    mml_compare_options o;
    bool shared; /* the cohort is that of compare_rig_share */
} compare_rig;

/* Their records and models are DIRECTORY/jobs/NAME.FOLD.json and DIRECTORY/models/NAME.FOLD.h5. */
enum { COMPARE_RIG_FILES = 5 };
extern const char *const compare_rig_files[COMPARE_RIG_FILES];

/* Systems block, ensemble, merge, fuse-stack on two folds, in the folder `name` of the test. The cohort is that of `spec`. */
void compare_rig_make(compare_rig *rig, const rig_spec *spec, const char *name);
void compare_rig_free(compare_rig *rig);
/* Unchecked fixtures: the comparison of compare_rig_make with the standard cohort, run once for all tests of a case. */
void compare_rig_share(void);
void compare_rig_unshare(void);
/* Its options, and what it left copied into the folder `name` of the test: as if it had been run there. */
void compare_rig_copy(compare_rig *rig, const char *name);
/* One file of a comparison ("jobs/merge.0.json") from a directory to another, which may have to be made. */
void compare_rig_copy_file(const char *to, const char *from, const char *file);
/* Plan, all jobs one after the other; the number of them that had to be run. */
size_t compare_rig_run(const mml_compare_options *o);
/* A record of a folder, without what may differ from run to run (times, memory, version of settings apart). */
json_t *compare_rig_record(const char *directory, const char *system, int fold);
double compare_rig_number(const json_t *record, const char *key);

#endif
