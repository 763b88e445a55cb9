/* prep_help.c - see prep_help.h. */
#include "tests/unit/prep_help.h"

#include <stdlib.h>

mml_prep_options mmlt_prep_options(mml_scaling scaling, mml_imputation imputation)
{
    return (mml_prep_options){.struct_size = sizeof(mml_prep_options), .scaling = scaling, .imputation = imputation, .clip = 5};
}

mmli_prep *mmlt_prep_fit(const float *values, size_t n, size_t width, const mml_prep_options *o)
{
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_prep *prep = NULL;
    size_t *train = malloc((n + 1) * sizeof *train);

    ck_assert_ptr_nonnull(train);
    for (size_t i = 0; i < n; i++)
        train[i] = i;
    mmlt_cohort_begin(&made, n, NULL);
    mmlt_cohort_modality(&made, "m", "table", values, NULL, width, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mmli_prep_fit(&prep, cohort, "m", train, n, o));
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    free(train);
    return prep;
}
