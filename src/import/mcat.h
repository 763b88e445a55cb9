/* mcat.h - the wide tables of MCAT, PORPOISE, SurvPath and MMP: a row a slide, with the survival and (MCAT, PORPOISE) the
 * genes of its case. */
#ifndef MMLI_IMPORT_MCAT_H
#define MMLI_IMPORT_MCAT_H

#include "import/facts.h"
#include "import/suggest.h"
#include "import/survey.h"

/* Columns case_id, slide_id, and a time with its censorship. */
bool mmli_is_mcat(const mmli_survey *survey);
mml_status mmli_mcat_inspect(mmli_facts *facts, const mmli_survey *survey);
/* The case is the sample; modalities by the suffix of the columns. */
mml_status mmli_mcat_suggest(mmli_suggestion *out, const mmli_survey *survey, const char *path);
/* The same of a file; MML_E_FORMAT when it is another table, with what it lacks. */
mml_status mmli_mcat_suggest_file(mmli_suggestion *out, const char *path);

#endif
