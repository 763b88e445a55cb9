/* copy.h - rows of known samples out of a source, as tokens into the cohort file, a block at a time. */
#ifndef MMLI_IMPORT_COPY_H
#define MMLI_IMPORT_COPY_H

#include "import/source.h"
#include "io/cohort_write.h"
#include "io/index.h"

/* Pieces of known samples in the order of the samples, those of one sample in the order of the source. */
typedef struct mmli_visit {
    size_t sample, piece;
} mmli_visit;

typedef struct mmli_visits {
    mmli_visit *list; /* (n) */
    size_t n;
} mmli_visits;

mml_status mmli_visits_make(mmli_visits *out, const mmli_source *source, const mmli_index *samples);
void mmli_visits_free(mmli_visits *visits);

/* Whom to tell how far it is. */
typedef struct mmli_copy_watch {
    const char *what;
    mml_progress progress; /* or NULL */
    void *user;
} mmli_copy_watch;

/* MML_E_STOPPED when whoever is told says so. */
mml_status mmli_copy_tell(const mmli_copy_watch *watch, size_t done, size_t total);

/* ids: of the samples, for messages. */
mml_status mmli_copy_tokens(mmli_token_writer *w, const mmli_tokenizer *t, mmli_source *source, const mmli_visits *visits,
                            char *const *ids, const mmli_copy_watch *watch);

#endif
