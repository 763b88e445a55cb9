/* make_model.c - see make_model.h. */
#include "tests/unit/make_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/labels_inside.h"
#include "util/alloc.h"

mmli_task *mmlt_task(mml_task_kind kind)
{
    static const char *const two[] = {"no", "yes"}, *const three[] = {"a", "b", "c"};
    static const double edges[] = {0, 1, 2, 4, 8};
    const size_t k = kind == MML_BINARY ? 2 : kind == MML_MULTICLASS ? 3 : kind == MML_SURVIVAL ? 4 : 1;
    mmli_task *t = NULL;

    mmlt_assert_ok(mmli_task_new(&t, kind, "outcome", kind == MML_SURVIVAL ? "months" : "", k,
                                 kind == MML_BINARY ? two : kind == MML_MULTICLASS ? three : NULL));
    t->n_train = 10 * k;
    for (size_t j = 0; j < k; j++) {
        t->counts[j] = 10;
        t->prior_output[j] = kind == MML_REGRESSION ? 2.0f : 1.0f / (float)(k + 1);
        t->prior_logits[j] = kind == MML_REGRESSION ? 0.0f : -1.0f - 0.25f * (float)j;
    }
    if (kind == MML_SURVIVAL) {
        memcpy(t->edges, edges, sizeof edges);
        t->n_events = 20;
        for (size_t j = 0; j < k; j++)
            t->counts[j] = 5;
    }
    if (kind == MML_REGRESSION) {
        t->mean = 2;
        t->sd = 3;
    }
    if (mmli_task_has_classes(kind))
        mmli_task_outputs(t->prior_output, NULL, NULL, t, t->prior_logits, 1);
    return t;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void make_provenance(mmli_provenance *p, const mmlt_block_spec *s)
{
    p->valid_score = s->valid_score != 0 ? s->valid_score : NAN;
    if (!s->ids[0] && !s->ids[1] && !s->ids[2])
        return;
    mmlt_assert_ok(mmli_strdup(&p->version, mml_version()));
    mmlt_assert_ok(mmli_strdup(&p->backend, "cpu"));
    mmlt_assert_ok(mmli_strdup(&p->split, "train a, valid b"));
    mmlt_assert_ok(mmli_strdup(&p->settings, "{\"epochs\": 2, \"learning_rate\": 0.1}"));
    p->seed = UINT64_MAX - s->seed;
    p->data_hash = UINT64_C(0xfedcba9876543210);
    p->best_epoch = 2;
    p->seconds = 1.0 / 3;
    p->n_history = 2;
    mmlt_assert_ok(mmli_calloc(&p->history, 2, sizeof *p->history));
    for (size_t i = 0; i < 2; i++)
        p->history[i] = (mml_epoch){i + 1, 2, 0.7, 1.0 / 7, i ? 0.6 : NAN, 1e-3, 1.5, 0.25, i == 1};
    for (size_t part = 0; part < 3; part++) {
        p->n_ids[part] = s->n_ids[part];
        mmlt_assert_ok(mmli_calloc(&p->ids[part], s->n_ids[part], sizeof **p->ids));
        for (size_t i = 0; i < s->n_ids[part]; i++)
            p->ids[part][i] = mmli_sample_hash(s->ids[part][i]);
        qsort(p->ids[part], s->n_ids[part], sizeof **p->ids, by_value);
    }
}

mml_model *mmlt_block(const mmlt_block_spec *s)
{
    mml_model *model = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, "mmlego", MML_TABLE, MML_BINARY));
    o.latent_c = 6;
    o.latent_d = s->latent_d ? s->latent_d : 8;
    o.steps = 2;
    o.heads = 2;
    o.head_width = 4;
    o.encoder = s->custom ? MML_ENCODER_CUSTOM : MML_ENCODER_LINEAR;
    o.encoder_width = s->custom ? 0 : 5;
    o.custom = s->custom ? s->custom->name : NULL;
    o.tau = 1.0 / 3;
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, s->table, 1));
    model->task = mmlt_task(s->task);
    mmlt_assert_ok(mmli_prep_identity(&prep, s->width));
    mmlt_assert_ok(mmli_model_add(model, s->modality, MML_TABLE, "mmlego", &o, prep, model->task->outputs, 0.5f, s->custom));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, s->seed, "outcome", 0));
    model->members[0].latent_rms = s->rms > 0 ? s->rms : 1;
    make_provenance(&model->members[0].from, s);
    return model;
}

/* ---- ready-made ones ------------------------------------------------------------------------------------------ */

mml_model *mmlt_trained(const char *modality, size_t width, mml_task_kind task, uint64_t seed)
{
    static const char *const train_ids[] = {"p1", "p2", "p3"}, *const valid_ids[] = {"p4"}, *const test_ids[] = {"p5", "p6"};

    return mmlt_block(&(mmlt_block_spec){.modality = modality,
                                         .width = width,
                                         .task = task,
                                         .seed = seed,
                                         .valid_score = 0.6 + 0.05 * (double)seed,
                                         .rms = 1.0 / 3,
                                         .ids = {train_ids, valid_ids, test_ids},
                                         .n_ids = {3, 1, 2}});
}

mml_model *mmlt_merged(void)
{
    mml_model *a = mmlt_trained("labs", 4, MML_BINARY, 1), *b = mmlt_trained("labs", 4, MML_BINARY, 2), *out = NULL;
    const mml_model *both[] = {a, b};
    mml_merge_options o;

    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.seed = UINT64_MAX;
    mmlt_assert_ok(mml_merge(&out, both, 2, &o));
    mml_model_free(a);
    mml_model_free(b);
    return out;
}

mml_model *mmlt_fused(void)
{
    mml_model *a = mmlt_trained("labs", 4, MML_SURVIVAL, 2), *b = mmlt_trained("notes", 3, MML_SURVIVAL, 1), *out = NULL;
    const mml_model *both[] = {a, b};
    mml_fuse_options o;

    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    o.mode = MML_FUSE_WEAVE;
    o.modality_dropout = 0.1;
    mmlt_assert_ok(mml_fuse(&out, both, 2, &o));
    mmlt_assert_ok(mmli_provenance_copy(&out->from, &a->members[0].from));
    mml_model_free(a);
    mml_model_free(b);
    return out;
}

const char *const mmlt_names[MMLT_MODALITIES] = {"labs", "notes", "scan"};
const size_t mmlt_widths[MMLT_MODALITIES] = {4, 3, 2};

mml_model *mmlt_one(size_t m, mml_task_kind task, const mmli_backend *table)
{
    return mmlt_block(&(mmlt_block_spec){.modality = mmlt_names[m],
                                         .width = mmlt_widths[m],
                                         .task = task,
                                         .seed = 10 + m,
                                         .valid_score = 0.6 + 0.05 * (double)m,
                                         .rms = 1 + (double)m,
                                         .table = table});
}

mml_model *mmlt_any(int kind, mml_task_kind task, const mmli_backend *table)
{
    mml_model *m[MMLT_MODALITIES], *out = NULL;
    mml_merge_options o;

    if (kind == MML_MODEL_BLOCK)
        return mmlt_one(0, task, table);
    for (size_t i = 0; i < MMLT_MODALITIES; i++)
        m[i] = mmlt_one(i, task, table);
    mmlt_assert_ok(mml_merge_options_init(&o, kind == MMLT_PAPER_MERGE ? "paper" : "mmlego"));
    mmlt_assert_ok(kind == MML_MODEL_FUSE ? mml_fuse(&out, (const mml_model *const *)m, MMLT_MODALITIES, NULL)
                                          : mml_merge(&out, (const mml_model *const *)m, MMLT_MODALITIES, &o));
    for (size_t i = 0; i < MMLT_MODALITIES; i++)
        mml_model_free(m[i]);
    return out;
}

/* ---- equal to the bit ------------------------------------------------------------------------------------------ */

static void same_text(const char *a, const char *b)
{
    ck_assert_str_eq(a ? a : "", b ? b : "");
}

static void same_double(double a, double b)
{
    mmlt_assert_same_bits(&a, &b, sizeof a);
}

static void same_provenance(const mmli_provenance *a, const mmli_provenance *b)
{
    same_text(a->version, b->version);
    same_text(a->backend, b->backend);
    same_text(a->split, b->split);
    same_text(a->settings, b->settings);
    ck_assert_uint_eq(a->seed, b->seed);
    ck_assert_uint_eq(a->data_hash, b->data_hash);
    ck_assert_uint_eq(a->best_epoch, b->best_epoch);
    ck_assert(isnan(a->valid_score) ? isnan(b->valid_score) : a->valid_score == b->valid_score);
    same_double(a->seconds, b->seconds);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(a->n_ids[i], b->n_ids[i]);
        mmlt_assert_same_bits(a->ids[i], b->ids[i], a->n_ids[i] * sizeof **a->ids);
    }
    ck_assert_uint_eq(a->n_history, b->n_history);
    for (size_t i = 0; i < a->n_history; i++) {
        const mml_epoch *x = &a->history[i], *y = &b->history[i];

        ck_assert_uint_eq(x->epoch, y->epoch);
        ck_assert_uint_eq(x->epochs, y->epochs);
        same_double(x->train_loss, y->train_loss);
        same_double(x->valid_loss, y->valid_loss);
        ck_assert(isnan(x->valid_score) ? isnan(y->valid_score) : x->valid_score == y->valid_score);
        same_double(x->learning_rate, y->learning_rate);
        same_double(x->gradient_norm, y->gradient_norm);
        same_double(x->seconds, y->seconds);
        ck_assert_int_eq(x->best, y->best);
    }
}

static void same_block_options(const mml_block_options *a, const mml_block_options *b)
{
    ck_assert_uint_eq(a->latent_c, b->latent_c);
    ck_assert_uint_eq(a->latent_d, b->latent_d);
    ck_assert_uint_eq(a->steps, b->steps);
    ck_assert_uint_eq(a->heads, b->heads);
    ck_assert_uint_eq(a->head_width, b->head_width);
    ck_assert_int_eq(!!a->share_steps, !!b->share_steps);
    ck_assert_int_eq((int)a->transform, (int)b->transform);
    ck_assert_int_eq(!!a->normalise_latent, !!b->normalise_latent);
    ck_assert_int_eq(!!a->context_dft, !!b->context_dft);
    ck_assert_int_eq(!!a->drop_imaginary, !!b->drop_imaginary);
    same_double(a->tau, b->tau);
    ck_assert_int_eq(!!a->leaky_output, !!b->leaky_output);
    ck_assert_int_eq(!!a->raw_layers, !!b->raw_layers);
    ck_assert_int_eq(!!a->encoder_each_step, !!b->encoder_each_step);
    ck_assert_int_eq(!!a->handover_real, !!b->handover_real);
    same_double(a->dropout, b->dropout);
    ck_assert_int_eq((int)a->encoder, (int)b->encoder);
    ck_assert_uint_eq(a->encoder_width, b->encoder_width);
    ck_assert_uint_eq(a->encoder_layers, b->encoder_layers);
    same_double(a->encoder_dropout, b->encoder_dropout);
    ck_assert_uint_eq(a->selfattn_limit, b->selfattn_limit);
    same_text(a->custom, b->custom);
}

static void same_parameters(const mmli_params *a, const mmli_params *b)
{
    ck_assert_uint_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const size_t n = a->list[i].rows * a->list[i].cols;
        float *x = NULL, *y = NULL;

        ck_assert_str_eq(a->list[i].name, b->list[i].name);
        ck_assert_uint_eq(n, b->list[i].rows * b->list[i].cols);
        mmlt_assert_ok(mmli_calloc(&x, n, sizeof *x));
        mmlt_assert_ok(mmli_calloc(&y, n, sizeof *y));
        mmlt_assert_ok(mmli_params_get(x, a, i));
        mmlt_assert_ok(mmli_params_get(y, b, i));
        mmlt_assert_same_bits(x, y, n * sizeof *x);
        mmli_free(x);
        mmli_free(y);
    }
}

void mmlt_assert_same_model(const mml_model *a, const mml_model *b)
{
    char *note = NULL;

    ck_assert_int_eq((int)a->kind, (int)b->kind);
    mmlt_assert_ok(mmli_task_agree(&note, a->task, b->task));
    ck_assert_ptr_null(note);
    mmlt_assert_same_bits(a->task->prior_logits, b->task->prior_logits, a->task->outputs * sizeof(float));
    ck_assert_uint_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const mmli_member *x = &a->members[i], *y = &b->members[i];

        ck_assert_str_eq(x->name, y->name);
        ck_assert_str_eq(x->modality, y->modality);
        ck_assert_int_eq((int)x->kind, (int)y->kind);
        ck_assert_str_eq(x->preset, y->preset);
        same_block_options(&x->block.o, &y->block.o);
        ck_assert_uint_eq(x->prep->width_in, y->prep->width_in);
        ck_assert_uint_eq(x->prep->width_out, y->prep->width_out);
        mmlt_assert_same_bits(x->prep->center, y->prep->center, x->prep->width_in * sizeof(float));
        same_double(x->latent_rms, y->latent_rms);
        same_provenance(&x->from, &y->from);
        if (a->weights)
            same_double(a->weights[i], b->weights[i]);
        if (a->order)
            ck_assert_uint_eq(a->order[i], b->order[i]);
    }
    ck_assert_int_eq((int)a->merge.aggregation, (int)b->merge.aggregation);
    ck_assert_int_eq((int)a->merge.phase, (int)b->merge.phase);
    ck_assert_int_eq(!!a->merge.upstream_harmonic, !!b->merge.upstream_harmonic);
    ck_assert_int_eq((int)a->merge.head, (int)b->merge.head);
    ck_assert_int_eq((int)a->merge.scale, (int)b->merge.scale);
    ck_assert_int_eq((int)a->merge.weighting, (int)b->merge.weighting);
    ck_assert_uint_eq(a->merge.seed, b->merge.seed);
    ck_assert_int_eq((int)a->fuse.mode, (int)b->fuse.mode);
    ck_assert_int_eq((int)a->fuse.freeze, (int)b->fuse.freeze);
    ck_assert_int_eq((int)a->fuse.order, (int)b->fuse.order);
    ck_assert_int_eq((int)a->fuse.head, (int)b->fuse.head);
    ck_assert_int_eq((int)a->fuse.loudness, (int)b->fuse.loudness);
    same_double(a->fuse.modality_dropout, b->fuse.modality_dropout);
    same_provenance(&a->from, &b->from);
    same_parameters(a->params, b->params);
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

mml_batch *mmlt_batch(size_t n, const char *const *modalities, const size_t *widths, size_t n_modalities,
                      const uint64_t *missing, size_t tokens, uint64_t seed)
{
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, n));
    for (size_t m = 0; m < n_modalities; m++) {
        int64_t *offsets = NULL;
        float *values = NULL;

        mmlt_assert_ok(mmli_calloc(&offsets, n + 1, sizeof *offsets));
        for (size_t b = 0; b < n; b++)
            offsets[b + 1] = offsets[b] + (b < 64 && missing && (missing[m] >> b & 1) ? 0 : (int64_t)tokens);
        mmlt_assert_ok(mmli_calloc(&values, n * tokens * widths[m], sizeof *values));
        mmlt_normal(values, n * tokens * widths[m], seed + m);
        mmlt_assert_ok(mml_batch_set(batch, modalities[m], values, offsets, widths[m], NULL, 0));
        mmli_free(offsets);
        mmli_free(values);
    }
    return batch;
}
