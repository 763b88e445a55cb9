/* features.c - integrated gradients of a cohort: chunks in, attributions out. */
#include "explain/gradients.h"
#include "util/alloc.h"
#include "util/error.h"

static void clear(mmli_explained *x, size_t members)
{
    for (size_t m = 0; x->sum && m < members; m++)
        mmli_free(x->sum[m]);
    mmli_free(x->sum);
    mmli_free(x->score);
    mmli_free(x->base);
    mmli_free(x->gap);
    mmli_free(x->cls);
    mmli_free(x->points);
    mmli_path_clear(&x->path);
    *x = (mmli_explained){.sum = NULL};
}

static mml_status begin(mmli_explained *x, const mml_explainer *e, const mml_batch *batch, const mmli_walk *walk)
{
    const size_t n = e->model->n, B = mml_batch_size(batch);
    mml_status st = MML_OK;

    clear(x, n);
    MML_TRY(mmli_path_make(&x->path, e, batch, walk->matches));
    MML_TRY(mmli_calloc(&x->sum, n, sizeof *x->sum));
    for (size_t m = 0; m < n; m++) {
        const mmli_path_part *p = &x->path.part[m];

        if (p->T > 0 && p->moves)
            MML_TRY(mmli_calloc(&x->sum[m], p->T, p->columns * sizeof **x->sum));
    }
    MML_TRY(mmli_calloc(&x->score, B, sizeof *x->score));
    MML_TRY(mmli_calloc(&x->base, B, sizeof *x->base));
    MML_TRY(mmli_calloc(&x->gap, B, sizeof *x->gap));
    MML_TRY(mmli_calloc(&x->cls, B, sizeof *x->cls));
    MML_TRY(mmli_calloc(&x->points, B, sizeof *x->points));
out:
    return st;
}

typedef struct receiver {
    mml_cohort *cohort;
    mml_attributions_sink sink;
    void *user;
} receiver;

/* Block m of sample b of the chunk, sample `sample` of the cohort. */
static mml_status give(const receiver *to, const mmli_explained *x, const mml_batch *batch, size_t b, size_t m, size_t sample)
{
    const mmli_member *member = &x->path.model->members[m];
    const mmli_path_part *p = &x->path.part[m];
    const size_t first = (size_t)p->off[b];
    mml_status st = MML_OK;
    mml_modality_info info;
    mml_tokens tokens;
    mml_attributions a = {.sample = sample,
                          .block = m,
                          .class_index = x->cls[b],
                          .n_tokens = (size_t)p->off[b + 1] - first,
                          .n_columns = p->columns,
                          .values = x->sum[m] ? x->sum[m] + first * p->columns : NULL,
                          .feature = p->feature,
                          .indicator = p->indicator,
                          .score = x->score[b],
                          .baseline = x->base[b],
                          .gap = x->gap[b],
                          .points = x->points[b]};

    if (!a.values || a.n_tokens == 0)
        goto out;
    MML_TRY(mml_cohort_modality(&info, to->cohort, member->modality));
    MML_TRY(mml_batch_get(&tokens, batch, info.name));
    a.features = member->prep->features ? (const char *const *)member->prep->features : info.features;
    a.n_axes = tokens.positions ? tokens.n_axes : 0;
    a.positions = tokens.positions ? tokens.positions + first * tokens.n_axes : NULL;
    MML_CHECK(to->sink(to->user, &a) == 0, MML_E_STOPPED, "stopped while explaining");
out:
    return st;
}

mml_status mml_explain_gradients(mml_explainer *e, mml_cohort *cohort, const size_t *samples, size_t n,
                                 mml_attributions_sink sink, void *user)
{
    const receiver to = {cohort, sink, user};
    mmli_explained x = {.sum = NULL};
    const mml_batch *chunk;
    const size_t *which;
    mmli_walk walk = {0};
    mml_status st = MML_OK;
    size_t count;

    MML_GIVEN_AS("explainer, cohort", e, cohort);
    if (!sink)
        return mmli_fail(MML_E_ARG, "no function to give the attributions to");
    MML_TRY(mmli_walk_begin(&walk, e->model, cohort, samples, n, e->o.batch));
    for (;;) {
        MML_TRY(mmli_walk_next(&chunk, &which, &count, &walk));
        if (!chunk)
            break;
        MML_TRY(begin(&x, e, chunk, &walk));
        MML_TRY(mmli_explain_gradients(e, &x));
        for (size_t b = 0; b < count; b++)
            for (size_t m = 0; m < e->model->n; m++)
                MML_TRY(give(&to, &x, chunk, b, m, which[b]));
    }
out:
    clear(&x, e->model->n);
    mmli_walk_end(&walk);
    return st;
}
