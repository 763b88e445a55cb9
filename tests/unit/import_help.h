/* import_help.h - one call from the text of a cohort.ini to an open cohort. Files are in the test's folder. */
#ifndef MMLT_IMPORT_HELP_H
#define MMLT_IMPORT_HELP_H

#include <stdbool.h>

#include "mmlego/data.h"
#include "tests/unit/folder.h"

/* Writes cohort.ini and imports it to out.h5, which is opened. `m.csv` is made (one feature, sample "a") when the test
 * has none. */
mml_cohort *mmlt_imported(const char *ini);
/* The report of the last import. */
const char *mmlt_report(void);
/* cohort.ini with this text must not be importable: status, words of the message; and nothing is left behind. */
void mmlt_assert_not_imported(const char *ini, mml_status status, const char *text);
/* All tokens of a modality, in order: values, and positions (NULL: has none). */
void mmlt_assert_tokens(mml_cohort *c, const char *modality, const float *values, const float *positions);

bool mmlt_has(const char *in, const char *words);
/* The text of the last call that gave one, and a fixture for tests that have it, and the folder. */
extern char *mmlt_text;
void mmlt_text_make(void);
void mmlt_text_free(void);

#endif
