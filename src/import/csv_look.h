/* csv_look.h - a CSV seen by inspect, and a cohort.ini for it. */
#ifndef MMLI_IMPORT_CSV_LOOK_H
#define MMLI_IMPORT_CSV_LOOK_H

#include "import/facts.h"
#include "import/suggest.h"

mml_status mmli_csv_inspect(mmli_facts *facts, const char *path);
/* As the labels, if no file before had them, and as a table of its columns of numbers, of yes and no, and the like. */
mml_status mmli_csv_suggest(mmli_suggestion *out, const char *path);

/* A name that can stand in a list of an ini. */
bool mmli_fits_list(const char *name);
/* Puts `before` and the exclusion of a column into a list of columns: "-NAME", or a pattern that meets it where the list could not
 * hold the name. One without a name is met by nothing and needs none. */
mml_status mmli_suggest_without(mmli_buf *list, const char *before, const char *name);
/* 0/1 endpoints of trials and of the TCGA clinical data resource: OS, DSS, DFI, PFI, ... */
bool mmli_is_endpoint(const char *name);
/* A name that may tell the outcome or the division: such a column is not suggested as a feature. */
bool mmli_may_tell(const char *name);

#endif
