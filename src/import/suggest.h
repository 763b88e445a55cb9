/* suggest.h - a cohort.ini for files of which nothing is known: `mmlego inspect --init`, and import without an ini. */
#ifndef MMLI_IMPORT_SUGGEST_H
#define MMLI_IMPORT_SUGGEST_H

#include "import/import.h"
#include "import/kept.h"
#include "util/text.h"

typedef struct mmli_suggestion {
    char *labels, *id, *group;   /* of [cohort]; own; NULL: nobody has some */
    mmli_buf cohort;             /* further lines of [cohort] */
    mmli_buf tasks, modalities;  /* sections, and comments among them */
    size_t n_tasks;
    char **used;                 /* names of modalities */
    size_t n_used, cap_used;
    mmli_kept *keep;             /* lent: a reader that must read the whole file leaves here what an import needs of it; or NULL */
} mmli_suggestion;

/* Says where the labels are, unless a file before did. *taken may be NULL. */
mml_status mmli_suggest_labels(bool *taken, mmli_suggestion *s, const char *path, const char *id, const char *group);
/* Begins a section [task NAME] with its kind; further keys by mmli_buf_printf(&s->tasks, ...). */
mml_status mmli_suggest_task(mmli_suggestion *s, const char *name, mml_task_kind kind);
/* Begins a section [modality NAME] with kind and file; NAME is made of `base` (a file name: without folder and ending) and
 * differs from those before. Further keys: mmli_suggest_key, or mmli_buf_printf(&s->modalities, ...). */
mml_status mmli_suggest_modality(mmli_suggestion *s, const char *base, mml_modality_kind kind, const char *path);
mml_status mmli_suggest_key(mmli_suggestion *s, const char *key, const char *value);
void mmli_suggestion_free(mmli_suggestion *s);

/* The text of a cohort.ini that imports these files; each is recognised, or read as `format` if that is not NULL. *out is
 * yours: mmli_free(). MML_E_IO, MML_E_FORMAT: a file that cannot be read, or of no known format. keep: for an import of a single file
 * that follows; or NULL. */
mml_status mmli_suggest(char **out, const char *const *paths, size_t n, const char *format, mmli_kept *keep);
/* look.c: mml_suggest_cohort() of one file, MML_E_NOT_FOUND if there is no such format. */
mml_status mmli_suggest_file(char **ini, const char *path, const char *format, mmli_kept *keep);

#endif
