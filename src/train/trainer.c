/* trainer.c - sets a training up from a model and a divided cohort, runs it, and records where the result came from. */
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "model/options.h"
#include "train/parallel.h"
#include "util/alloc.h"
#include "util/error.h"

void mmli_trainer_clear(mmli_trainer *t)
{
    mmli_device *dv = t->model->params->dv;

    for (int i = 0; i < 3; i++)
        mmli_free(t->part[i].samples);
    mmli_labels_free(t->labels);
    mmli_free(t->order);
    mmli_tape_free(t->tape);
    mmli_ahead_free(t->ahead);
    mmli_free((void *)t->names);
    for (size_t i = 0; t->matches != NULL && i < t->model->n; i++)
        mmli_match_free(t->matches[i]);
    mmli_free(t->matches);
    mmli_optim_free(t->optim);
    mmli_free(t->frozen);
    if (t->best)
        dv->k.free(dv, t->best);
    if (t->sums)
        dv->k.free(dv, t->sums);
    mmli_scored_clear(&t->scored);
    mmli_free(t->history);
    json_decref(t->settings);
    mmli_free(t->outputs);
    mmli_free(t->one);
    mmli_free(t->batches);
    mmli_free(t->label);
    mmli_free(t->event);
    mmli_free(t->target);
    mmli_free(t->weight);
    mmli_free(t->time);
    mmli_free(t->drop);
    mmli_free(t->offsets);
    mmli_free(t->before);
}

/* Modalities to read, each once, and which of them every sample has. */
static mml_status find_modalities(mmli_trainer *t, uint8_t *usable)
{
    mml_status st = MML_OK;
    const size_t N = mml_cohort_size(t->cohort);

    MML_TRY(mmli_calloc(&t->names, t->model->n, sizeof *t->names));
    MML_TRY(mmli_calloc(&t->matches, t->model->n, sizeof *t->matches));
    MML_TRY(mmli_calloc(&t->offsets, t->model->n, sizeof *t->offsets));
    MML_TRY(mmli_calloc(&t->before, t->model->n, sizeof *t->before));
    for (size_t i = 0; i < t->model->n; i++) {
        const mmli_member *m = &t->model->members[i];
        mml_modality_info info;
        bool known = false;

        MML_TRY(mml_cohort_modality(&info, t->cohort, m->modality));
        MML_TRY(mmli_match_make(&t->matches[i], m->prep, &info));
        t->offsets[i] = info.offsets;
        for (size_t j = 0; j < N; j++)
            usable[j] |= info.offsets[j + 1] > info.offsets[j];
        for (size_t j = 0; j < t->n_names; j++)
            known = known || strcmp(t->names[j], m->modality) == 0;
        if (!known)
            t->names[t->n_names++] = m->modality;
    }
out:
    return st;
}

/* The samples of each part that can be used. The test part is kept whole: a model answers for a sample that lacks its
 * modality too (with the prior), and models of one split are then evaluated on the same samples. */
static mml_status make_parts(mmli_trainer *t, const mml_part *part, const uint8_t *usable)
{
    mml_status st = MML_OK;
    const size_t N = mml_cohort_size(t->cohort);

    for (int i = 0; i < 3; i++) {
        mmli_part *p = &t->part[i];
        MML_TRY(mmli_calloc(&p->samples, N, sizeof *p->samples));
        for (size_t j = 0; j < N; j++)
            if (part[j] == (mml_part)(MML_PART_TRAIN + i) && (usable[j] || i == 2) && t->labels->index[j] >= 0)
                p->samples[p->n++] = j;
    }
    MML_CHECK(t->part[0].n > 0, MML_E_DATA,
              "no sample of the training part has both a label of %s and a modality of the model: nothing can be learnt",
              t->model->task->name);
out:
    return st;
}

/* Can the score be computed on the validation part? (Both classes, a comparable pair, values that differ.) */
static mml_status prepare_scores(mmli_trainer *t)
{
    mml_status st = MML_OK;
    const mmli_part *valid = &t->part[1];
    double value;

    if (valid->n == 0)
        goto out;
    t->by_loss = !mmli_task_is_cox(t->model->task);
    for (size_t i = 0; i < valid->n && !t->by_loss; i++)
        t->by_loss = t->labels->event[valid->samples[i]] > 0;
    MML_TRY(mmli_scored_new(&t->scored, t->model->task, t->labels, valid->samples, valid->n));
    {
        /* Any scores do for the question. Classes: equal probabilities. */
        const size_t n = t->scored.n * t->scored.k;
        for (size_t i = 0; i < n; i++)
            t->scored.score[i] = 1.0 / (double)t->scored.k;
        MML_TRY(mmli_scored_main(&value, &t->scored));
        t->by_score = !isnan(value);
    }
out:
    return st;
}

mml_status mmli_trainer_init(mmli_trainer *t, const mml_part *part, const uint8_t *frozen)
{
    mml_status st = MML_OK;
    mmli_params *params = t->model->params;
    mmli_device *dv = params->dv;
    const size_t batch = t->o->batch;
    uint8_t *usable = NULL;
    uint64_t hash = 0;

    MML_TRY(mmli_calloc(&usable, mml_cohort_size(t->cohort), 1));
    MML_TRY(mmli_task_map(&t->labels, t->model->task, t->cohort, t->o->class_weights));
    MML_TRY(find_modalities(t, usable));
    MML_TRY(make_parts(t, part, usable));
    MML_TRY(prepare_scores(t));
    t->steps = (t->part[0].n + batch - 1) / batch;
    MML_TRY(mmli_calloc(&t->order, t->part[0].n, sizeof *t->order));
    MML_TRY(mmli_calloc(&t->history, t->o->epochs, sizeof *t->history));
    MML_TRY(mmli_calloc(&t->outputs, batch * t->model->task->outputs, sizeof *t->outputs));
    MML_TRY(mmli_calloc(&t->one, batch, sizeof *t->one));
    MML_TRY(mmli_calloc(&t->batches, (t->part[1].n + batch - 1) / batch, sizeof *t->batches));
    MML_TRY(mmli_calloc(&t->label, batch, sizeof *t->label));
    MML_TRY(mmli_calloc(&t->event, batch, sizeof *t->event));
    MML_TRY(mmli_calloc(&t->target, batch, sizeof *t->target));
    MML_TRY(mmli_calloc(&t->weight, batch, sizeof *t->weight));
    MML_TRY(mmli_calloc(&t->time, batch, sizeof *t->time));
    if (t->model->kind == MML_MODEL_FUSE && t->model->fuse.modality_dropout > 0)
        MML_TRY(mmli_calloc(&t->drop, batch * t->model->n, 1));
    if (frozen) {
        MML_TRY(mmli_calloc(&t->frozen, params->n, 1));
        memcpy(t->frozen, frozen, params->n);
    }
    MML_TRY(mmli_ahead_new(&t->ahead, t->cohort, t->names, t->n_names));
    MML_TRY(mmli_tape_new(&t->tape, dv));
    MML_TRY(mmli_optim_new(&t->optim, params, t->frozen, t->o));
    MML_TRY(dv->k.alloc(dv, &t->best, params->total * sizeof(float)));
    MML_TRY(dv->k.copy(dv, t->best, params->data, params->total * sizeof(float)));
    MML_TRY(dv->k.alloc(dv, &t->sums, sizeof(double)));
    MML_TRY(mmli_cohort_hash(&hash, t->cohort));
    MML_TRY(mmli_train_settings(&t->settings, t->model, t->o, hash));
    t->at.best_value = t->at.plateau_best = -INFINITY;
    t->at.best_score = NAN;
    t->at.best_loss = INFINITY;
    t->at.plateau_factor = 1;
out:
    mmli_free(usable);
    return st;
}

/* ---- provenance ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static mml_status hash_ids(uint64_t **out, const mmli_part *part, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    const char *const *ids = mml_cohort_ids(cohort);

    MML_TRY(mmli_calloc(out, part->n, sizeof **out));
    for (size_t i = 0; i < part->n; i++)
        (*out)[i] = mmli_sample_hash(ids[part->samples[i]]);
    if (part->n)
        qsort(*out, part->n, sizeof **out, by_value);
out:
    return st;
}

static mml_status split_text(char **out, const mml_split_options *s)
{
    if (s->fold >= 0)
        return mmli_strf(out, "repetition %d of 70/15/15, split seed %llu", s->fold, (unsigned long long)s->seed);
    if (!s->train)
        return mmli_strf(out, "70/15/15, split seed %llu", (unsigned long long)s->seed);
    if (s->valid)
        return mmli_strf(out, "train %s, valid %s, test %s, split seed %llu", s->train, s->valid, s->test ? s->test : "the rest",
                         (unsigned long long)s->seed);
    return mmli_strf(out, "train %s, valid %g of it, test %s, split seed %llu", s->train, s->valid_fraction,
                     s->test ? s->test : "none named", (unsigned long long)s->seed);
}

static mml_status record(mmli_provenance *from, mmli_trainer *t)
{
    mml_status st = MML_OK;
    char *settings = json_dumps(t->settings, MMLI_JSON_REALS | JSON_COMPACT | JSON_SORT_KEYS);

    mmli_provenance_clear(from);
    MML_CHECK(settings != NULL, MML_E_NOMEM, "no memory for the settings of the training");
    MML_TRY(mmli_strdup(&from->settings, settings));
    MML_TRY(mmli_strdup(&from->version, mml_version()));
    MML_TRY(mmli_strdup(&from->backend, t->model->params->dv->k.name));
    MML_TRY(split_text(&from->split, &t->o->split));
    from->seed = t->o->seed;
    MML_TRY(mmli_cohort_hash(&from->data_hash, t->cohort));
    for (int i = 0; i < 3; i++) {
        MML_TRY(hash_ids(&from->ids[i], &t->part[i], t->cohort));
        from->n_ids[i] = t->part[i].n;
    }
    from->history = t->history;
    from->n_history = t->n_history;
    t->history = NULL;
    from->best_epoch = t->at.best_epoch;
    from->valid_score = t->by_score ? t->at.best_score : NAN;
    from->seconds = t->at.seconds;
out:
    free(settings);
    return st;
}

mml_status mmli_train_model(mml_model *model, mml_cohort *cohort, const mml_train_options *o, const mml_part *part,
                            const uint8_t *frozen, const mmli_devices *devices, mmli_provenance *from)
{
    mml_status st = MML_OK;
    mmli_trainer t = {.model = model, .cohort = cohort, .o = o, .from_start = model->kind == MML_MODEL_FUSE};
    bool found = false;

    MML_TRY(mmli_trainer_init(&t, part, frozen));
    if (o->resume && o->checkpoint)
        MML_TRY(mmli_checkpoint_load(&t, o->checkpoint, &found));
    if (devices->n > 1) {
        MML_TRY(mmli_parallel_new(&t.parallel, &t, devices, part));
        MML_TRY(mmli_parallel_begin(t.parallel));
    }
    MML_TRY(model->baseline && model->baseline->o.kind == MML_BASELINE_LINEAR ? mmli_train_linear(&t) : mmli_train_run(&t));
    if (model->kind == MML_MODEL_BLOCK)
        MML_TRY(mmli_train_loudness(&t));
    MML_TRY(record(from, &t));
out:
    mmli_parallel_free(t.parallel);
    mmli_trainer_clear(&t);
    return st;
}
