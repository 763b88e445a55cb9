/* prep_inside.h - what the files prep*.c share; others use data/prep.h. */
#ifndef MMLI_DATA_PREP_INSIDE_H
#define MMLI_DATA_PREP_INSIDE_H

#include "data/prep.h"

/* A prep with room for `width` columns, nothing learnt yet (all zero). MML_E_ARG names the option out of range. */
mml_status mmli_prep_new(mmli_prep **out, size_t width, size_t n_axes, const mml_prep_options *options);
/* Copies of `width` names. */
mml_status mmli_prep_set_features(mmli_prep *prep, const char *const *features);
mml_status mmli_prep_set_categories(mmli_prep *prep, const char *const *category_of);
/* The two halves of mmli_prep_check; `what` is what messages call the features. */
mml_status mmli_prep_check_names(const char *modality, const char *const *mine, size_t n_mine, const char *const *theirs,
                                 size_t n_theirs, const char *what);
mml_status mmli_prep_check_positions(const mmli_prep *prep, const mml_modality_info *info);
/* Sets width_out from all that it depends on. MML_E_NOMEM when it overflows. */
mml_status mmli_prep_set_width(mmli_prep *prep);

#endif
