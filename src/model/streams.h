/* streams.h - tokens of one sample read piece by piece, preprocessed, for samples that are not to lie in memory. */
#ifndef MMLI_MODEL_STREAMS_H
#define MMLI_MODEL_STREAMS_H

#include "model/model.h"
#include "util/stream.h"

typedef struct mmli_source mmli_source;

/* Can this block be run on a stream? */
bool mmli_member_streams(const mmli_member *m);
/* Cohort and member are lent until the end. The stream gives what mmli_prep_apply would for the whole sample. */
mml_status mmli_source_new(mmli_source **out, mml_cohort *cohort, size_t sample, const mmli_member *m);
void mmli_source_free(mmli_source *source); /* NULL is fine */
/* The inputs of a pass over the one sample of `in`, with what its sources (members; some NULL) have. They must outlive it. */
mml_status mmli_sources_add(mmli_inputs *in, mmli_tape *tape, const mml_model *model, mmli_source *const *sources);

#endif
