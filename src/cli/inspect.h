/* inspect.h - the descriptions of the library, put in order for people. */
#ifndef MMLC_INSPECT_H
#define MMLC_INSPECT_H

#include <stdio.h>

/* Print what mml_cohort_describe() and mml_model_describe() gave, as text. 0, or -1: no memory, or not JSON. */
int mmlc_cohort_text(FILE *to, const char *json);
int mmlc_model_text(FILE *to, const char *json);

#endif
