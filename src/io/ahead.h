/* ahead.h - batches of a cohort read while the one before is computed with.
 *
 *     mmli_ahead_new(&a, cohort, names, n_names);
 *     for each step
 *         mmli_ahead_read(&batch, a, samples, n, next_samples, next_n);
 *         ... compute with batch ...
 *     mmli_ahead_free(a);
 *
 * Each call gives exactly what mml_cohort_read() would have given, from a thread where the tokens are on the disk: what it was
 * told comes next is read in the meantime, into the second of two batches, and a failure of that is reported when it is asked
 * for. A cohort whose modalities are, or will be, kept in memory is read without a thread. The cohort may be used
 * by its owner in between (its lock: cohort.h), but must stay open. */
#ifndef MMLI_IO_AHEAD_H
#define MMLI_IO_AHEAD_H

#include <stdbool.h>

#include "mmlego/data.h"

typedef struct mmli_ahead mmli_ahead;

/* A piece of a sample too large for one batch: tokens first .. first+count-1 of one modality. */
typedef struct mmli_piece {
    size_t sample, name; /* place of the modality in `names` */
    size_t first, count;
} mmli_piece;

/* Cohort and names are lent until the end. MML_E_NOT_FOUND: a modality that is not there. */
mml_status mmli_ahead_new(mmli_ahead **out, mml_cohort *cohort, const char *const *names, size_t n_names);
/* Waits for a reading under way. NULL is fine. */
void mmli_ahead_free(mmli_ahead *ahead);
bool mmli_ahead_is_threaded(const mmli_ahead *ahead);

/* *out = these samples, lent until the next call. n_next = 0: nothing comes next. */
mml_status mmli_ahead_read(const mml_batch **out, mmli_ahead *ahead, const size_t *samples, size_t n, const size_t *next,
                           size_t n_next);
/* *out = a batch of one sample with one modality, as far as the piece goes. next NULL: nothing comes next. */
mml_status mmli_ahead_read_piece(const mml_batch **out, mmli_ahead *ahead, const mmli_piece *piece, const mmli_piece *next);

#endif
