/* test_explain_modalities.c - what modalities contribute, for every kind of task. */
#include <math.h>

#include "tests/unit/explain_rig.h"

typedef struct told {
    size_t n;
    mml_contribution list[N * MODALITIES];
} told;

static int tell(void *user, const mml_contribution *c)
{
    told *t = user;

    ck_assert_uint_lt(t->n, N * MODALITIES);
    t->list[t->n++] = *c;
    return 0;
}

/* Score of every sample with the modalities of a set, by prediction of a cohort that has only those. */
static void scores_of(double *out, double *output, const mml_model *model, const rig_data *d, unsigned set, const size_t *cls)
{
    mml_predictor *p = NULL;
    mml_prediction got;
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, N));
    for (size_t m = 0; m < MODALITIES; m++)
        if (set >> m & 1)
            mmlt_assert_ok(mml_batch_set(batch, mmlt_names[m], d->x[m], d->off[m], mmlt_widths[m], NULL, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmlt_assert_ok(mml_predict(&got, p, batch));
    for (size_t b = 0; b < N; b++) {
        const size_t j = cls ? cls[b] : 0;
        const double prob = (double)got.output[b * got.k + j];

        out[b] = cls ? log(prob / (1 - prob)) : got.score[b];
        output[b] = cls ? prob : got.score[b];
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
}

/* The class that the model predicts from all modalities; binary: the last. */
static void classes_of(size_t *cls, const mml_model *model, const rig_data *d)
{
    mml_predictor *p = NULL;
    mml_prediction got;
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, N));
    for (size_t m = 0; m < MODALITIES; m++)
        mmlt_assert_ok(mml_batch_set(batch, mmlt_names[m], d->x[m], d->off[m], mmlt_widths[m], NULL, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmlt_assert_ok(mml_predict(&got, p, batch));
    for (size_t b = 0; b < N; b++) {
        cls[b] = got.k == 2 ? 1 : 0;
        for (size_t j = 0; got.k > 2 && j < got.k; j++)
            cls[b] = got.logits[b * got.k + j] > got.logits[b * got.k + cls[b]] ? j : cls[b];
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
}

/* Log odds from float32 probabilities (near 0 and 1 they cancel), and the same logits in batches of another shape. */
static const double score_tol = 2e-4;

/* _i: kinds of task, for a merge and a fuse */
START_TEST(without_a_modality_means_predicted_from_the_others)
{
    const rig_how h = {"mmlego", 0, MML_ENCODER_LINEAR, NULL};
    const mml_task_kind task = (mml_task_kind)(_i / 2);
    const bool classes = task == MML_BINARY || task == MML_MULTICLASS;
    mml_merge_options merge;
    mml_model *model;
    mml_explainer *e = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;
    size_t cls[N], at = 0;
    double score[1 << MODALITIES][N], output[1 << MODALITIES][N];
    told t = {.n = 0};
    rig_data d;

    mmlt_assert_ok(mml_merge_options_init(&merge, "mmlego"));
    model = rig_join(&h, task, _i % 2 ? NULL : &merge, NULL);
    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    classes_of(cls, model, &d);
    for (unsigned set = 0; set < 1 << MODALITIES; set++)
        scores_of(score[set], output[set], model, &d, set, classes ? cls : NULL);
    mmlt_assert_ok(mml_explainer_new(&e, model, &(mml_explain_options){sizeof(mml_explain_options), NULL, 2, 5, NULL, 32, 0.01, NULL, 0}));
    mmlt_assert_ok(mml_explain_modalities(e, cohort, NULL, 0, tell, &t));
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++) {
            const mml_contribution *c = &t.list[at];
            const unsigned all = (1 << MODALITIES) - 1;

            if (!rig_has(m, b))
                continue;
            ck_assert_uint_lt(at, t.n);
            ck_assert_uint_eq(c->sample, b);
            ck_assert_str_eq(c->modality, mmlt_names[m]);
            ck_assert_int_eq(c->prior, b == 3); /* it has nothing else */
            ck_assert_uint_eq(c->class_index, classes ? cls[b] : 0);
            ck_assert_double_eq_tol(c->score, score[all][b], score_tol);
            ck_assert_double_eq_tol(c->without, score[all & ~(1u << m)][b], score_tol);
            ck_assert_double_eq_tol(c->alone, score[1u << m][b], score_tol);
            ck_assert_double_eq_tol(c->output, output[all][b], score_tol);
            ck_assert_double_eq_tol(c->output_without, output[all & ~(1u << m)][b], score_tol);
            ck_assert_double_eq_tol(c->output_alone, output[1u << m][b], score_tol);
            at++;
        }
    ck_assert_uint_eq(at, t.n);
    mml_explainer_free(e);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanations: modalities");
    TCase *tc = tcase_create("explain");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, without_a_modality_means_predicted_from_the_others, 0, 2 * TASKS);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
