/* facts.h - what `mmlego inspect` says of a file that is not ours: facts in the order in which they are found, and
 * a table of columns. */
#ifndef MMLI_IMPORT_FACTS_H
#define MMLI_IMPORT_FACTS_H

#include "mmlego/base.h"

typedef struct mmli_facts mmli_facts;

mml_status mmli_facts_new(mmli_facts **out);
void mmli_facts_free(mmli_facts *facts);
/* `name`: two or three words ("id column"); a second fact of the name replaces the first. Not for fractions, which follow
 * the locale: mmli_fact_number. */
mml_status mmli_fact(mmli_facts *facts, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
mml_status mmli_fact_number(mmli_facts *facts, const char *name, double value);
/* A column, array or tensor. type: "number", "text", "float32 (100, 3)"; values: "0 to 90", "a, b, c"; both may be "". */
mml_status mmli_fact_column(mmli_facts *facts, const char *name, const char *type, size_t missing, const char *values);
/* JSON with `file`, `format`, `what`, then the facts, then `columns` if there are any; yours: mmli_free(). */
mml_status mmli_facts_json(char **json, const mmli_facts *facts, const char *file, const char *format, const char *what);

#endif
