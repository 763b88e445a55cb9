/* test_model_join.c - merged and fused models: which blocks fit together, and what they keep. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/make_model.h"
#include "util/alloc.h"

static mml_model *block(const char *modality, size_t width, mml_task_kind task, uint64_t seed, double score)
{
    return mmlt_block(&(mmlt_block_spec){.modality = modality, .width = width, .task = task, .seed = seed, .valid_score = score});
}

static mml_merge_options weighting(mml_weighting how)
{
    mml_merge_options o;

    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.weighting = how;
    o.threads = 1;
    return o;
}

/* A fuse that leaves its blocks as they were trained. */
static mml_fuse_options as_trained(void)
{
    mml_fuse_options o;

    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    o.loudness = MML_LOUD_TRAINED;
    return o;
}

static void assert_same_member(const mml_model *a, size_t i, const mml_model *b, size_t j)
{
    const char *x = a->members[i].name, *y = b->members[j].name;
    float p[1024], q[1024];
    size_t compared = 0;

    for (size_t k = 0; k < a->params->n; k++) {
        const mmli_param *from = &a->params->list[k];
        char name[200];
        size_t at;

        if (strncmp(from->name, "blocks.", 7) != 0 || strncmp(from->name + 7, x, strlen(x)) != 0 || from->name[7 + strlen(x)] != '.')
            continue;
        snprintf(name, sizeof name, "blocks.%s.%s", y, from->key);
        mmlt_assert_ok(mmli_params_find(&at, b->params, name));
        mmlt_assert_ok(mmli_params_get(p, a->params, k));
        mmlt_assert_ok(mmli_params_get(q, b->params, at));
        mmlt_assert_same_bits(p, q, from->rows * from->cols * sizeof *p);
        compared++;
    }
    ck_assert_uint_gt(compared, 20);
    ck_assert(a->members[i].latent_rms == b->members[j].latent_rms);
}

START_TEST(a_merge_contains_its_blocks_to_the_bit_and_can_be_merged_again)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *b = block("notes", 3, MML_BINARY, 2, 0.7);
    mml_model *c = block("labs", 4, MML_BINARY, 3, 0.7), *ab = NULL, *all = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_EQUAL);

    mmlt_assert_ok(mml_merge(&ab, (const mml_model *[]){a, b}, 2, &o));
    mmlt_assert_ok(mml_merge(&all, (const mml_model *[]){ab, c}, 2, &o));
    ck_assert_int_eq((int)mml_model_get_kind(all), MML_MODEL_MERGE);
    ck_assert_uint_eq(mml_model_n_blocks(all), 3);
    ck_assert_str_eq(mml_model_block_name(all, 0), "labs");
    ck_assert_str_eq(mml_model_block_name(all, 1), "notes");
    ck_assert_str_eq(mml_model_block_name(all, 2), "labs#2");
    ck_assert_str_eq(mml_model_block_modality(all, 2), "labs");
    ck_assert_ptr_null(mml_model_block_name(all, 3));
    ck_assert_uint_eq(mml_model_n_parameters(all),
                      mml_model_n_parameters(a) + mml_model_n_parameters(b) + mml_model_n_parameters(c));
    assert_same_member(a, 0, all, 0);
    assert_same_member(b, 0, all, 1);
    assert_same_member(c, 0, all, 2);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(c);
    mml_model_free(ab);
    mml_model_free(all);
}
END_TEST

/* ---- memory of a merge ------------------------------------------------------------------------------------- */

START_TEST(a_merge_has_its_parameters_where_its_blocks_have_them)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *b = block("notes", 3, MML_BINARY, 2, 0.7);
    mml_model *ab = NULL, *again = NULL, *fused = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_EQUAL);
    const float value = 1;

    mmlt_assert_ok(mml_merge(&ab, (const mml_model *[]){a, b}, 2, &o));
    mmlt_assert_ok(mml_merge(&again, (const mml_model *[]){b, ab}, 2, &o));
    ck_assert_uint_eq(ab->params->total, 0);
    ck_assert_uint_eq(ab->params->n, a->params->n + b->params->n);
    for (size_t i = 0; i < a->params->n; i++) {
        ck_assert_ptr_eq(ab->params->list[i].mem, a->params->list[i].mem);
        ck_assert_ptr_eq(again->params->list[b->params->n + i].mem, a->params->list[i].mem);
    }
    mmlt_assert_fails(mmli_params_set(ab->params, ab->members[0].block.head.linear_b, &value), MML_E_INTERNAL, "shared");
    mmlt_assert_ok(mml_fuse(&fused, (const mml_model *[]){ab}, 1, NULL)); /* to be trained: its own */
    for (size_t i = 0; i < fused->params->n; i++)
        ck_assert_ptr_eq(fused->params->list[i].store, fused->params->own);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(ab);
    mml_model_free(again);
    mml_model_free(fused);
}
END_TEST

/* All blocks are gone: what the merge predicts, what it is saved as, and what is made of it, are as before. */
START_TEST(a_merge_outlives_its_blocks)
{
    static const size_t widths[] = {4, 3};
    static const char *const names[] = {"labs", "notes"};
    const uint64_t missing[] = {2, 4};
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *b = block("notes", 3, MML_BINARY, 2, 0.7);
    mml_model *ab = NULL, *copy = NULL, *fused = NULL;
    mml_batch *batch = mmlt_batch(5, names, widths, 2, missing, 1, 9);
    mml_merge_options o = weighting(MML_WEIGHT_EQUAL);
    mml_predictor *predictor = NULL;
    mml_prediction p;
    float before[5];
    const mml_fuse_options trained = as_trained();

    mmlt_assert_ok(mml_merge(&ab, (const mml_model *[]){a, b}, 2, &o));
    mmlt_assert_ok(mml_merge(&copy, (const mml_model *[]){ab}, 1, &o));
    mmlt_assert_ok(mml_predictor_new(&predictor, ab, NULL, 1));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    memcpy(before, p.output, sizeof before);
    mml_model_free(a);
    mml_model_free(b);
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    mmlt_assert_same_bits(p.output, before, sizeof before);
    mml_predictor_free(predictor);
    mml_model_free(ab);
    mmlt_assert_ok(mml_predictor_new(&predictor, copy, NULL, 1));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    mmlt_assert_same_bits(p.output, before, sizeof before);
    mmlt_assert_ok(mml_fuse(&fused, (const mml_model *[]){copy}, 1, &trained));
    assert_same_member(copy, 1, fused, 1);
    mml_predictor_free(predictor);
    mml_model_free(copy);
    mml_model_free(fused);
    mml_batch_free(batch);
}
END_TEST

static void *free_model(void *model)
{
    mml_model_free(model);
    return NULL;
}

START_TEST(models_that_share_parameters_may_end_in_several_threads_at_once)
{
    for (int round = 0; round < 20; round++) {
        mml_model *list[4] = {block("labs", 4, MML_BINARY, 1, 0.7), block("notes", 3, MML_BINARY, 2, 0.7), NULL, NULL};
        mml_merge_options o = weighting(MML_WEIGHT_EQUAL);
        pthread_t thread[4];

        mmlt_assert_ok(mml_merge(&list[2], (const mml_model *const *)list, 2, &o));
        mmlt_assert_ok(mml_merge(&list[3], (const mml_model *[]){list[2], list[0]}, 2, &o));
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(pthread_create(&thread[i], NULL, free_model, list[i]), 0);
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
    }
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
}
END_TEST

START_TEST(a_merge_of_blocks_on_two_backends_has_copies_of_one)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *ab = NULL;
    mml_model *b = mmlt_block(&(mmlt_block_spec){.modality = "notes", .width = 3, .task = MML_BINARY, .seed = 2,
                                                 .valid_score = 0.7, .table = &mmli_backend_reference});
    mml_merge_options o = weighting(MML_WEIGHT_EQUAL);

    mmlt_assert_ok(mml_merge(&ab, (const mml_model *[]){a, b}, 2, &o));
    ck_assert_uint_gt(ab->params->total, 0);
    assert_same_member(a, 0, ab, 0);
    assert_same_member(b, 0, ab, 1);
    ck_assert_ptr_eq(ab->params->list[ab->members[0].first].mem, a->params->list[0].mem);
    ck_assert_ptr_eq(ab->params->list[ab->members[1].first].store, ab->params->own);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(ab);
}
END_TEST

START_TEST(blocks_that_do_not_fit_together_are_refused)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *out = NULL, *other;
    mml_merge_options o = weighting(MML_WEIGHT_EQUAL);

    mmlt_assert_fails(mml_merge(&out, NULL, 0, &o), MML_E_ARG, "no models");
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, NULL}, 2, &o), MML_E_ARG, "model 2 of those to be merged is NULL");

    other = mmlt_block(&(mmlt_block_spec){.modality = "notes", .width = 3, .latent_d = 10});
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, other}, 2, &o), MML_E_SHAPE, "6 x 8, that of notes 6 x 10");
    mml_model_free(other);

    other = block("notes", 3, MML_SURVIVAL, 2, 0.7);
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, other}, 2, &o), MML_E_ARG, "blocks labs and notes cannot be merged");
    mml_model_free(other);

    other = block("notes", 3, MML_BINARY, 2, 0.7);
    mmli_free(other->task->classes[1]);
    mmlt_assert_ok(mmli_strdup(&other->task->classes[1], "perhaps"));
    mmlt_assert_fails(mml_fuse(&out, (const mml_model *[]){a, other}, 2, NULL), MML_E_ARG, "perhaps");
    mml_model_free(other);

    other = block("notes", 3, MML_BINARY, 2, 0.7);
    other->members[0].block.o.transform = MML_TRANSFORM_SPATIAL;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, other}, 2, &o), MML_E_ARG, "different transforms");
    other->members[0].block.o.transform = a->members[0].block.o.transform;
    other->members[0].block.o.normalise_latent = 1;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, other}, 2, &o), MML_E_ARG, "normalises its latent");
    other->members[0].block.o.normalise_latent = 0;
    mmlt_assert_ok(mml_fuse(&out, (const mml_model *[]){a, other}, 2, NULL));
    mml_model_free(other);
    other = out;
    out = NULL;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, other}, 2, &o), MML_E_ARG, "is a fuse");
    mml_model_free(other);
    ck_assert_ptr_null(out);
    mml_model_free(a);
}
END_TEST

START_TEST(blocks_with_other_time_bins_are_refused_with_advice)
{
    mml_model *a = block("labs", 4, MML_SURVIVAL, 1, 0.7), *b = block("notes", 3, MML_SURVIVAL, 2, 0.7), *out = NULL;

    b->task->edges[1] = 1.5;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, b}, 2, NULL), MML_E_ARG, "train all blocks on the same split");
    mmlt_assert_fails(mml_fuse(&out, (const mml_model *[]){a, b}, 2, NULL), MML_E_ARG, "train all blocks on the same split");
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(the_prior_is_that_of_the_block_with_most_training_samples)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.7), *b = block("notes", 3, MML_BINARY, 2, 0.7), *out = NULL;

    b->task->n_train = 100;
    b->task->prior_logits[0] = 0.75f;
    for (int i = 0; i < 2; i++) {
        mmlt_assert_ok(mml_merge(&out, i ? (const mml_model *[]){b, a} : (const mml_model *[]){a, b}, 2, NULL));
        ck_assert(out->task->prior_logits[0] == 0.75f);
        mml_model_free(out);
    }
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

/* ---- fuse ------------------------------------------------------------------------------------------------------------- */

static void assert_same_param(const mml_model *a, size_t i, const mml_model *b, size_t j)
{
    float x[512], y[512];

    mmlt_assert_ok(mmli_params_get(x, a->params, i));
    mmlt_assert_ok(mmli_params_get(y, b->params, j));
    mmlt_assert_same_bits(x, y, a->params->list[i].rows * a->params->list[i].cols * sizeof *x);
}

START_TEST(a_fuse_of_blocks_that_started_alike_starts_there_too)
{
    mml_model *a = block("labs", 4, MML_BINARY, 7, 0.8), *b = block("notes", 3, MML_BINARY, 7, 0.6), *out = NULL;
    const mml_model *both[] = {a, b};
    const mml_fuse_options trained = as_trained();

    mmlt_assert_ok(mml_fuse(&out, both, 2, &trained)); /* one seed: the same latent and head */
    assert_same_param(out, out->latent, a, a->members[0].block.latent);
    assert_same_param(out, out->head.norm_w, a, a->members[0].block.head.norm_w);
    assert_same_param(out, out->head.norm_b, a, a->members[0].block.head.norm_b);
    assert_same_param(out, out->head.linear_w, a, a->members[0].block.head.linear_w);
    assert_same_param(out, out->head.linear_b, a, a->members[0].block.head.linear_b);
    ck_assert_str_eq(out->params->list[out->latent].name, "fuse.latent");
    ck_assert_str_eq(out->params->list[out->head.linear_w].name, "fuse.head.linear.weight");
    assert_same_member(a, 0, out, 0);
    assert_same_member(b, 0, out, 1);
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

/* Without feed-forward the stack adds what each block adds, and its R is that of the merge but for a factor, which the head's
 * LayerNorm takes out again (up to its epsilon: 1e-5 beside a variance of order 1). */
START_TEST(a_weighted_fuse_of_blocks_without_feed_forward_starts_as_their_merge)
{
    static const size_t widths[] = {4, 3};
    static const char *const names[] = {"labs", "notes"};
    mml_model *a = block("labs", 4, MML_BINARY, 7, 0.8), *b = block("notes", 3, MML_BINARY, 7, 0.6), *blocks[] = {a, b};
    mml_model *fused = NULL, *plain = NULL, *merged = NULL;
    mml_batch *batch = mmlt_batch(5, names, widths, 2, (const uint64_t[]){0, 0}, 1, 9);
    mml_fuse_options trained = as_trained();
    mml_predictor *predictors[3];
    mml_prediction p[3];
    double apart = 0;

    a->members[0].latent_rms = 0.7;
    b->members[0].latent_rms = 2.1;
    for (size_t i = 0; i < 2; i++) {
        for (size_t s = 0; s < blocks[i]->members[0].block.o.steps; s++) {
            const mmli_step *step = &blocks[i]->members[0].block.steps[s];
            const mmli_param *w = &blocks[i]->params->list[step->ff_out_w];
            float *zeros = calloc(w->rows * w->cols, sizeof *zeros);

            ck_assert_ptr_nonnull(zeros);
            mmlt_assert_ok(mmli_params_set(blocks[i]->params, step->ff_out_w, zeros));
            mmlt_assert_ok(mmli_params_set(blocks[i]->params, step->ff_out_b, zeros));
            free(zeros);
        }
    }
    mmlt_assert_ok(mml_fuse(&fused, (const mml_model *const *)blocks, 2, NULL));
    mmlt_assert_ok(mml_fuse(&plain, (const mml_model *const *)blocks, 2, &trained));
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)blocks, 2, NULL));
    mmlt_assert_ok(mml_predictor_new(&predictors[0], fused, NULL, 1));
    mmlt_assert_ok(mml_predictor_new(&predictors[1], plain, NULL, 1));
    mmlt_assert_ok(mml_predictor_new(&predictors[2], merged, NULL, 1));
    for (size_t i = 0; i < 3; i++)
        mmlt_assert_ok(mml_predict(&p[i], predictors[i], batch));
    mmlt_assert_close(p[0].logits, p[2].logits, 5 * p[0].k, MMLT_TOL_GOLDEN);
    for (size_t i = 0; i < 5 * p[0].k; i++)
        apart = fmax(apart, fabs((double)p[1].logits[i] - (double)p[2].logits[i]));
    ck_assert_double_gt(apart, 1e-3);
    for (size_t i = 0; i < 3; i++)
        mml_predictor_free(predictors[i]);
    mml_batch_free(batch);
    mml_model_free(fused);
    mml_model_free(plain);
    mml_model_free(merged);
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(a_fuse_starts_between_its_blocks)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.8), *b = block("notes", 3, MML_BINARY, 2, 0.6), *out = NULL;
    float x[16], y[16], z[16];
    mml_fuse_options o;
    size_t n;

    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    o.head = MML_HEAD_LINEAR;
    mmlt_assert_ok(mml_fuse(&out, (const mml_model *[]){a, b}, 2, &o));
    n = 16;
    mmlt_assert_ok(mmli_params_get(x, a->params, a->members[0].block.head.linear_w));
    mmlt_assert_ok(mmli_params_get(y, b->params, b->members[0].block.head.linear_w));
    mmlt_assert_ok(mmli_params_get(z, out->params, out->head.linear_w));
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] + y[i]) / 2;
    mmlt_assert_close(z, x, n, MMLT_TOL_ROUND);
    mml_model_free(out);
    o.head = MML_HEAD_ENSEMBLE;
    mmlt_assert_fails(mml_fuse(&out, (const mml_model *[]){a, b}, 2, &o), MML_E_ARG, "not ensemble");
    o.head = MML_HEAD_SLERP;
    o.modality_dropout = 1;
    mmlt_assert_fails(mml_fuse(&out, (const mml_model *[]){a, b}, 2, &o), MML_E_ARG, "modality_dropout is 1");
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(the_strongest_block_comes_last_in_a_fuse)
{
    static const double scores[] = {0.8, 0.6, 0 /* unknown */, 0.6};
    mml_model *models[4], *out = NULL;
    mml_fuse_options o;

    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    for (size_t i = 0; i < 4; i++)
        models[i] = block("labs", 4, MML_BINARY, i, scores[i]);
    for (int given = 0; given < 2; given++) {
        static const size_t want[2][4] = {{2, 1, 3, 0}, {0, 1, 2, 3}};

        o.order = given ? MML_ORDER_GIVEN : MML_ORDER_VALIDATION;
        mmlt_assert_ok(mml_fuse(&out, (const mml_model *const *)models, 4, &o));
        for (size_t i = 0; i < 4; i++)
            ck_assert_uint_eq(out->order[i], want[given][i]);
        mml_model_free(out);
    }
    for (size_t i = 0; i < 4; i++)
        mml_model_free(models[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merged and fused models");
    TCase *tc = tcase_create("join");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_merge_contains_its_blocks_to_the_bit_and_can_be_merged_again);
    tcase_add_test(tc, a_merge_has_its_parameters_where_its_blocks_have_them);
    tcase_add_test(tc, a_merge_outlives_its_blocks);
    tcase_add_test(tc, models_that_share_parameters_may_end_in_several_threads_at_once);
    tcase_add_test(tc, a_merge_of_blocks_on_two_backends_has_copies_of_one);
    tcase_add_test(tc, blocks_that_do_not_fit_together_are_refused);
    tcase_add_test(tc, blocks_with_other_time_bins_are_refused_with_advice);
    tcase_add_test(tc, the_prior_is_that_of_the_block_with_most_training_samples);
    tcase_add_test(tc, a_fuse_of_blocks_that_started_alike_starts_there_too);
    tcase_add_test(tc, a_weighted_fuse_of_blocks_without_feed_forward_starts_as_their_merge);
    tcase_add_test(tc, a_fuse_starts_between_its_blocks);
    tcase_add_test(tc, the_strongest_block_comes_last_in_a_fuse);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
