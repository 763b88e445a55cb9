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
} compare_rig;

/* Systems block, ensemble, merge, fuse-stack on two folds, in the folder `name` of the test. The cohort is that of `spec`. */
void compare_rig_make(compare_rig *rig, const rig_spec *spec, const char *name);
void compare_rig_free(compare_rig *rig);
/* Plan, all jobs one after the other; the number of them that had to be run. */
size_t compare_rig_run(const mml_compare_options *o);
/* A record of a folder, without what may differ from run to run (times, memory, version of settings apart). */
json_t *compare_rig_record(const char *directory, const char *system, int fold);
double compare_rig_number(const json_t *record, const char *key);

#endif
