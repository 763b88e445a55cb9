/* long_look.h - a table with one measurement a row, recognised by the names of its columns. */
#ifndef MMLI_IMPORT_LONG_LOOK_H
#define MMLI_IMPORT_LONG_LOOK_H

#include "import/source.h"

mml_status mmli_long_probe(mmli_sureness *out, char *what, const mmli_probe *probe);
/* As of a CSV, and what the four columns are. */
mml_status mmli_long_inspect(mmli_facts *facts, const char *path);
mml_status mmli_long_suggest(mmli_suggestion *out, const char *path);

#endif
