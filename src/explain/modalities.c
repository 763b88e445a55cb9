/* modalities.c - what a modality adds: the model predicts once more without it, and from it alone. */
#include <string.h>

#include "explain/explainer.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct study {
    mml_explainer *e;
    const char **names; /* (n_names) modalities of the model, each once */
    size_t n_names, B;
    uint8_t *drop;      /* (members, B) */
    mmli_source **kept; /* (members) */
    float *all, *without, *alone; /* (B, k); without and alone (n_names) of them */
    uint8_t *present;   /* (members, B) of the pass with all */
    size_t cap;         /* samples that there is room for */
    mml_contribution_sink sink;
    void *user;
} study;

static bool is_of(const study *s, size_t member, size_t name)
{
    return strcmp(s->e->model->members[member].modality, s->names[name]) == 0;
}

static mml_status begin(study *s)
{
    const mml_model *model = s->e->model;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&s->names, model->n, sizeof *s->names));
    MML_TRY(mmli_calloc(&s->kept, model->n, sizeof *s->kept));
    for (size_t m = 0; m < model->n; m++) {
        size_t i = 0;

        while (i < s->n_names && !is_of(s, m, i))
            i++;
        if (i == s->n_names)
            s->names[s->n_names++] = model->members[m].modality;
    }
out:
    return st;
}

static void end(study *s)
{
    mmli_free(s->names);
    mmli_free(s->kept);
    mmli_free(s->drop);
    mmli_free(s->present);
    mmli_free(s->all);
    mmli_free(s->without);
    mmli_free(s->alone);
}

static mml_status reserve(study *s, size_t B)
{
    const size_t m = s->e->model->n, k = s->e->model->task->outputs;
    mml_status st = MML_OK;

    s->B = B;
    if (B <= s->cap)
        return MML_OK;
    MML_TRY(mmli_realloc(&s->drop, m * B, 1));
    MML_TRY(mmli_realloc(&s->present, m * B, 1));
    MML_TRY(mmli_realloc(&s->all, B * k, sizeof *s->all));
    MML_TRY(mmli_realloc(&s->without, s->n_names * B * k, sizeof *s->without));
    MML_TRY(mmli_realloc(&s->alone, s->n_names * B * k, sizeof *s->alone));
    s->cap = B;
out:
    return st;
}

/* Logits with all modalities (name SIZE_MAX), without one, or (alone) from it only. */
static mml_status predict(float *out, study *s, const mml_batch *batch, const mmli_walk *walk, size_t name, bool alone)
{
    mml_explainer *e = s->e;
    const size_t n = e->model->n;
    mml_status st = MML_OK;
    mmli_var *logits = NULL;
    mmli_inputs in;
    mmli_bound bound;
    bool any = false;

    for (size_t m = 0; m < n; m++) {
        const bool dropped = name != SIZE_MAX && is_of(s, m, name) != alone;

        memset(s->drop + m * s->B, dropped, s->B);
        s->kept[m] = walk->sources && !dropped ? walk->sources[m] : NULL;
    }
    MML_TRY(mmli_tape_begin(e->tape, 0, 0, 0));
    MML_TRY(mmli_inputs_make(&in, e->tape, e->model, batch, s->drop, walk->matches));
    if (walk->sources)
        MML_TRY(mmli_sources_add(&in, e->tape, e->model, s->kept));
    for (size_t m = 0; m < n; m++)
        any = any || in.in[m].x != NULL;
    if (any) {
        MML_TRY(mmli_params_bind(&bound, e->tape, e->params, NULL, NULL));
        MML_TRY(mmli_model_forward(&logits, e->model, e->tape, &bound, &in, &e->heads));
    }
    MML_TRY(mmli_explainer_logits(out, e, &in, logits));
    if (name == SIZE_MAX)
        memcpy(s->present, in.present, n * s->B);
out:
    return st;
}

static bool has(const study *s, size_t name, size_t b)
{
    for (size_t m = 0; m < s->e->model->n; m++)
        if (is_of(s, m, name) && s->present[m * s->B + b])
            return true;
    return false;
}

static mml_status give(const study *s, size_t b, size_t sample)
{
    const mmli_task *task = s->e->model->task;
    const size_t k = task->outputs, cls = mmli_score_class(task, s->all + b * k, s->e->target);
    mml_status st = MML_OK;
    size_t n = 0;

    for (size_t i = 0; i < s->n_names; i++)
        n += has(s, i, b);
    for (size_t i = 0; i < s->n_names; i++) {
        const float *all = s->all + b * k, *without = s->without + (i * s->B + b) * k, *alone = s->alone + (i * s->B + b) * k;
        const mml_contribution c = {.sample = sample,
                                    .modality = s->names[i],
                                    .class_index = cls,
                                    .score = mmli_score(task, all, cls),
                                    .without = mmli_score(task, without, cls),
                                    .alone = mmli_score(task, alone, cls),
                                    .output = mmli_score_output(task, all, cls),
                                    .output_without = mmli_score_output(task, without, cls),
                                    .output_alone = mmli_score_output(task, alone, cls),
                                    .prior = n == 1};

        if (has(s, i, b))
            MML_CHECK(s->sink(s->user, &c) == 0, MML_E_STOPPED, "stopped while explaining");
    }
out:
    return st;
}

static mml_status explain_chunk(study *s, const mml_batch *batch, const mmli_walk *walk, const size_t *samples)
{
    const size_t k = s->e->model->task->outputs;
    mml_status st = MML_OK;

    MML_TRY(predict(s->all, s, batch, walk, SIZE_MAX, false));
    for (size_t i = 0; i < s->n_names; i++) {
        MML_TRY(predict(s->without + i * s->B * k, s, batch, walk, i, false));
        MML_TRY(predict(s->alone + i * s->B * k, s, batch, walk, i, true));
    }
    for (size_t b = 0; b < s->B; b++)
        MML_TRY(give(s, b, samples[b]));
out:
    return st;
}

mml_status mml_explain_modalities(mml_explainer *e, mml_cohort *cohort, const size_t *samples, size_t n,
                                  mml_contribution_sink sink, void *user)
{
    study s = {.e = e, .sink = sink, .user = user};
    const mml_batch *chunk;
    const size_t *which;
    mmli_walk walk = {0};
    mml_status st = MML_OK;
    size_t count;

    MML_GIVEN_AS("explainer, cohort", e, cohort);
    MML_CHECK(sink, MML_E_ARG, "no function to give the contributions to");
    MML_TRY(begin(&s));
    MML_TRY(mmli_walk_begin(&walk, e->model, cohort, samples, n, e->o.batch));
    walk.large = e->large;
    for (;;) {
        MML_TRY(mmli_walk_next(&chunk, &which, &count, &walk));
        if (!chunk)
            break;
        MML_TRY(reserve(&s, count));
        MML_TRY(explain_chunk(&s, chunk, &walk, which));
    }
out:
    end(&s);
    mmli_walk_end(&walk);
    return st;
}
