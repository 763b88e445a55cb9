/* test_predict_cohort.c - a cohort predicted chunk by chunk, if it is one that the model can read. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

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
    mml_model *model = mmlt_one(0, MML_BINARY, NULL);
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
    mml_model *model = mmlt_one(0, MML_BINARY, NULL);
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
    Suite *suite = suite_create("prediction of cohorts");
    TCase *tc = tcase_create("cohort");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_cohort_is_predicted_in_the_order_asked_for_whatever_the_chunks);
    tcase_add_loop_test(tc, a_cohort_that_does_not_fit_the_model_is_refused, 0, 3);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
