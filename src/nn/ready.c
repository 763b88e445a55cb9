/* ready.c - counts the ops that read the parameters of a bucket: when the last of them has been walked back, its gradient is whole. */
#include "nn/ready.h"

#include "util/alloc.h"
#include "util/error.h"

enum {
    LEAST = 1 << 16, /* floats of a bucket: below, starting a sum takes longer than the sum */
    ABOUT = 8        /* buckets of a large model */
};

static bool is_trained(const mmli_params *params, const uint8_t *frozen, size_t i)
{
    return !params->list[i].dead && !(frozen && frozen[i]);
}

static size_t end_of(const mmli_params *params, size_t i)
{
    return i + 1 < params->n ? params->list[i + 1].at : params->total;
}

mml_status mmli_buckets_new(mmli_buckets *out, const mmli_params *params, const uint8_t *frozen)
{
    mml_status st = MML_OK;
    size_t trained = 0, each, size = 0;

    *out = (mmli_buckets){0};
    MML_TRY(mmli_calloc(&out->of, params->n, sizeof *out->of));
    MML_TRY(mmli_calloc(&out->uses, MMLI_BUCKETS_MOST, sizeof *out->uses));
    for (size_t i = 0; i < params->n; i++)
        trained += is_trained(params, frozen, i) ? end_of(params, i) - params->list[i].at : 0;
    each = trained / ABOUT > LEAST ? trained / ABOUT + 1 : LEAST;
    for (size_t i = 0; i < params->n; i++) {
        mmli_bucket *last = out->n > 0 ? &out->list[out->n - 1] : NULL;

        out->of[i] = MMLI_BUCKETS_MOST;
        if (!is_trained(params, frozen, i))
            continue;
        if (!last || size >= each) {
            last = &out->list[out->n++];
            last->at = params->list[i].at;
            size = 0;
        }
        last->n = end_of(params, i) - last->at;
        size += end_of(params, i) - params->list[i].at;
        out->of[i] = (uint8_t)(out->n - 1);
    }
out:
    return st;
}

void mmli_buckets_clear(mmli_buckets *buckets)
{
    mmli_free(buckets->of);
    mmli_free(buckets->uses);
    *buckets = (mmli_buckets){0};
}

typedef struct walk {
    mmli_buckets *buckets;
    const mmli_bound *bound;
    mmli_tape *tape;
    mml_status (*ready)(void *user, size_t bucket);
    void *user;
} walk;

/* The bucket of a variable; MMLI_BUCKETS_MOST: it is no parameter, or not trained. */
static size_t bucket_of(const walk *w, const mmli_var *x)
{
    const mmli_params *params = w->bound->params;

    if (!x || x < w->bound->vars || x >= w->bound->vars + params->n)
        return MMLI_BUCKETS_MOST;
    return w->buckets->of[x - w->bound->vars];
}

/* What nothing flowed back to becomes 0; then the bucket is told of. */
static mml_status finish(const walk *w, size_t bucket)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < w->bound->params->n; i++)
        if (w->buckets->of[i] == bucket && w->bound->vars[i].blank)
            mmli_tape_grad(w->tape, &w->bound->vars[i]);
    MML_TRY(mmli_tape_status(w->tape));
    MML_TRY(w->ready(w->user, bucket));
out:
    return st;
}

static mml_status after(void *user, const mmli_node *node)
{
    const walk *w = user;
    const size_t inputs = sizeof node->in / sizeof *node->in;
    mml_status st = MML_OK;

    for (size_t b = 0; node->reads_more && b < w->buckets->n; b++)
        if (--w->buckets->uses[b] == 0)
            MML_TRY(finish(w, b));
    for (size_t k = 0; k < inputs; k++) {
        const size_t b = bucket_of(w, node->in[k]);

        if (b < MMLI_BUCKETS_MOST && --w->buckets->uses[b] == 0)
            MML_TRY(finish(w, b));
    }
out:
    return st;
}

static void count(const walk *w)
{
    for (size_t b = 0; b < w->buckets->n; b++)
        w->buckets->uses[b] = 0;
    for (const mmli_node *node = mmli_tape_last(w->tape); node; node = node->prev) {
        for (size_t k = 0; k < sizeof node->in / sizeof *node->in; k++) {
            const size_t b = bucket_of(w, node->in[k]);

            if (b < MMLI_BUCKETS_MOST)
                w->buckets->uses[b]++;
        }
        for (size_t b = 0; node->reads_more && b < w->buckets->n; b++)
            w->buckets->uses[b]++;
    }
}

mml_status mmli_buckets_backward(mmli_buckets *buckets, const mmli_bound *bound, mmli_tape *tape,
                                 mml_status (*ready)(void *user, size_t bucket), void *user)
{
    walk w = {buckets, bound, tape, ready, user};
    mml_status st = MML_OK;

    count(&w);
    for (size_t b = 0; b < buckets->n; b++)
        if (buckets->uses[b] == 0)
            MML_TRY(finish(&w, b));
    MML_TRY(mmli_tape_backward_told(tape, after, &w));
out:
    return st;
}
