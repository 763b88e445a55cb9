/* test_model_weights.c - how much each block of a merge counts, and on which samples that may be decided. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/unit/make_cohort.h"
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

START_TEST(given_weights_are_kept_in_proportion)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0), *b = block("notes", 3, MML_BINARY, 2, 0), *out = NULL;
    const mml_model *both[] = {a, b};
    mml_merge_options o = weighting(MML_WEIGHT_GIVEN);

    o.weights = (const double[]){1, 3};
    mmlt_assert_ok(mml_merge(&out, both, 2, &o));
    mmlt_assert_close_d(out->weights, ((const double[]){0.25, 0.75}), 2, MMLT_TOL_F64);
    ck_assert_ptr_null(out->merge.weights);
    mml_model_free(out);
    o.weights = NULL;
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "one for each of 2 blocks");
    o.weights = (const double[]){1, -1};
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "weight of block notes");
    o.weights = (const double[]){1, NAN};
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "weight of block notes");
    o.weights = (const double[]){0, 0};
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "all weights are 0");
    o.aggregation = (mml_aggregation)9;
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "aggregation = 9");
    o = (mml_merge_options){0};
    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "not initialised");
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(validation_weights_are_proportional_to_d_prime)
{
    static const double scores[][3] = {{0.8, 0.6, 0.7}, {0.8, 0.5, 0.4}, {0.5, 0.3, 0.45}};
    mml_model *models[3], *out = NULL;
    double want[3], sum = 0;
    mml_merge_options o = weighting(MML_WEIGHT_VALIDATION);

    for (size_t i = 0; i < 3; i++) {
        models[i] = block("labs", 4, MML_BINARY, i, scores[_i][i]);
        mmlt_assert_ok(mml_metric_dprime(&want[i], scores[_i][i], 10000));
        want[i] = want[i] > 1e-9 ? want[i] : 0;
        sum += want[i];
    }
    for (size_t i = 0; i < 3; i++)
        want[i] = sum > 0 ? want[i] / sum : 1.0 / 3; /* no block better than chance: equal */
    mmlt_assert_ok(mml_merge(&out, (const mml_model *const *)models, 3, &o));
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq_tol(out->weights[i], want[i], 1e-9);
    mml_model_free(out);
    models[1]->members[0].from.valid_score = NAN;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *const *)models, 3, &o), MML_E_DATA, "block labs#2 has no validation score");
    for (size_t i = 0; i < 3; i++)
        mml_model_free(models[i]);
}
END_TEST

/* The validation score is the best of many epochs; a cross-validation, where there is one, is what counts. */
START_TEST(a_cross_validation_counts_in_place_of_the_validation_score)
{
    mml_model *a = block("labs", 4, MML_BINARY, 1, 0.8), *b = block("notes", 3, MML_BINARY, 2, 0.95), *out = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_VALIDATION);
    double want[2];

    mmlt_assert_ok(mml_metric_dprime(&want[0], 0.8, 10000));
    mmlt_assert_ok(mml_metric_dprime(&want[1], 0.6, 10000));
    b->members[0].from.cross_folds = 5;
    b->members[0].from.cross_score = 0.6;
    mmlt_assert_ok(mml_merge(&out, (const mml_model *[]){a, b}, 2, &o));
    ck_assert_double_eq_tol(out->weights[1], want[1] / (want[0] + want[1]), 1e-9);
    mml_model_free(out);
    b->members[0].from.valid_score = NAN; /* trained without a validation part */
    b->members[0].from.cross_score = 0.45;
    mmlt_assert_ok(mml_merge(&out, (const mml_model *[]){a, b}, 2, &o));
    mmlt_assert_close_d(out->weights, ((const double[]){1, 0}), 2, MMLT_TOL_F64);
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(regression_blocks_are_weighed_by_signal_to_noise)
{
    mml_model *a = block("labs", 4, MML_REGRESSION, 1, 0.5), *b = block("notes", 3, MML_REGRESSION, 2, 0.2), *out = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_VALIDATION);

    mmlt_assert_ok(mml_merge(&out, (const mml_model *[]){a, b}, 2, &o)); /* sqrt(.5 / .5) = 1 to sqrt(.2 / .8) = 1/2 */
    mmlt_assert_close_d(out->weights, ((const double[]){2.0 / 3, 1.0 / 3}), 2, MMLT_TOL_F64);
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

/* A cohort of n samples s0, s1, ... with modalities labs (4) and notes (3), N(0, 1), and the labels given. */
static mml_cohort *cohort_of(mmlt_cohort *made, size_t n, const double *label)
{
    static const char *const classes[] = {"no", "yes"};
    float *x = NULL;

    mmlt_assert_ok(mmli_calloc(&x, n * 4, sizeof *x));
    mmlt_cohort_begin(made, n, NULL);
    mmlt_normal(x, n * 4, 11);
    mmlt_cohort_modality(made, "labs", "table", x, NULL, 4, NULL, 0, NULL);
    mmlt_normal(x, n * 3, 12);
    mmlt_cohort_modality(made, "notes", "table", x, NULL, 3, NULL, 0, NULL);
    mmlt_cohort_classes(made, "outcome", "binary", classes, 2, label);
    mmli_free(x);
    return mmlt_cohort_open(made);
}

enum { N = 120, N_VALID = 80 }; /* s0 .. s79 are validation, s80 .. s99 training, s100 .. test */

static mml_model *parts_of(mml_task_kind task, const char *modality, size_t width, uint64_t seed)
{
    static char text[N][8];
    const char *ids[N];

    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "s%zu", i);
        ids[i] = text[i];
    }
    return mmlt_block(&(mmlt_block_spec){.modality = modality,
                                         .width = width,
                                         .task = task,
                                         .seed = seed,
                                         .valid_score = 0.7,
                                         .ids = {ids + N_VALID, ids, ids + 100},
                                         .n_ids = {100 - N_VALID, N_VALID, N - 100}});
}

static mml_model *with_parts(const char *modality, size_t width, uint64_t seed)
{
    return parts_of(MML_BINARY, modality, width, seed);
}

typedef struct sayings {
    double *to;
} sayings;

static int take(void *user, const mml_prediction *chunk, const size_t *samples)
{
    for (size_t b = 0; b < chunk->n; b++)
        ((sayings *)user)->to[samples[b]] = chunk->score[b];
    return 0;
}

/* Labels that follow what a block says: yes for the upper half of its scores (outside the validation part: the lower). */
static void labels_of(double *label, const mml_model *model, mml_cohort *cohort)
{
    mml_predictor *p = NULL;
    double says[N];
    sayings s = {says};

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, take, &s));
    for (size_t i = 0; i < N; i++) {
        size_t below = 0;

        for (size_t j = 0; j < N; j++)
            below += says[j] < says[i];
        label[i] = (below >= N / 2) == (i < N_VALID) ? 1 : 0;
    }
    mml_predictor_free(p);
}

START_TEST(search_finds_the_block_that_knows_on_validation_samples_only)
{
    mml_model *a = with_parts("labs", 4, 1), *b = with_parts("notes", 3, 2), *out = NULL, *again = NULL, *equal = NULL;
    const mml_model *both[] = {a, b};
    mml_merge_options o = weighting(MML_WEIGHT_SEARCH);
    mml_evaluate_options e;
    mml_evaluation found, plain;
    mmlt_cohort made;
    double label[N] = {0};
    mml_cohort *cohort;

    mmlt_assert_fails(mml_merge(&out, both, 2, &o), MML_E_ARG, "search weights need a cohort");
    label[1] = 1;
    cohort = cohort_of(&made, N, label);
    labels_of(label, a, cohort);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);

    cohort = cohort_of(&made, N, label); /* the same values, labels that block a knows; outside validation reversed */
    o.cohort = cohort;
    mmlt_assert_ok(mml_merge(&out, both, 2, &o));
    ck_assert_double_gt(out->weights[0], 0.6);
    o.threads = 2;
    mmlt_assert_ok(mml_merge(&again, both, 2, &o));
    mmlt_assert_same_bits(out->weights, again->weights, 2 * sizeof *out->weights);
    mml_model_free(again);
    o.device = "reference"; /* the blocks run there, on copies of their parameters */
    mmlt_assert_ok(mml_merge(&again, both, 2, &o));
    ck_assert_double_gt(again->weights[0], 0.6);
    ck_assert_str_eq(again->dv->k.name, "cpu");
    ck_assert_ptr_null(again->merge.device);
    o.device = "gpu";
    mmlt_assert_fails(mml_merge(&equal, both, 2, &o), MML_E_BACKEND, "gpu");
    o.device = NULL;

    o.weighting = MML_WEIGHT_EQUAL;
    mmlt_assert_ok(mml_merge(&equal, both, 2, &o));
    mml_evaluate_options_init(&e);
    e.on = "valid";
    e.bootstrap = 0;
    mmlt_assert_ok(mml_evaluate(&found, out, cohort, &e));
    mmlt_assert_ok(mml_evaluate(&plain, equal, cohort, &e));
    ck_assert_uint_eq(found.n, N_VALID);
    ck_assert_double_gt(found.metrics[0].value, plain.metrics[0].value);

    mml_model_free(equal);
    mml_model_free(again);
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(weights_are_not_chosen_on_samples_of_another_part)
{
    static const char *const none[] = {"nobody"};
    mml_model *a = with_parts("labs", 4, 1), *b, *out = NULL;
    mml_merge_options o = weighting(_i ? MML_WEIGHT_SEARCH : MML_WEIGHT_CORRELATED);
    double label[N] = {0};
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, N, label);
    const char *ids[N];
    char text[N][8];

    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "s%zu", i);
        ids[i] = text[i];
    }
    /* what is validation for a was training for b */
    b = mmlt_block(&(mmlt_block_spec){
        .modality = "notes", .width = 3, .seed = 2, .valid_score = 0.7, .ids = {ids, none, NULL}, .n_ids = {N, 1, 0}});
    o.cohort = cohort;
    mmlt_assert_fails(mml_merge(&out, (const mml_model *[]){a, b}, 2, &o), MML_E_DATA, "0 samples have two");
    mml_model_free(a);
    mml_model_free(b);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(correlated_weights_share_between_blocks_that_say_the_same)
{
    mml_model *a = with_parts("labs", 4, 1), *b = with_parts("labs", 4, 1), *c = with_parts("notes", 3, 2), *two = NULL, *three = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_CORRELATED);
    double label[N];
    mmlt_cohort made;
    mml_cohort *cohort;

    for (size_t i = 0; i < N; i++)
        label[i] = -1; /* no labels needed */
    label[0] = 0;
    label[1] = 1;
    cohort = cohort_of(&made, N, label);
    o.cohort = cohort;
    mmlt_assert_ok(mml_merge(&two, (const mml_model *[]){a, c}, 2, &o));
    mmlt_assert_ok(mml_merge(&three, (const mml_model *[]){a, b, c}, 3, &o));
    ck_assert_double_eq_tol(three->weights[0], three->weights[1], 1e-9);
    /* r = 80 / (80 + 4) for the pair: each counts 1 / (1 + r) = 0.512 of what one of them alone would, against the
     * third; the tolerance is for its chance correlation with them */
    ck_assert_double_eq_tol(three->weights[0] / three->weights[2], two->weights[0] / two->weights[1] / (1 + 80.0 / 84),
                            0.1 * two->weights[0] / two->weights[1]);
    mml_model_free(two);
    mml_model_free(three);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(c);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_block_that_speaks_louder_is_turned_down)
{
    mml_model *a = with_parts("labs", 4, 1), *c = with_parts("notes", 3, 2), *plain = NULL, *loud = NULL;
    mml_merge_options o = weighting(MML_WEIGHT_CORRELATED);
    const size_t at = a->members[0].block.head.linear_w;
    double label[N] = {0};
    float w[16];
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, N, label);

    o.cohort = cohort;
    mmlt_assert_ok(mml_merge(&plain, (const mml_model *[]){a, c}, 2, &o));
    mmlt_assert_ok(mmli_params_get(w, a->params, at));
    for (size_t i = 0; i < 16; i++)
        w[i] *= 4;
    mmlt_assert_ok(mmli_params_set(a->params, at, w)); /* log-odds four times as large, in the same order */
    mmlt_assert_ok(mml_merge(&loud, (const mml_model *[]){a, c}, 2, &o));
    ck_assert_double_eq_tol(loud->weights[0] / loud->weights[1], plain->weights[0] / plain->weights[1] / 4,
                            1e-4 * plain->weights[0] / plain->weights[1]);
    mml_model_free(plain);
    mml_model_free(loud);
    mml_model_free(a);
    mml_model_free(c);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- every task, many blocks ------------------------------------------------------------------------------------------ */

typedef struct outputs {
    double score[N];
    size_t class[N];
} outputs;

static int take_outputs(void *user, const mml_prediction *chunk, const size_t *samples)
{
    outputs *o = user;

    for (size_t b = 0; b < chunk->n; b++) {
        o->score[samples[b]] = chunk->score[b];
        o->class[samples[b]] = 0;
        for (size_t j = 1; j < chunk->k; j++)
            if (chunk->output[b * chunk->k + j] > chunk->output[b * chunk->k + o->class[samples[b]]])
                o->class[samples[b]] = j;
    }
    return 0;
}

/* The cohort of cohort_of() with labels of a kind: NULL = any; else those that fit what a block said. */
static mml_cohort *cohort_of_kind(mmlt_cohort *made, mml_task_kind kind, const outputs *said)
{
    static const char *const two[] = {"no", "yes"}, *const three[] = {"a", "b", "c"};
    float x[N * 4];
    double value[N];
    uint8_t event[N];

    for (size_t i = 0; i < N; i++) {
        const double own = said ? said->score[i] : (double)(i % 7);

        event[i] = i % 4 != 0;
        value[i] = kind == MML_BINARY       ? (double)(i % 2)
                   : kind == MML_MULTICLASS ? (double)(said ? said->class[i] : i % 3)
                   : kind == MML_SURVIVAL   ? exp(-own)
                                            : own;
        for (size_t j = 0; kind == MML_BINARY && said && j < N; j++)
            value[i] = j == 0 ? 0 : value[i] + (said->score[j] < own ? 1.0 / N : 0);
        if (kind == MML_BINARY && said)
            value[i] = value[i] < 0.5 ? 0 : 1;
    }
    mmlt_cohort_begin(made, N, NULL);
    mmlt_normal(x, N * 4, 11);
    mmlt_cohort_modality(made, "labs", "table", x, NULL, 4, NULL, 0, NULL);
    mmlt_normal(x, N * 3, 12);
    mmlt_cohort_modality(made, "notes", "table", x, NULL, 3, NULL, 0, NULL);
    if (kind == MML_SURVIVAL)
        mmlt_cohort_survival(made, "outcome", "months", value, event);
    else if (kind == MML_REGRESSION)
        mmlt_cohort_values(made, "outcome", value);
    else
        mmlt_cohort_classes(made, "outcome", kind == MML_BINARY ? "binary" : "multiclass", kind == MML_BINARY ? two : three,
                            kind == MML_BINARY ? 2 : 3, value);
    return mmlt_cohort_open(made);
}

static double valid_score(const mml_model *model, mml_cohort *cohort)
{
    mml_evaluate_options e;
    mml_evaluation found;

    mml_evaluate_options_init(&e);
    e.on = "valid";
    e.bootstrap = 0;
    mmlt_assert_ok(mml_evaluate(&found, model, cohort, &e));
    ck_assert_uint_eq(found.n, N_VALID);
    return found.metrics[0].value;
}

START_TEST(weights_are_found_for_every_task_and_number_of_blocks)
{
    enum { BLOCKS = 5 };
    const mml_task_kind kind = (mml_task_kind)_i;
    mml_model *blocks[BLOCKS], *merged[4] = {NULL};
    mml_predictor *p = NULL;
    outputs *said = calloc(1, sizeof *said);
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of_kind(&made, kind, NULL);

    ck_assert_ptr_nonnull(said);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = parts_of(kind, i < 3 ? "labs" : "notes", i < 3 ? 4 : 3, 20 + i);
    mmlt_assert_ok(mml_predictor_new(&p, blocks[1], NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, take_outputs, said));
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    cohort = cohort_of_kind(&made, kind, said); /* block 1 knows */
    for (int w = 0; w < 4; w++) {
        static const mml_weighting how[] = {MML_WEIGHT_SEARCH, MML_WEIGHT_EQUAL, MML_WEIGHT_VALIDATION, MML_WEIGHT_CORRELATED};
        mml_merge_options o = weighting(how[w]);
        double sum = 0;

        o.cohort = cohort;
        mmlt_assert_ok(mml_merge(&merged[w], (const mml_model *const *)blocks, BLOCKS, &o));
        for (size_t i = 0; i < BLOCKS; i++) {
            ck_assert(merged[w]->weights[i] >= 0);
            sum += merged[w]->weights[i];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-12);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        ck_assert(i == 1 || merged[0]->weights[i] < merged[0]->weights[1]);
    ck_assert_double_gt(valid_score(merged[0], cohort), valid_score(merged[1], cohort));
    ck_assert_double_gt(valid_score(merged[0], cohort), valid_score(merged[2], cohort));
    for (size_t i = 0; i < BLOCKS; i++)
        mml_model_free(blocks[i]);
    for (size_t i = 0; i < 4; i++)
        mml_model_free(merged[i]);
    free(said);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(search_and_correlation_fail_cleanly_without_memory)
{
    mml_model *a = with_parts("labs", 4, 1), *b = with_parts("notes", 3, 2), *out = NULL;
    mml_merge_options o = weighting(_i ? MML_WEIGHT_SEARCH : MML_WEIGHT_CORRELATED);
    double label[N];
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_status st = MML_E_NOMEM;

    for (size_t i = 0; i < N; i++)
        label[i] = (double)(i % 2);
    cohort = cohort_of(&made, N, label);
    o.cohort = cohort;
    for (uint64_t k = 1; st != MML_OK; k += k < 400 ? 7 : 131) {
        mmli_alloc_fail_at(k);
        st = mml_merge(&out, (const mml_model *[]){a, b}, 2, &o);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %zu: %s: %s", (size_t)k, mml_status_name(st), mml_last_error());
    }
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights of merges");
    TCase *tc = tcase_create("weights");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, given_weights_are_kept_in_proportion);
    tcase_add_loop_test(tc, validation_weights_are_proportional_to_d_prime, 0, 3);
    tcase_add_test(tc, a_cross_validation_counts_in_place_of_the_validation_score);
    tcase_add_test(tc, regression_blocks_are_weighed_by_signal_to_noise);
    tcase_add_test(tc, search_finds_the_block_that_knows_on_validation_samples_only);
    tcase_add_loop_test(tc, weights_are_not_chosen_on_samples_of_another_part, 0, 2);
    tcase_add_test(tc, correlated_weights_share_between_blocks_that_say_the_same);
    tcase_add_test(tc, a_block_that_speaks_louder_is_turned_down);
    tcase_add_loop_test(tc, weights_are_found_for_every_task_and_number_of_blocks, 0, 4);
    tcase_add_loop_test(tc, search_and_correlation_fail_cleanly_without_memory, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
