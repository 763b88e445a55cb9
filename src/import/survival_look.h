/* survival_look.h - which columns of a table that nobody has described are a survival outcome. */
#ifndef MMLI_IMPORT_SURVIVAL_LOOK_H
#define MMLI_IMPORT_SURVIVAL_LOOK_H

#include "import/suggest.h"
#include "import/survey.h"

/* Sections [task NAME] for a time and an event that go together by their names and by what is in them; where one of the two is not
 * certain, a comment that says what has to be decided: it is no task, neither in the count nor for the names of others. */
mml_status mmli_suggest_survival(mmli_suggestion *out, const mmli_survey *survey);

#endif
