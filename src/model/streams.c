/* streams.c - see streams.h. */
#include "model/streams.h"

#include <string.h>

#include "io/ahead.h"
#include "io/batch.h"
#include "util/alloc.h"
#include "util/error.h"

struct mmli_source {
    mmli_stream stream;
    const mmli_prep *prep;
    const char *name; /* of the modality */
    size_t sample;
    mmli_ahead *ahead;
    float *x;   /* preprocessed: (cap, width_out), and above it the last row of the piece before */
    size_t cap;
};

static mml_status reserve(mmli_source *s, size_t n)
{
    mml_status st = MML_OK;
    float *x = NULL;
    size_t bytes;

    if (n <= s->cap)
        return MML_OK;
    MML_CHECK(mmli_mul_size(&bytes, n + 1, s->prep->width_out), MML_E_NOMEM, "%zu tokens of width %zu are too many", n,
              s->prep->width_out);
    MML_TRY(mmli_calloc(&x, bytes, sizeof *x));
    if (s->x)
        memcpy(x, s->x, s->prep->width_out * sizeof *x);
    mmli_free(s->x);
    s->x = x;
    s->cap = n;
out:
    return st;
}

static mml_status read_piece(void *user, const float **out, size_t first, size_t n, size_t next)
{
    mmli_source *s = user;
    const size_t width = s->prep->width_out;
    const mmli_piece this = {.sample = s->sample, .first = first, .count = n};
    const mmli_piece then = {.sample = s->sample, .first = first + n, .count = next};
    mml_status st = MML_OK;
    const mml_batch *batch;
    mml_tokens tokens;

    *out = NULL;
    MML_TRY(reserve(s, n));
    MML_TRY(mmli_ahead_read_piece(&batch, s->ahead, &this, next > 0 ? &then : NULL));
    MML_TRY(mml_batch_get(&tokens, batch, s->name));
    MML_TRY(mmli_prep_apply_part(s->x + width, s->prep, &tokens, first, s->stream.rows, first > 0 ? s->x : NULL));
    memcpy(s->x, s->x + n * width, width * sizeof *s->x); /* row 0 is what is above the next piece */
    *out = s->x + width;
out:
    return st;
}

mml_status mmli_source_new(mmli_source **out, mml_cohort *cohort, size_t sample, const mmli_member *m)
{
    mml_status st = MML_OK;
    mmli_source *s = NULL;
    mml_modality_info info;

    *out = NULL;
    MML_TRY(mml_cohort_modality(&info, cohort, m->modality));
    MML_TRY(mmli_calloc(&s, 1, sizeof *s));
    s->prep = m->prep;
    s->name = m->modality;
    s->sample = sample;
    s->stream = (mmli_stream){.rows = (size_t)(info.offsets[sample + 1] - info.offsets[sample]),
                              .cols = m->prep->width_out,
                              .read = read_piece,
                              .user = s};
    MML_TRY(mmli_ahead_new(&s->ahead, cohort, &s->name, 1));
    *out = s;
    s = NULL;
out:
    mmli_source_free(s);
    return st;
}

void mmli_source_free(mmli_source *s)
{
    if (!s)
        return;
    mmli_ahead_free(s->ahead);
    mmli_free(s->x);
    mmli_free(s);
}

mml_status mmli_sources_add(mmli_inputs *in, mmli_tape *tape, const mml_model *model, mmli_source *const *sources)
{
    mml_status st = MML_OK;

    for (size_t m = 0; m < model->n; m++) {
        int64_t off[2] = {0, 0};

        if (!sources[m])
            continue;
        off[1] = (int64_t)sources[m]->stream.rows;
        MML_TRY(mmli_ragged_make(&in->in[m].ragged, tape, off, 1));
        in->in[m].x = mmli_tape_stream(tape, &sources[m]->stream);
        in->present[m] = 1;
    }
    st = mmli_tape_status(tape);
out:
    return st;
}

/* Steps and pooling read in pieces; a transform along the tokens, upstream's layers of every step, the other encoders, and
 * baselines (no steps) want all of them. */
bool mmli_member_streams(const mmli_member *m)
{
    const mml_block_options *o = &m->block.o;

    if (!m->block.steps || o->raw_layers || m->block.no_shortcuts)
        return false;
    if (o->encoder == MML_ENCODER_ABMIL)
        return true;
    return (o->encoder == MML_ENCODER_NONE || o->encoder == MML_ENCODER_EMBEDDING) &&
           !(o->context_dft && o->transform != MML_TRANSFORM_SPATIAL);
}
