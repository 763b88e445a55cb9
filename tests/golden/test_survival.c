/* test_survival.c - the discrete-time survival loss and what is made of its logits, against PyTorch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/labels.h"
#include "ops/internal.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"

static void check(const gold *g, const char *path, const float *got, size_t size, double *worst)
{
    size_t n;
    float *want = gold_floats(g, path, &n);

    ck_assert_uint_eq(n, size);
    mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
    *worst = fmax(*worst, mmlt_relative_error(got, want, n));
    free(want);
}

static const char *const alphas[] = {"0.0", "0.4", "1.0"};

START_TEST(survival_nll_and_its_gradient_match_the_original_code)
{
    const char *alpha = alphas[_i % 3];
    mmli_device *dv = mmlt_device(_i / 3, 0);
    mmli_tape *tape = NULL;
    mmli_var *logits;
    mmli_mem *loss;
    gold g;
    size_t n, n_logits, k;
    float *x, *censored, *event, *w, *grad, value;
    int64_t *bin64;
    int32_t *bin;
    double sum, worst = 0;
    char path[32];

    if (!gold_open(&g, "survival_nll")) {
        mmli_device_close(dv);
        return;
    }
    x = gold_floats(&g, "inputs/logits", &n_logits);
    censored = gold_floats(&g, "inputs/censored", &n);
    bin64 = gold_ints(&g, "inputs/bin", &n);
    k = n_logits / n;
    bin = calloc(n, sizeof *bin);
    event = calloc(n, sizeof *event);
    w = calloc(n, sizeof *w);
    grad = calloc(n_logits, sizeof *grad);
    for (size_t i = 0; i < n; i++) {
        bin[i] = (int32_t)bin64[i];
        event[i] = 1.0f - censored[i];
        w[i] = 1.0f / (float)n;
    }
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, MMLI_RECORD, 0, 0));
    logits = mmli_tape_input(tape, x, n, k, true);
    loss = mmli_tape_mem(tape, sizeof sum);
    ck_assert_ptr_nonnull(loss);
    mmlt_assert_ok(dv->k.fill(dv, loss, 2, 0.0f));
    mmlt_assert_ok(mmli_loss_survival_nll(tape, loss, logits, bin, event, w, strtof(alpha, NULL)));
    mmlt_download(&sum, dv, loss, sizeof sum);
    mmlt_download(grad, dv, logits->grad, n_logits * sizeof *grad);
    value = (float)sum;
    snprintf(path, sizeof path, "outputs/loss_%s", alpha);
    check(&g, path, &value, 1, &worst);
    snprintf(path, sizeof path, "outputs/grad_%s", alpha);
    check(&g, path, grad, n_logits, &worst);
    printf("survival_nll %s %-10s largest relative error: %.1e\n", alpha, dv->k.name, worst);
    mmli_tape_free(tape);
    mmli_device_close(dv);
    free(x);
    free(censored);
    free(event);
    free(w);
    free(grad);
    free(bin);
    free(bin64);
    gold_close(&g);
}
END_TEST

START_TEST(hazards_survival_and_risk_match_the_original_code)
{
    mmli_task task = {.kind = MML_SURVIVAL};
    gold g;
    size_t n_logits, n, k;
    float *x, *hazard, *survival, *risk, *none;
    double *score, worst = 0;

    if (!gold_open(&g, "survival_nll"))
        return;
    x = gold_floats(&g, "inputs/logits", &n_logits);
    none = gold_floats(&g, "outputs/risk", &n);
    k = n_logits / n;
    task.outputs = k;
    hazard = calloc(n_logits, sizeof *hazard);
    survival = calloc(n_logits, sizeof *survival);
    risk = calloc(n, sizeof *risk);
    score = calloc(n, sizeof *score);
    mmli_task_outputs(hazard, survival, score, &task, x, n);
    for (size_t i = 0; i < n; i++)
        risk[i] = (float)score[i];
    check(&g, "outputs/hazard", hazard, n_logits, &worst);
    check(&g, "outputs/survival", survival, n_logits, &worst);
    check(&g, "outputs/risk", risk, n, &worst);
    printf("survival_nll outputs        largest relative error: %.1e\n", worst);
    free(x);
    free(none);
    free(hazard);
    free(survival);
    free(risk);
    free(score);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/survival");
    TCase *tc = tcase_create("survival");

    tcase_add_loop_test(tc, survival_nll_and_its_gradient_match_the_original_code, 0, 3 * mmlt_n_backends());
    tcase_add_test(tc, hazards_survival_and_risk_match_the_original_code);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
