/* rig.c - see rig.h. The input is wrapped as it lies on the device, so a repeat is what the method costs: neither reading
 * nor preprocessing is in it. */
#include "bench/rig.h"

#include <math.h>
#include <stdio.h>

#include "bench/measure.h"
#include "data/labels_inside.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/memory.h"
#include "util/rng.h"

enum { OUTPUTS = 4 };

/* ---- the model --------------------------------------------------------------------------------------------------------- */

static mml_modality_kind kind_of(const mmli_bench_block *b)
{
    return b->tokens == 1 ? MML_TABLE : b->encoder == MML_ENCODER_ABMIL ? MML_BAG : MML_SERIES;
}

void mmli_bench_modality(char name[MMLI_BENCH_NAME], size_t i)
{
    snprintf(name, MMLI_BENCH_NAME, "modality-%zu", i + 1);
}

static mml_status add_member(mml_model *model, const mmli_bench_spec *spec, size_t i)
{
    const mmli_bench_block *b = &spec->block[i % 2];
    mml_status st = MML_OK;
    mml_block_options o;
    mmli_prep *prep = NULL;
    char name[MMLI_BENCH_NAME];

    mmli_bench_modality(name, i);
    MML_TRY(mml_block_options_init(&o, NULL, "paper", kind_of(b), MML_MULTICLASS));
    o.encoder = b->encoder;
    o.steps = spec->steps ? spec->steps : 2;
    o.latent_c = spec->c ? spec->c : 64;
    o.latent_d = spec->d ? spec->d : 64;
    o.heads = 8;
    o.head_width = 64;
    MML_TRY(mmli_prep_identity(&prep, b->width));
    MML_TRY(mmli_model_add(model, name, kind_of(b), NULL, &o, prep, OUTPUTS, -1.0f, NULL));
    prep = NULL;
out:
    mmli_prep_free(prep);
    return st;
}

static mml_status add_task(mml_model *model)
{
    static const char *const classes[OUTPUTS] = {"a", "b", "c", "d"};
    mml_status st = MML_OK;

    MML_TRY(mmli_task_new(&model->task, MML_MULTICLASS, "task", "", OUTPUTS, classes));
    model->task->n_train = OUTPUTS; /* a prior: as if one of each class had been seen */
    for (size_t j = 0; j < OUTPUTS; j++) {
        model->task->counts[j] = 1;
        model->task->prior_logits[j] = 0.0f;
    }
    mmli_task_outputs(model->task->prior_output, NULL, NULL, model->task, model->task->prior_logits, 1);
out:
    return st;
}

/* Declares members first .. first+n-1 of the case in an open model, and starts them. */
static mml_status fill_model(mml_model *model, const mmli_bench_spec *spec, size_t first, size_t n, uint64_t seed)
{
    mml_status st = MML_OK;

    MML_TRY(add_task(model));
    MML_TRY(mml_merge_options_init(&model->merge, "paper")); /* read in a merge only */
    for (size_t i = 0; i < n; i++)
        MML_TRY(add_member(model, spec, first + i));
    if (model->kind == MML_MODEL_FUSE)
        MML_TRY(mmli_model_declare_fuse(model));
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_params_start(model->params, seed, "task", 0));
out:
    return st;
}

mml_status mmli_bench_model_on(mml_model **out, const mmli_bench_spec *spec, const char *device, int threads,
                               uint64_t seed)
{
    mml_status st = MML_OK;
    mml_model *model = NULL;

    *out = NULL;
    MML_TRY(mmli_model_new(&model, spec->kind, device, NULL, threads));
    MML_TRY(fill_model(model, spec, 0, spec->n, seed));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    return st;
}

/* ---- the input --------------------------------------------------------------------------------------------------------- */

static mml_status make_input(mmli_bench_rig *rig, mmli_device *dv, uint64_t seed)
{
    const mmli_bench_spec *spec = rig->spec;
    const size_t B = spec->batch;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&rig->x, spec->n, sizeof *rig->x));
    MML_TRY(mmli_calloc(&rig->offsets, spec->n * (B + 1), sizeof *rig->offsets));
    MML_TRY(mmli_calloc(&rig->present, spec->n * B, sizeof *rig->present));
    MML_TRY(mmli_calloc(&rig->label, B, sizeof *rig->label));
    MML_TRY(mmli_calloc(&rig->weight, B, sizeof *rig->weight));
    MML_TRY(mmli_calloc(&rig->logits, B * OUTPUTS, sizeof *rig->logits));
    for (size_t i = 0; i < spec->n; i++) {
        const mmli_bench_block *b = &spec->block[i % 2];

        for (size_t s = 0; s <= B; s++)
            rig->offsets[i * (B + 1) + s] = (int64_t)(s * b->tokens);
        for (size_t s = 0; s < B; s++)
            rig->present[i * B + s] = 1;
        MML_TRY(mmli_bench_numbers(&rig->x[i], dv, B * b->tokens * b->width, mmli_rng_key(seed, "bench", i)));
        rig->input += B * b->tokens * b->width * sizeof(float);
    }
    for (size_t s = 0; s < B; s++) {
        rig->label[s] = (int32_t)(s % OUTPUTS);
        rig->weight[s] = 1.0f / (float)B;
    }
out:
    return st;
}

/* ---- rig ---------------------------------------------------------------------------------------------------------------- */

/* Of a built merge: the blocks, each a model of its own. */
static mml_status make_parts(mmli_bench_rig *rig, const mmli_backend *table, int threads, uint64_t seed)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&rig->parts, rig->spec->n, sizeof *rig->parts));
    for (size_t i = 0; i < rig->spec->n; i++) {
        MML_TRY(mmli_model_new(&rig->parts[i], MML_MODEL_BLOCK, NULL, table, threads));
        MML_TRY(fill_model(rig->parts[i], rig->spec, i, 1, seed));
    }
out:
    return st;
}

static mml_status make_trainer(mmli_bench_rig *rig)
{
    mmli_device *dv = rig->model->dv;
    mml_status st = MML_OK;

    if (rig->spec->work == MMLI_WORK_PREDICT)
        return MML_OK;
    MML_TRY(mml_train_options_init(&rig->train, "paper", MML_TABLE, MML_MULTICLASS));
    MML_TRY(mmli_optim_new(&rig->optim, rig->model->params, NULL, &rig->train));
    MML_TRY(dv->k.alloc(dv, &rig->loss, sizeof(double)));
out:
    return st;
}

mml_status mmli_bench_rig_new(mmli_bench_rig **out, const mmli_bench_spec *spec, const mml_bench_options *o)
{
    const int threads = spec->shown.threads ? spec->shown.threads : o->threads;
    mml_status st = MML_OK;
    mmli_bench_rig *rig = NULL;
    mmli_backend table;

    *out = NULL;
    MML_TRY(mmli_count_table(&table, o->device));
    MML_TRY(mmli_calloc(&rig, 1, sizeof *rig));
    rig->spec = spec;
    rig->resident = (double)NAN;
    if (spec->work == MMLI_WORK_MERGE) {
        rig->resident = mmli_memory_resident();
        MML_TRY(make_parts(rig, &table, threads, o->seed));
    } else {
        MML_TRY(mmli_model_new(&rig->model, spec->kind, NULL, &table, threads));
        MML_TRY(make_input(rig, rig->model->dv, o->seed));
        rig->resident = mmli_memory_resident(); /* before all that the method itself needs */
        MML_TRY(fill_model(rig->model, spec, 0, spec->n, o->seed));
        MML_TRY(mmli_tape_new(&rig->tape, rig->model->dv));
        MML_TRY(make_trainer(rig));
    }
    *out = rig;
    rig = NULL;
out:
    mmli_bench_rig_free(rig);
    return st;
}

void mmli_bench_rig_free(mmli_bench_rig *rig)
{
    mmli_device *dv;

    if (!rig)
        return;
    dv = rig->model ? rig->model->dv : NULL;
    if (dv) {
        mmli_heads_clear(&rig->heads, dv);
        for (size_t i = 0; rig->x && i < rig->spec->n; i++)
            if (rig->x[i])
                dv->k.free(dv, rig->x[i]);
        if (rig->loss)
            dv->k.free(dv, rig->loss);
    }
    mmli_optim_free(rig->optim);
    mmli_tape_free(rig->tape);
    mml_model_free(rig->model);
    for (size_t i = 0; rig->parts && i < rig->spec->n; i++)
        mml_model_free(rig->parts[i]);
    mmli_free(rig->parts);
    mmli_free(rig->x);
    mmli_free(rig->offsets);
    mmli_free(rig->present);
    mmli_free(rig->label);
    mmli_free(rig->weight);
    mmli_free(rig->logits);
    mmli_free(rig);
}

/* ---- a repeat ------------------------------------------------------------------------------------------------------------ */

static mml_status wrap_inputs(mmli_inputs *in, mmli_bench_rig *rig)
{
    const mmli_bench_spec *spec = rig->spec;
    const size_t B = spec->batch;
    mml_status st = MML_OK;

    *in = (mmli_inputs){.samples = B, .in = mmli_tape_host(rig->tape, spec->n * sizeof *in->in), .present = rig->present};
    MML_TRY(mmli_tape_status(rig->tape));
    for (size_t i = 0; i < spec->n; i++) {
        const mmli_bench_block *b = &spec->block[i % 2];

        MML_TRY(mmli_ragged_make(&in->in[i].ragged, rig->tape, rig->offsets + i * (B + 1), B));
        in->in[i].x = mmli_tape_wrap(rig->tape, rig->x[i], NULL, B * b->tokens, b->width, false);
    }
    MML_TRY(mmli_tape_status(rig->tape));
out:
    return st;
}

static mml_status forward(mmli_var **logits, mmli_bound *bound, mmli_bench_rig *rig)
{
    const bool train = rig->optim != NULL;
    mml_status st = MML_OK;
    mmli_inputs in;

    MML_TRY(mmli_tape_begin(rig->tape, train ? MMLI_RECORD | MMLI_TRAINING : 0, rig->train.seed, rig->step));
    MML_TRY(mmli_params_bind(bound, rig->tape, rig->model->params, train ? rig->optim->grads : NULL, NULL));
    MML_TRY(wrap_inputs(&in, rig));
    MML_TRY(mmli_model_forward(logits, rig->model, rig->tape, bound, &in, &rig->heads));
out:
    return st;
}

static mml_status repeat_training(mmli_bench_rig *rig)
{
    mmli_device *dv = rig->model->dv;
    mml_status st = MML_OK;
    mmli_var *logits = NULL;
    mmli_bound bound;
    double loss = 0;

    MML_TRY(mmli_step_begin(dv));
    MML_TRY(forward(&logits, &bound, rig));
    MML_TRY(dv->k.fill(dv, rig->loss, 2, 0.0f)); /* float64 zero has the bits of two float32 zeros */
    MML_TRY(mmli_loss_cross_entropy(rig->tape, rig->loss, logits, rig->label, rig->weight));
    MML_TRY(mmli_tape_backward(rig->tape));
    MML_TRY(mmli_params_settle(&bound, rig->tape));
    rig->step++;
    if (rig->spec->work == MMLI_WORK_TRAIN)
        MML_TRY(mmli_optim_step(rig->optim, &rig->train, rig->loss, 1.0, 1e-3, rig->step));
    MML_TRY(mmli_step_end(dv));
    MML_TRY(dv->k.download(dv, &loss, rig->loss, sizeof loss)); /* waits for all of it */
    MML_CHECK(isfinite(loss), MML_E_NOT_FINITE, "%s: the loss of repeat %llu is not finite", rig->spec->shown.name,
              (unsigned long long)rig->step);
out:
    return st;
}

static mml_status repeat_prediction(mmli_bench_rig *rig)
{
    mmli_device *dv = rig->model->dv;
    mml_status st = MML_OK;
    mmli_var *logits = NULL;
    mmli_bound bound;

    MML_TRY(forward(&logits, &bound, rig));
    MML_TRY(dv->k.download(dv, rig->logits, logits->data, rig->spec->batch * OUTPUTS * sizeof *rig->logits));
    rig->step++;
out:
    return st;
}

static mml_status repeat_merge(mmli_bench_rig *rig)
{
    mml_model *merged = NULL;
    mml_merge_options o;
    mml_status st = MML_OK;

    MML_TRY(mml_merge_options_init(&o, "paper"));
    o.weighting = MML_WEIGHT_EQUAL; /* nothing has been validated */
    o.threads = rig->parts[0]->dv->threads;
    MML_TRY(mml_merge(&merged, (const mml_model *const *)rig->parts, rig->spec->n, &o));
out:
    mml_model_free(merged);
    return st;
}

mml_status mmli_bench_rig_repeat(mmli_bench_rig *rig)
{
    switch (rig->spec->work) {
    case MMLI_WORK_MERGE:
        return repeat_merge(rig);
    case MMLI_WORK_TRAIN:
    case MMLI_WORK_BACKWARD:
        return repeat_training(rig);
    case MMLI_WORK_PREDICT:
    default:
        return repeat_prediction(rig);
    }
}
