/* attention.c - weights of tokens: a forward pass is watched (ops/watch.h), what it shows is kept until the pass is over and
 * given out sample by sample. */
#include <string.h>

#include "explain/explainer.h"
#include "io/ahead.h"
#include "ops/watch.h"
#include "util/alloc.h"
#include "util/error.h"

/* What was shown: weights of the tokens of all samples of a chunk. */
typedef struct shown {
    size_t member, step; /* MML_STEP_POOLING */
    float *weights;      /* (tokens), or NULL: 1 each */
    int64_t *off;        /* (segs + 1) */
    size_t *segment;     /* (samples) segment of each sample, SIZE_MAX = none */
} shown;

typedef struct watcher {
    mml_explainer *e;
    shown *list; /* (n) in the order of the pass */
    size_t n, cap, samples;
    mml_attention_sink sink;
    void *user;
    float *places; /* positions of a streamed sample */
} watcher;

static void clear(watcher *w)
{
    for (size_t i = 0; i < w->n; i++) {
        mmli_free(w->list[i].weights);
        mmli_free(w->list[i].off);
        mmli_free(w->list[i].segment);
    }
    w->n = 0;
}

static mml_status find_member(size_t *member, const mml_model *model, const void *of)
{
    for (size_t m = 0; m < model->n; m++)
        if (of == &model->members[m].block || of == &model->members[m].block.encoder) {
            *member = m;
            return MML_OK;
        }
    return mmli_fail(MML_E_INTERNAL, "weights of something that is no block of the model");
}

static mml_status keep(void *user, const mmli_seen *seen)
{
    watcher *w = user;
    const mmli_ragged *ragged = seen->ragged;
    mml_status st = MML_OK;
    shown *s;

    MML_TRY(mmli_grow(&w->list, &w->cap, w->n + 1, sizeof *w->list));
    s = &w->list[w->n++];
    *s = (shown){.step = seen->pool ? MML_STEP_POOLING : seen->step};
    MML_TRY(find_member(&s->member, w->e->model, seen->of));
    MML_TRY(mmli_calloc(&s->off, ragged->segs + 1, sizeof *s->off));
    MML_TRY(mmli_calloc(&s->segment, w->samples, sizeof *s->segment));
    memcpy(s->off, ragged->off, (ragged->segs + 1) * sizeof *s->off);
    for (size_t b = 0; b < w->samples; b++)
        s->segment[b] = SIZE_MAX;
    for (size_t p = 0; p < ragged->segs; p++)
        s->segment[ragged->idx[p]] = p;
    if (seen->weights) {
        MML_TRY(mmli_calloc(&s->weights, ragged->tokens, sizeof *s->weights));
        memcpy(s->weights, seen->weights, ragged->tokens * sizeof *s->weights);
    }
out:
    return st;
}

static bool pools(const mmli_encoder *encoder)
{
    return encoder->kind == MML_ENCODER_ABMIL || (encoder->kind == MML_ENCODER_CUSTOM && encoder->custom->pools);
}

static mml_token_kind kind_of(const mmli_member *m, const shown *s, size_t n)
{
    const mml_block_options *o = &m->block.o;

    if (s->step == MML_STEP_POOLING)
        return MML_TOKENS;
    if (pools(&m->block.encoder))
        return MML_TOKENS_POOLED;
    return n > 1 && o->context_dft && o->transform != MML_TRANSFORM_SPATIAL ? MML_TOKENS_FREQUENCY : MML_TOKENS;
}

/* Positions of all tokens of a sample that was read in pieces. */
static mml_status read_places(watcher *w, mml_cohort *cohort, size_t sample, const mml_modality_info *info)
{
    enum { ROWS = 4096 };
    const size_t n = (size_t)(info->offsets[sample + 1] - info->offsets[sample]);
    mml_status st = MML_OK;
    mmli_ahead *ahead = NULL;
    const mml_batch *batch;
    mml_tokens tokens;

    mmli_free(w->places);
    w->places = NULL;
    MML_TRY(mmli_calloc(&w->places, n, info->n_axes * sizeof *w->places));
    MML_TRY(mmli_ahead_new(&ahead, cohort, &info->name, 1));
    for (size_t at = 0; at < n; at += ROWS) {
        const mmli_piece piece = {.sample = sample, .first = at, .count = n - at < ROWS ? n - at : ROWS};

        MML_TRY(mmli_ahead_read_piece(&batch, ahead, &piece, NULL));
        MML_TRY(mml_batch_get(&tokens, batch, info->name));
        memcpy(w->places + at * info->n_axes, tokens.positions, piece.count * info->n_axes * sizeof *w->places);
    }
out:
    mmli_ahead_free(ahead);
    return st;
}

/* Where the n tokens that sample b of the chunk has of a modality are. */
static mml_status find_places(mml_attention *a, watcher *w, const mmli_walk *walk, const mml_batch *batch, size_t b)
{
    const mmli_member *m = &w->e->model->members[a->block];
    mml_status st = MML_OK;
    mml_modality_info info;
    mml_tokens tokens;

    MML_TRY(mml_cohort_modality(&info, walk->cohort, m->modality));
    a->n_axes = info.n_axes;
    if (info.n_axes == 0)
        goto out;
    if (walk->sources && walk->sources[a->block]) {
        MML_TRY(read_places(w, walk->cohort, a->sample, &info));
        a->positions = w->places;
        goto out;
    }
    MML_TRY(mml_batch_get(&tokens, batch, m->modality));
    a->positions = tokens.positions ? tokens.positions + (size_t)tokens.offsets[b] * info.n_axes : NULL;
out:
    return st;
}

static mml_status give_one(watcher *w, const mmli_walk *walk, const mml_batch *batch, const shown *s, size_t b, size_t sample)
{
    static const float all = 1;
    const mmli_member *m = &w->e->model->members[s->member];
    const size_t p = s->segment[b], at = p == SIZE_MAX ? 0 : (size_t)s->off[p];
    mml_attention a = {.sample = sample, .block = s->member, .step = s->step};
    mml_status st = MML_OK;

    if (p == SIZE_MAX)
        goto out;
    a.n = (size_t)s->off[p + 1] - at;
    a.weights = s->weights ? s->weights + at : &all;
    a.tokens = kind_of(m, s, a.n);
    if (a.tokens == MML_TOKENS)
        MML_TRY(find_places(&a, w, walk, batch, b));
    MML_CHECK(w->sink(w->user, &a) == 0, MML_E_STOPPED, "stopped while explaining");
out:
    return st;
}

static mml_status give_chunk(watcher *w, const mmli_walk *walk, const mml_batch *batch, const size_t *samples)
{
    mml_status st = MML_OK;

    for (size_t b = 0; b < w->samples; b++)
        for (size_t m = 0; m < w->e->model->n; m++)
            for (size_t i = 0; i < w->n; i++)
                if (w->list[i].member == m)
                    MML_TRY(give_one(w, walk, batch, &w->list[i], b, samples[b]));
out:
    return st;
}

static mml_status watch_chunk(watcher *w, const mmli_walk *walk, const mml_batch *batch)
{
    mml_explainer *e = w->e;
    const mmli_watch watch = {keep, w};
    mml_status st = MML_OK;
    mmli_bound bound;
    mmli_inputs in;
    mmli_var *logits;

    MML_TRY(mmli_tape_begin(e->tape, 0, 0, 0));
    mmli_tape_watch(e->tape, &watch);
    MML_TRY(mmli_inputs_make(&in, e->tape, e->model, batch, NULL, walk->matches));
    if (walk->sources)
        MML_TRY(mmli_sources_add(&in, e->tape, e->model, walk->sources));
    MML_TRY(mmli_params_bind(&bound, e->tape, e->params, NULL, NULL));
    st = mmli_model_forward(&logits, e->model, e->tape, &bound, &in, &e->heads);
out:
    mmli_tape_watch(e->tape, NULL);
    return st;
}

mml_status mml_explain_attention(mml_explainer *e, mml_cohort *cohort, const size_t *samples, size_t n,
                                 mml_attention_sink sink, void *user)
{
    watcher w = {.e = e, .sink = sink, .user = user};
    const mml_batch *chunk;
    const size_t *which;
    mmli_walk walk = {0};
    mml_status st = MML_OK;

    MML_GIVEN_AS("explainer, cohort", e, cohort);
    MML_CHECK(sink, MML_E_ARG, "no function to give the weights to");
    MML_CHECK(e->model->kind != MML_MODEL_BASELINE, MML_E_ARG,
              "attention is shown of blocks, merged and fused models; this one is a baseline (%s)",
              mml_baseline_name(e->model->baseline->o.kind));
    MML_TRY(mmli_walk_begin(&walk, e->model, cohort, samples, n, e->o.batch));
    walk.large = e->large;
    for (;;) {
        MML_TRY(mmli_walk_next(&chunk, &which, &w.samples, &walk));
        if (!chunk)
            break;
        MML_TRY(watch_chunk(&w, &walk, chunk));
        MML_TRY(give_chunk(&w, &walk, chunk, which));
        clear(&w);
    }
out:
    clear(&w);
    mmli_free(w.list);
    mmli_free(w.places);
    mmli_walk_end(&walk);
    return st;
}
