/* prep_help.h - preprocessing learnt from a few numbers. */
#ifndef MMLT_PREP_HELP_H
#define MMLT_PREP_HELP_H

#include "data/prep.h"
#include "tests/unit/make_cohort.h"

mml_prep_options mmlt_prep_options(mml_scaling scaling, mml_imputation imputation);
/* Learns modality m from all samples of a cohort of one-token samples. */
mmli_prep *mmlt_prep_fit(const float *values, size_t n, size_t width, const mml_prep_options *o);

#endif
