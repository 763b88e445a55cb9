/* test_predict_shared.c - one model, many predictors: by threads, on other backends, without new memory. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/make_model.h"
#include "util/alloc.h"

enum { B = 9, TOKENS = 3 };

/* Sample b lacks labs if b is odd, notes if b / 2 is odd, scan if b / 4 is odd: 7 lacks all of them. */
static const uint64_t some[3] = {0xaaa, 0xccc, 0xff0};

static mml_batch *batch_of(const uint64_t *missing)
{
    return mmlt_batch(B, mmlt_names, mmlt_widths, 3, missing, TOKENS, 100);
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
    mml_model *model = mmlt_any(_i, MML_BINARY, NULL);
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

#ifndef __SANITIZE_THREAD__
START_TEST(predicting_does_not_depend_on_the_number_of_threads)
{
    mml_model *model = mmlt_any(_i, MML_BINARY, NULL);
    mml_batch *batch = mmlt_batch(200, mmlt_names, mmlt_widths, 3, some, 5, 100);
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
#endif

/* The reference's kernels take scratch memory of the host in every call: on the hidden backend, which is the reference,
 * only the device's allocations are counted. */
START_TEST(a_warm_predictor_allocates_nothing)
{
    const bool hidden = _i >= 4;
    mml_model *model = mmlt_any(_i % 4, MML_BINARY, hidden ? &mmlt_backend_hidden : NULL);
    mml_batch *batches[2] = {batch_of(some), mmlt_batch(4, mmlt_names, mmlt_widths, 3, some, TOKENS, 3)};
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
    mml_model *model = mmlt_any(_i, MML_SURVIVAL, NULL), *hidden;
    mml_batch *batch = batch_of(some);
    float want[B * 4], got[B * 4];
    const size_t live = mmlt_hidden_live();

    logits_of(want, model, NULL, batch);
    logits_of(got, model, "reference", batch); /* parameters copied from the other backend */
    mmlt_assert_close(got, want, B * 4, MMLT_TOL_GOLDEN);
    hidden = mmlt_any(_i, MML_SURVIVAL, &mmlt_backend_hidden);
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
    mml_model *model = mmlt_any(_i, MML_SURVIVAL, NULL);
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
    mml_model *model = mmlt_one(0, MML_BINARY, NULL);
    mml_predictor *p = NULL;

    mmlt_assert_fails(mml_predictor_new(&p, model, "abacus", 1), MML_E_BACKEND, "abacus");
    mmlt_assert_fails(mml_predictor_new(&p, NULL, NULL, 1), MML_E_ARG, "needs a model");
    mmlt_assert_fails(mml_predictor_new(&p, model, NULL, -1), MML_E_ARG, "threads");
    ck_assert_ptr_null(p);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shared models");
    TCase *tc = tcase_create("shared");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, eight_threads_share_one_model, 0, 4);
#ifndef __SANITIZE_THREAD__ /* it does not understand the barriers of OpenMP */
    tcase_add_loop_test(tc, predicting_does_not_depend_on_the_number_of_threads, 0, 4);
#endif
    tcase_add_loop_test(tc, a_warm_predictor_allocates_nothing, 0, 8);
    tcase_add_loop_test(tc, every_backend_gives_the_same_predictions, 0, 4);
    tcase_add_loop_test(tc, a_predictor_without_memory_fails_cleanly, 0, 3);
    tcase_add_test(tc, unknown_backends_are_refused);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
