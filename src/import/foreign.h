/* foreign.h - files that are known and not read, because that would mean to run them or to carry a large library: what
 * they are, and two lines that convert them. */
#ifndef MMLI_IMPORT_FOREIGN_H
#define MMLI_IMPORT_FOREIGN_H

#include "import/source.h"

typedef struct mmli_foreign {
    const char *what;   /* "a PyTorch file (.pt)" */
    const char *recipe; /* two lines; FILE stands for the file */
} mmli_foreign;

/* NULL: none of those. */
const mmli_foreign *mmli_foreign_of(const mmli_probe *probe);
/* MML_E_FORMAT with what it is and the recipe, FILE replaced. */
mml_status mmli_foreign_fail(const mmli_foreign *foreign, const char *path);

#endif
