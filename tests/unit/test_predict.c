/* test_predict.c - predictions of samples that have all, some or none of a model's modalities, by one thread and many. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/predictor.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

static const char *const names[] = {"labs", "notes", "scan"};
static const size_t widths[] = {4, 3, 2};
enum { B = 9, TOKENS = 3 };

static mml_model *block(size_t m, mml_task_kind task, const mmli_backend *table)
{
    return mmlt_block(&(mmlt_block_spec){.modality = names[m],
                                         .width = widths[m],
                                         .task = task,
                                         .seed = 10 + m,
                                         .valid_score = 0.6 + 0.05 * (double)m,
                                         .rms = 1 + (double)m,
                                         .table = table});
}

/* A block, or all three blocks merged (kind 1: default, 3: paper) or fused. */
static mml_model *model_of(int kind, mml_task_kind task, const mmli_backend *table)
{
    mml_model *m[3], *out = NULL;
    mml_merge_options o;

    if (kind == MML_MODEL_BLOCK)
        return block(0, task, table);
    for (size_t i = 0; i < 3; i++)
        m[i] = block(i, task, table);
    mmlt_assert_ok(mml_merge_options_init(&o, kind == 3 ? "paper" : "mmlego"));
    mmlt_assert_ok(kind == MML_MODEL_FUSE ? mml_fuse(&out, (const mml_model *const *)m, 3, NULL)
                                          : mml_merge(&out, (const mml_model *const *)m, 3, &o));
    for (size_t i = 0; i < 3; i++)
        mml_model_free(m[i]);
    return out;
}

/* Sample b lacks labs if b is odd, notes if b / 2 is odd, scan if b / 4 is odd: 7 lacks all of them. */
static const uint64_t some[3] = {0xaaa, 0xccc, 0xff0};

static mml_batch *batch_of(const uint64_t *missing)
{
    return mmlt_batch(B, names, widths, 3, missing, TOKENS, 100);
}

/* Logits (B, k) of a batch. */
static void logits_of(float *out, const mml_model *model, const char *backend, const mml_batch *batch)
{
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_predictor_new(&p, model, backend, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    memcpy(out, r.logits, r.n * r.k * sizeof *out);
    mml_predictor_free(p);
}

START_TEST(predictions_are_what_the_task_makes_of_the_logits)
{
    mml_model *model = model_of(_i / 4, (mml_task_kind)(_i % 4), NULL);
    mml_batch *batch = batch_of(NULL);
    mml_predictor *p = NULL;
    mml_prediction r;
    float output[B * 4], survival[B * 4];
    double score[B];

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 0));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.n, B);
    ck_assert_uint_eq(r.k, mml_model_n_outputs(model));
    mmli_task_outputs(output, survival, score, model->task, r.logits, B);
    mmlt_assert_same_bits(r.output, output, B * r.k * sizeof *output);
    ck_assert_int_eq(r.survival != NULL, _i % 4 == MML_SURVIVAL);
    if (r.survival)
        mmlt_assert_same_bits(r.survival, survival, B * r.k * sizeof *survival);
    for (size_t b = 0; b < B; b++) {
        ck_assert(isnan(score[b]) ? isnan(r.score[b]) : r.score[b] == score[b]);
        ck_assert_uint_eq(r.prior[b], 0);
        ck_assert_uint_eq(r.used[b], _i / 4 == 0 ? 1 : 7);
    }
    ck_assert(memcmp(r.logits, r.logits + r.k, r.k * sizeof *r.logits) != 0); /* samples differ */
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_sample_without_any_modality_gets_the_prior_and_is_flagged)
{
    static const uint64_t all[3] = {~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)};
    mml_model *model = model_of(_i, MML_SURVIVAL, NULL);
    mml_batch *batches[3] = {batch_of(some), batch_of(all), NULL};
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_batch_new(&batches[2], B)); /* no modality was ever set */
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    for (size_t i = 0; i < 3; i++) {
        size_t priors = 0;

        mmlt_assert_ok(mml_predict(&r, p, batches[i]));
        for (size_t b = 0; b < B; b++) {
            const bool none = i > 0 || b == 7 || (_i == 0 && b % 2 == 1); /* a block of labs sees labs only */

            ck_assert_uint_eq(r.prior[b], none);
            ck_assert_int_eq(r.used[b] == 0, none);
            if (none)
                mmlt_assert_same_bits(r.logits + b * r.k, model->task->prior_logits, r.k * sizeof *r.logits);
            priors += r.prior[b];
        }
        ck_assert_uint_eq(priors, i > 0 ? B : _i == 0 ? 4 : 1);
        mml_batch_free(batches[i]);
    }
    mml_predictor_free(p);
    mml_model_free(model);
}
END_TEST

START_TEST(a_merge_of_which_one_block_sees_a_sample_gives_the_prediction_of_that_block_to_the_bit)
{
    mml_model *merged = model_of(_i == 0 ? 1 : 3, MML_BINARY, NULL);
    mml_batch *batch = batch_of(some);
    float all[B * 2], own[B * 2];
    size_t alone = 0;

    logits_of(all, merged, NULL, batch);
    for (size_t m = 0; m < 3; m++) {
        mml_model *single = block(m, MML_BINARY, NULL);

        logits_of(own, single, NULL, batch);
        for (size_t b = 0; b < B; b++) {
            const unsigned here = (unsigned)(~(b) & 7u); /* bit m: has modality m */

            if (b < 8 && here == 1u << m) {
                mmlt_assert_same_bits(all + b * 2, own + b * 2, 2 * sizeof *own);
                alone++;
            }
        }
        mml_model_free(single);
    }
    ck_assert_uint_eq(alone, 3);
    mml_batch_free(batch);
    mml_model_free(merged);
}
END_TEST

START_TEST(the_mask_of_used_blocks_leaves_out_absent_ones_and_those_without_weight)
{
    mml_model *m[3], *merged = NULL;
    mml_batch *batch = batch_of(some);
    mml_predictor *p = NULL;
    mml_prediction r;
    mml_merge_options o;

    for (size_t i = 0; i < 3; i++)
        m[i] = block(i, MML_BINARY, NULL);
    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.weighting = MML_WEIGHT_GIVEN;
    o.weights = (const double[]){1, 0, 2};
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)m, 3, &o));
    mmlt_assert_ok(mml_predictor_new(&p, merged, NULL, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    for (size_t b = 0; b < 8; b++) {
        const uint64_t here = ~b & 7u;

        ck_assert_uint_eq(r.used[b], here == 2 ? 2 : here & 5u); /* notes have weight 0: used only where they are alone */
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(merged);
    for (size_t i = 0; i < 3; i++)
        mml_model_free(m[i]);
}
END_TEST

START_TEST(modalities_that_the_model_does_not_know_change_nothing)
{
    mml_model *model = block(0, MML_BINARY, NULL);
    mml_batch *one = mmlt_batch(B, names, widths, 1, NULL, TOKENS, 100), *three = batch_of(NULL);
    float a[B * 2], b[B * 2];

    logits_of(a, model, NULL, one);
    logits_of(b, model, NULL, three);
    mmlt_assert_same_bits(a, b, sizeof a);
    mml_batch_free(one);
    mml_batch_free(three);
    mml_model_free(model);
}
END_TEST

START_TEST(tokens_of_another_width_and_infinite_values_are_refused)
{
    static const size_t other[] = {5, 3, 2};
    mml_model *model = model_of(1, MML_BINARY, NULL);
    mml_batch *batch = mmlt_batch(B, names, other, 3, NULL, 1, 1);
    mml_predictor *p = NULL;
    mml_prediction r;
    float values[B * 4] = {0};

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_SHAPE, "labs: tokens have 5 values, in training they had 4");
    values[9] = INFINITY;
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", values, NULL, 4));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_DATA, "labs: sample 3");
    values[9] = NAN; /* not measured: imputed */
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", values, NULL, 4));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_model_that_has_diverged_is_not_believed)
{
    mml_model *model = block(0, MML_BINARY, NULL);
    mml_batch *batch = batch_of(NULL);
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mmli_params_set(model->params, model->members[0].block.head.linear_b, (const float[]){0, NAN}));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_NOT_FINITE, "sample 1 of the batch");
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_prediction_does_not_depend_on_the_other_samples)
{
    mml_model *model = model_of(_i, MML_MULTICLASS, NULL);
    mml_batch *batch = batch_of(some), *single = NULL;
    float all[B * 3], one[3];

    logits_of(all, model, NULL, batch);
    for (size_t b = 0; b < B; b++) {
        mmlt_assert_ok(mml_batch_new(&single, 1));
        for (size_t m = 0; m < 3; m++) {
            mml_tokens t;
            int64_t offsets[2] = {0, 0};

            mmlt_assert_ok(mml_batch_get(&t, batch, names[m]));
            offsets[1] = t.offsets[b + 1] - t.offsets[b];
            mmlt_assert_ok(mml_batch_set(single, names[m], t.values + (size_t)t.offsets[b] * t.width, offsets, t.width, NULL, 0));
        }
        logits_of(one, model, NULL, single);
        mmlt_assert_close(one, all + b * 3, 3, MMLT_TOL_SUM);
        mml_batch_free(single);
    }
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(an_empty_batch_gives_no_predictions)
{
    mml_model *model = model_of(_i, MML_BINARY, NULL);
    mml_batch *batch = NULL;
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_batch_new(&batch, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.n, 0);
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

/* ---- threads, memory, backends -------------------------------------------------------------------------------------- */

typedef struct job {
    const mml_model *model;
    const mml_batch *batch;
    float logits[B * 2];
    mml_status st;
} job;

static void *work(void *user)
{
    job *j = user;
    mml_predictor *p = NULL;
    mml_prediction r;

    j->st = mml_predictor_new(&p, j->model, NULL, 1);
    for (int i = 0; i < 10 && j->st == MML_OK; i++)
        j->st = mml_predict(&r, p, j->batch);
    if (j->st == MML_OK)
        memcpy(j->logits, r.logits, sizeof j->logits);
    mml_predictor_free(p);
    return NULL;
}

START_TEST(eight_threads_share_one_model)
{
    enum { THREADS = 8 };
    mml_model *model = model_of(_i, MML_BINARY, NULL);
    mml_batch *batch = batch_of(some);
    job *jobs = calloc(THREADS + 1, sizeof *jobs);
    pthread_t threads[THREADS];

    ck_assert_ptr_nonnull(jobs);
    for (size_t t = 0; t <= THREADS; t++) {
        jobs[t].model = model;
        jobs[t].batch = batch;
    }
    for (size_t t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, work, &jobs[t]), 0);
    for (size_t t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
    work(&jobs[THREADS]);
    for (size_t t = 0; t <= THREADS; t++) {
        mmlt_assert_ok(jobs[t].st);
        mmlt_assert_same_bits(jobs[t].logits, jobs[THREADS].logits, sizeof jobs[t].logits);
    }
    free(jobs);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(predicting_does_not_depend_on_the_number_of_threads)
{
    mml_model *model = model_of(_i, MML_BINARY, NULL);
    mml_batch *batch = mmlt_batch(200, names, widths, 3, some, 5, 100);
    float first[200 * 2];

    for (int threads = 1; threads <= 8; threads = threads < 3 ? threads + 1 : threads + 5) {
        mml_predictor *p = NULL;
        mml_prediction r;

        mmlt_assert_ok(mml_predictor_new(&p, model, NULL, threads));
        mmlt_assert_ok(mml_predict(&r, p, batch));
        if (threads == 1)
            memcpy(first, r.logits, sizeof first);
        mmlt_assert_same_bits(r.logits, first, sizeof first);
        mml_predictor_free(p);
    }
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

/* The reference's kernels take scratch memory of the host in every call: on the hidden backend, which is the reference,
 * only the device's allocations are counted. */
START_TEST(a_warm_predictor_allocates_nothing)
{
    const bool hidden = _i >= 4;
    mml_model *model = model_of(_i % 4, MML_BINARY, hidden ? &mmlt_backend_hidden : NULL);
    mml_batch *batches[2] = {batch_of(some), mmlt_batch(4, names, widths, 3, some, TOKENS, 3)};
    mml_predictor *p = NULL;
    mml_prediction r;
    size_t device;

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    for (size_t i = 0; i < 3; i++) /* the largest batch, then both; arenas join their chunks at the second */
        mmlt_assert_ok(mml_predict(&r, p, batches[i % 2]));
    device = mmlt_hidden_allocs();
    mmli_alloc_fail_at(0);
    for (size_t i = 0; i < 6; i++)
        mmlt_assert_ok(mml_predict(&r, p, batches[i % 2]));
    if (!hidden)
        ck_assert_uint_eq(mmli_alloc_count(), 0);
    ck_assert_uint_eq(mmlt_hidden_allocs(), device);
    mml_predictor_free(p);
    mml_batch_free(batches[0]);
    mml_batch_free(batches[1]);
    mml_model_free(model);
}
END_TEST

START_TEST(every_backend_gives_the_same_predictions)
{
    mml_model *model = model_of(_i, MML_SURVIVAL, NULL), *hidden;
    mml_batch *batch = batch_of(some);
    float want[B * 4], got[B * 4];
    const size_t live = mmlt_hidden_live();

    logits_of(want, model, NULL, batch);
    logits_of(got, model, "reference", batch); /* parameters copied from the other backend */
    mmlt_assert_close(got, want, B * 4, MMLT_TOL_GOLDEN);
    hidden = model_of(_i, MML_SURVIVAL, &mmlt_backend_hidden);
    logits_of(got, hidden, NULL, batch); /* on the backend that the model is on */
    mmlt_assert_close(got, want, B * 4, MMLT_TOL_GOLDEN);
    logits_of(got, hidden, "cpu", batch);
    mmlt_assert_close(got, want, B * 4, MMLT_TOL_GOLDEN);
    mml_model_free(hidden);
    ck_assert_uint_eq(mmlt_hidden_live(), live);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_predictor_without_memory_fails_cleanly)
{
    mml_model *model = model_of(_i, MML_SURVIVAL, NULL);
    mml_batch *batch = batch_of(some);
    mml_predictor *p = NULL;
    mml_prediction r;
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;

    while (st != MML_OK) {
        mmli_alloc_fail_at(++k);
        st = mml_predictor_new(&p, model, "reference", 1);
        if (st == MML_OK)
            st = mml_predict(&r, p, batch);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %zu: %s", (size_t)k, mml_last_error());
        if (p && st != MML_OK) { /* a predictor that has failed once can be used again */
            mmlt_assert_ok(mml_predict(&r, p, batch));
        }
        mml_predictor_free(p);
        p = NULL;
    }
    ck_assert_uint_gt(k, 10);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(unknown_backends_are_refused)
{
    mml_model *model = block(0, MML_BINARY, NULL);
    mml_predictor *p = NULL;

    mmlt_assert_fails(mml_predictor_new(&p, model, "abacus", 1), MML_E_BACKEND, "abacus");
    mmlt_assert_fails(mml_predictor_new(&p, NULL, NULL, 1), MML_E_ARG, "needs a model");
    mmlt_assert_fails(mml_predictor_new(&p, model, NULL, -1), MML_E_ARG, "threads");
    ck_assert_ptr_null(p);
    mml_model_free(model);
}
END_TEST

/* ---- inputs ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_dropped_modality_is_a_missing_modality)
{
    mml_model *model = model_of(1, MML_BINARY, NULL);
    mml_batch *full = batch_of(NULL), *without = NULL;
    uint8_t drop[3 * B];
    mmli_tape *tapes[2] = {NULL, NULL};
    mmli_inputs in[2];

    for (size_t m = 0; m < 3; m++)
        for (size_t b = 0; b < B; b++)
            drop[m * B + b] = some[m] >> b & 1;
    mmlt_assert_ok(mml_batch_new(&without, B));
    for (size_t m = 0; m < 3; m++) { /* the same values, those of dropped samples taken out by hand */
        mml_tokens t;
        float values[B * TOKENS * 4];
        int64_t offsets[B + 1] = {0};

        mmlt_assert_ok(mml_batch_get(&t, full, names[m]));
        for (size_t b = 0; b < B; b++) {
            const size_t n = drop[m * B + b] ? 0 : TOKENS;

            memcpy(values + (size_t)offsets[b] * t.width, t.values + b * TOKENS * t.width, n * t.width * sizeof *values);
            offsets[b + 1] = offsets[b] + (int64_t)n;
        }
        mmlt_assert_ok(mml_batch_set(without, names[m], values, offsets, t.width, NULL, 0));
    }
    for (size_t i = 0; i < 2; i++) {
        mmlt_assert_ok(mmli_tape_new(&tapes[i], model->dv));
        mmlt_assert_ok(mmli_tape_begin(tapes[i], 0, 0, 0));
        mmlt_assert_ok(mmli_inputs_make(&in[i], tapes[i], model, i ? without : full, i ? NULL : drop));
    }
    mmlt_assert_same_bits(in[0].present, in[1].present, 3 * B);
    for (size_t m = 0; m < 3; m++) {
        float x[B * TOKENS * 4], y[B * TOKENS * 4];
        const size_t bytes = in[1].in[m].x->rows * widths[m] * sizeof *x;

        for (size_t b = 0; b < B; b++)
            ck_assert_uint_eq(in[0].present[m * B + b], !drop[m * B + b]);
        ck_assert_uint_eq(in[0].in[m].x->rows, in[1].in[m].x->rows);
        ck_assert_uint_eq(in[0].in[m].ragged.segs, in[1].in[m].ragged.segs);
        mmlt_download(x, model->dv, in[0].in[m].x->data, bytes);
        mmlt_download(y, model->dv, in[1].in[m].x->data, bytes);
        mmlt_assert_same_bits(x, y, bytes);
    }
    memset(drop, 1, sizeof drop);
    mmlt_assert_ok(mmli_tape_begin(tapes[0], 0, 0, 0));
    mmlt_assert_ok(mmli_inputs_make(&in[0], tapes[0], model, full, drop));
    for (size_t m = 0; m < 3; m++)
        ck_assert_ptr_null(in[0].in[m].x);
    for (size_t i = 0; i < 2; i++)
        mmli_tape_free(tapes[i]);
    mml_batch_free(full);
    mml_batch_free(without);
    mml_model_free(model);
}
END_TEST

/* ---- cohorts -------------------------------------------------------------------------------------------------------------- */

enum { N = 150 };

static mml_cohort *cohort_of(mmlt_cohort *made, const char *first, const char *kind, size_t width)
{
    int64_t offsets[N + 1] = {0};
    float *x = NULL;

    mmlt_assert_ok(mmli_calloc(&x, N * 8, sizeof *x));
    for (size_t i = 0; i < N; i++)
        offsets[i + 1] = offsets[i] + (i % 3 != 0); /* every third sample lacks it */
    mmlt_cohort_begin(made, N, NULL);
    mmlt_normal(x, N * 8, 5);
    mmlt_cohort_modality(made, first, kind, x, offsets, width, NULL, 0, NULL);
    mmlt_cohort_modality(made, "other", "table", x, NULL, 1, NULL, 0, NULL);
    mmli_free(x);
    return mmlt_cohort_open(made);
}

typedef struct collected {
    float logits[N * 2];
    size_t samples[N], n, chunks, stop_at, largest;
} collected;

static int collect(void *user, const mml_prediction *chunk, const size_t *samples)
{
    collected *c = user;

    memcpy(c->logits + c->n * 2, chunk->logits, chunk->n * 2 * sizeof *c->logits);
    memcpy(c->samples + c->n, samples, chunk->n * sizeof *samples);
    c->n += chunk->n;
    c->largest = chunk->n > c->largest ? chunk->n : c->largest;
    return ++c->chunks == c->stop_at;
}

START_TEST(a_cohort_is_predicted_in_the_order_asked_for_whatever_the_chunks)
{
    static const size_t sizes[] = {0, 1, 7, 1000};
    mml_model *model = block(0, MML_BINARY, NULL);
    mml_predictor *p = NULL;
    collected *all = calloc(1, sizeof *all), *part = calloc(1, sizeof *part);
    size_t order[50];
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, "labs", "table", 4);

    ck_assert(all && part);
    for (size_t i = 0; i < 50; i++)
        order[i] = (i * 37 + 5) % N; /* not sorted */
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, all));
    ck_assert_uint_eq(all->n, N);
    ck_assert_uint_eq(all->largest, 64);
    for (size_t i = 0; i < N; i++)
        ck_assert_uint_eq(all->samples[i], i);
    for (size_t s = 0; s < 4; s++) {
        *part = (collected){0};
        mmlt_assert_ok(mml_predict_cohort(p, cohort, order, 50, sizes[s], collect, part));
        ck_assert_uint_eq(part->n, 50);
        ck_assert_uint_eq(part->largest, sizes[s] == 0 || sizes[s] > 50 ? 50 : sizes[s]);
        for (size_t i = 0; i < 50; i++) {
            ck_assert_uint_eq(part->samples[i], order[i]);
            mmlt_assert_close(part->logits + 2 * i, all->logits + 2 * order[i], 2, MMLT_TOL_SUM);
        }
    }
    *part = (collected){.stop_at = 2};
    mmlt_assert_fails(mml_predict_cohort(p, cohort, NULL, 0, 10, collect, part), MML_E_STOPPED, "after 20 of 150");
    order[3] = N;
    mmlt_assert_fails(mml_predict_cohort(p, cohort, order, 50, 0, collect, part), MML_E_ARG, "sample 150");
    mmlt_assert_fails(mml_predict_cohort(p, cohort, order, 3, 0, NULL, NULL), MML_E_ARG, "no function");
    free(all);
    free(part);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(a_cohort_that_does_not_fit_the_model_is_refused)
{
    static const struct {
        const char *modality, *kind;
        size_t width;
        mml_status st;
        const char *says;
    } cases[] = {{"lab", "table", 4, MML_E_NOT_FOUND, "none of the modalities of the model (labs); it has lab, other"},
                 {"labs", "series", 4, MML_E_DATA, "kind series, the model was trained on kind table"},
                 {"labs", "table", 5, MML_E_DATA, "5 features, in training 4"}};
    mml_model *model = block(0, MML_BINARY, NULL);
    mml_predictor *p = NULL;
    collected c = {.n = 0};
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, cases[_i].modality, cases[_i].kind, cases[_i].width);

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_fails(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &c), cases[_i].st, cases[_i].says);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), made.path));
    ck_assert_uint_eq(c.n, 0);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prediction");
    TCase *tc = tcase_create("predict");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, predictions_are_what_the_task_makes_of_the_logits, 0, 12);
    tcase_add_loop_test(tc, a_sample_without_any_modality_gets_the_prior_and_is_flagged, 0, 4);
    tcase_add_loop_test(tc, a_merge_of_which_one_block_sees_a_sample_gives_the_prediction_of_that_block_to_the_bit, 0, 2);
    tcase_add_test(tc, the_mask_of_used_blocks_leaves_out_absent_ones_and_those_without_weight);
    tcase_add_test(tc, modalities_that_the_model_does_not_know_change_nothing);
    tcase_add_test(tc, tokens_of_another_width_and_infinite_values_are_refused);
    tcase_add_test(tc, a_model_that_has_diverged_is_not_believed);
    tcase_add_loop_test(tc, a_prediction_does_not_depend_on_the_other_samples, 0, 4);
    tcase_add_loop_test(tc, an_empty_batch_gives_no_predictions, 0, 3);
    tcase_add_loop_test(tc, eight_threads_share_one_model, 0, 4);
    tcase_add_loop_test(tc, predicting_does_not_depend_on_the_number_of_threads, 0, 4);
    tcase_add_loop_test(tc, a_warm_predictor_allocates_nothing, 0, 8);
    tcase_add_loop_test(tc, every_backend_gives_the_same_predictions, 0, 4);
    tcase_add_loop_test(tc, a_predictor_without_memory_fails_cleanly, 0, 3);
    tcase_add_test(tc, unknown_backends_are_refused);
    tcase_add_test(tc, a_dropped_modality_is_a_missing_modality);
    tcase_add_test(tc, a_cohort_is_predicted_in_the_order_asked_for_whatever_the_chunks);
    tcase_add_loop_test(tc, a_cohort_that_does_not_fit_the_model_is_refused, 0, 3);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
