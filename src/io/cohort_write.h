/* cohort_write.h - a cohort file as it is written: samples, columns, tasks, then the tokens of one modality after the
 * other (doc/cohort.md). Everything written goes into the hash, in order. */
#ifndef MMLI_IO_COHORT_WRITE_H
#define MMLI_IO_COHORT_WRITE_H

#include "io/cohort.h"

enum { MMLI_COMPRESS_AUTO = 100 /* level 1 where it saves a third of the first tokens, else none */ };

typedef struct mmli_cohort_writer {
    hid_t file, columns, tasks, modalities;
    const char *path; /* lent */
    size_t n;
    unsigned compress; /* gzip level, 0 = none */
    uint64_t hash;
} mmli_cohort_writer;

mml_status mmli_cohort_write_begin(mmli_cohort_writer *w, const char *real, const char *path, char *const *ids,
                                   char *const *groups, size_t n, unsigned compress);
mml_status mmli_cohort_write_column(mmli_cohort_writer *w, const char *name, char *const *texts);
mml_status mmli_cohort_write_task(mmli_cohort_writer *w, const mmli_cohort_task *task);
/* Writes the hash and closes. */
mml_status mmli_cohort_write_end(mmli_cohort_writer *w);
/* After a failure; {0} is not fine, one begun is. */
void mmli_cohort_write_drop(mmli_cohort_writer *w);

typedef struct mmli_token_writer {
    mmli_cohort_writer *w;
    const char *name;    /* lent */
    hid_t group, values, axes; /* the sets: -1 until the first tokens are written */
    size_t width, n_axes, chunk;
    bool half;
    float *buffer, *axes_buffer; /* `room` tokens */
    uint16_t *halves;    /* the same, or NULL: not float16 */
    size_t room, held, written;
    int64_t *offsets;    /* (N + 1) */
    size_t next;         /* samples before this have their end offset */
    uint64_t *measured;  /* (width) values that are not NaN */
    size_t n_present;
} mmli_token_writer;

/* half: every value is a float16 and is kept as one. */
mml_status mmli_token_write_begin(mmli_token_writer *t, mmli_cohort_writer *w, const char *name, mml_modality_kind kind,
                                  size_t width, size_t n_axes, char *const *features, bool half);
/* category_of (width) as in doc/cohort.md 1; before the first tokens. */
mml_status mmli_token_write_categories(mmli_token_writer *t, const char *const *category_of);
/* Tokens of a sample, after those of the samples before it; more of the same sample may follow. */
mml_status mmli_token_write(mmli_token_writer *t, size_t sample, const float *values, const float *positions, size_t n);
/* The rest. t keeps offsets, measured and n_present until mmli_token_write_free(). */
mml_status mmli_token_write_end(mmli_token_writer *t);
void mmli_token_write_free(mmli_token_writer *t);

#endif
